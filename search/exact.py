"""Sentences that are equal but for Unicode form and white space, found by a digest of what is left."""

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.compared import Items

__all__ = ["Distinct", "TextKeys", "distinct", "normalised", "text_keys"]

TextKeys = npt.NDArray[np.uint64]
"""(n, 2): 128 bits of each text's digest. That two texts of a billion share one by chance is 1 in 10^20."""


@dataclass(frozen=True, slots=True)
class Distinct:
    """Distinct texts, each by the item that leads those that have it.

    Attributes:
        leaders: (m,) items, in the order of their texts' digests, which no order of the input changes.
        keys: (m, 2) their digests.
        equal: the items of every text that is there more than once, by the position of their leader, who comes first.
    """

    leaders: Items
    keys: TextKeys
    equal: dict[int, list[int]]

    def items(self, position: int) -> list[int]:
        """Return all items with the text at a position."""
        return self.equal.get(position) or [int(self.leaders[position])]

    def places(self, keys: TextKeys) -> Items:
        """Return the position of each of n texts by its digest; -1 where there is none."""
        column = self.keys[:, 0]
        found = []
        for first, second in keys:
            begin, end = np.searchsorted(column, first, side="left"), np.searchsorted(column, first, side="right")
            same = np.flatnonzero(self.keys[begin:end, 1] == second)
            found.append(int(begin + same[0]) if len(same) else -1)
        return np.asarray(found, dtype=np.int64)


def normalised(text: str) -> str:
    """Return the text in Unicode's NFKC form, with each run of white space as one space.

    >>> normalised("cafe\\u0301\\u00a0 bar ")
    'café bar'
    """
    return " ".join(unicodedata.normalize("NFKC", text).split())


def text_keys(texts: Iterable[str]) -> TextKeys:
    """Return the (n, 2) digests of n normalised texts."""
    digests = [
        hashlib.blake2b(normalised(text).encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts
    ]
    return np.frombuffer(b"".join(digests), dtype=np.uint64).reshape(-1, 2)


def distinct(keys: TextKeys, first: int, texts: Callable[[Sequence[int]], list[str]]) -> Distinct:
    """Find which items have equal texts.

    Of those that have, the one whose text sorts first leads, not the first in order: their rows may differ a little. Of
    texts that are the same to the letter, whose rows are equal, the first leads.

    Args:
        keys: (n, 2) the digests of items `first` to `first + n`.
        first: the number of the first item.
        texts: gives the texts of items; asked for those only that are there more than once.
    """
    order = np.lexsort((np.arange(len(keys)), keys[:, 1], keys[:, 0]))
    sorted_keys = keys[order]
    new = np.ones(len(keys), dtype=np.bool_)
    new[1:] = (sorted_keys[1:] != sorted_keys[:-1]).any(axis=1)
    begins = np.flatnonzero(new)
    sizes = np.diff(np.append(begins, len(keys)))
    leaders = order[begins].astype(np.int64) + first
    equal: dict[int, list[int]] = {}
    for position in np.flatnonzero(sizes > 1).tolist():
        items = (order[begins[position] : begins[position] + sizes[position]] + first).tolist()
        leader = min(zip(texts(items), items, strict=True))[1]
        leaders[position] = leader
        equal[position] = [leader, *(item for item in items if item != leader)]
    return Distinct(leaders, sorted_keys[begins], equal)
