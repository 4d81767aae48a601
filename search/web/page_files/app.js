// The page: what is asked stands in the address, so that a search can be shared and the back button goes back.

import { api } from "./api.js";
import { element, explainHit, hitElement } from "./hits.js";

const $ = (id) => document.getElementById(id);
const FIELDS = ["index", "q", "sentiment", "weight", "k", "match", "where"];
const PAUSE = 60; // milliseconds after a key in which another is waited for
const ONE_STEP = 2000; // milliseconds between keys that are one step back
const FIRST = 1; // hits that are explained first; then four times as many, and so on
let indexes = [];
let latest = 0;
let typedAt = -Infinity;
let shown = null; // what the hits that are there were asked with

const base = () => `/api/indexes/${encodeURIComponent(info().name)}`;
const info = () => indexes.find((one) => one.name === $("index").value) ?? indexes[0];

function say(text, problem = false) {
  $("said").className = problem ? "problem" : "";
  $("said").textContent = text;
}

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

// Puts what is asked into the address, as a new step unless it goes on with the last one.
function note(state, on) {
  const address = addressOf(state);
  history[on || address === location.search ? "replaceState" : "pushState"](state, "", address);
}

async function search({ remember = true, typed = false } = {}) {
  const state = asked();
  if (remember) note(state, typed && performance.now() - typedAt < ONE_STEP);
  typedAt = typed ? performance.now() : -Infinity;
  const turn = ++latest;
  if (!state.q && row === null) {
    $("hits").replaceChildren();
    say(`${info().count.toLocaleString()} sentences. Ask for something.`);
    return;
  }
  const begin = performance.now();
  const wanted = parameters(state);
  const address = row === null
    ? `${base()}/query?${new URLSearchParams({ q: state.q, ...wanted })}`
    : `${base()}/rows/${row}/similar?${new URLSearchParams({ ...wanted, match: "meaning" })}`;
  try {
    const found = await api(address);
    if (turn !== latest) return; // an answer that is late
    if (row !== null) $("q").value = found.query;
    const took = Math.round(performance.now() - begin);
    $("hits").replaceChildren(...found.hits.map((hit) => hitElement(hit, actions())));
    shown = { q: found.query, sentiment: state.sentiment, ...(wanted.weight === undefined ? {} : { weight: wanted.weight }) };
    say(found.hits.length ? `${found.hits.length} of ${info().count.toLocaleString()} sentences, ${took} ms` : "Nothing fits.");
    if ($("explain").checked) explain();
  } catch (problem) {
    if (turn !== latest) return;
    $("hits").replaceChildren();
    say(problem.message, true);
  }
}

// Why the hits that are there score so: the first soon, the others in ever larger parts.
async function explain() {
  const turn = latest;
  const items = [...$("hits").children];
  try {
    for (let from = 0, many = FIRST; from < items.length; from += many, many *= 4) {
      const some = new Map(items.slice(from, from + many).map((item) => [Number(item.dataset.row), item]));
      const wanted = new URLSearchParams(shown);
      for (const one of some.keys()) wanted.append("row", one);
      const found = await api(`${base()}/why?${wanted}`);
      if (turn !== latest || !$("explain").checked) return;
      for (const one of found) explainHit(some.get(one.row), one.explanation);
    }
  } catch (problem) {
    if (turn === latest) say(problem.message, true);
  }
}

function explainOrNot() {
  note(asked(), true);
  if ($("explain").checked) explain();
  else for (const item of $("hits").children) explainHit(item, null);
}

// The sentences around a hit, below it; whether it is this call that brought them.
async function showAround(hit, item) {
  const near = await api(`${base()}/rows/${hit.row}/around?reach=2`);
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
function soon(how = {}) {
  clearTimeout(waiting);
  waiting = setTimeout(() => search(how), PAUSE);
}

function listen() {
  $("ask").addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(waiting); search(); });
  $("q").addEventListener("input", () => { row = null; soon({ typed: true }); });
  $("where").addEventListener("change", () => soon());
  $("weight").addEventListener("input", () => { told(); soon(); });
  for (const name of ["k", "match"]) $(name).addEventListener("change", () => soon());
  $("explain").addEventListener("change", explainOrNot);
  $("sentiment").addEventListener("change", () => { $("weight").value = usual(); told(); soon(); });
  $("index").addEventListener("change", () => { row = null; options(); $("weight").value = usual(); told(); soon(); });
  addEventListener("popstate", () => { choose(Object.fromEntries(new URLSearchParams(location.search))); search({ remember: false }); });
}

async function begin() {
  try {
    indexes = await api("/api/indexes");
  } catch (problem) {
    say(problem.message, true);
    return;
  }
  $("index").replaceChildren(...indexes.map((one) => element("option", { value: one.name }, one.name)));
  choose(Object.fromEntries(new URLSearchParams(location.search)));
  listen();
  search({ remember: false });
}

begin();
