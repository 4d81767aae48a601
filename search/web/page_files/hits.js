// Hits as elements. Every text goes in as text, never as HTML.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

const MOST = 1200;

function marked(text, parts) {
  // The words that give most to the score, underlined in proportion; the rest as it is.
  const most = Math.max(...parts.map((part) => part.value), 0.001);
  const pieces = [];
  let at = 0;
  // Offsets count characters of the language the server is written in, which are code points.
  const points = Array.from(text);
  const cut = (from, to) => points.slice(from, to).join("");
  for (const part of [...parts].sort((a, b) => a.start - b.start)) {
    if (part.value < 0.45 * most || part.start < at) continue;
    pieces.push(cut(at, part.start));
    const strong = part.value > 0.7 * most ? "strong" : "some";
    pieces.push(element("mark", { class: strong, title: `${part.value.toFixed(3)} of the meaning` }, cut(part.start, part.end)));
    at = part.end;
  }
  pieces.push(cut(at));
  return pieces;
}

function bar(name, value) {
  const share = Math.max(0, Math.min(1, value ?? 0));
  const meter = element("meter", { min: 0, max: 1, value: share, "aria-label": `${name} ${value === null ? "none" : value.toFixed(2)}` });
  return element("span", { class: "part" }, element("span", { class: "name" }, name), meter, element("span", { class: "number" }, value === null ? "–" : value.toFixed(2)));
}

function moved(explanation) {
  const most = explanation.sentiment.filter((part) => Math.abs(part.value) >= 0.03).sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, 5);
  return most.length ? [`Feeling: ${most.map((part) => `${part.text} ${part.value > 0 ? "+" : "−"}${Math.abs(part.value).toFixed(2)}`).join(", ")}`] : [];
}

const explainers = new WeakMap();

// Shows in a hit's element why it scores so; null: no more.
export function explainHit(item, explanation) {
  explainers.get(item)(explanation);
}

export function hitElement(hit, actions) {
  let whole = hit.text.length <= MOST;
  let explanation = null;
  const text = element("p", { class: "text", dir: "auto" });
  const why = element("p", { class: "why" });
  const show = () => {
    const shown = whole ? hit.text : hit.text.slice(0, MOST) + "…";
    text.replaceChildren(...(explanation && whole ? marked(shown, explanation.sentence) : [shown]));
    why.replaceChildren(...(explanation ? moved(explanation) : []));
  };
  show();
  const label = hit.label === null ? [] : [element("span", { class: `label ${hit.label}` }, `${hit.label} ${hit.probability.toFixed(2)}`)];
  const state = hit.state && !["same", "unknown"].includes(hit.state) ? [element("span", { class: "state" }, `source ${hit.state}`)] : [];
  const metadata = Object.entries(hit.metadata).map(([key, value]) => element("span", { class: "meta", dir: "auto" }, `${key}: ${value}`));
  const buttons = [
    element("button", { type: "button", onclick: () => actions.similar(hit) }, "Similar"),
    ...(actions.opposite ? [element("button", { type: "button", onclick: () => actions.opposite(hit) }, "Opposite view")] : []),
    element("button", { type: "button", ...(actions.folds ? { "aria-expanded": "false" } : {}), onclick: (event) => actions.around(hit, event.currentTarget) }, actions.aroundName ?? "Around it"),
  ];
  if (!whole) buttons.push(element("button", { type: "button", onclick: (event) => { whole = true; show(); event.target.remove(); } }, "All of it"));
  const item = element("li", { "data-row": hit.row },
    element("div", { class: "scores" }, element("span", { class: "score" }, hit.score.toFixed(3)), bar("meaning", hit.meaning), ...(hit.sentiment === null ? [] : [bar("feeling", hit.sentiment)]), ...label, ...state),
    text, why,
    element("div", { class: "foot" }, element("span", { class: "place" }, element("bdi", {}, `${hit.source}:${hit.line}`)), ...metadata, element("span", { class: "buttons" }, ...buttons)));
  explainers.set(item, (given) => { explanation = given; show(); });
  return item;
}
