"""A million sentences by the real commands: what indexing takes, how fast and how well queries are answered.

    taskset -c 1 python benchmarks/million.py --data DATA [--rows 1000000] [--keep FOLDER] [--plot FILE.svg]

DATA holds scale/imdb_sentences.txt.gz, a sentence a line, all different. In an order drawn by chance,
the first are queries, and those behind them files of 10,000, 100,000 and a million lines. For each size:

- index: `kindred index --exact`: encoding and storing alone. Beside it, what the processor had spent when a tenth, a
  hundredth of the rows were there
- structure: `kindred index --store auto --recall 0.98` on the same index: chosen, built and measured; `kindred info`
- ask: 1,000 queries one at a time in a process that has answered some, encoding included, the index's files in the
  system's memory; then the same, in a batch, against exact search for several weights and sentiments
  (benchmarks/million_asked.py)
- batch: 10,000 queries from a file, `kindred query --queries`
- cold: `kindred query` in a new process; with the index's files as the system keeps them in memory, and read anew

All run one after the other, as processes of their own, on one core, or as many as --threads names. Every record is kept
in FOLDER; killed, the same command goes on: an index from the rows that were committed, its figures with those of the
attempts before. Goals that are missed are told as missed. Results: million.md.
"""

import argparse
import gzip
import json
import os
import random
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from million_figures import report
from watched import Look, Ran, run, surroundings

from search.cli.output import say
from search.files import cache_folder, write_json, write_text
from search.manifest import Layout, Manifest

__all__ = ["PARTS", "Work", "main"]

MB = 1 << 20
_COLD = 5
GROWING = (10_000, 100_000)
PARTS = ("index", "structure", "ask", "batch", "cold")
_NOTED = 5.0
"""Seconds between notes of how far an attempt is, which a kill leaves behind."""

_SEED = 7

Record = dict[str, Any]


class Work:
    """The folder of corpora, indexes and records, and the commands that are measured in it."""

    def __init__(self, folder: Path, environment: dict[str, str], *, asked: int, batch: int) -> None:
        """Go on with a folder, or begin one; ask so many queries one at a time, and so many from a file."""
        folder.mkdir(parents=True, exist_ok=True)
        self._asked, self._batch = asked, batch
        self._folder, self._environment = folder, environment
        self._kept = folder / "records.json"
        self.records: dict[str, Record] = json.loads(self._kept.read_text()) if self._kept.exists() else {}

    def prepare(self, texts: Path, sizes: list[int]) -> None:
        """Write the corpora and the queries, if they are not there."""
        if all(
            path.exists()
            for path in [*map(self._corpus, sizes), self._queries(self._asked), self._queries(self._batch)]
        ):
            return
        with gzip.open(texts, "rt", encoding="utf-8") as file:
            lines = [line for line in file if line.strip()]
        if len(lines) < max(sizes) + self._asked + self._batch:
            raise SystemExit(
                f"{texts} has {len(lines):,} lines; {max(sizes):,} and {self._asked + self._batch:,} queries are more."
            )
        random.Random(_SEED).shuffle(lines)  # noqa: S311 - so that the first ones are like all
        for path, first, count in (
            (self._queries(self._asked), 0, self._asked),
            (self._queries(self._batch), self._asked, self._batch),
            *((self._corpus(size), self._asked + self._batch, size) for size in sizes),
        ):
            write_text(path, "".join(lines[first : first + count]))

    def measure(self, part: str, size: int) -> None:
        """Do a part for a size, if it is not done."""
        key = f"{part} {size}"
        if key in self.records:
            return
        say(f"{key} ...")
        self.records[key] = getattr(self, part)(size)
        write_json(self._kept, self.records)
        say(json.dumps(self.records[key]))

    def index(self, size: int) -> Record:
        """Encode and store, by the command; or go on with it."""
        return self._indexed(size, "index", "--exact")

    def structure(self, size: int) -> Record:
        """Give the index a search structure, by the command, and let `kindred info` tell which."""
        taken = self._indexed(size, "structure", "--store", "auto", "--recall", "0.98")
        (told,) = self._kindred("info", str(self._index(size)), "--json")[1]
        return {**taken, "store": told["store"], "recall": told["recall"], "structure": told["structure"]}

    def ask(self, size: int) -> Record:
        """Ask one query at a time, and compare with exact search."""
        asked = Path(__file__).with_name("million_asked.py")
        texts = [str(self._queries(count)) for count in (self._asked, self._batch)]
        _read(self._index(size))
        ran = run([sys.executable, str(asked), str(self._index(size)), *texts], self._environment)
        return {**json.loads(ran.output), **_taken(ran)}

    def batch(self, size: int) -> Record:
        """Ask a file of queries, by the command."""
        ran, hits = self._kindred(
            "query", str(self._index(size)), "--queries", str(self._queries(self._batch)), "--json"
        )
        return {**_taken(ran), "queries": len({hit["number"] for hit in hits}), "hits": len(hits)}

    def cold(self, size: int) -> Record:
        """Ask one query in a new process, some times."""
        lines = self._queries(self._asked).read_text(encoding="utf-8").splitlines()[:_COLD]
        found: dict[str, list[Ran]] = {"kept": [], "anew": []}
        for kind, line in [(kind, line) for line in lines for kind in ("kept", "anew")]:
            if kind == "anew":
                _forget(self._index(size))
            found[kind].append(self._kindred("query", str(self._index(size)), line, "--json")[0])
        middle = len(lines) // 2
        told: Record = {}
        for kind, runs in found.items():
            told[f"{kind}_seconds"] = sorted(one.seconds for one in runs)[middle]
            told[f"{kind}_cpu_seconds"] = sorted(one.cpu_seconds for one in runs)[middle]
        return told

    def _indexed(self, size: int, part: str, *options: str) -> Record:
        """Run `kindred index`, noting how far it is, and add what attempts that were killed have left."""
        folder = self._index(size)
        notes = self._folder / "attempts" / f"{part}-{size}"
        notes.mkdir(parents=True, exist_ok=True)
        path = notes / f"{len(list(notes.iterdir())):04d}.jsonl"
        noted = -_NOTED

        def note(look: Look) -> None:
            nonlocal noted
            if look.seconds >= noted + _NOTED:
                noted = look.seconds
                with path.open("a", encoding="utf-8") as file:
                    print(json.dumps({**_seen(look), "rows": _rows(folder)}), file=file)

        command = ["index", str(self._corpus(size)), "--out", str(folder), *options, "--json"]
        ran, (told,) = self._kindred(*command, seen=note)
        if told["count"] != size:
            raise SystemExit(f"{folder} has {told['count']:,} sentences of {size:,}.")
        earlier = [_attempt(one) for one in sorted(notes.iterdir()) if one != path]
        growth = _growth([list(_lines(one)) for one in sorted(notes.iterdir())])
        told = _together([*earlier, _taken(ran)])
        return {**told, "attempts": len(earlier) + 1, "growth": growth, "disk_mb": _disk(folder)}

    def _kindred(self, *arguments: str, seen: Any = None) -> tuple[Ran, list[Any]]:
        """Run the command, and return what it took and the objects it printed."""
        ran = run([sys.executable, "-m", "search", *arguments], self._environment, seen=seen)
        return ran, [json.loads(line) for line in ran.output.splitlines()]

    def _corpus(self, size: int) -> Path:
        return self._folder / f"{size}.txt"

    def _queries(self, count: int) -> Path:
        return self._folder / f"queries-{count}.txt"

    def _index(self, size: int) -> Path:
        return self._folder / "index" if size not in GROWING else self._folder / f"index-{size}"


