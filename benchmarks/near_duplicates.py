"""Which library makes the signatures of the near level: time for those of sentences, of the same pieces of text.

    python benchmarks/near_duplicates.py SENTENCES.txt.gz --count 20000

Needs `pip install datasketch` beside kindred.
"""

import argparse
import importlib.util
import time
from collections.abc import Callable
from itertools import islice
from typing import TypeVar

from search.lines import LineReader
from search.near import band_keys, near_candidates, share, shingles

Result = TypeVar("Result")

_PERMUTATIONS = 128


def main() -> None:
    """Print a line for each library, and what the near level as a whole takes and finds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sentences", help="a file of text, a sentence a line")
    parser.add_argument("--count", type=int, default=20_000)
    chosen = parser.parse_args()
    texts = [line.text.strip() for line in islice(LineReader(chosen.sentences), chosen.count)]
    pieces = [list(shingles(text)) for text in texts]
    told(f"rensa: signatures of {len(texts):,}", lambda: rensa(pieces))
    if importlib.util.find_spec("datasketch"):
        encoded = [[piece.encode() for piece in some] for some in pieces]
        told(f"datasketch: signatures of {len(texts):,}", lambda: datasketch(encoded))
    keys = told("the near level's keys, pieces included", lambda: band_keys(texts))
    candidates = told("its candidates", lambda: near_candidates(keys).tolist())
    near = told("those that are near", lambda: [(a, b) for a, b in candidates if share(texts[a], texts[b]) >= 0.9])
    print(f"{len(candidates):,} candidates, {len(near):,} near")


def told(what: str, job: Callable[[], Result]) -> Result:
    """Do a job, and print how much of the processor's time it took."""
    begin = time.process_time()
    result = job()
    print(f"{what}: {time.process_time() - begin:.2f} s", flush=True)
    return result


def rensa(pieces: list[list[str]]) -> object:
    """Make signatures with rensa, as the near level does."""
    from rensa import RMinHash

    return RMinHash.digest_matrix_from_token_sets(pieces, _PERMUTATIONS, 1)


def datasketch(pieces: list[list[bytes]]) -> object:
    """Make signatures with datasketch, many at once."""
    from datasketch import MinHash

    return list(MinHash.generator(pieces, num_perm=_PERMUTATIONS))


if __name__ == "__main__":
    main()
