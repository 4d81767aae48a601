"""Search structures on the rows of an index, or on a file of rows: what each costs, and what it finds.

    python benchmarks/approximate.py indexes/reviews
    python benchmarks/approximate.py rows.f32 --width 386 --rows 200000 --spec HNSW32,SQ8 --spec IVF1024,SQ8

An object for exact search and for each candidate: the least effort for each weight with which the recall is reached,
seconds to build, bytes a row, recall of the ten nearest, and milliseconds of single queries. A file has
float32 rows of meaning and two numbers of feeling, as `vectors/*.f32` of an index does; the last `--held` of them are
left out of the structures and asked as well, as queries that no structure has seen. With `--grow 0.1` a structure of
the first rows is also made and then given a tenth more, up to the same number. CPU times are of the whole process.
"""

import argparse
import json
import re
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from search.approximate import ApproximateStore
from search.choosing import Bench, Candidate, candidates, named
from search.encoder import Passport
from search.index import Index
from search.nearest import Nearest
from search.similarity import Labels, Scale, Vectors
from search.store_faiss import FaissStore
from search.structure_faiss import Structure, build, divide, write

_FEELINGS = Labels(("negative", "neutral", "positive"), Scale.ORDINAL)
_WEIGHTS = (0.0, 0.3, 0.7)


def _rows(options: argparse.Namespace) -> tuple[Vectors, Passport]:
    place = Path(options.place)
    if place.is_dir():
        with Index(place) as index:
            return index.vectors, index.passport
    passport = Passport(place.name, "file", options.width - 2, _FEELINGS, 0.3, "file")
    rows = np.memmap(place, dtype=np.float32, mode="r").reshape(-1, options.width)
    return rows, passport


def _asked(nearest: Nearest, queries: Vectors, weight: float) -> tuple[list[Any], list[tuple[float, float]]]:
    """Return what was found, and the milliseconds of each query by clock and by processor."""
    found, taken = [], []
    for query in queries:
        began, cpu = time.perf_counter(), time.process_time()
        found += nearest.top(query[None, :], 10, weight)
        taken.append((1000 * (time.perf_counter() - began), 1000 * (time.process_time() - cpu)))
    return found, taken


def measure(rows: Vectors, passport: Passport, options: argparse.Namespace) -> None:
    """Print an object for exact search and one for each candidate."""
    held = np.ascontiguousarray(rows[len(rows) - options.held :])
    rows = rows[: min(options.rows or len(rows), len(rows) - options.held)]
    exact = Nearest(rows, passport.meaning_dim, FaissStore(rows))
    truth = {weight: _asked(exact, held, weight) for weight in _WEIGHTS}
    taken = np.concatenate([times for _, times in truth.values()])
    print(json.dumps({"rows": len(rows), "exact_ms": _percentiles(taken)}), flush=True)
    bench = Bench(rows, passport)
    tried = [named(spec) for spec in options.spec] or candidates(len(rows), passport.width)
    with tempfile.TemporaryDirectory(prefix="kindred-structures-", dir=options.scratch) as folder:
        for number, candidate in enumerate(tried):
            cpu = time.process_time()
            trial = bench.try_out(candidate, options.recall, Path(folder) / f"structure-{number}")
            cpu = time.process_time() - cpu
            structure = Structure(trial.path, width=passport.width, count=len(rows))
            store = ApproximateStore(rows, structure, efforts=trial.efforts, spare=trial.spare, few=0)
            nearest = Nearest(rows, passport.meaning_dim, store)
            recalls, times = {}, []
            for weight, (best, _) in truth.items():
                found, took = _asked(nearest, held, weight)
                shares = [np.mean(one.scores >= two.scores[-1]) for one, two in zip(found, best, strict=True)]
                recalls[f"{weight:g}"] = round(float(np.mean(shares)), 4) if shares else None
                times += took
            told = {
                "spec": trial.spec,
                "efforts": trial.efforts,
                "reached": trial.reached,
                "build_seconds": round(trial.build_seconds, 1),
                "build_and_measure_cpu_seconds": round(cpu, 1),
                "bytes_a_row": round(trial.path.stat().st_size / len(rows)),
                "recall": trial.recalls,
                "recall_unseen": recalls,
                "ms": _percentiles(np.array(times)),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
            }
            if options.grow:
                told["grown"] = _grown(bench, rows, passport, candidate, options, Path(folder))
            print(json.dumps(told), flush=True)


def _grown(
    bench: Bench,
    rows: Vectors,
    passport: Passport,
    candidate: Candidate,
    options: argparse.Namespace,
    folder: Path,
) -> dict[str, Any]:
    """Make a structure of the first of the rows, and measure it with the others added."""
    first = rows[: round(len(rows) / (1 + options.grow))]
    lists = re.match(r"IVF(\d+)", candidate.spec)
    division = divide(first, int(lists[1]), passport.meaning_dim) if lists else None
    write(build(candidate.spec, first, division), folder / "first")
    cpu = time.process_time()
    trial = bench.try_extended(candidate, folder / "first", options.recall, folder / "grown")
    return {
        "from_rows": len(first),
        "efforts": trial.efforts,
        "reached": trial.reached,
        "build_seconds": round(trial.build_seconds, 1),
        "build_and_measure_cpu_seconds": round(time.process_time() - cpu, 1),
        "recall": trial.recalls,
    }


def _percentiles(taken: Any) -> dict[str, float]:
    """Return percentiles of (n, 2) times by clock and by processor."""
    if not len(taken):
        return {}
    found = {name: np.percentile(taken, at, axis=0) for name, at in (("p50", 50), ("p99", 99))}
    return {
        f"{kind}{name}": round(float(both[place]), 2)
        for name, both in found.items()
        for place, kind in enumerate(("", "cpu_"))
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place", help="an index's folder, or a file of rows")
    parser.add_argument("--width", type=int, default=386, help="of a file's rows")
    parser.add_argument("--rows", type=int, help="only so many")
    parser.add_argument("--held", type=int, default=200, help="rows that are asked and not searched")
    parser.add_argument("--recall", type=float, default=0.98)
    parser.add_argument(
        "--spec", action="append", default=[], help="a structure in FAISS's words; several may be given"
    )
    parser.add_argument("--grow", type=float, default=0.0, metavar="SHARE", help="also extend a structure by so much")
    parser.add_argument("--scratch", help="a folder for the structures")
    options = parser.parse_args()
    measure(*_rows(options), options)
    sys.exit(0)
