// The page: its state, and what is drawn when that changes.

import { group } from "./clusters.js";
import { Decisions, download, store, stored } from "./decisions.js";
import { byId, count, element } from "./dom.js";
import { Filters } from "./filters.js";
import { given } from "./given.js";
import { histogram } from "./histogram.js";
import { listen } from "./keys.js";
import { read } from "./model.js";
import { Pages } from "./pages.js";
import { REASONS, clusterItem, pairItem, showVerdict } from "./rows.js";

const FILE = "decisions.json";
const STEP = 1000; // of the threshold, in millionths

const model = read(await given());
const storageKey = `kindred decisions ${model.digest}`;
const decisions = new Decisions();
const filters = new Filters(model, (reason) => REASONS[reason] ?? reason, () => list());
const pages = new Pages((entry) => (entry.members ? clusterItem(entry, model.sentences[entry.survivor], memberRow) : pairItem(entry)));
let threshold = model.threshold;
let clusters = [];
let view = "clusters";
let grouped = 0; // decisions that the clusters do not show yet are those after this change
let changes = 0;

// A pair as its row shows it: two sentences, and what is decided of them.
function row(a, b, { score, level, reason = "", words = [], refused = false, why = null }) {
  const [left, right] = [model.sentences[a], model.sentences[b]];
  const verdict = () => decisions.of(left.hash, right.hash);
  const decide = (same) => decided(left, right, same);
  return { a: left, b: right, rows: [a, b], score, level, reason, words, refused, why, verdict, decide };
}

function columnRow(pairs, i) {
  const [score, level, reason, words, why] = [pairs.score[i], pairs.level[i], pairs.reason[i], pairs.words[i], pairs.why[i]];
  return row(pairs.a[i], pairs.b[i], { score, level, reason, words, why, refused: pairs === model.refused });
}

function memberRow(cluster, { row: member, score, pair }) {
  if (pair === null) return row(cluster.survivor, member, { score: 1e6, level: "exact" });
  const [pairs, i] = pair >= 0 ? [model.pairs, pair] : [model.refused, -1 - pair];
  const why = pairs.why[i];
  const turned = model.leader[pairs.a[i]] !== model.leader[cluster.survivor];
  const shown = why && turned ? { ...why, a: why.b, b: why.a } : why;
  return row(cluster.survivor, member, { score, level: pairs.level[i], why: shown });
}

function decided(a, b, same) {
  decisions.set(a, b, same);
  changes++;
  if (!store(storageKey, decisions.toFile())) say("This browser keeps nothing: save the decisions before you leave.");
  for (const node of document.querySelectorAll("#list .row")) showVerdict(node, node.row.verdict());
  showDecisions();
}

function showDecisions() {
  byId("save").textContent = `Save ${count(decisions.size, "decision")}`;
  byId("save").disabled = decisions.size === 0;
  byId("regroup").hidden = changes === grouped;
  const options = [`--threshold ${asThreshold(threshold)}`];
  if (decisions.size) options.push(`--decisions ${FILE}`);
  byId("apply").replaceChildren(...options.flatMap((one) => [element("code", {}, one), " "]));
}

function say(text) {
  byId("told").textContent = text;
}

function asThreshold(millionths) {
  return (millionths / 1e6).toFixed(millionths % STEP ? 6 : 3);
}

function regroup() {
  clusters = group(model, threshold, decisions);
  grouped = changes;
  const gone = clusters.reduce((sum, cluster) => sum + cluster.members.length, 0);
  byId("threshold-value").textContent = asThreshold(threshold);
  byId("effect").textContent =
    `${count(clusters.length, "cluster")}: ${count(gone, "sentence")} would go, ${(model.count - gone).toLocaleString("en-US")}`
    + ` of ${model.count.toLocaleString("en-US")} stay.`;
  byId("clusters-count").textContent = clusters.length.toLocaleString("en-US");
  showDecisions();
  list();
}

