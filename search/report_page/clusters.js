// Pairs to clusters, by the rule of search/clusters.py: the sentence with most sentences around it takes them all, then
// the one with most of what is left around it, and so on; ties go to the higher sum of scores, then to the text that
// sorts first. With a preference, what is preferred takes first. No two that were refused share a cluster.

import { DECIDED } from "./model.js";

const NONE = new Set();

// The pairs that count, as columns of leaders, scores and where the pair stands: its number, or for a refused one -1
// less its number. Those are all that reach the threshold or need none, and what a person decided. Beside them, which
// leaders must be kept apart.
function edges(model, threshold, decisions) {
  const { leader, sentences } = model;
  const most = model.pairs.length + model.refused.length;
  const [a, b, score, pair] = [0, 1, 2, 3].map(() => new Int32Array(most));
  const apart = decisions.apart(model.byHash);
  const part = (one, other) => apart.set(one, (apart.get(one) ?? new Set()).add(other));
  let count = 0;
  for (const list of [model.pairs, model.refused]) {
    for (let i = 0; i < list.length; i++) {
      const [one, other] = [leader[list.a[i]], leader[list.b[i]]];
      if (one === other) continue; // equal texts
      const said = decisions.size ? decisions.of(sentences[one].hash, sentences[other].hash) : undefined;
      const kept = list === model.pairs || list.reason[i] === DECIDED; // what is not decided any more
      const counts = list.fixed[i] || list.score[i] >= threshold;
      if (said ?? (kept && counts)) {
        [a[count], b[count], score[count], pair[count]] = [one, other, list.score[i], list === model.pairs ? i : -1 - i];
        count++;
      } else if (!kept && counts) {
        part(one, other);
        part(other, one);
      }
    }
  }
  return { a, b, score, pair, count, apart };
}

// Who is near whom: the neighbours of sentence i are near[start[i]] to near[start[i + 1] - 1]; beside each, the edge.
function adjacency({ a, b, count }, sentences) {
  const start = new Int32Array(sentences + 1);
  for (let i = 0; i < count; i++) {
    start[a[i] + 1]++;
    start[b[i] + 1]++;
  }
  for (let i = 0; i < sentences; i++) start[i + 1] += start[i];
  const at = start.slice();
  const near = new Int32Array(2 * count);
  const edge = new Int32Array(2 * count);
  const add = (one, other, i) => {
    near[at[one]] = other;
    edge[at[one]++] = i;
  };
  for (let i = 0; i < count; i++) {
    add(a[i], b[i], i);
    add(b[i], a[i], i);
  }
  return { start, near, edge };
}

// A heap of numbers, the least by `order` on top.
class Heap {
  #items = [];
  #order;

  constructor(order) {
    this.#order = order;
  }

  get size() {
    return this.#items.length;
  }

  push(one) {
    const items = this.#items;
    let at = items.push(one) - 1;
    for (let up = (at - 1) >> 1; at > 0 && this.#order(one, items[up]) < 0; up = (at - 1) >> 1) {
      items[at] = items[up];
      at = up;
    }
    items[at] = one;
  }

