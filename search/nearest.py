"""Search over rows: those that the store finds in the right order, ties included; exact where the store is.

A store's scores carry float32 rounding, and which of equal rows it returns is chance. Candidates are therefore
scored again in one fixed way (`similarity.parts`) and ordered by score, then row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.errors import OptionError
from search.similarity import Vectors, parts, total, weigh
from search.store import Among, Found, Store

__all__ = ["Nearest", "Scored", "check_k", "check_threshold"]

_ROUNDING = 4e-6
"""More than a store's float32 score and the fixed score of one pair can differ by."""

_SPARE = 16
"""Rows fetched beyond k, to see whether a tie goes on beyond it."""

_FURTHER, _MANY = 8, 1000
"""How much further down a store that is not exact is asked where a tie goes on, and how far at most."""

_QUERIES = 256


@dataclass(frozen=True, slots=True)
class Scored:
    """The n rows found for one query, best first: row numbers, scores, and the scores' two parts."""

    rows: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    meaning: npt.NDArray[np.float64]
    sentiment: npt.NDArray[np.float64]


def check_k(k: int) -> None:
    """Refuse a k below 1.

    Raises:
        OptionError: naming it.
    """
    if k < 1:
        raise OptionError(f"k is {k}; it must be 1 or more.")


def check_threshold(threshold: float) -> None:
    """Refuse a threshold that no score can have.

    Raises:
        OptionError: naming the value and the range.
    """
    if not -1.0 <= threshold <= 1.0:
        raise OptionError(f"threshold is {threshold:g}; scores lie between -1 and 1.")


class Nearest:
    """Nearest rows among (n, d+s) rows of unit blocks."""

    def __init__(self, vectors: Vectors, meaning_dim: int, store: Store, alive: Among | None = None) -> None:
        """Search `vectors` (may be a memory map) with a store of the same rows; `meaning_dim` is d.

        Rows that are not `alive` are never found; None: all are.
        """
        self._vectors = vectors
        self._meaning_dim = meaning_dim
        self._store = store
        self._alive = alive

    def top(self, queries: Vectors, k: int, weight: float, among: Among | None = None) -> list[Scored]:
        """Return the min(k, n) nearest of n rows to every (m, d+s) row of unit blocks, by score, then row.

        The n rows are all, or those `among` names.
        """
        check_k(k)
        among = self._searched(among)
        count = self._store.count if among is None else int(np.count_nonzero(among))
        store = self._store.at(weight)
        results: list[Scored] = []
        for start in range(0, len(queries), _QUERIES):
            block = queries[start : start + _QUERIES]
            weighed = weigh(block, weight, self._meaning_dim)
            for number, found in enumerate(store.search(weighed, k + _SPARE, among)):
                candidates = found
                if len(found.rows) < count and _tied(found, k):
                    candidates = _with_ties(store, weighed[number : number + 1], found, k, among)
                results.append(self._scored(block[number], candidates, weight, k=k))
        return results

    def scored(self, query: Vectors, rows: Sequence[int], weight: float) -> Scored:
        """Return how n rows score for one (d+s,) row of unit blocks, in the order given."""
        chosen = np.asarray(rows, dtype=np.int64)
        meaning, sentiment = parts(np.asarray(self._vectors[chosen]), query[None, :], self._meaning_dim)
        return Scored(chosen, total(meaning, sentiment, weight), meaning, sentiment)

    def above(self, queries: Vectors, threshold: float, weight: float, among: Among | None = None) -> Iterator[Scored]:
        """Yield, for every (m, d+s) row of unit blocks, all rows, or of those `among`, that reach the threshold."""
        check_threshold(threshold)
        among = self._searched(among)
        for start in range(0, len(queries), _QUERIES):
            block = np.ascontiguousarray(queries[start : start + _QUERIES])
            weighed = weigh(block, weight, self._meaning_dim)
            for number, found in enumerate(self._store.above(weighed, threshold - _ROUNDING, among)):
                yield self._scored(block[number], found, weight, threshold=threshold)

    def _searched(self, among: Among | None) -> Among | None:
        if among is None or self._alive is None:
            return self._alive if among is None else among
        return among & self._alive

    def _scored(
        self, query: Vectors, found: Found, weight: float, *, k: int | None = None, threshold: float = -2.0
    ) -> Scored:
        candidates = np.asarray(self._vectors[found.rows])
        meaning, sentiment = parts(candidates, query[None, :], self._meaning_dim)
        scores = total(meaning, sentiment, weight)
        order = np.lexsort((found.rows, -scores))
        order = order[scores[order] >= threshold][:k]
        return Scored(found.rows[order], scores[order], meaning[order], sentiment[order])


def _tied(found: Found, k: int) -> bool:
    """Say whether the last row found may tie with the k-th, and others that were not found with both."""
    return bool(found.scores[k - 1] - found.scores[-1] < 2 * _ROUNDING)


def _with_ties(store: Store, query: Vectors, found: Found, k: int, among: Among | None) -> Found:
    """Return, for a (1, d+s) query, candidates with all that tie with the k-th."""
    asked = len(found.rows)
    while store.flat is not store and asked < _MANY:  # a look further down costs less than one at every row
        asked *= _FURTHER
        (found,) = store.search(query, asked, among)
        if not _tied(found, k):
            return found
    (found,) = store.above(query, float(found.scores[k - 1]) - 2 * _ROUNDING, among)
    return found
