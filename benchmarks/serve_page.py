"""How soon the page of `kindred serve` answers a person: python benchmarks/serve_page.py [INDEX] [--rounds N].

Types questions into the page in headless Chromium, a key each 80 ms as a quick typist does, and tells the time from the
last key to the hits on the screen; then presses "Say why", and tells the time to the first marked word, and until all
hits are explained. Milliseconds on the page's clock: median, the first, which loads what later ones find there, and the
worst of the others. Without an index, one is made of `corpora/` with the encoder that ships.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page
from serve_load import kindred
from watched import ROOT

from search.checkpoint import DEFAULT_ENCODER
from search.corpus import Corpus
from search.encoders import load_encoder
from search.indexing import build_index
from tests.browser import chromium

QUESTIONS = (
    "the room was freezing", "quiet at night", "how do I cancel my order", "breakfast was cold and late",
    "friendly staff at the desk", "my card was charged twice", "the pool is closed in winter", "parking nearby",
    "we would never come back", "the train was late again", "a lovely view of the sea", "where is my parcel",
)  # fmt: skip
KEY_MS = 80
ALL_MS = 1500
"""Until when all hits are explained."""

WATCH = """() => {
  const [hits, field, why] = ["hits", "q", "explain"].map((id) => document.getElementById(id));
  const begin = () => { window.begun = performance.now(); window.shown = 0; };
  begin();
  field.addEventListener("keydown", begin, true);
  field.addEventListener("input", () => { window.shown = 0; }, true); // a key before which hits were drawn just now
  why.addEventListener("click", begin, true);
  const there = () => (why.checked ? hits.querySelector("mark")
    : hits.firstChild && new URLSearchParams(location.search).get("q") === field.value);
  const now = () => { window.last = performance.now(); window.shown ||= window.last; };
  const drawn = () => requestAnimationFrame(() => setTimeout(now));
  new MutationObserver(() => there() && drawn()).observe(hits, { childList: true, subtree: true });
}"""
"""Notes when the last key or click came, and when the hits of the whole question, or their marks, were drawn."""


def taken(page: Page) -> float:
    """Return the milliseconds from what was done last to what it shows."""
    return float(
        page.evaluate(
            """() => new Promise((done) => {
              const look = () => (window.shown > 0 ? done(window.shown - window.begun) : setTimeout(look, 20));
              look();
            })"""
        )
    )


def measure(address: str, rounds: int) -> dict[str, list[float]]:
    """Ask as a person does; return the milliseconds of each question."""
    found: dict[str, list[float]] = {"typed": [], "why": [], "why of all hits": []}
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        page.get_by_text("Ask for something.").wait_for()
        page.evaluate(WATCH)
        for question in QUESTIONS * rounds:
            page.locator("#q").press("Control+a")
            page.locator("#q").press_sequentially(question, delay=KEY_MS)
            found["typed"].append(taken(page))
            page.locator("#explain").click()
            found["why"].append(taken(page))
            page.wait_for_timeout(ALL_MS)
            found["why of all hits"].append(float(page.evaluate("window.last - window.begun")))
            page.locator("#explain").click()
            page.wait_for_timeout(400)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        index = chosen.index or Path(folder) / "corpora"
        if chosen.index is None:
            texts = [str(path) for path in sorted((ROOT / "corpora").glob("*.txt"))]
            build_index(Corpus(texts), index, load_encoder(str(DEFAULT_ENCODER)))
        with kindred(index, {}) as server:
            for what, milliseconds in measure(server.address.partition("api/")[0], chosen.rounds).items():
                first, *others = milliseconds
                told = f"median {statistics.median(milliseconds):.0f} ms, first {first:.0f}, worst {max(others):.0f}"
                print(f"{what}: {told} of {len(milliseconds)}")


if __name__ == "__main__":
    main()
