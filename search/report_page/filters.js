// Which entries are shown: by words, level, source, reason and decision.

import { byId, element } from "./dom.js";

const FIELDS = ["search", "level", "source", "reason", "decided", "order"];

function options(id, values, nameOf = (value) => value) {
  byId(id).append(...values.map((value) => element("option", { value }, nameOf(value))));
  byId(id).closest("label").hidden = values.length < 2;
}

export class Filters {
  #sentences;
  #folded = null; // texts in lower case, made when first searched

  constructor(model, reasonName, changed) {
    this.#sentences = model.sentences;
    const used = new Set([...model.pairs.level, ...model.refused.level]);
    options("level", model.levels.filter((level) => used.has(level)));
    options("source", [...new Set(model.sentences.map((one) => one.source))].sort());
    options("reason", [...new Set(model.refused.reason)].sort(), reasonName);
    for (const id of FIELDS) byId(id).addEventListener(id === "search" ? "input" : "change", changed);
  }

  get order() {
    return byId("order").value;
  }

  clear() {
    for (const id of FIELDS) if (id !== "order") byId(id).value = "";
  }

  // Give a function that says whether an entry fits: the rows of its sentences, and its pairs.
  test() {
    const [search, level, source, reason, decided] = FIELDS.map((id) => byId(id).value);
    const sought = search.trim().toLowerCase();
    if (sought) this.#folded ??= this.#sentences.map((one) => `${one.text}\n${one.source}:${one.line}`.toLowerCase());
    const known = (verdict) => (verdict === undefined ? "undecided" : verdict ? "same" : "different");
    return (rows, pairs, refused) =>
      (!sought || rows.some((row) => this.#folded[row].includes(sought)))
      && (!source || rows.some((row) => this.#sentences[row].source === source))
      && (!level || pairs.some((pair) => pair.level === level))
      && (!refused || !reason || pairs.some((pair) => pair.reason === reason))
      && (!decided || pairs.some((pair) => known(pair.verdict()) === decided));
  }
}
