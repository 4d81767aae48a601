// Where two texts differ, word by word.

const MOST_CELLS = 4e6; // two texts of 2,000 words each: some 10 ms
const segmenter = globalThis.Intl?.Segmenter ? new Intl.Segmenter(undefined, { granularity: "word" }) : null;
const BY_RULE = /\s+|[\p{L}\p{M}\p{N}_]+(?:['’.,][\p{L}\p{M}\p{N}_]+)*|[^]/gu;

// The words and marks of a text in order: where each begins, the white space behind it, and whether there is some before.
export function words(text) {
  const found = [];
  const pieces = segmenter ? Array.from(segmenter.segment(text), (one) => one.segment) : text.match(BY_RULE) ?? [];
  let at = 0;
  for (const piece of pieces) {
    if (piece.trim()) {
      found.push({ kind: "same", word: piece, space: "", at, led: Boolean(found.at(-1)?.space) });
    }
    else if (found.length) found.at(-1).space += piece;
    at += piece.length;
  }
  return found;
}

function lengths(a, b) {
  const width = b.length + 1;
  const table = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const at = i * width + j;
      table[at] = a[i].word === b[j].word
        ? table[at + width + 1] + 1
        : Math.max(table[at + width], table[at + 1]);
    }
  }
  return table;
}

// The steps between two ends that are equal in nothing at their edges; too long for a table, all of it has changed.
function steps(a, b) {
  if (a.length * b.length > MOST_CELLS) {
    return [...a.map((one) => ({ ...one, kind: "del" })), ...b.map((one) => ({ ...one, kind: "ins" }))];
  }
  const table = lengths(a, b);
  const width = b.length + 1;
  const found = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i].word === b[j].word) {
      found.push({ ...b[j++], was: a[i++] });
    } else if (j >= b.length || (i < a.length && table[(i + 1) * width + j] >= table[i * width + j + 1])) {
      found.push({ ...a[i++], kind: "del" });
    } else {
      found.push({ ...b[j++], kind: "ins" });
    }
  }
  return found;
}

// Between two changes, what stands before is gone before what is new comes.
function tidied(found) {
  const parts = [];
  let gone = [];
  let come = [];
  for (const one of [...found, { kind: "same", word: "", space: "" }]) {
    if (one.kind === "del") gone.push(one);
    else if (one.kind === "ins") come.push(one);
    else {
      parts.push(...gone, ...come);
      [gone, come] = [[], []];
      if (one.word) parts.push(one);
    }
  }
  return parts;
}

// What turns text a into text b: words of kind "same", "del" (of a alone) and "ins" (of b alone), in order. A word
// that is the same is the one of b; `was` is then the one of a.
export function difference(a, b) {
  const left = words(a);
  const right = words(b);
  let start = 0;
  while (start < left.length && start < right.length && left[start].word === right[start].word) start++;
  let end = 0;
  const most = Math.min(left.length, right.length) - start;
  while (end < most && left[left.length - 1 - end].word === right[right.length - 1 - end].word) end++;
  return [
    ...right.slice(0, start).map((one, i) => ({ ...one, was: left[i] })),
    ...tidied(steps(left.slice(start, left.length - end), right.slice(start, right.length - end))),
    ...right.slice(right.length - end).map((one, i) => ({ ...one, was: left[left.length - end + i] })),
  ];
}

// The share of both texts' words that stand in both, in [0, 1].
export function shared(parts) {
  const same = parts.filter((one) => one.kind === "same").length;
  return parts.length ? (2 * same) / (parts.length + same) : 1;
}

// The words of one side of a difference, "a" or "b", each as it stands in that text.
export function side(parts, which) {
  if (which === "b") return parts.filter((one) => one.kind !== "del");
  return parts.filter((one) => one.kind !== "ins").map((one) => one.was ?? one);
}

// Where some words stand in a text, as [start, end) pairs; case makes no difference, and no word is found inside another.
export function places(text, sought) {
  const found = [];
  for (const one of sought) {
    const literal = one.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const edge = "[\\p{L}\\p{M}\\p{N}]";
    if (!literal) continue;
    for (const match of text.matchAll(new RegExp(`(?<!${edge})${literal}(?!${edge})`, "giu"))) {
      found.push([match.index, match.index + match[0].length]);
    }
  }
  return found;
}
