"""Time, memory and recall of the semantic level on many rows, beside SemHash with the same vectors.

    python benchmarks/duplicates_scale.py ROWS.f32 --count 200000 --semhash VENV/bin/python

ROWS.f32: raw float32 rows, 384 numbers of meaning and 2 of sentiment. SemHash runs in a Python of its own (pip install
semhash==0.5.0), gets rows whose cosine is kindred's score, and is asked for all pairs at the threshold. Recall is of
the pairs that a comparison with all finds for some rows. One after the other, each in a process of its own.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from search.joining import Scoring, Task, every_pair, joined
from search.lists import sorted_into_lists

_MEANING, _WIDTH, _WEIGHT, _THRESHOLD = 384, 386, 0.3, 0.9
_TRIED = 2000

_SEMHASH = """
import resource, sys, time
import numpy as np
from semhash.index import Index
rows = np.load(sys.argv[1])
begin, cpu = time.time(), time.process_time()
index = Index.from_vectors_and_items(rows, [[{"text": str(n)}] for n in range(len(rows))], "usearch")
found = index.query_threshold(rows, 0.9)
wall, cpu = time.time() - begin, time.process_time() - cpu
a = np.repeat(np.arange(len(rows)), [len(one) for one, _ in found])
b = np.concatenate([np.asarray(one, dtype=np.int64) for one, _ in found])
np.save(sys.argv[2], np.unique(np.minimum(a, b)[a != b] * len(rows) + np.maximum(a, b)[a != b]))
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"semhash {wall:.1f} s, processor {cpu:.1f} s, {memory:.0f} MiB", flush=True)
"""


def main() -> None:
    """Measure both, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path, help="a file of raw float32 rows, 386 wide")
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--semhash", type=Path, help="the Python of a virtual environment with SemHash")
    parser.add_argument("--kindred-codes", type=Path, help=argparse.SUPPRESS)  # where this process leaves its pairs
    chosen = parser.parse_args()
    rows = np.fromfile(chosen.rows, dtype=np.float32, count=chosen.count * _WIDTH).reshape(-1, _WIDTH)
    rows = rows[np.random.default_rng(0).permutation(len(rows))]
    if chosen.kindred_codes:
        np.save(chosen.kindred_codes, kindred(rows))
        return
    with tempfile.TemporaryDirectory() as folder:
        codes = Path(folder) / "kindred.npy"
        subprocess.run([sys.executable, *sys.argv, "--kindred-codes", str(codes)], check=True)
        told("kindred", np.load(codes), rows)
        if chosen.semhash:
            shares = np.array([1 - _WEIGHT, _WEIGHT], dtype=np.float32)
            scales = np.repeat(np.sqrt(shares), [_MEANING, _WIDTH - _MEANING])
            np.save(Path(folder) / "rows.npy", rows * scales)
            files = [str(Path(folder) / name) for name in ("rows.npy", "semhash.npy")]
            subprocess.run([chosen.semhash, "-c", _SEMHASH, *files], check=True)
            told("semhash", np.load(files[1]), rows)


def scoring(rows: np.ndarray) -> Scoring:
    """Score those rows."""
    return Scoring(lambda positions: rows[positions], _MEANING, _WEIGHT)


def kindred(rows: np.ndarray) -> np.ndarray:
    """Find the pairs by lists, as a job of so many rows does; return a number for each, and print what it took."""
    begin, processor = time.time(), time.process_time()
    lists = sorted_into_lists(scoring(rows), len(rows), None, _THRESHOLD)
    tasks = every_pair(len(rows), None) if lists is None else lists.tasks()
    found = (joined(scoring(rows), task, _THRESHOLD) for task in tasks)
    codes = np.unique(np.concatenate([one.a * len(rows) + one.b for one in found]))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    taken = f"{time.time() - begin:.1f} s, processor {time.process_time() - processor:.1f} s, {memory:.0f} MiB"
    print(f"kindred {taken}", flush=True)
    return codes


def told(name: str, codes: np.ndarray, rows: np.ndarray) -> None:
    """Print how many pairs there are, and the share of those of some rows that are among them."""
    tried = np.random.default_rng(1).choice(len(rows), min(_TRIED, len(rows)), replace=False)
    true = joined(scoring(rows), Task(tried, np.arange(len(rows)), upper=False), _THRESHOLD)
    wanted = np.unique(true.a * len(rows) + true.b)
    share = np.isin(wanted, codes).mean()
    print(f"{name}: {len(codes):,} pairs; of the {len(wanted):,} of {len(tried):,} rows {share:.4f}", flush=True)


if __name__ == "__main__":
    main()
