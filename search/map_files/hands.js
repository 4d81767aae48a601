// Pointer, wheel and keys on a map. A pointer that is dragged moves the map; with Shift, or where an area is to be
// selected, it draws the area.

const NEAR_FINGER = 24; // pixels within which a finger means a point
const CLICK = 5; // pixels that a pointer may travel in a click
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// `told` has hovered(point or null, x, y), picked(point), selected(points) and selecting(whether an area is to be drawn).
export class Hands {
  constructor(plot, told) {
    Object.assign(this, { plot, told, canvas: plot.canvas, fingers: new Map(), selecting: false, drawing: false });
    const { canvas } = this;
    const place = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.look(null);
      plot.zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...place(event));
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.fingers.set(event.pointerId, place(event));
      this.travelled = this.fingers.size > 1 ? Infinity : 0;
      this.outline((event.shiftKey || this.selecting) && this.fingers.size === 1);
      if (this.drawing) plot.corner(...place(event));
    });
    canvas.addEventListener("mousedown", (event) => {
      if (!event.shiftKey) return;
      event.preventDefault(); // it would select the page's text up to here
      canvas.focus({ focusVisible: false });
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.fingers.has(event.pointerId)) this.drag(event.pointerId, place(event));
      else this.look(plot.pointAt(...place(event)), ...place(event));
    });
    canvas.addEventListener("pointerup", (event) => {
      if (!this.fingers.delete(event.pointerId)) return;
      if (this.travelled < CLICK) this.pick(...place(event), event.pointerType === "touch" ? NEAR_FINGER : undefined);
      else if (this.drawing) this.take(plot.area);
      this.outline(false);
    });
    canvas.addEventListener("pointercancel", (event) => { this.fingers.delete(event.pointerId); this.outline(false); });
    canvas.addEventListener("pointerleave", () => this.look(null));
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  look(one, x = 0, y = 0) {
    this.plot.ring(one);
    this.canvas.style.cursor = one === null || this.selecting ? "" : "pointer";
    this.told.hovered(one, x, y);
  }

  pick(x, y, reach) {
    const one = this.plot.pointAt(x, y, reach);
    if (one !== null) this.told.picked(one);
  }

  // Whether the next area that is dragged around is selected.
  select(wanted) {
    this.selecting = wanted;
    this.outline(false);
    this.canvas.classList.toggle("selecting", wanted);
    this.told.selecting(wanted);
  }

  outline(drawing) {
    this.drawing = drawing;
    this.plot.corner();
  }

  take(corners) {
    const found = this.plot.points.enclosed(corners);
    this.select(false);
    this.told.selected(found);
  }

  takeSeen() {
    const [left, top, right, bottom] = this.plot.part();
    this.take([[left, top], [right, top], [right, bottom], [left, bottom]]);
  }

  drag(finger, [x, y]) {
    const [fromX, fromY] = this.fingers.get(finger);
    this.fingers.set(finger, [x, y]);
    if (this.fingers.size === 1) {
      this.travelled += Math.abs(x - fromX) + Math.abs(y - fromY);
      if (this.travelled >= CLICK) this.look(null);
      if (this.drawing) this.plot.corner(x, y);
      else if (this.travelled >= CLICK) this.plot.moveBy(x - fromX, y - fromY);
      return;
    }
    const [otherX, otherY] = [...this.fingers].find(([id]) => id !== finger)[1];
    const before = Math.hypot(fromX - otherX, fromY - otherY);
    if (before > 0) this.plot.zoomBy(Math.hypot(x - otherX, y - otherY) / before, (x + otherX) / 2, (y + otherY) / 2);
  }

  key(event) {
    const { plot } = this;
    const step = KEYS[event.key];
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (step) plot.moveBy(-60 * step[0], -60 * step[1]);
    else if (event.key === "+" || event.key === "=") plot.zoomBy(1.4);
    else if (event.key === "-") plot.zoomBy(1 / 1.4);
    else if (event.key === "0") plot.whole();
    else if (event.key === "s") this.select(!this.selecting);
    else if (event.key === "Escape" && this.selecting) this.select(false);
    else if (event.key === "Enter" && this.selecting) this.takeSeen();
    else if (event.key === "Enter") this.pick(plot.width / 2, plot.height / 2, 200);
    else return;
    event.preventDefault();
  }
}