  pop() {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (!items.length) return top;
    let at = 0;
    for (let down = 1; down < items.length; down = 2 * at + 1) {
      if (down + 1 < items.length && this.#order(items[down + 1], items[down]) < 0) down++;
      if (this.#order(last, items[down]) <= 0) break;
      items[at] = items[down];
      at = down;
    }
    items[at] = last;
    return top;
  }
}

// What is in no cluster yet, and how many sentences, how near, are around each.
class Free {
  constructor(model, found) {
    const count = model.sentences.length;
    this.size = model.size;
    this.edges = found;
    this.links = adjacency(found, count);
    this.taken = new Uint8Array(count);
    this.around = model.size.slice();
    this.nearness = new Float64Array(count);
    for (let i = 0; i < found.count; i++) {
      const [a, b, score] = [found.a[i], found.b[i], found.score[i]];
      this.around[a] += this.size[b];
      this.around[b] += this.size[a];
      this.nearness[a] += score;
      this.nearness[b] += score;
    }
  }

  // Those that may begin a cluster, each when its turn comes.
  *mostCentral() {
    const around = this.around.slice();
    const nearness = this.nearness.slice();
    const heap = new Heap((x, y) => around[y] - around[x] || nearness[y] - nearness[x] || x - y);
    for (let row = 0; row < around.length; row++) if (around[row] > 1) heap.push(row);
    while (heap.size) {
      const row = heap.pop();
      if (this.taken[row]) continue;
      if (around[row] === this.around[row] && nearness[row] === this.nearness[row]) yield row;
      else {
        around[row] = this.around[row]; // it can only have become less
        nearness[row] = this.nearness[row];
        heap.push(row);
      }
    }
  }

  *preferred(preference) {
    const rows = Int32Array.from(preference, (_, row) => row).filter((row) => this.size[row] > 0);
    yield* rows.sort((x, y) => preference[x] - preference[y] || x - y);
  }

  // Take a row with all around it that are free and not to be kept apart from one another, the nearest first.
  take(row) {
    const { start, near, edge } = this.links;
    const { score, pair, apart } = this.edges;
    const around = [];
    for (let i = start[row]; i < start[row + 1]; i++) {
      if (!this.taken[near[i]]) around.push({ row: near[i], score: score[edge[i]], pair: pair[edge[i]] });
    }
    around.sort((x, y) => y.score - x.score || x.row - y.row);
    const together = new Set([row]);
    const come = around.filter((one) => {
      for (const other of apart.get(one.row) ?? NONE) if (together.has(other)) return false;
      return together.add(one.row);
    });
    for (const one of together) this.#leave(one);
    return come;
  }

  #leave(row) {
    const { start, near, edge } = this.links;
    this.taken[row] = 1;
    for (let i = start[row]; i < start[row + 1]; i++) {
      this.around[near[i]] -= this.size[row];
      this.nearness[near[i]] -= this.edges.score[edge[i]];
    }
  }
}

// Each sentence of the second side goes to the one of the first that it is nearest to.
function nearestKnown(model, { a, b, score, pair, count }) {
  const best = new Map();
  const level = (i) => model.levels.indexOf(pair[i] < 0 ? model.refused.level[-1 - pair[i]] : model.pairs.level[pair[i]]);
  for (let i = 0; i < count; i++) {
    const other = best.get(b[i]);
    const nearer = other === undefined || score[i] - score[other] || level(other) - level(i) || a[other] - a[i];
    if (nearer === true || nearer > 0) best.set(b[i], i);
  }
  const found = new Map();
  for (const [row, i] of best) {
    if (!found.has(a[i])) found.set(a[i], []);
    found.get(a[i]).push({ row, score: score[i], pair: pair[i] });
  }
  return [...found].map(([survivor, members]) => ({ survivor, members }));
}

function held(model, found) {
  const free = new Free(model, found);
  const clusters = [];
  for (const leader of model.preference ? free.preferred(model.preference) : free.mostCentral()) {
    if (free.taken[leader]) continue;
    const rows = [{ row: leader, score: null, pair: null }, ...free.take(leader)].flatMap((one) =>
      (model.group.get(one.row) ?? [one.row]).map((row) => ({ ...one, row })));
    const survivor = model.first[leader];
    if (rows.length > 1) clusters.push({ survivor, members: rows.filter((one) => one.row !== survivor) });
  }
  return clusters;
}

// Clusters as { survivor, members: [{ row, score, pair }] }, largest first, then tightest; members nearest first.
// `threshold` and scores are in millionths. `pair` is the pair by which a member's text is near the survivor's: its
// number, for a refused one -1 less its number, and null where the texts are equal; the score is then null too.
export function group(model, threshold, decisions) {
  const found = edges(model, threshold, decisions);
  const clusters = model.against ? nearestKnown(model, found) : held(model, found);
  const score = (one) => one.score ?? 1e6;
  for (const cluster of clusters) {
    cluster.members.sort((x, y) => (x.pair === null ? -1 : 0) - (y.pair === null ? -1 : 0) || score(y) - score(x) || x.row - y.row);
    cluster.tightness = Math.round(cluster.members.reduce((sum, one) => sum + score(one), 0) / 100);
  }
  return clusters.sort((x, y) =>
    y.members.length - x.members.length || y.tightness - x.tightness || x.survivor - y.survivor);
}
