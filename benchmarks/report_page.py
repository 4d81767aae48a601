"""How the report page keeps up with many pairs: python -m benchmarks.report_page [PAIRS].

Makes up sentences and pairs, writes their report and opens it in headless Chromium. Prints the file's size, the time it
takes to open, and for moving the threshold and for searching the median of five, as processor time of the page's thread
(other work on the machine does not count) and as time on the clock.
"""

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import CDPSession, Page

from search.report import report_html
from tests.browser import chromium
from tests.found import found

WORDS = ("how", "do", "i", "reset", "the", "router", "when", "its", "light", "stays", "red", "after", "an", "update")

FOLLOW = """([id, value]) => new Promise((done) => {
  const begin = performance.now();
  const field = document.getElementById(id);
  field.value = value;
  field.dispatchEvent(new Event("input"));
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - begin)));
})"""


def page_of(number: int) -> str:
    """Return the report of so many pairs of four fifths as many sentences."""
    chance = random.Random(5)  # noqa: S311 - no secret
    texts = [f"{one} {' '.join(chance.choices(WORDS, k=15))}" for one in range(number * 4 // 5)]
    pairs: dict[tuple[int, int], float] = {}
    while len(pairs) < number:
        first = chance.randrange(len(texts) - 40)
        pairs[first, first + chance.randrange(1, 40)] = round(chance.uniform(0.9, 1), 6)
    return report_html(found(texts, pairs), encoder="none")


def spent(session: CDPSession) -> float:
    """Return the seconds of a processor that the page has taken so far."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration")


def follow(session: CDPSession, page: Page, field: str, values: list[object]) -> str:
    """Change a field; return the medians of what that takes."""
    taken, clock = [], []
    for value in values:
        before = spent(session)
        clock.append(page.evaluate(FOLLOW, [field, value]))
        taken.append(1000 * (spent(session) - before))
    return f"{statistics.median(taken):.0f} ms of a processor, {statistics.median(clock):.0f} ms on the clock"


def main() -> None:
    """Measure and print."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        path = Path(folder) / "report.html"
        path.write_text(page_of(number), encoding="utf-8")
        page = browser.new_page()
        begin = time.perf_counter()
        page.goto(path.as_uri())
        print(f"{number:,} pairs, {path.stat().st_size / 1e6:.1f} MB, opened in {time.perf_counter() - begin:.1f} s")
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        thresholds: list[object] = [920_000, 950_000, 905_000, 930_000, 910_000]
        print(f"threshold: {follow(session, page, 'threshold', thresholds)}")
        print(f"search: {follow(session, page, 'search', ['77', 'light', 'reset the', 'zebra', ''])}")


if __name__ == "__main__":
    main()
