"""What an update costs, beside a full build: 1 % of the files changed.

    python benchmarks/update_cost.py --sentences 100000

The encoder is one that costs next to nothing, so that what is measured is the index's own work; with a real one the
update's share is smaller still, since it encodes 1 % of the sentences and the build all of them. The update is the
median of five, each of other files.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from cheap_encoder import CheapEncoder

from search.corpus import Corpus
from search.indexing import build_index

_PER_FILE = 1000
_UPDATES = 5


def _write(path: Path, seed: str) -> None:
    lines = (
        f"{seed}: the room number {number} was as {number % 97} as {number % 89} before" for number in range(_PER_FILE)
    )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    when = time.time() - 60  # no file so fresh that its time proves nothing
    os.utime(path, (when, when))


def _timed(folder: Path, width: int) -> tuple[float, int]:
    encoder = CheapEncoder(width)
    corpus = Corpus([str(folder / "texts")])
    began = time.perf_counter()
    build_index(corpus, folder / "index", encoder)
    return time.perf_counter() - began, encoder.encoded


def measure(sentences: int, width: int) -> dict[str, Any]:
    """Build, update 1 % of the files, update nothing; return seconds and how many sentences were encoded."""
    with tempfile.TemporaryDirectory(prefix="kindred-update-") as name:
        folder = Path(name)
        (folder / "texts").mkdir()
        files = [folder / "texts" / f"{number:05d}.txt" for number in range(sentences // _PER_FILE)]
        for path in files:
            _write(path, path.stem)
        build, encoded = _timed(folder, width)
        updates = []
        for number in range(_UPDATES):
            changed = files[number :: max(1, len(files) // max(1, len(files) // 100))][: max(1, len(files) // 100)]
            for path in changed:
                _write(path, f"{path.stem} anew {number}")
            updates.append(_timed(folder, width))
        update = statistics.median(seconds for seconds, _ in updates)
        again = updates[0][1]
        nothing, none = _timed(folder, width)
        return {
            "sentences": sentences,
            "width": width,
            "build_seconds": round(build, 3),
            "encoded": encoded,
            "update_seconds": round(update, 3),
            "encoded_again": again,
            "share": round(update / build, 4),
            "unchanged_seconds": round(nothing, 3),
            "encoded_unchanged": none,
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=384)
    options = parser.parse_args()
    print(json.dumps(measure(options.sentences, options.width)))
