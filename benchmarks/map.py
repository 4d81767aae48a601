"""What a map of many sentences costs, and how far it keeps neighbours: python benchmarks/map.py [INDEX] [options].

Without an index, rows are made up: clusters of clusters in 384 numbers of meaning. An object for each number of rows
that t-SNE lays out itself: seconds of a processor and on the clock, memory, trustworthiness (of 2,000 rows), and the
share of the 10 nearest by score that are among the 10 nearest on the map (of 1,000 rows, in the whole map). With
--browser, what headless Chromium takes, in milliseconds of the page's thread (other work on the machine does not
count): to draw all points, to follow a step of moving, of zooming and of pointing; and on the clock from one such step
to the next. --beside names another `search` folder, such as another commit's, which is measured in turns with this.
"""

import argparse
import itertools
import json
import re
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from report_page import spent

import search
from search.index import Index
from search.index_map import IndexMap
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


_STEPS = 40

_FOLLOW = """([what, steps]) => new Promise((done) => {
  const taken = [];
  let [turns, begin] = [0, 0];
  const act = {
    draw: () => { plot.stale = true; plot.draw(); },
    move: () => plot.moveBy(turns % 2 ? 7 : 4, 3),
    zoom: () => plot.zoomBy(turns < steps / 2 ? 1.05 : 1 / 1.05, 500, 300),
    point: () => (plot.ring ? plot.ring(turns) : plot.look(turns, 10, 10)),
  }[what];
  const turn = () => {
    if (begin) taken.push(performance.now() - begin);
    begin = performance.now();
    if (turns++ === steps) { done(taken.sort((a, b) => a - b)[steps >> 1]); return; }
    act();
    requestAnimationFrame(turn);
  };
  requestAnimationFrame(turn);
})"""
"""Does something in each frame; gives the median time from one to the next."""


def page_of(drawn: IndexMap, package: Path) -> str:
    """Return a page of the map alone, drawn by the scripts of a package's folder."""
    told = re.search(r"MAP_MODULES = \((.*)\)", (package / "map_page.py").read_text(encoding="utf-8"))
    names = re.findall(r'"(\w+)"', told[1]) if told else []
    folders = {"dom": package / "report_page"}
    parts = ((folders.get(name, package / "map_files") / f"{name}.js").read_text(encoding="utf-8") for name in names)
    style = (package / "map_files" / "map.css").read_text(encoding="utf-8")
    return f"""<style>:root {{ --card: #fff; --ink: #000 }} {style}</style>
      <div class="plot" style="width: 1200px; height: 800px"><canvas id="map"></canvas></div>
      <script type="module">{joined(parts)}
      const told = Object.assign(() => {{}}, {{ moved() {{}}, hovered() {{}}, picked() {{}} }});
      window.plot = new Plot(document.getElementById("map"), new Points({page_json(drawn.to_dict())}), told);
      </script>"""


def in_browser(drawn: IndexMap, packages: Sequence[Path]) -> dict[str, dict[str, float]]:
    """Return for each package what its map takes, in milliseconds; the best of three turns."""
    from tests.browser import chromium

    found: dict[str, dict[str, float]] = {str(package): {} for package in packages}
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        for turn, package in itertools.product(range(3), packages):
            path = Path(folder) / f"map-{turn}.html"
            path.write_text(page_of(drawn, package), encoding="utf-8")
            page = browser.new_page(viewport={"width": 1300, "height": 900})
            page.goto(path.as_uri())
            page.wait_for_function("window.plot")
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable", {"timeDomain": "threadTicks"})
            for what in ("draw", "move", "zoom", "point"):
                page.evaluate(_FOLLOW, [what, 10])
                before = spent(session)
                clock = page.evaluate(_FOLLOW, [what, _STEPS])
                taken = {f"{what}_ms": 1000 * (spent(session) - before) / _STEPS, f"{what}_clock_ms": clock}
                for name, value in taken.items():
                    found[str(package)][name] = round(min(value, found[str(package)].get(name, value)), 1)
            page.close()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", nargs="?", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--fitted", type=int, action="append", help=f"repeatable  [default: {FITTED}]")
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--beside", type=Path, action="append", default=[], help="another package's folder; repeatable")
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
            drawn = IndexMap(numbers, found.points, codes, marks, 0.0, fitted, found.trustworthiness)
            figures["browser"] = in_browser(drawn, [Path(search.__file__).parent, *chosen.beside])
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
