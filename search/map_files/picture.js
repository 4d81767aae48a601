// The pixels of a map. Points are stamped into them, all in one array; a map that has only moved is moved as pixels, and
// stamped where it was not seen before. benchmarks/map.md has the figures.

import { stamp } from "./shapes.js";

export class Picture {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  }

  resize(width, height) {
    Object.assign(this.canvas, { width, height });
    this.image = new ImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer); // red in the lowest byte, as all that run a browser store numbers
    this.place = null;
  }

  // How points look: full as their label says, faint where others stand out, on the colour of the ground.
  prepare(points, radius, ground, dark) {
    const edge = radius > 2.5 ? ground : null;
    const made = (colour) => points.marks.map((mark) => stamp(mark.shape, colour(mark), edge, radius));
    this.full = made((mark) => (dark ? mark.dark : mark.light));
    this.faint = made(() => (dark ? "#3c3c42" : "#d9d7d2"));
    const { context } = this;
    context.fillStyle = ground;
    context.fillRect(0, 0, 1, 1);
    this.ground = new Uint32Array(context.getImageData(0, 0, 1, 1).data.buffer)[0];
  }

  // Draws all. `place` says where points go: x * scaleX - left, y * scaleY - top; left and top are whole numbers.
  draw(points, place, strong) {
    this.place = place;
    this.fill(points, strong, 0, 0, this.canvas.width, this.canvas.height);
    this.context.putImageData(this.image, 0, 0);
  }

  // Draws what was drawn, seen from elsewhere.
  move(points, place, strong) {
    const { width, height } = this.canvas;
    const right = this.place.left - place.left;
    const down = this.place.top - place.top;
    if (Math.abs(right) >= width || Math.abs(down) >= height) { this.draw(points, place, strong); return; }
    this.place = place;
    const by = down * width + right;
    if (by > 0) this.pixels.copyWithin(by, 0, this.pixels.length - by);
    else this.pixels.copyWithin(0, -by);
    if (right) this.fill(points, strong, right > 0 ? 0 : width + right, 0, right > 0 ? right : width, height);
    if (down) this.fill(points, strong, 0, down > 0 ? 0 : height + down, width, down > 0 ? down : height);
    this.context.putImageData(this.image, 0, 0);
  }

  fill(points, strong, left, top, right, bottom) {
    const { width } = this.canvas;
    for (let y = top; y < bottom; y++) this.pixels.fill(this.ground, y * width + left, y * width + right);
    const reach = Math.max(...this.full.map((one) => one.reach));
    const { scaleX, scaleY, left: awayX, top: awayY } = this.place;
    const among = points.among((left - reach + awayX) / scaleX, (top - reach + awayY) / scaleY, (right + reach + awayX) / scaleX, (bottom + reach + awayY) / scaleY);
    const part = { left, top, right, bottom };
    if (strong) this.print(points, among, this.faint, part, strong, 0);
    this.print(points, among, this.full, part, strong, 1);
  }

  // Stamps points; where some stand out, those that do, or those that do not.
  print({ x, y, codes }, among, stamps, part, strong, which) {
    const { width } = this.canvas;
    const { scaleX, scaleY, left, top } = this.place;
    for (let at = 0; at < among.length; at++) {
      const one = among[at];
      if (strong !== null && strong[one] !== which) continue;
      printed(this.pixels, width, part, stamps[codes[one]], Math.round(x[one] * scaleX) - left, Math.round(y[one] * scaleY) - top);
    }
  }
}

function printed(pixels, width, { left, top, right, bottom }, { reach, parts }, atX, atY) {
  const start = atY * width + atX;
  const inside = atX >= left + reach && atY >= top + reach && atX < right - reach && atY < bottom - reach;
  for (let at = 0; at < parts.length; at += 5) {
    if (!inside) {
      const px = atX + parts[at];
      const py = atY + parts[at + 1];
      if (px < left || py < top || px >= right || py >= bottom) continue;
    }
    const where = start + parts[at + 1] * width + parts[at];
    const was = pixels[where];
    const stays = parts[at + 4];
    pixels[where] = 0xff000000
      | (((Math.imul(was & 0xff00ff, stays) + parts[at + 2]) >>> 8) & 0xff00ff)
      | (((Math.imul(was & 0xff00, stays) + parts[at + 3]) >>> 8) & 0xff00);
  }
}