// What the chosen view holds, and how each of it is tested by the filters.
function entries() {
  const fits = filters.test();
  const lowest = filters.order === "lowest";
  if (view === "clusters") {
    const least = (cluster) => cluster.members[cluster.members.length - 1].score ?? 1e6;
    const found = clusters.filter((cluster) =>
      fits([cluster.survivor, ...cluster.members.map((one) => one.row)],
        cluster.members.map((one) => memberRow(cluster, one)), false));
    return lowest ? found.sort((x, y) => least(x) - least(y)) : found;
  }
  const pairs = model[view];
  const found = [];
  for (let i = 0; i < pairs.length; i++) {
    if (view === "pairs" && !pairs.fixed[i] && pairs.score[i] < threshold) continue;
    const one = columnRow(pairs, i);
    if (fits(one.rows, [one], pairs === model.refused)) found.push(one);
  }
  return lowest ? found.sort((x, y) => x.score - y.score) : found;
}

function list() {
  byId("reason").disabled = view !== "refused";
  for (const button of document.querySelectorAll("#views button")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === view));
  }
  pages.show(entries());
}

function startThreshold() {
  const scores = [...model.pairs.score.filter((_, i) => !model.pairs.fixed[i]), ...model.refused.score];
  const least = scores.reduce((one, other) => Math.min(one, other), model.threshold);
  const low = Math.floor(least / STEP) * STEP;
  const high = low + Math.max(STEP, Math.ceil((1e6 - low) / STEP) * STEP);
  const slider = byId("threshold");
  Object.assign(slider, { min: low, max: high, step: STEP, value: model.threshold });
  byId("low").textContent = asThreshold(low);
  byId("high").textContent = asThreshold(high);
  const mark = histogram(byId("histogram"), model, low, high);
  const told = `${count(model.pairs.length, "pair")} and ${count(model.refused.length, "refused pair")} by score`;
  byId("histogram").setAttribute("aria-label", `Histogram of ${told}, from ${asThreshold(low)} to ${asThreshold(high)}`);
  byId("plot").hidden = scores.length === 0;
  let asked = 0;
  slider.addEventListener("input", () => {
    threshold = Number(slider.value);
    mark(threshold);
    slider.setAttribute("aria-valuetext", asThreshold(threshold));
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(regroup);
  });
  slider.setAttribute("aria-valuetext", asThreshold(threshold));
  mark(threshold);
}

async function load(file) {
  try {
    const taken = decisions.load(await file.text());
    changes++;
    store(storageKey, decisions.toFile());
    regroup();
    say(`${file.name}: ${count(taken, "decision")} read.`);
  } catch (error) {
    say(`${file.name} was not read: ${error.message}.`);
  }
}

function startDecisions() {
  decisions.load(JSON.stringify(model.decisions));
  const kept = stored(storageKey);
  try {
    if (kept) decisions.load(kept);
  } catch (error) {
    say(`The decisions this browser kept cannot be read: ${error.message}.`);
  }
  byId("save").addEventListener("click", () => {
    download(FILE, decisions.toFile());
    say(`Saved ${count(decisions.size, "decision")}.`);
  });
  byId("load").addEventListener("click", () => byId("file").click());
  byId("file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) await load(file);
    event.target.value = "";
  });
  byId("regroup").addEventListener("click", regroup);
}

function start() {
  byId("about").textContent = model.about;
  byId("pairs-count").textContent = model.pairs.length.toLocaleString("en-US");
  byId("refused-count").textContent = model.refused.length.toLocaleString("en-US");
  for (const button of document.querySelectorAll("#views button")) {
    button.addEventListener("click", () => {
      view = button.dataset.view;
      list();
    });
  }
  byId("clear").addEventListener("click", () => {
    filters.clear();
    list();
  });
  byId("more-filters").addEventListener("click", (event) => {
    const open = event.currentTarget.getAttribute("aria-expanded") !== "true";
    event.currentTarget.setAttribute("aria-expanded", String(open));
  });
  byId("ask").addEventListener("click", () => byId("help").showModal());
  startDecisions();
  startThreshold();
  regroup();
  listen(pages);
}

start();
