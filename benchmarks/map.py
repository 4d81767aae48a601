"""What a map of many sentences costs, and how far it keeps neighbours: python benchmarks/map.py [INDEX] [options].

Without an index, rows are made up: clusters of clusters in 384 numbers of meaning. An object for each number of rows
that t-SNE lays out itself: seconds of a processor and on the clock, memory, trustworthiness (of 2,000 rows), and the
share of the 10 nearest by score that are among the 10 nearest on the map (of 1,000 rows, in the whole map). With
--browser, how long headless Chromium takes to draw them all, and to find what is under the pointer.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from search.index import Index
from search.index_map import IndexMap
from search.map_page import MAP_MODULES, map_file
from search.marks import marks_of
from search.projection import FITTED, project
from search.similarity import Labels, Scale, Vectors, unit
from search.single_page import joined, page_json
from search.store_faiss import FaissStore

_FEELINGS = Labels(("negative", "neutral", "positive"), Scale.ORDINAL)
_DIM = 384


def made_up(count: int) -> Vectors:
    """Return rows of 40 groups of 25 groups each, and two numbers of feeling."""
    chance = np.random.default_rng(3)
    large = chance.normal(size=(40, _DIM))
    small = large[np.repeat(np.arange(40), 25)] + 0.6 * chance.normal(size=(1000, _DIM))
    meaning = small[chance.integers(1000, size=count)] + 0.8 * chance.standard_normal((count, _DIM), dtype=np.float32)
    angle = chance.random(count) * np.pi / 2
    return np.ascontiguousarray(np.hstack([unit(meaning), np.stack([np.cos(angle), np.sin(angle)], 1)]), np.float32)


def kept(rows: Vectors, points: Vectors) -> float:
    """Return the share of the 10 nearest by meaning that are among the 10 nearest points."""
    asked = np.random.default_rng(1).choice(len(rows), min(1000, len(rows)), replace=False)
    near = FaissStore(rows).search(rows[asked], 11)
    shares = []
    for row, found in zip(asked.tolist(), near, strict=True):
        distances = ((points - points[row]) ** 2).sum(axis=1)
        distances[row] = np.inf
        shown = np.argpartition(distances, 10)[:10]
        shares.append(len(set(shown.tolist()) & (set(found.rows.tolist()) - {row})) / 10)
    return float(np.mean(shares))


def in_browser(drawn: IndexMap) -> dict[str, float]:
    """Return milliseconds of drawing all points, and of finding the one under the pointer."""
    from tests.browser import chromium

    code = joined(map_file(f"{name}.js") for name in MAP_MODULES)
    page = f"""<canvas id="map" style="width: 1200px; height: 800px; background: #fff"></canvas>
      <script type="module">{code}
      const told = {{ moved() {{}}, hovered() {{}}, picked() {{}} }};
      window.plot = new Plot(document.getElementById("map"), new Points({page_json(drawn.to_dict())}), told);
      </script>"""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        path = Path(folder) / "map.html"
        path.write_text(page, encoding="utf-8")
        opened = browser.new_page(viewport={"width": 1300, "height": 900})
        opened.goto(path.as_uri())
        opened.wait_for_function("window.plot")
        script = """(what) => { const taken = []; for (let one = 0; one < 21; one++) { const begin = performance.now();
          if (what === "paint") plot.paint();
          else for (let at = 0; at < 100; at++) plot.pointAt(at * 11 + one, at * 7 + one);
          taken.push(performance.now() - begin); } return taken.sort((a, b) => a - b)[10]; }"""
        return {
            "draw_ms": round(opened.evaluate(script, "paint"), 1),
            "hover_ms": round(opened.evaluate(script, "hover") / 100, 3),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", nargs="?", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--fitted", type=int, action="append", help=f"repeatable  [default: {FITTED}]")
    parser.add_argument("--browser", action="store_true")
    chosen = parser.parse_args()
    rows, dim = made_up(chosen.rows) if chosen.index is None else np.empty((0, 0), np.float32), _DIM
    if chosen.index is not None:
        with Index(chosen.index) as index:
            rows, dim = np.array(index.vectors[: chosen.rows]), index.passport.meaning_dim
    numbers: npt.NDArray[np.int64] = np.arange(len(rows))
    meaning = np.ascontiguousarray(rows[:, :dim])
    for fitted in chosen.fitted or [FITTED]:
        begin, clock = time.process_time(), time.perf_counter()
        found = project(rows, numbers, weight=0.0, meaning_dim=dim, fitted=fitted)
        figures: dict[str, object] = {
            "rows": len(rows),
            "fitted": found.fitted,
            "processor_s": round(time.process_time() - begin, 1),
            "clock_s": round(time.perf_counter() - clock, 1),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
            "trustworthiness": found.trustworthiness and round(found.trustworthiness, 3),
            "kept_of_10": round(kept(meaning, found.points), 3),
        }
        if chosen.browser:
            codes = (numbers % 3).astype(np.uint16)
            marks = marks_of(_FEELINGS)
            figures |= in_browser(IndexMap(numbers, found.points, codes, marks, 0.0, fitted, found.trustworthiness))
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
