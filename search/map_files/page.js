// The map as a file: everything is in it. The list beside it has what the pointer has, for those who use none.

import { byId, count, element } from "./dom.js";
import { legendElements, shapeElement } from "./shapes.js";
import { Plot } from "./plot.js";
import { Points } from "./points.js";
import { placeTip, zoomButtons } from "./tip.js";

const LISTED = 100;
const given = JSON.parse(byId("data").textContent);
const points = new Points(given);
const lowered = given.texts.map((text) => text.toLowerCase());
let matching = null; // the points whose text has what is looked for
let chosen = null;
let waiting = 0;

const told = {
  moved: () => { clearTimeout(waiting); waiting = setTimeout(list, 120); },
  hovered: (one, x, y) => placeTip(byId("tip"), plot, one === null ? "" : given.texts[one], x, y),
  picked: (one) => choose(one),
};

function choose(one) {
  chosen = one;
  const mark = points.marks[points.codes[one]];
  const [source, line] = [given.sources[given.source_of[one]], given.lines[one]];
  byId("chosen").hidden = false;
  byId("chosen").replaceChildren(
    element("p", { dir: "auto" }, given.texts[one]),
    element("p", { class: "quiet" }, ...(mark.name ? [element("bdi", {}, mark.name), " · "] : []), element("bdi", {}, `${source}:${line}`)));
  plot.mark(matching, [one]);
}

function look() {
  const wanted = byId("search").value.trim().toLowerCase();
  matching = wanted === "" ? null : new Set();
  if (matching) lowered.forEach((text, one) => { if (text.includes(wanted)) matching.add(one); });
  plot.mark(matching, chosen === null ? [] : [chosen]);
  list();
}

function list() {
  const [left, top, right, bottom] = plot.part();
  const reach = Math.hypot(right - left, bottom - top) / 2;
  const near = matching
    ? [...matching].filter((one) => points.shown[points.codes[one]])
    : points.near((left + right) / 2, (top + bottom) / 2, reach, LISTED);
  byId("list-name").textContent = matching ? "Found" : "Nearest to the middle of the map";
  byId("found").textContent = matching
    ? `${count(near.length, "sentence")}${near.length > LISTED ? `, the first ${LISTED} of them` : ""}`
    : `${near.length} of ${count(given.count, "sentence")}`;
  byId("list").replaceChildren(...near.slice(0, LISTED).map((one) => element("li", {},
    element("button", { type: "button", "data-point": one, onclick: () => { plot.goTo(one, matching ? 4 : 1); choose(one); } },
      shapeElement(points.marks[points.codes[one]]), element("span", { dir: "auto" }, given.texts[one].slice(0, 200))))));
}

byId("title").textContent = given.title;
byId("about").textContent = `${count(given.count, "sentence")}; ${given.about}`;
const plot = new Plot(byId("map"), points, { ...told, moved: () => {} });
plot.told = told;
zoomButtons(plot, byId);
byId("marks").append(...legendElements(points.marks, given.count, (code, shown) => plot.toggle(code, shown)));
byId("search").addEventListener("input", look);
list();
