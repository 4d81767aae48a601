// The map of an index: where its sentences stand, what each says, and what is similar to one. The list beside it has
// what the pointer has: without a question, the sentences nearest to the middle of what is seen.

import { api } from "./api.js";
import { hitElement } from "./hits.js";
import { count, element, byId as $ } from "./map/dom.js";
import { placeTip, showSelecting, zoomButtons } from "./map/buttons.js";
import { Hands } from "./map/hands.js";
import { Plot } from "./map/plot.js";
import { Points } from "./map/points.js";
import { legendElements, mixElements, shapeElement } from "./map/shapes.js";

const LISTED = 30;
const KEPT = 5000;
const WORDS = { waiting: "waiting for its turn", neighbours: "finding neighbours", layout: "laying out", placing: "placing the rest" };
let indexes = [];
let plot = null;
let points = null;
let pointOf = new Map(); // row to point
let texts = new Map(); // row to what it says
let turn = 0; // what is asked of a map goes on while another is made
let loading = 0;

const info = () => indexes.find((one) => one.name === $("index").value) ?? indexes[0];
const base = () => `/api/indexes/${encodeURIComponent(info().name)}`;

function say(text, problem = false) {
  $("said").className = problem ? "problem" : "";
  $("said").textContent = text;
}

async function load() {
  const mine = ++loading;
  turn++;
  $("plot").setAttribute("aria-busy", "true");
  history.replaceState(null, "", `?${new URLSearchParams({ index: info().name, weight: $("weight").value })}`);
  const here = new URLSearchParams({ index: info().name });
  $("to-ask").href = `/?${here}`;
  $("to-duplicates").href = `/duplicates?${here}`;
  try {
    for (;;) {
      const value = await api(`${base()}/map?weight=${$("weight").value}`);
      if (mine !== loading) return;
      if (value.state !== "running") { show(value); return; }
      const share = value.total ? `, ${Math.floor((100 * value.done) / value.total)}%` : "";
      say(`The map is being made: ${WORDS[value.what] ?? value.what}${share}`);
      await new Promise((done) => setTimeout(done, 700));
    }
  } catch (problem) {
    if (mine === loading) say(problem.message, true);
  }
}

function show(given) {
  points = new Points(given);
  pointOf = new Map(Array.from(points.rows, (row, one) => [row, one]));
  texts = new Map();
  if (plot) plot.show(points);
  else {
    plot = new Plot($("map"), points, soon);
    zoomButtons(plot, new Hands(plot, { hovered: hover, picked: (one) => similar(points.rows[one]), selected: select, selecting: (on) => showSelecting(on, $) }), $);
  }
  $("marks").replaceChildren(...legendElements(points.marks, given.count, toggle));
  $("plot").setAttribute("aria-busy", "false");
  say(`${count(given.count, "sentence")}; ${given.about}`);
  clear();
  ask(); // what was asked of another map, or before there was one
}

async function told(rows) {
  if (texts.size > KEPT) texts.clear();
  const missing = rows.filter((row) => !texts.has(row));
  if (missing.length) {
    const value = await api(`${base()}/map/texts?${missing.map((row) => `row=${row}`).join("&")}`);
    for (const one of value) texts.set(one.row, one);
  }
  return rows.map((row) => texts.get(row)).filter(Boolean);
}

let hovered = null;
let pause = 0;
function hover(one, x, y) {
  clearTimeout(pause);
  hovered = one;
  if (one === null) { placeTip($("tip"), plot, "", 0, 0); return; }
  const row = points.rows[one];
  const tell = () => hovered === one && placeTip($("tip"), plot, texts.get(row)?.text ?? "", x, y);
  if (texts.has(row)) tell();
  else pause = setTimeout(() => told([row]).then(tell, () => {}), 60);
}

// ---- the list

let listing = 0;
let asked = false;
function soon() {
  clearTimeout(listing);
  if (!asked) listing = setTimeout(near, 250);
}

async function near() {
  const [left, top, right, bottom] = plot.part();
  const found = points.near((left + right) / 2, (top + bottom) / 2, Math.hypot(right - left, bottom - top) / 2, LISTED);
  const mine = turn;
  const items = await itemsOf(found).catch(() => []);
  if (mine !== turn || asked) return;
  $("list-name").textContent = "Nearest to the middle of the map";
  $("near").replaceChildren(...items);
}

const itemsOf = async (some) => (await told(some.map((one) => points.rows[one]))).map((one) => element("li", {},
  element("button", { type: "button", "data-row": one.row, onclick: () => similar(one.row) },
    shapeElement(points.marks[points.codes[pointOf.get(one.row)]]), element("span", { dir: "auto" }, one.text.slice(0, 160)))));

