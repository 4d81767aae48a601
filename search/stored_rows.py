"""The rows of positions, where they lie in the files of one index or two.

Sent to another process it opens the files there: rows never travel.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from search.similarity import Vectors

__all__ = ["StoredRows"]

_Numbers = npt.NDArray[np.int64]


class StoredRows:
    """Gives the (n, d+s) rows of n positions; those below `border` are of the first of the two arrays."""

    def __init__(self, known: Vectors, new: Vectors, rows: _Numbers, border: int) -> None:
        """Say where the row of each position is: `rows` are numbers of rows in the one array or the other."""
        self._known, self._new, self._rows, self._border = known, new, rows, border

    def __call__(self, positions: _Numbers, /) -> Vectors:
        """Return the rows of n positions."""
        found = np.empty((len(positions), self._new.shape[1]), dtype=np.float32)
        for side, mine in (
            (self._known, positions < self._border),
            (self._new, positions >= self._border),
        ):
            if mine.any():
                found[mine] = side[self._rows[positions[mine]]]
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        """Pack where the rows lie instead of the rows."""
        return _opened, (_packed(self._known), _packed(self._new), self._rows, self._border)


_Packed = tuple[str, tuple[int, ...]] | Vectors


def _packed(vectors: Vectors) -> _Packed:
    if isinstance(vectors, np.memmap):
        return str(vectors.filename), vectors.shape
    return vectors  # of an index without rows, which has no file


def _opened(known: _Packed, new: _Packed, rows: _Numbers, border: int) -> StoredRows:
    return StoredRows(_unpacked(known), _unpacked(new), rows, border)


def _unpacked(packed: _Packed) -> Vectors:
    if isinstance(packed, tuple):
        name, shape = packed
        return np.memmap(name, dtype=np.float32, mode="r", shape=shape)
    return packed
