// The shapes of the labels: as paths, as small pictures that many points are stamped with, and as SVG for the legend.

import { element } from "./dom.js";

const around = (corners, radius, turn = 0) => Array.from({ length: corners }, (_, one) => {
  const angle = turn + (2 * Math.PI * one) / corners;
  return [radius * Math.sin(angle), -radius * Math.cos(angle)];
});

const cross = (half, turn) => [
  [-half, -1], [half, -1], [half, -half], [1, -half], [1, half], [half, half],
  [half, 1], [-half, 1], [-half, half], [-1, half], [-1, -half], [-half, -half],
].map(([x, y]) => [x * Math.cos(turn) - y * Math.sin(turn), x * Math.sin(turn) + y * Math.cos(turn)]);

// Corners in a circle of radius about 1; all of about the same area.
const CORNERS = {
  down: around(3, 1.3, Math.PI),
  up: around(3, 1.3),
  diamond: around(4, 1.15),
  square: around(4, 1.2, Math.PI / 4),
  disc: around(16, 0.95),
  cross: cross(0.36, Math.PI / 4),
  plus: cross(0.36, 0),
  star: around(10, 1.3).map(([x, y], one) => (one % 2 ? [x * 0.45, y * 0.45] : [x, y])),
};

export function trace(context, shape, x, y, radius) {
  context.beginPath();
  for (const [dx, dy] of CORNERS[shape]) context.lineTo(x + dx * radius, y + dy * radius);
  context.closePath();
}

// A stamp: for each of its pixels five numbers: across, down, red and blue, green, and how much of what is there stays (of
// 256). Colours are multiplied by what they cover already; red and blue are far enough apart to be mixed in one go.
export function stamp(shape, colour, edge, radius) {
  const reach = Math.ceil(radius * 1.4) + 1;
  const side = 2 * reach + 1;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  trace(context, shape, reach + 0.5, reach + 0.5, radius);
  if (edge) {
    context.lineWidth = 1.5;
    context.strokeStyle = edge;
    context.stroke();
  }
  context.fillStyle = colour;
  context.fill();
  const { data } = context.getImageData(0, 0, side, side);
  const parts = [];
  for (let at = 0; at < side * side; at++) {
    const [red, green, blue, alpha] = data.subarray(4 * at, 4 * at + 4);
    if (alpha < 8) continue;
    const cover = alpha + (alpha >> 7);
    parts.push((at % side) - reach, Math.floor(at / side) - reach, Math.imul(red | (blue << 16), cover), Math.imul(green << 8, cover), 256 - cover);
  }
  return { reach, parts: Int32Array.from(parts) };
}

export function shapeElement(mark) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "-1.5 -1.5 3 3");
  svg.setAttribute("class", "shape");
  svg.setAttribute("aria-hidden", "true");
  svg.style.setProperty("--light", mark.light);
  svg.style.setProperty("--dark", mark.dark);
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
  shape.setAttribute("points", CORNERS[mark.shape].join(" "));
  svg.append(shape);
  return svg;
}

const counted = (mark, number, total) => [shapeElement(mark), element("span", {}, element("bdi", {}, mark.name || "sentences"), " ",
  element("span", { class: "quiet" }, `${number.toLocaleString("en-US")}${total ? `, ${Math.round((100 * number) / total)}%` : ""}`))];

export function legendElements(marks, total, toggled) {
  return marks.map((mark, code) => element("label", { class: "mark" },
    element("input", { type: "checkbox", checked: true, onchange: (event) => toggled(code, event.target.checked) }),
    ...counted(mark, mark.count, total)));
}

// How many of some points have each label; labels that none has are left out.
export function mixElements({ marks, codes }, some) {
  const counts = marks.map(() => 0);
  for (const one of some) counts[codes[one]] += 1;
  return marks.flatMap((mark, code) => (counts[code] ? [element("span", { class: "mark" }, ...counted(mark, counts[code], some.length))] : []));
}