function clear() {
  asked = false;
  selected = null;
  $("hits").replaceChildren();
  $("mix").hidden = true;
  plot.mark(null, []);
  soon();
}

// What stands above the list: what it is, and the way back.
function name(...parts) {
  const button = (text, onclick) => element("button", { type: "button", onclick }, text);
  const back = selected && $("mix").hidden ? [button("Back to the selection", () => select(selected)), " "] : [];
  $("list-name").replaceChildren(...parts, " ", ...back, button("Clear", () => { $("q").value = ""; clear(); }));
}

// ---- an area

let selected = null; // its points, those in its middle first

function toggle(code, shown) {
  plot.toggle(code, shown);
  if (selected && !$("mix").hidden) select(selected);
}

async function select(some) {
  const mine = ++turn;
  [asked, selected] = [true, some];
  const seen = some.filter((one) => points.shown[points.codes[one]]);
  plot.mark(some, []);
  $("hits").replaceChildren();
  $("mix").hidden = false;
  $("mix").replaceChildren(...mixElements(points, seen));
  name(`${count(seen.length, "sentence")} selected`);
  $("near").replaceChildren();
  await more(seen, mine);
}

// The next sentences of a selection, and a button for those after them.
async function more(seen, mine, from = 0) {
  try {
    const items = await itemsOf(seen.slice(from, from + LISTED));
    if (mine !== turn) return;
    $("near").append(...items);
  } catch (problem) {
    if (mine === turn) say(problem.message, true);
    return;
  }
  const next = from + LISTED;
  if (next >= seen.length) return;
  const item = element("li", {}, element("button", { type: "button", onclick: async () => {
    item.remove();
    await more(seen, mine, next);
    $("near").children[next]?.firstChild.focus();
  } }, `More of ${count(seen.length - next, "sentence")}`));
  $("near").append(item);
}

// ---- what is asked

async function find(address, of, own = []) {
  const mine = ++turn;
  try {
    const value = await api(address);
    if (mine !== turn) return;
    asked = true;
    $("near").replaceChildren();
    $("mix").hidden = true;
    name(of, " ", element("bdi", {}, value.query.slice(0, 200)));
    $("hits").replaceChildren(...value.hits.map((hit) => hitElement(hit, actions)));
    plot.mark(selected, [...own, ...value.hits.map((hit) => hit.row)].map((row) => pointOf.get(row)).filter((one) => one !== undefined));
  } catch (problem) {
    if (mine === turn) say(problem.message, true);
  }
}

const ANY = () => new URLSearchParams({ k: 10, ...(info().labels.length ? { weight: $("weight").value } : {}) });
const similar = (row) => find(`${base()}/rows/${row}/similar?${ANY()}`, "Similar to", [row]);

function ask() {
  const q = $("q").value.trim();
  if (q) find(`${base()}/query?${new URLSearchParams({ q })}&${ANY()}`, "Asked:");
  return q !== "";
}

const actions = {
  similar: (hit) => similar(hit.row),
  opposite: null,
  around: (hit) => {
    if (!pointOf.has(hit.row)) return; // it is newer than the map
    plot.goTo(pointOf.get(hit.row), 8);
    $("plot").scrollIntoView({ block: "nearest" }); // on a narrow screen the hits stand below it
  },
  aroundName: "On the map",
};

async function begin() {
  try {
    indexes = await api("/api/indexes");
  } catch (problem) {
    say(problem.message, true);
    return;
  }
  const wanted = new URLSearchParams(location.search);
  $("index").replaceChildren(...indexes.map((one) => element("option", { value: one.name }, one.name)));
  if (indexes.some((one) => one.name === wanted.get("index"))) $("index").value = wanted.get("index");
  const weights = [["0", "not at all"], ["0.3", "some (0.3)"], ["0.5", "half (0.5)"], ["0.8", "most (0.8)"]];
  $("weight").replaceChildren(...weights.map(([value, name]) => element("option", { value }, name)));
  const usable = () => { $("weight").disabled = !info().labels.length; if (!info().labels.length) $("weight").value = "0"; };
  if (weights.some(([value]) => value === wanted.get("weight"))) $("weight").value = wanted.get("weight");
  usable();
  $("index").addEventListener("change", () => { usable(); load(); });
  $("weight").addEventListener("change", load);
  $("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    if (points && !ask()) clear();
  });
  load();
}

begin();
