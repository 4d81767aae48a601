// The keyboard: j and k walk the rows, s and n decide, u takes a decision back, / searches, ? explains.

import { byId } from "./dom.js";

const rows = () => [...document.querySelectorAll("#list .row")];

// Let one row, and no other, be where the keyboard is.
export function makeCurrent(row) {
  for (const other of document.querySelectorAll("#list .row[tabindex='0']")) other.tabIndex = -1;
  row.tabIndex = 0;
}

function walk(by, pages) {
  let all = rows();
  const at = all.findIndex((row) => row.contains(document.activeElement));
  let next = at < 0 ? 0 : at + by;
  if (next < 0 || next >= all.length) {
    if (!pages.turn(by)) return;
    all = rows();
    next = by > 0 ? 0 : all.length - 1;
  }
  if (!all[next]) return;
  makeCurrent(all[next]);
  all[next].focus({ preventScroll: true });
  all[next].scrollIntoView({ block: "nearest" });
}

function decide(verdict) {
  document.activeElement?.closest?.(".row")?.row.decide(verdict);
}

export function listen(pages) {
  const actions = {
    j: () => walk(1, pages),
    k: () => walk(-1, pages),
    s: () => decide(true),
    n: () => decide(false),
    u: () => decide(undefined),
    "/": () => byId("search").focus(),
    "?": () => byId("help").showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.activeElement === byId("search")) document.activeElement.blur();
    if (!byId("shortcuts").checked || event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
    if (event.target.closest("input:not([type=range]), select, textarea") || !Object.hasOwn(actions, event.key)) return;
    event.preventDefault();
    actions[event.key]();
  });
  byId("list").addEventListener("focusin", (event) => {
    const row = event.target.closest(".row");
    if (row) makeCurrent(row);
  });
}
