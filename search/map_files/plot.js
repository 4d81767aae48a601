// A canvas of points: draws them, moves and zooms, and says what is under the pointer. Each point is stamped into the
// picture's pixels, which is quick enough for 100,000; benchmarks/map.md has the figures.

import { stamp, trace } from "./shapes.js";

const MOST_ZOOM = 400;
const REACH = 14; // pixels from the pointer within which a point is meant
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Plot {
  // `told` has moved(), hovered(point or null, x, y) and picked(point).
  constructor(canvas, points, told) {
    Object.assign(this, { canvas, points, told });
    this.context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    this.strong = null; // a Set of points; the others are faint
    this.ringed = [];
    this.hover = null;
    this.fingers = new Map();
    this.resize();
    this.whole();
    this.listen();
  }

  // Another map in the same place.
  show(points) {
    Object.assign(this, { points, strong: null, ringed: [], hover: null, stamps: null });
    this.whole();
  }

  // ---- where things are

  resize() {
    this.ratio = Math.min(2, devicePixelRatio || 1);
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.max(1, Math.round(this.width * this.ratio));
    this.canvas.height = Math.max(1, Math.round(this.height * this.ratio));
    this.stamps = null;
    this.draw();
  }

  whole() {
    Object.assign(this, { centreX: 0.5, centreY: 0.5, zoom: 1 });
    this.moved();
  }

  // Of a map wider or higher than the square it lies in, the points are spread as the canvas is.
  get scaleX() { return 0.94 * this.zoom * Math.min(this.width, 1.6 * this.height); }
  get scaleY() { return 0.94 * this.zoom * Math.min(this.height, 1.6 * this.width); }

  at(one) {
    return [(this.points.x[one] - this.centreX) * this.scaleX + this.width / 2, (this.points.y[one] - this.centreY) * this.scaleY + this.height / 2];
  }

  part() {
    const x = this.width / 2 / this.scaleX;
    const y = this.height / 2 / this.scaleY;
    return [this.centreX - x, this.centreY - y, this.centreX + x, this.centreY + y];
  }

  pointAt(x, y, reach = REACH) {
    let best = null;
    let least = reach * reach;
    const [left, top] = this.part();
    const [atX, atY] = [left + x / this.scaleX, top + y / this.scaleY];
    const [rx, ry] = [reach / this.scaleX, reach / this.scaleY];
    this.points.within(atX - rx, atY - ry, atX + rx, atY + ry, (one) => {
      const [px, py] = this.at(one);
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < least && (!this.strong || this.strong.has(one))) [best, least] = [one, distance];
    });
    return best;
  }

  zoomBy(factor, x = this.width / 2, y = this.height / 2) {
    const zoom = Math.max(0.8, Math.min(MOST_ZOOM, this.zoom * factor));
    const [left, top] = this.part();
    const [atX, atY] = [left + x / this.scaleX, top + y / this.scaleY];
    this.zoom = zoom;
    this.centreX = atX - (x - this.width / 2) / this.scaleX;
    this.centreY = atY - (y - this.height / 2) / this.scaleY;
    this.moved();
  }

  moveBy(dx, dy) {
    this.centreX -= dx / this.scaleX;
    this.centreY -= dy / this.scaleY;
    this.moved();
  }

  goTo(one, zoom = this.zoom) {
    Object.assign(this, { centreX: this.points.x[one], centreY: this.points.y[one], zoom: Math.max(zoom, this.zoom) });
    this.moved();
  }

  moved() {
    const inside = (value) => Math.max(0, Math.min(1, value));
    this.centreX = inside(this.centreX);
    this.centreY = inside(this.centreY);
    this.draw();
    this.told.moved();
  }

  // ---- what is seen

  toggle(code, shown) {
    this.points.shown[code] = shown ? 1 : 0;
    this.draw();
    this.told.moved();
  }

  mark(strong, ringed) {
    this.strong = strong;
    this.ringed = ringed;
    this.draw();
  }

  draw() {
    if (this.due) return;
    this.due = requestAnimationFrame(() => { this.due = 0; this.paint(); });
  }

  recolour() {
    this.stamps = null;
    this.draw();
  }

  paint() {
    const { width, height } = this.canvas;
    const style = getComputedStyle(this.canvas);
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const ground = style.backgroundColor;
    const visible = [];
    this.points.within(...this.part(), (one) => visible.push(one));
    const radius = this.radius(visible.length);
    const key = `${radius} ${ground} ${this.ratio}`;
    if (this.stamps?.key !== key) this.stamps = this.makeStamps(radius, ground, dark, key);
    this.context.fillStyle = ground;
    this.context.fillRect(0, 0, width, height);
    const picture = this.context.getImageData(0, 0, width, height);
    if (this.strong) {
      for (const one of visible) if (!this.strong.has(one)) this.print(picture, one, this.stamps.faint[this.points.codes[one]]);
      for (const one of visible) if (this.strong.has(one)) this.print(picture, one, this.stamps.full[this.points.codes[one]]);
    } else {
      for (const one of visible) this.print(picture, one, this.stamps.full[this.points.codes[one]]);
    }
    this.context.putImageData(picture, 0, 0);
    this.rings(style.color, ground, radius);
    this.seen = visible.length;
  }

  radius(count) {
    return Math.max(1.5, Math.min(6.5, 260 / Math.sqrt(count + 1))) * Math.min(1, Math.max(0.6, this.width / 900));
  }

  makeStamps(radius, ground, dark, key) {
    const colours = this.points.marks.map((mark) => (dark ? mark.dark : mark.light));
    const size = radius * this.ratio;
    const edge = radius > 2.5 ? ground : null;
    const made = (colour) => this.points.marks.map((mark, code) => stamp(mark.shape, colour(code), edge, size));
    return { key, full: made((code) => colours[code]), faint: made(() => (dark ? "#3c3c42" : "#d9d7d2")) };
  }

  print({ data, width, height }, one, { reach, pixels }) {
    const x = Math.round(((this.points.x[one] - this.centreX) * this.scaleX + this.width / 2) * this.ratio);
    const y = Math.round(((this.points.y[one] - this.centreY) * this.scaleY + this.height / 2) * this.ratio);
    if (x < -reach || y < -reach || x >= width + reach || y >= height + reach) return;
    for (let at = 0; at < pixels.length; at += 6) {
      const px = x + pixels[at];
      const py = y + pixels[at + 1];
      if (px < 0 || py < 0 || px >= width || py >= height) continue;
      const to = 4 * (py * width + px);
      const cover = pixels[at + 5];
      data[to] += ((pixels[at + 2] - data[to]) * cover) >> 8;
      data[to + 1] += ((pixels[at + 3] - data[to + 1]) * cover) >> 8;
      data[to + 2] += ((pixels[at + 4] - data[to + 2]) * cover) >> 8;
    }
  }

  // Rings around what was found, looked at or chosen; a cross in the middle while the keyboard moves the map.
  rings(ink, ground, radius) {
    const { context, ratio } = this;
    const ring = (x, y, size) => {
      for (const [colour, line] of [[ground, 4], [ink, 1.8]]) {
        trace(context, "disc", x * ratio, y * ratio, size * ratio);
        context.strokeStyle = colour;
        context.lineWidth = line * ratio;
        context.stroke();
      }
    };
    for (const one of this.ringed) if (this.points.shown[this.points.codes[one]]) ring(...this.at(one), radius + 5);
    if (this.hover !== null) ring(...this.at(this.hover), radius + 4);
    if (this.canvas.matches(":focus-visible")) ring(this.width / 2, this.height / 2, 3);
  }

  // ---- hands

  look(one, x = 0, y = 0) {
    if (one !== this.hover) {
      this.hover = one;
      this.draw();
    }
    this.canvas.style.cursor = one === null ? "grab" : "pointer";
    this.told.hovered(one, x, y);
  }

  listen() {
    const { canvas } = this;
    const inside = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.look(null);
      this.zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...inside(event));
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.fingers.set(event.pointerId, inside(event));
      this.travelled = this.fingers.size > 1 ? Infinity : 0;
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.fingers.has(event.pointerId)) this.drag(event.pointerId, inside(event));
      else this.look(this.pointAt(...inside(event)), ...inside(event));
    });
    canvas.addEventListener("pointerup", (event) => {
      const [x, y] = inside(event);
      if (this.fingers.delete(event.pointerId) && this.travelled < 5) {
        const one = this.pointAt(x, y, event.pointerType === "touch" ? 24 : REACH);
        if (one !== null) this.told.picked(one);
      }
    });
    canvas.addEventListener("pointercancel", (event) => this.fingers.delete(event.pointerId));
    canvas.addEventListener("pointerleave", () => this.look(null));
    canvas.addEventListener("keydown", (event) => this.key(event));
    for (const name of ["focus", "blur"]) canvas.addEventListener(name, () => this.draw());
    new ResizeObserver(() => this.resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
  }

  drag(finger, [x, y]) {
    const [fromX, fromY] = this.fingers.get(finger);
    this.fingers.set(finger, [x, y]);
    if (this.fingers.size === 1) {
      this.travelled += Math.abs(x - fromX) + Math.abs(y - fromY);
      if (this.travelled >= 5) { this.look(null); this.moveBy(x - fromX, y - fromY); }
      return;
    }
    const [otherX, otherY] = [...this.fingers].find(([id]) => id !== finger)[1];
    const before = Math.hypot(fromX - otherX, fromY - otherY);
    if (before > 0) this.zoomBy(Math.hypot(x - otherX, y - otherY) / before, (x + otherX) / 2, (y + otherY) / 2);
  }

  key(event) {
    const step = KEYS[event.key];
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (step) this.moveBy(-60 * step[0], -60 * step[1]);
    else if (event.key === "+" || event.key === "=") this.zoomBy(1.4);
    else if (event.key === "-") this.zoomBy(1 / 1.4);
    else if (event.key === "0") this.whole();
    else if (event.key === "Enter") {
      const one = this.pointAt(this.width / 2, this.height / 2, 200);
      if (one !== null) this.told.picked(one);
    } else return;
    event.preventDefault();
  }
}
