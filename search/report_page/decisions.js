// What a person decided of pairs: kept by the content of both texts, so that it outlives the order of an index.

export const FORMAT = 1;
const HASH = /^[0-9a-f]{64}$/;

function check(entry, number) {
  const bad = (what) => new Error(`entry ${number}: ${what}`);
  if (typeof entry !== "object" || entry === null) throw bad("is not an object");
  for (const side of ["a", "b"]) {
    const text = entry[side];
    if (typeof text !== "object" || text === null) throw bad(`has no "${side}"`);
    if (typeof text.text !== "string" || !HASH.test(text.sha256)) throw bad(`"${side}" needs text and sha256`);
  }
  if (entry.a.sha256 === entry.b.sha256) throw bad("decides on a text and itself");
  if (typeof entry.same !== "boolean") throw bad('"same" must be true or false');
}

export class Decisions {
  #entries = new Map();

  static #key(a, b) {
    return a < b ? a + b : b + a;
  }

  get size() {
    return this.#entries.size;
  }

  // true: the same; false: not the same; undefined: not decided.
  of(a, b) {
    return this.#entries.get(Decisions.#key(a, b))?.same;
  }

  // Decide on two sentences; undefined takes the decision back.
  set(a, b, same) {
    const key = Decisions.#key(a.hash, b.hash);
    if (same === undefined) this.#entries.delete(key);
    else {
      const [first, second] = a.hash < b.hash ? [a, b] : [b, a];
      const side = (one) => ({ sha256: one.hash, text: one.text });
      this.#entries.set(key, { a: side(first), b: side(second), same });
    }
  }

  // Who must not be with whom, as a map of leaders to sets of leaders.
  apart(byHash) {
    const found = new Map();
    for (const { a, b, same } of this.#entries.values()) {
      const [x, y] = [byHash.get(a.sha256), byHash.get(b.sha256)];
      if (same || x === undefined || y === undefined) continue;
      for (const [one, other] of [[x, y], [y, x]]) found.set(one, (found.get(one) ?? new Set()).add(other));
    }
    return found;
  }

  // The file's text; in a fixed order, so that equal decisions give equal files.
  toFile() {
    const decisions = [...this.#entries.keys()].sort().map((key) => this.#entries.get(key));
    return JSON.stringify({ kind: "kindred decisions", format: FORMAT, decisions }, null, 2) + "\n";
  }

  // Take in a file's decisions, over those that are there; returns how many. Throws, and takes none, if one is amiss.
  load(text) {
    let file;
    try {
      file = JSON.parse(text);
    } catch (error) {
      throw new Error(`not valid JSON (${error.message})`);
    }
    if (file?.kind !== "kindred decisions" || !Array.isArray(file.decisions)) throw new Error("not a decisions file");
    if (file.format !== FORMAT) throw new Error(`format ${file.format}; this page reads ${FORMAT}`);
    file.decisions.forEach((entry, index) => check(entry, index + 1));
    for (const { a, b, same } of file.decisions) {
      const side = (one) => ({ hash: one.sha256, text: one.text });
      this.set(side(a), side(b), same);
    }
    return file.decisions.length;
  }
}

// Decisions that outlive a reload, where the browser lets a page store anything.
export function stored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function store(key, text) {
  try {
    localStorage.setItem(key, text);
    return true;
  } catch {
    return false;
  }
}

export function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
