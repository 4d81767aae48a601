"""One writer that commits all the time, and readers that ask all the time: does any of them ever see half a commit?

    python benchmarks/readers_writer.py --seconds 120

Every file of the corpus holds the same number in all its lines, and a commit of the writer changes all files to the
next number at once. A reader opens the index, or refreshes one, asks, and reads everything: all numbers must be the
same, the count must be right, and no error may come. Now and then the writer compacts.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from cheap_encoder import CheapEncoder

from search.compacting import compact_index
from search.corpus import Corpus
from search.index import Index
from search.indexing import build_index
from search.query import Searcher

_FILES, _LINES, _COMPACT_EVERY = 3, 40, 10


def _write(folder: Path, number: int) -> None:
    for file in range(_FILES):
        lines = [f"file {file} line {line} of version {number}" for line in range(_LINES)]
        lines.append("a line more, so that the size is another " + "." * (number % 7))
        (folder / "texts" / f"{file}.txt").write_text("\n".join(lines), encoding="utf-8")
    build_index(Corpus([str(folder / "texts")]), folder / "index", CheapEncoder())


def _read(folder: Path, until: float, results: "multiprocessing.Queue[dict[str, Any]]") -> None:
    looks, seen, wrong = 0, set(), ""
    try:
        index = Index(folder / "index")
        while time.time() < until and not wrong:
            if looks % 5 == 4:
                index.close()
                index = Index(folder / "index")
            else:
                index.refresh()
            hits = Searcher(index, CheapEncoder()).search(["file 1 line 7 of version 1"], k=5)[0]
            texts = [text for _, text in index.texts() if "version" in text]
            found = [*texts, *(hit.entry.sentence.text for hit in hits)]
            versions = {text.rsplit(" ", 1)[1] for text in found if "version" in text}
            if len(versions) != 1 or len(texts) != _FILES * _LINES or len(hits) != 5:
                wrong = f"versions {sorted(versions)}, {len(texts)} sentences, {len(hits)} hits"
            seen |= versions
            looks += 1
        index.close()
    except Exception as exc:  # noqa: BLE001 - whatever it is, it is the finding
        wrong = repr(exc)
    results.put({"looks": looks, "versions": len(seen), "wrong": wrong})


def run(seconds: float, readers: int) -> dict[str, Any]:
    """Let them run; return how often each looked, how many versions it saw, and what was wrong."""
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[dict[str, Any]] = context.Queue()
    with tempfile.TemporaryDirectory(prefix="kindred-readers-") as name:
        folder = Path(name)
        (folder / "texts").mkdir()
        _write(folder, 0)
        until = time.time() + seconds
        processes = [context.Process(target=_read, args=(folder, until, results)) for _ in range(readers)]
        for process in processes:
            process.start()
        commits = 1
        while time.time() < until:
            _write(folder, commits)
            if commits % _COMPACT_EVERY == 0:
                compact_index(folder / "index")
            commits += 1
        found = [results.get(timeout=60) for _ in processes]
        for process in processes:
            process.join()
    return {"seconds": seconds, "commits": commits, "readers": found}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--readers", type=int, default=8)
    options = parser.parse_args()
    result = run(options.seconds, options.readers)
    print(json.dumps(result, indent=1))
    sys.exit(1 if any(reader["wrong"] for reader in result["readers"]) else 0)
