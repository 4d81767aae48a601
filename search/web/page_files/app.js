// The page: what is asked stands in the address, so that a search can be shared and the back button goes back.

import { api } from "./api.js";
import { element, hitElement } from "./hits.js";

const $ = (id) => document.getElementById(id);
const FIELDS = ["index", "q", "sentiment", "weight", "k", "match", "where"];
let indexes = [];
let latest = 0;

const info = () => indexes.find((one) => one.name === $("index").value) ?? indexes[0];

function asked() {
  const state = Object.fromEntries(FIELDS.map((name) => [name, $(name).value.trim()]));
  if ($("explain").checked) state.explain = "1";
  if (row !== null) state.row = String(row);
  return state;
}

let row = null; // the row whose like is looked for, in place of a text

function addressOf(state) {
  const parameters = new URLSearchParams(Object.entries(state).filter(([, value]) => value !== ""));
  return `?${parameters}`;
}

function choose(state) {
  if (state.index && indexes.some((one) => one.name === state.index)) $("index").value = state.index;
  options();
  $("q").value = state.q ?? "";
  if (state.sentiment) $("sentiment").value = state.sentiment;
  $("weight").value = state.weight ?? usual();
  $("k").value = state.k ?? "10";
  $("match").value = state.match ?? "meaning";
  $("where").value = state.where ?? "";
  $("explain").checked = state.explain === "1";
  row = state.row === undefined ? null : Number(state.row);
  told();
}

const usual = () => String($("sentiment").value === "opposite" ? Math.max(0.5, info().default_weight) : info().default_weight);

function options() {
  const here = new URLSearchParams({ index: info().name });
  $("to-duplicates").href = `/duplicates?${here}`;
  $("to-map").href = `/map?${here}`;
  const { labels, scale } = info();
  const kept = $("sentiment").value;
  const names = labels.length ? ["same", ...(scale === "ordinal" ? ["opposite"] : []), "any", ...labels] : ["any"];
  const shown = { same: "the same", opposite: "the opposite", any: "any" };
  $("sentiment").replaceChildren(...names.map((name) => element("option", { value: name }, shown[name] ?? name)));
  if (names.includes(kept)) $("sentiment").value = kept;
}

function told() {
  const any = $("sentiment").value === "any";
  $("weight").disabled = any;
  $("weight-value").textContent = any ? "–" : Number($("weight").value).toFixed(2);
}

function parameters(state) {
  const wanted = { k: state.k, sentiment: state.sentiment, match: state.match };
  if (state.sentiment !== "any") wanted.weight = state.weight;
  if (state.where) wanted.where = state.where;
  return wanted;
}

async function search({ remember = true } = {}) {
  const state = asked();
  if (remember) history.pushState(state, "", addressOf(state));
  if (!state.q && row === null) {
    $("hits").replaceChildren();
    $("said").textContent = `${info().count.toLocaleString()} sentences. Ask for something.`;
    return;
  }
  const turn = ++latest;
  const begin = performance.now();
  const base = `/api/indexes/${encodeURIComponent(info().name)}`;
  const wanted = parameters(state);
  const address = row === null
    ? `${base}/query?${new URLSearchParams({ q: state.q, ...wanted, ...(state.explain ? { explain: "true" } : {}) })}`
    : `${base}/rows/${row}/similar?${new URLSearchParams({ ...wanted, match: "meaning" })}`;
  try {
    const found = await api(address);
    if (turn !== latest) return; // an answer that is late
    if (row !== null) $("q").value = found.query;
    const took = Math.round(performance.now() - begin);
    $("hits").replaceChildren(...found.hits.map((hit) => hitElement(hit, actions())));
    $("said").className = "";
    $("said").textContent = found.hits.length ? `${found.hits.length} of ${info().count.toLocaleString()} sentences, ${took} ms` : "Nothing fits.";
  } catch (problem) {
    if (turn !== latest) return;
    $("hits").replaceChildren();
    $("said").className = "problem";
    $("said").textContent = problem.message;
  }
}

// The sentences around a hit, below it; whether it is this call that brought them.
async function showAround(hit, item) {
  const near = await api(`/api/indexes/${encodeURIComponent(info().name)}/rows/${hit.row}/around?reach=2`);
  if (item.querySelector(".around")) return false; // the button was pressed twice
  item.append(element("ul", { class: "around" }, ...near.map((one) =>
    element("li", one.row === hit.row ? { "aria-current": "true", dir: "auto" } : { dir: "auto" }, one.text))));
  return true;
}

function actions() {
  const like = (hit, sentiment) => {
    row = hit.row;
    $("sentiment").value = sentiment;
    $("weight").value = usual();
    $("match").value = "meaning";
    told();
    search();
    scrollTo({ top: 0 });
  };
  return {
    similar: (hit) => like(hit, info().labels.length ? "same" : "any"),
    opposite: info().scale === "ordinal" ? (hit) => like(hit, "opposite") : null,
    folds: true,
    around: async (hit, button) => {
      const item = button.closest("li");
      const open = item.querySelector(".around");
      if (open) open.hidden = !open.hidden;
      else if (!(await showAround(hit, item))) return;
      button.setAttribute("aria-expanded", String(!item.querySelector(".around").hidden));
    },
  };
}

let waiting = 0;
function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(search, 150);
}

function listen() {
  $("ask").addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(waiting); search(); });
  $("q").addEventListener("input", () => { row = null; soon(); });
  $("where").addEventListener("change", soon);
  $("weight").addEventListener("input", () => { told(); soon(); });
  for (const name of ["k", "match", "explain"]) $(name).addEventListener("change", soon);
  $("sentiment").addEventListener("change", () => { $("weight").value = usual(); told(); soon(); });
  $("index").addEventListener("change", () => { row = null; options(); $("weight").value = usual(); told(); soon(); });
  addEventListener("popstate", () => { choose(Object.fromEntries(new URLSearchParams(location.search))); search({ remember: false }); });
}

async function begin() {
  try {
    indexes = await api("/api/indexes");
  } catch (problem) {
    $("said").className = "problem";
    $("said").textContent = problem.message;
    return;
  }
  $("index").replaceChildren(...indexes.map((one) => element("option", { value: one.name }, one.name)));
  choose(Object.fromEntries(new URLSearchParams(location.search)));
  listen();
  search({ remember: false });
}

begin();
