"""SemHash's score of each pair of sentences; run by duplicates_quality.py in an environment of its own.

    python duplicates_semhash.py FOLDER

FOLDER holds pairs.json, [[sentence1, sentence2], ...], and vectors.npz: `texts`, the different sentences, and their
(n, d) rows `vectors`. Writes scores.json: the score with which SemHash drops one sentence of a pair for the other, when
given the two alone; 0 where it keeps both at 0.3.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from semhash import SemHash

LOWEST = 0.3


class Stored:
    """Gives the rows that were made before."""

    def __init__(self, texts: Sequence[str], vectors: npt.NDArray[np.float32]) -> None:
        """Keep a row for each text."""
        self._rows = dict(zip(texts, vectors, strict=True))

    def encode(self, inputs: Sequence[str], **_: Any) -> npt.NDArray[np.float32]:
        """Return the rows of texts."""
        return np.stack([self._rows[text] for text in inputs])


def main() -> None:
    """Score the pairs of a folder."""
    folder = Path(sys.argv[1])
    pairs = json.loads((folder / "pairs.json").read_text(encoding="utf-8"))
    stored = np.load(folder / "vectors.npz")
    model = Stored([str(text) for text in stored["texts"]], stored["vectors"])
    scores = []
    for pair in pairs:
        dropped = SemHash.from_records(pair, model=model).self_deduplicate(threshold=LOWEST).filtered
        scores.append(float(dropped[0].score) if dropped else 0.0)
    (folder / "scores.json").write_text(json.dumps(scores), encoding="utf-8")


if __name__ == "__main__":
    main()
