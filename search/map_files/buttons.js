// The words beside the pointer, always text, never markup; and the buttons on the map.

export function placeTip(tip, plot, text, x, y) {
  tip.hidden = text === "";
  if (tip.hidden) return;
  tip.textContent = text.length > 400 ? `${text.slice(0, 400)}…` : text;
  const left = Math.max(4, Math.min(x + 16, plot.width - tip.offsetWidth - 4));
  const under = y + 20 + tip.offsetHeight < plot.height;
  tip.style.left = `${left}px`;
  tip.style.top = `${under ? y + 20 : Math.max(4, y - tip.offsetHeight - 14)}px`;
}

export function zoomButtons(plot, hands, find) {
  find("closer").addEventListener("click", () => plot.zoomBy(1.6));
  find("further").addEventListener("click", () => plot.zoomBy(1 / 1.6));
  find("whole").addEventListener("click", () => plot.whole());
  find("select").addEventListener("click", () => hands.select(!hands.selecting));
  find("take").addEventListener("click", () => { hands.takeSeen(); find("select").focus(); });
  find("drop").addEventListener("click", () => { hands.select(false); find("select").focus(); });
}

export function showSelecting(selecting, find) {
  find("select").setAttribute("aria-pressed", String(selecting));
  find("area").hidden = !selecting;
}
