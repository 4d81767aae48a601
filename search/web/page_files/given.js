// What the view of duplicates is about: asked of the server, which may need a while to find it. A report has it within.

import { api } from "./api.js";
import { byId, count, element } from "./dom.js";

const AGAIN = 400; // milliseconds between two questions

function announce(text, problem = false) {
  byId("wait").textContent = text;
  byId("wait").className = problem ? "problem" : "";
}

function progressOf({ what, done, total, unit }) {
  const of = total ? ` ${done.toLocaleString("en-US")} of ${count(total, unit, unit)}` : "";
  return `Looking for duplicates: ${what}${of} …`;
}

async function foundBy(name, lowest) {
  const wanted = lowest ? `?${new URLSearchParams({ threshold: lowest })}` : "";
  for (;;) {
    const value = await api(`/api/indexes/${encodeURIComponent(name)}/duplicates${wanted}`);
    if (value.state !== "running") return value;
    announce(progressOf(value));
    await new Promise((done) => setTimeout(done, AGAIN));
  }
}

function goTo(event) {
  event.preventDefault();
  const state = { index: byId("index").value };
  if (byId("lowest").value) state.lowest = byId("lowest").value;
  location.search = new URLSearchParams(state);
}

// The data of the index that the address names; the first one's if it names none. Where there is none to show, the
// reason is told, and nothing more happens on the page.
export async function given() {
  const asked = new URLSearchParams(location.search);
  try {
    announce("Looking for duplicates …");
    const names = (await api("/api/indexes")).map((one) => one.name);
    const name = asked.get("index") ?? names[0];
    byId("index").replaceChildren(...names.map((one) => element("option", { value: one, selected: one === name }, one)));
    byId("lowest").value = asked.get("lowest") ?? "";
    byId("look").addEventListener("submit", goTo);
    byId("index").addEventListener("change", goTo);
    const here = new URLSearchParams({ index: name });
    byId("to-ask").href = `/?${here}`;
    byId("to-map").href = `/map?${here}`;
    const data = await foundBy(name, asked.get("lowest"));
    announce("");
    byId("view").hidden = false;
    return { ...data, digest: `of ${name}` }; // decisions are of texts: they outlive a generation of the index
  } catch (problem) {
    announce(problem.message, true);
    return new Promise(() => {});
  }
}
