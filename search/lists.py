"""Which rows are worth comparing, where all with all would take too long: rows are sorted into lists of like ones.

Each row is at home in the list whose centre it is nearest to, and is compared with those at home in the few lists that
it is next nearest to. A pair is found if either visits the other's home; how many lists must be visited for that is
measured, not assumed: some rows are also compared with all.

Rows are scaled so that the score of two is the cosine of the angle between them. Positions stand in the order of their
texts' digests: every so many of them are a sample that no order of the input changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from search.compared import Items
from search.joining import Scoring, Task, joined
from search.similarity import Vectors

__all__ = ["ENOUGH", "Lists", "Numbers", "sorted_into_lists"]

ENOUGH = 0.998
"""The share of the pairs of the rows tried that must be found; a little more than is promised of all, 0.995."""

_VISITS = 12
"""How many lists a row visits at first, its home included."""

_TRIED = 1024
"""Rows that are compared with all."""

_SAMPLE = 32
"""Rows for each list that its centre is made of."""

_ROUNDS = 8
_BLOCK = 4096

Numbers = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Lists:
    """Which lists each of n positions visits, (n, v), its home first, and the positions at home in each list.

    Where `known` is given only positions below it are at home somewhere, and only those from it on visit. `recall` is
    the share of the pairs of the rows tried that are found.
    """

    visits: Numbers
    homes: list[Items]
    known: int | None
    recall: float

    def tasks(self) -> Iterator[Task]:
        """Yield a task a list: its visitors and those at home."""
        first = self.known or 0
        for guests, home in zip(_places(self.visits[first:].ravel(), len(self.homes)), self.homes, strict=True):
            yield Task(np.sort(guests // self.visits.shape[1]) + first, home, upper=False)


def sorted_into_lists(scoring: Scoring, count: int, known: int | None, threshold: float) -> Lists | None:
    """Sort positions below `count` into lists; None where so many must be visited that nothing is gained.

    Args:
        scoring: how they are scored.
        count: how many there are.
        known: how many of them the others are compared with; None: all with all.
        threshold: the score of the pairs to be found.
    """
    among = count if known is None else known
    number = max(1, round(2 * among**0.5))
    centres = _centres(scoring, among, number)
    tried = _tried(scoring, count, known, threshold)
    visited = _VISITS
    while visited <= number // 4:
        visits = _visits(scoring, centres, count, visited)
        recall = _recall(visits, tried)
        if recall >= ENOUGH:
            return Lists(visits, _places(visits[:among, 0], number), known, recall)
        visited *= 2
    return None


def _tried(scoring: Scoring, count: int, known: int | None, threshold: float) -> Items:
    """Return the (p, 2) pairs that some rows have with all they are to be compared with."""
    first = known or 0
    wanted = min(count - first, _TRIED)
    tried = first + np.arange(wanted) * (count - first) // max(1, wanted)
    found = joined(scoring, Task(tried, np.arange(count if known is None else known), upper=False), threshold)
    return np.stack([found.a, found.b], axis=1)


def _recall(visits: Numbers, pairs: Items) -> float:
    """Return the share of pairs of which one visits the other's home; 1 where there are none."""
    a, b = visits[pairs[:, 0]], visits[pairs[:, 1]]
    found = (a == b[:, :1]).any(axis=1) | (b == a[:, :1]).any(axis=1)
    return float(found.mean()) if len(pairs) else 1.0


def _visits(scoring: Scoring, centres: Vectors, count: int, visited: int) -> Numbers:
    visits = np.empty((count, visited), dtype=np.int32)
    for start in range(0, count, _BLOCK):
        positions = np.arange(start, min(start + _BLOCK, count))
        visits[positions] = _nearest(_scaled(scoring, positions) @ centres.T, visited)
    return visits


def _scaled(scoring: Scoring, positions: Items) -> Vectors:
    rows = scoring.rows(positions)
    rows[:, : scoring.meaning_dim] *= np.float32((1.0 - scoring.weight) ** 0.5)
    rows[:, scoring.meaning_dim :] *= np.float32(scoring.weight**0.5)
    return rows


def _centres(scoring: Scoring, count: int, number: int) -> Vectors:
    """Return the centres of so many lists: spherical k-means on a sample of positions below `count`."""
    wanted = min(count, number * _SAMPLE)
    sample = _scaled(scoring, np.arange(wanted) * count // wanted)
    centres = sample[np.arange(number) * wanted // number].copy()
    for _ in range(_ROUNDS):
        homes = np.concatenate(
            [np.argmax(sample[start : start + _BLOCK] @ centres.T, axis=1) for start in range(0, wanted, _BLOCK)]
        )
        for one, mine in enumerate(_places(homes, number)):
            if len(mine):
                total = sample[mine].sum(axis=0)
                centres[one] = total / max(float(np.linalg.norm(total)), 1e-12)
    return centres


def _nearest(products: Vectors, number: int) -> Numbers:
    """Return the numbers of the largest products of each row, largest first."""
    some = np.argpartition(-products, number - 1, axis=1)[:, :number]
    order = np.argsort(-np.take_along_axis(products, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1).astype(np.int32)


def _places(numbers: npt.NDArray[np.integer], count: int) -> list[Items]:
    """Return where each number below `count` stands among some, in order."""
    order = np.argsort(numbers, kind="stable").astype(np.int64)
    begins = np.searchsorted(numbers[order], np.arange(count + 1))
    return [order[begin:end] for begin, end in pairwise(begins.tolist())]
