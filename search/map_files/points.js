// The points of a map, and a grid over them in which those near a place, or in a part of the map, are found at once.

function bytes(text) {
  const raw = atob(text);
  const made = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at++) made[at] = raw.charCodeAt(at);
  return made.buffer;
}

const STEPS = 65535;

export class Points {
  // Places lie between 0 and 1, y downwards.
  constructor(given) {
    this.count = given.count;
    this.marks = given.marks;
    this.codes = new Uint16Array(bytes(given.codes));
    this.rows = new Uint32Array(bytes(given.rows));
    const places = new Uint16Array(bytes(given.places));
    this.x = new Float32Array(this.count);
    this.y = new Float32Array(this.count);
    for (let one = 0; one < this.count; one++) {
      this.x[one] = places[2 * one] / STEPS;
      this.y[one] = 1 - places[2 * one + 1] / STEPS;
    }
    this.shown = new Uint8Array(this.marks.length).fill(1);
    this.sort();
  }

  sort() {
    this.side = Math.max(1, Math.min(256, Math.floor(Math.sqrt(this.count / 3))));
    const cells = this.side * this.side;
    this.starts = new Uint32Array(cells + 1);
    const cell = new Uint32Array(this.count);
    for (let one = 0; one < this.count; one++) {
      cell[one] = this.cell(this.y[one]) * this.side + this.cell(this.x[one]);
      this.starts[cell[one] + 1] += 1;
    }
    for (let at = 0; at < cells; at++) this.starts[at + 1] += this.starts[at];
    const next = this.starts.slice();
    this.order = new Uint32Array(this.count);
    for (let one = 0; one < this.count; one++) this.order[next[cell[one]]++] = one;
  }

  cell(value) {
    return Math.max(0, Math.min(this.side - 1, Math.floor(value * this.side)));
  }

  // Calls `visit` with each point in a part of the map whose label is shown.
  within(left, top, right, bottom, visit) {
    for (let row = this.cell(top); row <= this.cell(bottom); row++) {
      const from = this.starts[row * this.side + this.cell(left)];
      const to = this.starts[row * this.side + this.cell(right) + 1];
      for (let at = from; at < to; at++) {
        const one = this.order[at];
        const x = this.x[one];
        const y = this.y[one];
        if (x >= left && x <= right && y >= top && y <= bottom && this.shown[this.codes[one]]) visit(one);
      }
    }
  }

  // The points that `within` visits, in the same order; they stand in an array that the next call takes again.
  among(left, top, right, bottom) {
    this.found ??= new Uint32Array(this.count);
    let count = 0;
    this.within(left, top, right, bottom, (one) => { this.found[count++] = one; });
    return this.found.subarray(0, count);
  }

  // The shown points within reach of a place, nearest first, so many at most.
  near(x, y, reach, most) {
    const found = [];
    this.within(x - reach, y - reach, x + reach, y + reach, (one) => {
      const distance = (this.x[one] - x) ** 2 + (this.y[one] - y) ** 2;
      if (distance <= reach * reach) found.push([distance, one]);
    });
    found.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    return found.slice(0, most).map(([, one]) => one);
  }

  // The shown points within an area that has corners; those in its middle first.
  enclosed(corners) {
    const found = [];
    const [xs, ys] = [0, 1].map((part) => corners.map((corner) => corner[part]));
    this.within(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys), (one) => {
      if (holds(corners, this.x[one], this.y[one])) found.push(one);
    });
    const middle = (of) => found.reduce((sum, one) => sum + of[one], 0) / found.length;
    const [x, y] = [middle(this.x), middle(this.y)];
    const away = new Map(found.map((one) => [one, (this.x[one] - x) ** 2 + (this.y[one] - y) ** 2]));
    return found.sort((a, b) => away.get(a) - away.get(b) || a - b);
  }
}

// Whether a place lies within corners: a line from it to one side crosses their outline an odd number of times.
function holds(corners, x, y) {
  let inside = false;
  let [fromX, fromY] = corners.at(-1);
  for (const [toX, toY] of corners) {
    if (fromY > y !== toY > y && x < fromX + ((y - fromY) / (toY - fromY)) * (toX - fromX)) inside = !inside;
    [fromX, fromY] = [toX, toY];
  }
  return inside;
}
