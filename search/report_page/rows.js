// Pairs and clusters as list items.

import { count, element, score } from "./dom.js";
import { EXACT } from "./model.js";
import { paragraph } from "./text.js";
import { difference, places, shared, side, words } from "./words.js";

const REWORDED = 0.4; // with fewer words shared, what is gone is not shown between what has come
const FIRST_MEMBERS = 20;
const MORE_MEMBERS = 100;
const FIRST_PLACES = 5;

export const REASONS = {
  decision: "decided not the same",
  negation: "negation differs",
  opposite: "opposites",
  date: "dates differ",
  number: "numbers differ",
  unit: "units differ",
  version: "versions differ",
  identifier: "identifiers differ",
  name: "names differ",
  feeling: "feelings differ",
};

// Where sentences of one text stand; the first few of many.
function where(...sentences) {
  const places = sentences.slice(0, FIRST_PLACES).map(({ source, line }) =>
    element("span", { class: "place", title: `${source}:${line}` },
      element("bdi", {}, source.split("/").slice(-2).join("/")), `:${line}`));
  const left = sentences.length - places.length;
  return element("div", { class: "where" }, ...places, left ? `and ${count(left, "place")} more` : null);
}

function badge(text, kind) {
  return element("span", { class: `badge ${kind}` }, text);
}

function verdictButtons(row) {
  const button = (verdict, name, key) => element("button", {
    type: "button",
    class: `verdict ${verdict ? "yes" : "no"}`,
    "data-verdict": String(verdict),
    "aria-pressed": String(row.verdict() === verdict),
    title: `${name} (${key})`,
    onclick: () => row.decide(row.verdict() === verdict ? undefined : verdict),
  }, name);
  return element("div", { class: "verdicts", role: "group", "aria-label": "Do they say the same?" },
    button(true, "Same", "s"), button(false, "Not the same", "n"));
}

// Show on a row what has been decided of it.
export function showVerdict(node, verdict) {
  node.dataset.decided = verdict === undefined ? "" : verdict ? "same" : "different";
  for (const button of node.querySelectorAll(":scope > .verdicts > .verdict")) {
    button.setAttribute("aria-pressed", String(button.dataset.verdict === String(verdict)));
  }
}

function signed(thousandths) {
  return `${thousandths < 0 ? "\u2212" : "+"}${(Math.abs(thousandths) / 1e3).toFixed(2)}`;
}

// What the words of one text give to the meaning part; the last share is what all else gives.
function shares(name, parts) {
  return element("p", { class: "shares" }, `${name}: `, ...parts.flatMap(([word, share]) => [
    element("span", { class: share < 0 ? "share less" : "share" },
      word === null ? "all else" : element("bdi", {}, word), ` ${signed(share)}`), " "]));
}

// The parts of a score, and the words that carry the first.
function why(row, names) {
  if (!row.why) return null;
  const { meaning, sentiment, a, b } = row.why;
  const felt = sentiment === null ? "" : `, sentiment ${score(sentiment)}`;
  return element("details", { class: "why" }, element("summary", {}, "Why"),
    element("p", {}, `meaning ${score(meaning)}${felt}; to the meaning give`), shares(names[0], a), shares(names[1], b));
}

function item(row, facts, texts, names) {
  const equal = row.level === EXACT && row.a.hash === row.b.hash;
  const node = element("li", { class: "row", tabindex: "-1" },
    element("div", { class: "facts" }, ...facts), element("div", { class: "texts" }, ...texts, why(row, names)),
    equal ? null : verdictButtons(row));
  node.row = equal ? { ...row, decide: () => {} } : row;
  showVerdict(node, row.verdict());
  return node;
}

function facts(row) {
  return [
    element("span", { class: "score", title: "score" }, score(row.score)),
    badge(row.level, row.level),
    row.refused ? badge(REASONS[row.reason] ?? row.reason, "reason") : null,
  ];
}

// Members of a cluster that have one text: it, as it differs from the survivor's, and where it stands.
function member(same) {
  const [row] = same;
  const parts = difference(row.a.text, row.b.text);
  const shown = shared(parts) < REWORDED ? side(parts, "b") : parts;
  return item(row, facts(row), [...paragraph(shown, row.b.text), where(...same.map((one) => one.b))],
    ["survivor", "this"]);
}

// Members in their order, those of one text together.
function byText(rows) {
  const found = new Map();
  for (const row of rows) {
    if (!found.has(row.b.text)) found.set(row.b.text, []);
    found.get(row.b.text).push(row);
  }
  return [...found.values()];
}

// Two texts, one above the other, each with the words that the other lacks and those that caused a refusal marked.
export function pairItem(row) {
  const parts = difference(row.a.text, row.b.text);
  const own = (which) => side(parts, which).map((one) => (one.kind === "same" ? one : { ...one, kind: "own" }));
  // Words that stand together in neither text are marked one by one.
  const sought = row.words.flatMap((one) =>
    (places(row.a.text + "\n" + row.b.text, [one]).length ? [one] : one.split(/\s+/)));
  const line = (which) => element("div", { class: "line" },
    ...paragraph(own(which), row[which].text, sought), where(row[which]));
  return item(row, facts(row), [line("a"), line("b")], ["above", "below"]);
}

export function clusterItem(cluster, survivor, rowOf) {
  const list = element("ul", { class: "members" });
  const members = byText(cluster.members.map((one) => rowOf(cluster, one)));
  const more = element("button", { type: "button", class: "quiet more", onclick: () => show(MORE_MEMBERS) });
  let shown = 0;
  function show(number) {
    list.append(...members.slice(shown, shown + number).map(member));
    shown = Math.min(shown + number, members.length);
    more.hidden = shown >= members.length;
    more.textContent = `Show more: ${count(members.length - shown, "text")} left`;
  }
  show(FIRST_MEMBERS);
  return element("li", { class: "cluster" },
    element("div", { class: "survivor" },
      element("div", { class: "facts" }, badge("survives", "survives"),
        element("span", { class: "size" }, count(cluster.members.length + 1, "sentence"))),
      element("div", { class: "texts" }, ...paragraph(words(survivor.text), survivor.text), where(survivor))),
    list, more);
}
