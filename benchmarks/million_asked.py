"""Ask an index one query at a time, then all in a batch against exact search; million.py starts it.

    python million_asked.py INDEX QUERIES OTHERS

QUERIES has a text a line; some of OTHERS are asked before, to warm up. Prints JSON: opening and loading in seconds;
milliseconds of single queries, encoding included, in the index's own way and exactly, and of encoding alone; recall of
the ten nearest for each sentiment and weight. Where another sentence is found that scores as much as one of the ten, it
counts.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from peer_figures import percentile

from search.index import Index

_WARM_UP, _EXACTLY = 200, 100
"""Queries of each length are slow once, when their shape is compiled."""

_K = 10
_ASKED = [("same", 0.0), ("same", 0.3), ("same", 0.7), ("opposite", 0.3), ("opposite", 0.7)]


def timed(ask: Callable[[str], object], queries: Sequence[str], others: Sequence[str]) -> dict[str, float]:
    """Return percentiles of the milliseconds that single queries take, others asked before to warm up."""
    for query in others:
        ask(query)
    taken, worked = [], []
    for query in queries:
        began, cpu = time.perf_counter(), time.process_time()
        ask(query)
        taken.append(1000 * (time.perf_counter() - began))
        worked.append(1000 * (time.process_time() - cpu))
    return {
        "p50_ms": percentile(taken, 50),
        "p99_ms": percentile(taken, 99),
        "cpu_p50_ms": percentile(worked, 50),
        "cpu_p99_ms": percentile(worked, 99),
    }


def recall(index: Index, queries: Sequence[str], sentiment: str, weight: float) -> float:
    """Return the share of the ten nearest that the index finds in its own way."""
    found = index.search(queries, k=_K, sentiment=sentiment, weight=weight)
    truth = index.search(queries, k=_K, sentiment=sentiment, weight=weight, exact=True)
    shares = [np.mean([hit.score >= best[-1].score for hit in hits]) for hits, best in zip(found, truth, strict=True)]
    return round(float(np.mean(shares)), 4)


def main(folder: str, queries: str, others: str) -> None:
    """Measure, and print what was found."""
    lines, warm = (Path(name).read_text(encoding="utf-8").splitlines() for name in (queries, others))
    warm = warm[:_WARM_UP]
    began = time.perf_counter()
    with Index(Path(folder)) as index:
        opened = time.perf_counter()
        encoder = index.encoder
        told: dict[str, Any] = {"open_seconds": opened - began, "load_seconds": time.perf_counter() - opened}
        told["queries"] = len(lines)
        told["encoding"] = timed(lambda query: encoder.encode([query]), lines, warm)
        told["own"] = timed(lambda query: index.search([query], k=_K), lines, warm)
        told["exact"] = timed(lambda query: index.search([query], k=_K, exact=True), lines[:_EXACTLY], warm[:_K])
        told["recall"] = {f"{name} {weight:g}": recall(index, lines, name, weight) for name, weight in _ASKED}
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
