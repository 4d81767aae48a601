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

__all__ = ["ROUNDING", "Joined", "Rows", "Scoring", "Task", "every_pair", "joined"]

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


@dataclass(frozen=True, slots=True)
class Task:
    """Positions to compare with others; `upper`: only with those behind them, where both are of one side."""

    queries: Items
    others: Items
    upper: bool


def every_pair(count: int, known: int | None) -> Iterator[Task]:
    """Yield tasks that compare positions below `count` with one another.

    Where `known` is given, those below it are compared with those from it on, and no others.
    """
    for start in range(known or 0, count, _QUERIES):
        queries = np.arange(start, min(start + _QUERIES, count))
        others = np.arange(start, count) if known is None else np.arange(known)
        yield Task(queries, others, upper=known is None)


def joined(scoring: Scoring, task: Task, threshold: float) -> Joined:
    """Return the pairs of a task that reach the threshold."""
    found = [(np.empty(0, np.int64), np.empty(0, np.int64))]
    for start in range(0, len(task.queries), _QUERIES):
        positions = task.queries[start : start + _QUERIES]
        queries = weigh(scoring.rows(positions), scoring.weight, scoring.meaning_dim)
        for first in range(0, len(task.others), _OTHERS):
            others = task.others[first : first + _OTHERS]
            products = queries @ scoring.rows(others).T
            a, b = np.divmod(np.flatnonzero(products.ravel() >= threshold - ROUNDING), len(others))
            a, b = positions[a], others[b]
            wanted = b > a if task.upper else b != a
            found.append((a[wanted], b[wanted]))
    a, b = (np.concatenate(side) for side in zip(*found, strict=True))
    return scoring.reaching(a, b, threshold)
