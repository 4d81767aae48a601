// The map as a file: everything is in it. The list beside it has what the pointer has, for those who use none.

import { byId, count, element } from "./dom.js";
import { placeTip, showSelecting, zoomButtons } from "./buttons.js";
import { Hands } from "./hands.js";
import { Plot } from "./plot.js";
import { Points } from "./points.js";
import { legendElements, mixElements, shapeElement } from "./shapes.js";

const LISTED = 100;
const given = JSON.parse(byId("data").textContent);
const points = new Points(given);
const lowered = given.texts.map((text) => text.toLowerCase());
let matching = null; // the points whose text has what is looked for
let selected = null; // the points of the area that was selected
let chosen = null;
let waiting = 0;

const moved = () => { clearTimeout(waiting); waiting = setTimeout(list, 120); };
const told = {
  hovered: (one, x, y) => placeTip(byId("tip"), plot, one === null ? "" : given.texts[one], x, y),
  picked: (one) => choose(one),
  selected: (some) => select(some),
  selecting: (on) => showSelecting(on, byId),
};

function choose(one) {
  chosen = one;
  const mark = points.marks[points.codes[one]];
  const [source, line] = [given.sources[given.source_of[one]], given.lines[one]];
  byId("chosen").hidden = false;
  byId("chosen").replaceChildren(
    element("p", { dir: "auto" }, given.texts[one]),
    element("p", { class: "quiet" }, ...(mark.name ? [element("bdi", {}, mark.name), " · "] : []), element("bdi", {}, `${source}:${line}`)));
  standOut();
}

// What is looked for stands out, within the area if one is selected.
function standOut() {
  plot.mark(sought(), chosen === null ? [] : [chosen]);
}

const sought = () => (selected && matching ? selected.filter((one) => matching.has(one)) : selected ?? matching);

function select(some) {
  selected = some;
  byId("clear").hidden = some === null;
  standOut();
  list();
}

function look() {
  const wanted = byId("search").value.trim().toLowerCase();
  matching = wanted === "" ? null : new Set();
  if (matching) lowered.forEach((text, one) => { if (text.includes(wanted)) matching.add(one); });
  standOut();
  list();
}

function list() {
  const [left, top, right, bottom] = plot.part();
  const found = sought();
  const near = found
    ? [...found].filter((one) => points.shown[points.codes[one]])
    : points.near((left + right) / 2, (top + bottom) / 2, Math.hypot(right - left, bottom - top) / 2, LISTED);
  byId("list-name").textContent = selected ? "Selected" : matching ? "Found" : "Nearest to the middle of the map";
  byId("found").textContent = found
    ? `${count(near.length, "sentence")}${near.length > LISTED ? `, the first ${LISTED} of them` : ""}`
    : `${near.length} of ${count(given.count, "sentence")}`;
  byId("mix").hidden = !selected;
  byId("mix").replaceChildren(...(selected ? mixElements(points, near) : []));
  byId("list").replaceChildren(...near.slice(0, LISTED).map((one) => element("li", {},
    element("button", { type: "button", "data-point": one, onclick: () => { plot.goTo(one, found ? 4 : 1); choose(one); } },
      shapeElement(points.marks[points.codes[one]]), element("span", { dir: "auto" }, given.texts[one].slice(0, 200))))));
}

byId("title").textContent = given.title;
byId("about").textContent = `${count(given.count, "sentence")}; ${given.about}`;
const plot = new Plot(byId("map"), points, moved);
zoomButtons(plot, new Hands(plot, told), byId);
byId("clear").addEventListener("click", () => { select(null); byId("select").focus(); });
byId("marks").append(...legendElements(points.marks, given.count, (code, shown) => plot.toggle(code, shown)));
byId("search").addEventListener("input", look);
list();
