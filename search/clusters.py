"""Pairs to clusters that hold together: every member is paired with its survivor, and nothing is chained.

Sentences take those around them in an order: by default the one with most around it, and of those the one to which
they are nearest, counted anew among what is left each time; or in an order of preference, so that what is kept is
always preferred to what goes. No two that the guard refused come into one cluster, even as members of a third.
Ties go to the text that sorts first; the order of the input decides nothing.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from search.compared import Items
from search.levels import Edges

__all__ = ["Grouped", "clusters", "nearest_known"]


@dataclass(frozen=True, slots=True)
class Grouped:
    """A survivor, the others of its cluster, nearest first, and the number of the pair that ties each to it."""

    survivor: int
    members: list[int]
    edges: list[int]


class _Around:
    """Which positions each position is paired with, either way."""

    def __init__(self, edges: Edges, count: int) -> None:
        ends = np.concatenate((edges.a, edges.b))
        self._order = np.argsort(ends, kind="stable")
        self._begins = np.searchsorted(ends[self._order], np.arange(count + 1)).tolist()
        self._others = np.concatenate((edges.b, edges.a))
        self._pairs = max(1, len(edges))

    def of(self, position: int) -> tuple[Items, Items]:
        """Return the positions around one, and the numbers of the pairs."""
        ways = self._order[self._begins[position] : self._begins[position + 1]]
        return self._others[ways], ways % self._pairs


class _Free:
    """What is in no cluster yet, and how much of it is around each position."""

    def __init__(self, edges: Edges, refused: Edges, sizes: Items) -> None:
        count = len(sizes)
        self._edges = edges
        self._sizes = sizes
        self._around = _Around(edges, count)
        self._apart = _Around(refused, count)
        self._free = np.ones(count, dtype=np.bool_)
        self._near = sizes.copy()
        self._score = np.zeros(count, dtype=np.int64)
        for here, there in ((edges.a, edges.b), (edges.b, edges.a)):
            np.add.at(self._near, here, sizes[there])
            np.add.at(self._score, here, edges.score)

    def rank(self, position: int) -> tuple[int, int, int]:
        """Return what puts a position before others: how many sentences it would have, how near, and its text."""
        return -int(self._near[position]), -int(self._score[position]), position

    def __contains__(self, position: int) -> bool:
        return bool(self._free[position])

    def take(self, position: int) -> Grouped:
        """Make a position survive, with all around it that are free and not refused with one another."""
        others, numbers = self._around.of(position)
        free = self._free[others]
        others, numbers = others[free], numbers[free]
        order = np.lexsort((others, -self._edges.score[numbers]))
        grouped = Grouped(position, [], [])
        together = {position}
        for other, number in zip(others[order].tolist(), numbers[order].tolist(), strict=True):
            if together.isdisjoint(self._apart.of(other)[0].tolist()):
                together.add(other)
                grouped.members.append(other)
                grouped.edges.append(number)
        for one in (position, *grouped.members):
            self._leave(one)
        return grouped

    def _leave(self, position: int) -> None:
        self._free[position] = False
        others, numbers = self._around.of(position)
        self._near[others] -= self._sizes[position]
        self._score[others] -= self._edges.score[numbers]


def clusters(
    edges: Edges, refused: Edges, sizes: Items, preference: Sequence[tuple[float, ...]] | None = None
) -> list[Grouped]:
    """Group n positions, numbered in the order of their texts; each is in one cluster at most.

    Args:
        edges: the pairs that may be put together.
        refused: the pairs that may not.
        sizes: (n,) how many sentences each position stands for.
        preference: (n,) what is kept, lowest first; None: what is most central.

    Returns:
        the clusters of two or more sentences, as they were made.
    """
    free = _Free(edges, refused, sizes)
    order = _most_central(free, len(sizes)) if preference is None else _preferred(free, preference)
    return [one for one in map(free.take, order) if one.members or sizes[one.survivor] > 1]


def nearest_known(edges: Edges) -> list[Grouped]:
    """Give every higher position of the pairs to the lower one that it is nearest to, which survives."""
    order = np.lexsort((edges.a, edges.level, -edges.score, edges.b))
    first = order[np.concatenate(([True], np.diff(edges.b[order]) > 0))] if len(edges) else order
    grouped: dict[int, Grouped] = {}
    for number in first.tolist():
        survivor = int(edges.a[number])
        one = grouped.setdefault(survivor, Grouped(survivor, [], []))
        one.members.append(int(edges.b[number]))
        one.edges.append(number)
    return list(grouped.values())


def _preferred(free: _Free, preference: Sequence[tuple[float, ...]]) -> Iterator[int]:
    for position in sorted(range(len(preference)), key=lambda one: (preference[one], one)):
        if position in free:
            yield position


def _most_central(free: _Free, count: int) -> Iterator[int]:
    """Yield the position with most around it, again and again; what is around one can only become less."""
    heap = [free.rank(position) for position in range(count)]
    heapq.heapify(heap)
    while heap:
        rank = heapq.heappop(heap)
        position = rank[-1]
        if position not in free:
            continue
        now = free.rank(position)
        if now == rank:
            yield position
        else:
            heapq.heappush(heap, now)
