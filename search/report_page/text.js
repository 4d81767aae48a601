// A sentence as a paragraph: what differs marked, what caused a refusal marked, what is long shortened until asked for.

import { count, element } from "./dom.js";
import { places } from "./words.js";

const LONGEST_RUN = 40; // equal words in a row
const AROUND = 12; // of them kept at each end
const LONGEST = 900; // characters shown of one sentence

const TAGS = { del: "del", ins: "ins", own: "u" };

// Leave out the middle of long equal runs, and all beyond the longest.
function shortened(parts) {
  const found = [];
  for (let i = 0; i < parts.length; ) {
    let end = i;
    while (end < parts.length && parts[end].kind === "same") end++;
    if (end - i > LONGEST_RUN) {
      found.push(...parts.slice(i, i + AROUND), { gap: end - i - 2 * AROUND }, ...parts.slice(end - AROUND, end));
    } else found.push(...parts.slice(i, end));
    if (end < parts.length) found.push(parts[end++]);
    i = end;
  }
  let characters = 0;
  const cut = found.findIndex((one) => (characters += (one.word ?? "").length + 1) > LONGEST);
  if (cut < 0) return found;
  const last = found[cut];
  const over = (last.word ?? "").length - LONGEST; // a word may be as long as a sentence
  if (over > 0) return [...found.slice(0, cut), { ...last, word: last.word.slice(0, LONGEST), space: "" }, { gap: over, unit: "character" }];
  return [...found.slice(0, cut + 1), { gap: parts.length - cut - 1 }];
}

// Runs of words that look alike, for fewer elements.
function runs(parts, cues) {
  const joined = [];
  for (const one of parts) {
    const cue = cues.some(([start, end]) => one.at < end && one.at + one.word?.length > start);
    const last = joined[joined.length - 1];
    if (last && !one.gap && !last.gap && last.kind === one.kind && last.cue === cue) {
      last.text += last.space + one.word;
      last.space = one.space;
    } else joined.push({ kind: one.kind, cue, gap: one.gap, unit: one.unit, text: one.word, space: one.space, led: one.led });
  }
  return joined;
}

function piece({ kind, cue, gap, unit, text }) {
  if (gap) return element("span", { class: "gap" }, ` … ${count(gap, unit ?? "word")} … `);
  const inner = cue ? element("mark", {}, text) : text;
  return TAGS[kind] ? element(TAGS[kind], {}, inner) : inner;
}

function filled(paragraph, parts, cues) {
  const pieces = [];
  let space = " ";
  for (const run of runs(parts, cues)) {
    pieces.push(run.led && !space ? " " : "", piece(run), run.space ?? "");
    space = run.space ?? " ";
  }
  paragraph.replaceChildren(...pieces);
}

// `parts` are words of `words.js`; `text` is what their places refer to; `sought` are the words to mark in it.
export function paragraph(parts, text, sought = []) {
  const cues = places(text, sought);
  const node = element("p", { class: "text", dir: "auto" });
  const short = shortened(parts);
  filled(node, short, cues);
  if (!short.some((one) => one.gap)) return [node];
  const button = element("button", {
    class: "quiet more",
    type: "button",
    "aria-expanded": "false",
    onclick: () => {
      const open = button.getAttribute("aria-expanded") !== "true";
      button.setAttribute("aria-expanded", open);
      button.textContent = open ? "Show less" : "Show all";
      filled(node, open ? parts : short, cues);
    },
  }, "Show all");
  return [node, button];
}
