"""What several processes gain in a duplicates job, and whether they find the same.

    python benchmarks/duplicates_processes.py SENTENCES.txt.gz --count 50000 [--processes 1 2]

Rows are drawn at random, a tenth of them next to another, so that no encoder is needed and no time goes into it. Each
job reads the texts, finds near pairs and compares all rows with all, or in lists. One after the other, each on an index
that is in the system's cache; OMP_NUM_THREADS=1 gives the one process one thread, as each of several has.
"""

import argparse
import gzip
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from search.duplicates import find_duplicates
from search.encoder import Encoded, Passport, to_rows
from search.index import Index

_WIDTH = 384


class _Drawn:
    """An encoder whose rows are drawn at random, each the same for the same text."""

    passport = Passport("drawn", "drawn", _WIDTH, None, 0.0, "drawn")

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode n texts."""
        rows = np.empty((len(texts), _WIDTH), dtype=np.float32)
        for row, text in enumerate(texts):
            number = sum(text.encode()) * 31 + len(text)
            rows[row] = np.random.default_rng(number // 2 if number % 10 == 0 else [number, row]).normal(size=_WIDTH)
        return to_rows(rows, self.passport, 1.0)


def main() -> None:
    """Print a line for each number of processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", type=Path)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 1, 2])
    chosen = parser.parse_args()
    with gzip.open(chosen.sentences, "rt", encoding="utf-8") as file:
        texts = [line.strip() for line in islice(file, chosen.count)]
    with tempfile.TemporaryDirectory() as folder, Index.create(Path(folder) / "index", encoder=_Drawn()) as index:
        index.add(texts)
        for processes in chosen.processes:
            begin = time.perf_counter()
            found = find_duplicates(index, processes=processes)
            seconds = time.perf_counter() - begin
            told = f"{len(found.pairs):,} pairs, {found.digest[:16]}"
            print(f"{processes} process(es): {seconds:.1f} s, {told}", flush=True)


if __name__ == "__main__":
    main()
