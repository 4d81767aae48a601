// What the page is about: sentences in the order of their texts, and pairs of them as columns of numbers.

export const EXACT = "exact";
export const SEMANTIC = "semantic";
export const DECIDED = "decision"; // the reason of what a person refused

function columns(rows, levels) {
  const found = {
    length: rows.length,
    a: Int32Array.from(rows, (row) => row[0]),
    b: Int32Array.from(rows, (row) => row[1]),
    score: Int32Array.from(rows, (row) => row[2]),
    level: rows.map((row) => levels[row[3]]),
    reason: rows.map((row) => row[4]),
    words: rows.map((row) => row[5] ?? []),
    why: rows.map(([, , , , , , why]) => why && { meaning: why[0], sentiment: why[1], a: why[2], b: why[3] }),
  };
  found.fixed = Uint8Array.from(found.level, (level) => (level === SEMANTIC ? 0 : 1));
  return found;
}

// Each sentence's leader: of sentences with equal text the one that comes first, else itself.
function leaders(sentences, pairs) {
  const leader = Int32Array.from(sentences, (_, row) => row);
  for (let i = 0; i < pairs.length; i++) {
    const [a, b] = [pairs.a[i], pairs.b[i]];
    if (pairs.level[i] === EXACT) leader[Math.max(a, b)] = Math.min(a, b); // one of the two leads all its equals
  }
  return leader;
}

// For each leader the one of its equals that survives, and how much that is preferred.
function preferred(group, count, preference) {
  const first = Int32Array.from({ length: count }, (_, row) => row);
  if (!preference) return { first, preference };
  const least = Float64Array.from(preference);
  for (const [leader, rows] of group) {
    first[leader] = rows.reduce((best, row) => (preference[row] < preference[best] ? row : best));
    least[leader] = preference[first[leader]];
  }
  return { first, preference: least };
}

export function read(data) {
  const sentences = data.sentences.map(([text, source, line, hash]) => ({
    text,
    source: data.sources[source],
    line,
    hash,
  }));
  const pairs = columns(data.pairs, data.levels);
  const leader = data.against ? Int32Array.from(sentences, (_, row) => row) : leaders(sentences, pairs);
  const size = new Int32Array(sentences.length);
  for (const row of leader) size[row]++;
  const group = new Map(); // of each leader with equals: all of them
  leader.forEach((first, row) => {
    if (size[first] < 2) return;
    if (first === row) group.set(first, []);
    group.get(first).push(row);
  });
  const byHash = new Map();
  for (let row = sentences.length - 1; row >= 0; row--) byHash.set(sentences[row].hash, leader[row]);
  const refused = columns(data.refused, data.levels);
  return { ...data, sentences, pairs, refused, leader, size, group, byHash, ...preferred(group, leader.length, data.preference) };
}
