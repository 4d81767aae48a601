// A long list, a page of it at a time: what is drawn stays small however long it is.

import { byId, count } from "./dom.js";

export const PAGE = 50;

export class Pages {
  #items = [];
  #page = 0;
  #draw;
  #list = byId("list");

  // `draw` makes a list item of one of the items.
  constructor(draw) {
    this.#draw = draw;
    byId("previous").addEventListener("click", () => this.turn(-1));
    byId("next").addEventListener("click", () => this.turn(1));
  }

  show(items) {
    this.#items = items;
    this.#go(0);
  }

  // Turn by some pages; says whether there was one to turn to.
  turn(by) {
    const page = this.#page + by;
    if (page < 0 || page * PAGE >= this.#items.length) return false;
    this.#go(page);
    this.#list.scrollIntoView({ block: "start" });
    return true;
  }

  #go(page) {
    this.#page = page;
    const first = page * PAGE;
    const shown = this.#items.slice(first, first + PAGE);
    this.#list.replaceChildren(...shown.map(this.#draw));
    byId("empty").hidden = this.#items.length > 0;
    byId("pages").hidden = this.#items.length <= PAGE;
    byId("previous").disabled = page === 0;
    byId("next").disabled = first + PAGE >= this.#items.length;
    byId("range").textContent =
      `${(first + 1).toLocaleString("en-US")}–${(first + shown.length).toLocaleString("en-US")} of `
      + count(this.#items.length, "entry", "entries");
  }
}
