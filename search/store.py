"""What a store is: the nearest rows by inner product."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from search.similarity import Vectors

__all__ = ["Among", "Found", "Store"]

Among = npt.NDArray[np.bool_]
"""Of n rows, which are searched at all."""


@dataclass(frozen=True, slots=True)
class Found:
    """Rows found for one query, with their inner products; best first from `search`, in any order from `above`."""

    rows: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]


class Store(Protocol):
    """Rows of one width, searched by inner product. Scores carry float32's rounding of sums."""

    @property
    def count(self) -> int:
        """Return the number of rows."""

    @property
    def flat(self) -> "Store":
        """Return the store that always finds the nearest: this one, unless it may miss some."""

    def at(self, weight: float) -> "Store":
        """Return the store that is asked at a weight: this one, unless how it is asked depends on it."""

    def search(self, queries: Vectors, k: int, among: Among | None = None) -> list[Found]:
        """Return the min(k, n) nearest of the n rows searched, for every (m, width) query."""

    def above(self, queries: Vectors, threshold: float, among: Among | None = None) -> list[Found]:
        """Return all rows searched whose inner product with the query is greater than the threshold; always exact."""
