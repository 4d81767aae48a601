// The map as it is seen: which part of it, what stands out, what is ringed. The points are drawn on one canvas, and what
// changes at every turn, the rings and the area that is being drawn, on another above it.

import { element } from "./dom.js";
import { Picture } from "./picture.js";
import { trace } from "./shapes.js";

const MOST_ZOOM = 400;
const REACH = 14; // pixels from the pointer within which a point is meant
const STILL = 160; // milliseconds without a move after which the map is at rest

export class Plot {
  // `told` is called when another part is seen, or other points.
  constructor(canvas, points, told) {
    Object.assign(this, { canvas, points, told });
    this.picture = new Picture(canvas);
    this.above = element("canvas", { class: "above", "aria-hidden": "true" });
    canvas.after(this.above);
    this.strong = null; // for each point whether it stands out; the others are faint
    this.ringed = [];
    this.hover = null;
    this.area = []; // corners, on the map, of the area that is being drawn
    this.resize();
    this.whole();
    new ResizeObserver(() => this.resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw(true));
    for (const name of ["focus", "blur"]) canvas.addEventListener(name, () => this.draw());
  }

  // Another map in the same place.
  show(points) {
    Object.assign(this, { points, strong: null, ringed: [], hover: null });
    this.redraw(true);
    this.whole();
  }

  // ---- where things are

  resize() {
    const { clientWidth, clientHeight } = this.canvas;
    const ratio = Math.min(2, devicePixelRatio || 1);
    if (clientWidth === this.width && clientHeight === this.height && ratio === this.ratio) return;
    Object.assign(this, { width: clientWidth, height: clientHeight, ratio });
    const [width, height] = [this.width, this.height].map((side) => Math.max(1, Math.round(side * this.ratio)));
    this.picture.resize(width, height);
    Object.assign(this.above, { width, height });
    this.redraw(true);
  }

  whole() {
    Object.assign(this, { centreX: 0.5, centreY: 0.5, zoom: 1 });
    this.redraw();
    this.moved();
  }

  // Of a map wider or higher than the square it lies in, the points are spread as the canvas is.
  get scaleX() { return 0.94 * this.zoom * Math.min(this.width, 1.6 * this.height); }
  get scaleY() { return 0.94 * this.zoom * Math.min(this.height, 1.6 * this.width); }

  // Where on the canvas a place of the map is, and where on the map a place on the canvas.
  over(x, y) {
    return [(x - this.centreX) * this.scaleX + this.width / 2, (y - this.centreY) * this.scaleY + this.height / 2];
  }

  under(x, y) {
    return [this.centreX + (x - this.width / 2) / this.scaleX, this.centreY + (y - this.height / 2) / this.scaleY];
  }

  at(one) {
    return this.over(this.points.x[one], this.points.y[one]);
  }

  part() {
    return [...this.under(0, 0), ...this.under(this.width, this.height)];
  }

  // In the picture's own pixels, in whole numbers: what moves moves by whole pixels, and all points by the same.
  place() {
    const [scaleX, scaleY] = [this.scaleX * this.ratio, this.scaleY * this.ratio];
    const left = Math.round(this.centreX * scaleX - this.picture.image.width / 2);
    return { scaleX, scaleY, left, top: Math.round(this.centreY * scaleY - this.picture.image.height / 2) };
  }

