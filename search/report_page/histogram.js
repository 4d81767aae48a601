// How many pairs score what: bars of pairs that were kept and, on top of them, of those that were refused.

import { count, score } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const BINS = 60;
const HEIGHT = 100;
const WIDTH = 1000;

function shape(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  return node;
}

function counted(pairs, low, high) {
  const bins = new Int32Array(BINS);
  for (let i = 0; i < pairs.length; i++) {
    if (pairs.fixed[i]) continue;
    bins[Math.max(0, Math.min(BINS - 1, Math.floor(((pairs.score[i] - low) / (high - low)) * BINS)))]++;
  }
  return bins;
}

// Fill `svg` for scores from low to high, in millionths; returns a function that marks a threshold in it.
export function histogram(svg, model, low, high) {
  const kept = counted(model.pairs, low, high);
  const refused = counted(model.refused, low, high);
  const most = Math.max(1, ...kept.map((number, bin) => number + refused[bin]));
  const width = WIDTH / BINS;
  const bars = [];
  for (let bin = 0; bin < BINS; bin++) {
    const start = low + ((high - low) * bin) / BINS;
    const title = shape("title", {});
    title.textContent = `${score(start)} to ${score(start + (high - low) / BINS)}: `
      + `${count(kept[bin], "pair")}, ${count(refused[bin], "refused", "refused")}`;
    const bar = shape("g", { class: "bar" });
    let top = HEIGHT;
    for (const [number, kind] of [[kept[bin], "kept"], [refused[bin], "refused"]]) {
      if (!number) continue;
      const height = Math.max(1, (number / most) * (HEIGHT - 4));
      top -= height;
      bar.append(shape("rect", { class: kind, x: bin * width + 1, y: top, width: width - 2, height }));
    }
    bar.append(title);
    svg.append(bar);
    bars.push([start + (high - low) / BINS, bar]);
  }
  const line = shape("line", { class: "threshold-line", y1: 0, y2: HEIGHT });
  svg.append(line);
  return (threshold) => {
    const x = ((threshold - low) / (high - low)) * WIDTH;
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
    for (const [end, bar] of bars) bar.classList.toggle("below", end <= threshold);
  };
}