def _rows(folder: Path) -> int:
    """Return how many rows are committed."""
    return Manifest.read(folder).rows if Layout(folder).manifest.exists() else 0


def _seen(look: Look) -> Record:
    return {
        "seconds": round(look.seconds, 2),
        "cpu_seconds": round(look.cpu_seconds, 2),
        "anonymous_mb": look.anonymous / MB,
        "mapped_mb": look.mapped / MB,
    }


def _taken(ran: Ran) -> Record:
    kinds = {"anonymous_mb": ran.anonymous, "mapped_mb": ran.mapped, "rss_mb": ran.rss}
    sizes = {name: None if size is None else size / MB for name, size in kinds.items()}
    return {"seconds": ran.seconds, "cpu_seconds": ran.cpu_seconds, **sizes}


def _lines(path: Path) -> Iterator[Record]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _attempt(path: Path) -> Record:
    """Return what an attempt that was killed had taken when it was seen last."""
    *_, last = [{"seconds": 0.0, "cpu_seconds": 0.0, "anonymous_mb": 0.0, "mapped_mb": 0.0}, *_lines(path)]
    return last


def _growth(attempts: list[list[Record]]) -> list[tuple[int, float]]:
    """Return how many rows were committed after how many seconds of the processor, whenever that was noted."""
    found: list[tuple[int, float]] = []
    before = 0.0
    for lines in attempts:
        found += [(one["rows"], before + one["cpu_seconds"]) for one in lines]
        before = found[-1][1] if found else 0.0
    return found


def _together(attempts: list[Record]) -> Record:
    """Return times added and the most memory; the rest is the last attempt's."""
    told = dict(attempts[-1])
    for name in ("seconds", "cpu_seconds"):
        told[name] = sum(one[name] for one in attempts)
    for name in ("anonymous_mb", "mapped_mb"):
        told[name] = max((one[name] for one in attempts if one[name] is not None), default=None)
    return told


def _disk(folder: Path) -> Mapping[str, float]:
    """Return the size of an index's files by kind."""
    found: dict[str, float] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            kind = {".f32": "rows", ".sqlite": "sentences", ".faiss": "structure"}.get(path.suffix, "other")
            found[kind] = found.get(kind, 0.0) + path.stat().st_size / MB
    return found


def _read(folder: Path) -> None:
    """Let the system keep a folder's files in memory, as it does after they were written."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                while file.read(MB):
                    pass


def _forget(folder: Path) -> None:
    """Let the system forget what it keeps of a folder's files in memory, so that they are read from the disk."""
    if hasattr(os, "posix_fadvise"):
        for path in folder.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> None:
    """Measure what is not measured yet, and print it beside the goals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of measuring data")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument(
        "--keep", type=Path, help="where corpora, indexes and records stay  [default: the cache folder]"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--asked", type=int, default=1000, help="queries asked one at a time")
    parser.add_argument("--batch", type=int, default=10_000, help="queries from a file")
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=PARTS, help="none: only show what is there")
    parser.add_argument("--sizes", nargs="+", type=int, help="only these of the sizes")
    parser.add_argument("--plot", type=Path, help="also draw the growth as SVG")
    chosen = parser.parse_args()
    every = [*(size for size in GROWING if size < chosen.rows), chosen.rows]
    work = Work(
        chosen.keep or cache_folder() / "million", surroundings(chosen.threads), asked=chosen.asked, batch=chosen.batch
    )
    work.prepare(chosen.data / "scale" / "imdb_sentences.txt.gz", every)
    for size in chosen.sizes or every:
        for part in chosen.parts:
            work.measure(part, size)
    report(work.records, chosen.plot)


if __name__ == "__main__":
    began = time.perf_counter()
    main()
    say(f"{time.perf_counter() - began:.0f} s")
