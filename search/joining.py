"""All pairs of rows that reach a threshold, found in blocks: what is in memory does not grow with the number of rows.

A block of products is computed in float32, and what may reach the threshold is scored again in the one fixed way
(`similarity.parts`), so that neither the order of the rows nor the sizes of the blocks change a score.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from search.compared import Items
from search.similarity import Vectors, parts, total, weigh

__all__ = ["ROUNDING", "Joined", "Rows", "Scoring", "joined"]

ROUNDING = 4e-6
"""More than a float32 product and the fixed score of one pair can differ by."""

_QUERIES, _OTHERS = 1024, 8192
"""Rows of a block's two sides: 32 MiB of products, and 14 MiB of rows 386 wide."""

_PAIRS = 8192


class Rows(Protocol):
    """Rows by their positions."""

    def __call__(self, positions: Items, /) -> Vectors:
        """Return the (n, d+s) rows of n positions."""


@dataclass(frozen=True, slots=True)
class Joined:
    """p pairs of positions, the lower first, with their scores, rounded to 6 decimals."""

    a: Items
    b: Items
    score: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scoring:
    """How pairs of rows are scored: the rows, the width d of their meaning, the weight of sentiment."""

    rows: Rows
    meaning_dim: int
    weight: float

    def scores(self, a: Items, b: Items) -> npt.NDArray[np.float64]:
        """Return the (p,) scores of p pairs of positions."""
        found = [np.empty(0)]
        for start in range(0, len(a), _PAIRS):
            some = slice(start, start + _PAIRS)
            both = parts(self.rows(a[some]), self.rows(b[some]), self.meaning_dim)
            found.append(total(*both, self.weight))
        return np.concatenate(found)

    def reaching(self, a: Items, b: Items, threshold: float) -> Joined:
        """Return those of p pairs of positions that reach the threshold, the lower position of each first."""
        scores = self.scores(a, b)
        kept = scores >= threshold
        a, b = a[kept], b[kept]
        return Joined(np.minimum(a, b), np.maximum(a, b), scores[kept])


def joined(scoring: Scoring, count: int, known: int | None, threshold: float) -> Iterator[tuple[int, Joined]]:
    """Compare positions below `count` with one another; yield how many are behind, and the pairs of the last.

    Where `known` is given, those below it are compared with those from it on, and no others.
    """
    begin, last = known or 0, count if known is None else known
    for start in range(begin, count, _QUERIES):
        end = min(start + _QUERIES, count)
        positions = np.arange(start, end)
        queries = weigh(scoring.rows(positions), scoring.weight, scoring.meaning_dim)
        found = [(np.empty(0, np.int64), np.empty(0, np.int64))]
        for first in range(start if known is None else 0, last, _OTHERS):
            others = np.arange(first, min(first + _OTHERS, last))
            products = queries @ scoring.rows(others).T
            a, b = np.divmod(np.flatnonzero(products.ravel() >= threshold - ROUNDING), len(others))
            a, b = positions[a], others[b]
            new = b > a if known is None else np.ones(len(a), np.bool_)
            found.append((a[new], b[new]))
        a, b = (np.concatenate(side) for side in zip(*found, strict=True))
        yield end - begin, scoring.reaching(a, b, threshold)
