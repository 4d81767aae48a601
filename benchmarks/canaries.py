"""Which encoders an index takes for the one that made it: each of some, compared by its canaries.

    python benchmarks/canaries.py kindred-mini@torch kindred-mini@openvino another/folder ...

The first is the one that makes the index. Printed for every other, and for every pair of labels and widths that fit:
the least cosine of a canary, the largest difference of a label's probability, and whether it is taken; beside it, as
what the bounds stand for, how the two agree on the texts of a file: mean cosine and the share of the 10 nearest.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from search.agreement import compare
from search.canaries import Canaries
from search.encoder import Encoder
from search.encoders import Backend, load_encoder
from search.lines import LineReader


def _load(asked: str) -> Encoder:
    name, _, backend = asked.partition("@")
    return load_encoder(name, backend=Backend(backend or "auto"))


def measure(first: str, others: list[str], texts: list[str]) -> list[dict[str, Any]]:
    """Compare each of the others with the first."""
    reference = _load(first)
    canaries, encoded = Canaries.of(reference), reference.encode(texts)
    found = []
    for name in others:
        encoder = _load(name)
        if (encoder.passport.meaning_dim, encoder.passport.labels) != (
            reference.passport.meaning_dim,
            reference.passport.labels,
        ):
            found.append({"encoder": name, "taken": False, "why": "other labels or another width"})
            continue
        likeness = canaries.compare(encoder)
        agreement = compare(encoded, encoder.encode(texts), reference.passport)
        found.append(
            {
                "encoder": name,
                "taken": likeness.same,
                "same_files": encoder.passport.fingerprint == reference.passport.fingerprint,
                "least_cosine": round(likeness.cosine, 4),
                "difference": round(likeness.difference, 4),
                "mean_cosine": round(agreement.cosine_mean, 4),
                "overlap": agreement.overlap,
                "labels": agreement.labels,
            }
        )
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", metavar="ENCODER[@BACKEND]")
    parser.add_argument("others", metavar="ENCODER[@BACKEND]", nargs="+")
    parser.add_argument("--texts", type=Path, default=Path("corpora/hotels.txt"), help="a sentence a line")
    options = parser.parse_args()
    lines = [line.text for line in LineReader(str(options.texts)) if line.text.strip()]
    for one in measure(options.first, options.others, lines):
        print(json.dumps(one))
