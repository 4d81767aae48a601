"""Sentences that are nearly the same letter for letter: MinHash signatures, cut into bands, find those to look at.

Whether two of them are near is then counted, not estimated: the share of pieces of five characters that they have in
common (Jaccard). Two that share 0.9 are looked at with a probability of 0.9999, at 0.85 of 0.994, at 0.8 of 0.947.

Source: A. Broder, "On the resemblance and containment of documents" (1997); the signatures are rensa's R-MinHash.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from search.compared import Items
from search.errors import OptionError

__all__ = ["BandKeys", "band_keys", "check_share", "near_candidates", "share", "shingles"]

BandKeys = npt.NDArray[np.uint64]
"""(n, 16): a number for each band of each text's signature; 128 bytes a text."""

_PIECE = 5
_PERMUTATIONS, _BANDS = 128, 16
_SEED = 1
_MIX = np.uint64(0x9E3779B97F4A7C15)


def check_share(share: float) -> None:
    """Refuse a share of pieces that the bands would not find.

    Raises:
        OptionError: naming the value and the range.
    """
    if not 0.8 <= share <= 1.0:  # noqa: PLR2004 - see the probabilities above
        raise OptionError(f"near is {share:g}; it must lie between 0.8 and 1, the share of common pieces of two texts.")


def shingles(text: str) -> frozenset[str]:
    """Return the pieces of five characters of a text, which is one piece itself where it is shorter.

    Case and white space make no difference; punctuation does ("C++" is not "C#").

    >>> sorted(shingles("A  Room!"))
    [' room', 'a roo', 'room!']
    """
    plain = " ".join(text.casefold().split())
    return frozenset(plain[start : start + _PIECE] for start in range(max(1, len(plain) - _PIECE + 1)))


def share(first: str, second: str) -> float:
    """Return the share of pieces, of all that two texts have, that both have: in [0, 1]."""
    a, b = _kept(first), _kept(second)
    return len(a & b) / len(a | b)


_kept = lru_cache(maxsize=20_000)(shingles)


def band_keys(texts: Sequence[str]) -> BandKeys:
    """Return the (n, 16) keys of n texts; near texts are likely to have one in common."""
    from rensa import RMinHash

    if not texts:
        return np.empty((0, _BANDS), dtype=np.uint64)
    pieces = [list(shingles(text)) for text in texts]
    matrix = RMinHash.digest_matrix_from_token_sets(pieces, _PERMUTATIONS, _SEED)
    digests = np.asarray(matrix.to_rows(), dtype=np.uint64).reshape(len(texts), _BANDS, -1)
    keys = np.zeros((len(texts), _BANDS), dtype=np.uint64)
    for number in range(digests.shape[2]):
        keys = (keys ^ digests[:, :, number]) * _MIX
        keys ^= keys >> np.uint64(29)
    return keys


def near_candidates(keys: BandKeys, known: int | None = None) -> Items:
    """Return the (p, 2) pairs of positions, lower first, each once and in order, that have a key in common.

    Args:
        keys: (m, 16) of m texts.
        known: only pairs of one of the first `known` and one of the others; None: any.
    """
    found = [np.empty(0, dtype=np.int64)]
    for band in keys.T:
        order = np.argsort(band, kind="stable")
        edges = np.flatnonzero(np.diff(band[order])) + 1
        begins, ends = np.concatenate(([0], edges)), np.append(edges, len(order))
        alike = [order[begins[one] : ends[one]] for one in np.flatnonzero(ends - begins > 1)]
        found += [np.unique(np.concatenate([_codes(group, known, len(keys)) for group in alike]))] if alike else []
    codes = np.unique(np.concatenate(found))
    return np.stack(np.divmod(codes, max(1, len(keys))), axis=1)


def _codes(group: Items, known: int | None, count: int) -> Items:
    """Return a number for every pair of a group of positions."""
    group = np.sort(group)
    if known is not None:
        a, b = np.meshgrid(group[group < known], group[group >= known], indexing="ij")
        return (a * count + b).ravel()
    lower, higher = np.triu_indices(len(group), 1)
    return np.asarray(group[lower] * count + group[higher], dtype=np.int64)