  pointAt(x, y, reach = REACH) {
    let best = null;
    let least = reach * reach;
    this.points.within(...this.under(x - reach, y - reach), ...this.under(x + reach, y + reach), (one) => {
      const [px, py] = this.at(one);
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < least && (!this.strong || this.strong[one])) [best, least] = [one, distance];
    });
    return best;
  }

  zoomBy(factor, x = this.width / 2, y = this.height / 2) {
    const [atX, atY] = this.under(x, y);
    this.zoom = Math.max(0.8, Math.min(MOST_ZOOM, this.zoom * factor));
    this.centreX = atX - (x - this.width / 2) / this.scaleX;
    this.centreY = atY - (y - this.height / 2) / this.scaleY;
    this.redraw();
    this.moved();
  }

  moveBy(dx, dy) {
    this.centreX -= dx / this.scaleX;
    this.centreY -= dy / this.scaleY;
    this.moved();
  }

  goTo(one, zoom = this.zoom) {
    Object.assign(this, { centreX: this.points.x[one], centreY: this.points.y[one] });
    this.zoomBy(Math.max(1, zoom / this.zoom));
  }

  moved() {
    const inside = (value) => Math.max(0, Math.min(1, value));
    this.centreX = inside(this.centreX);
    this.centreY = inside(this.centreY);
    this.draw();
    this.told();
  }

  // ---- what is seen

  toggle(code, shown) {
    this.points.shown[code] = shown ? 1 : 0;
    this.redraw();
    this.told();
  }

  // Some points stand out, or all are as they are (null); some are ringed.
  mark(strong, ringed) {
    this.strong = strong && new Uint8Array(this.points.count);
    for (const one of strong ?? []) this.strong[one] = 1;
    this.ringed = ringed;
    this.redraw();
  }

  ring(one) {
    if (one === this.hover) return;
    this.hover = one;
    this.draw();
  }

  // The area goes on to here; without a place, there is none.
  corner(x, y) {
    if (x === undefined) this.area = [];
    else this.area.push(this.under(x, y));
    this.draw();
  }

  // The points are to be drawn again; perhaps in other colours.
  redraw(otherwise = false) {
    this.stale = true;
    if (otherwise) this.radius = 0;
    this.draw();
  }

  draw() {
    this.due ||= requestAnimationFrame(() => { this.due = 0; this.paint(); });
  }

  paint() {
    const place = this.place();
    const drawn = this.picture.place;
    if (this.stale) {
      this.prepare();
      this.picture.draw(this.points, place, this.strong);
      this.stale = false;
    } else if (place.left !== drawn.left || place.top !== drawn.top) {
      this.picture.move(this.points, place, this.strong);
      clearTimeout(this.resting);
      this.resting = setTimeout(() => { if (this.wanted() !== this.radius) this.redraw(); }, STILL);
    }
    this.rings();
  }

  // How large a point is: the fewer are seen, the larger.
  wanted() {
    const seen = this.points.among(...this.part()).length;
    const size = Math.max(1.5, Math.min(6.5, 260 / Math.sqrt(seen + 1))) * Math.min(1, Math.max(0.6, this.width / 900));
    return Math.round(size * 4) / 4;
  }

  prepare() {
    const radius = this.wanted();
    if (radius === this.radius) return;
    const { color, backgroundColor } = getComputedStyle(this.canvas);
    Object.assign(this, { radius, ink: color, ground: backgroundColor });
    this.picture.prepare(this.points, radius * this.ratio, this.ground, matchMedia("(prefers-color-scheme: dark)").matches);
  }

  // Rings around what was found, looked at or chosen; a cross in the middle while the keyboard moves the map.
  rings() {
    const { ratio, radius } = this;
    const context = this.above.getContext("2d");
    context.clearRect(0, 0, this.above.width, this.above.height);
    const line = () => {
      for (const [colour, width] of [[this.ground, 4], [this.ink, 1.8]]) {
        Object.assign(context, { strokeStyle: colour, lineWidth: width * ratio });
        context.stroke();
      }
    };
    const ring = (x, y, size) => { trace(context, "disc", x * ratio, y * ratio, size * ratio); line(); };
    for (const one of this.ringed) if (this.points.shown[this.points.codes[one]]) ring(...this.at(one), radius + 5);
    if (this.hover !== null) ring(...this.at(this.hover), radius + 4);
    if (this.canvas.matches(":focus-visible")) ring(this.width / 2, this.height / 2, 3);
    if (!this.area.length) return;
    context.beginPath();
    for (const [x, y] of this.area.map((corner) => this.over(...corner))) context.lineTo(x * ratio, y * ratio);
    context.closePath();
    line();
  }
}
