"""The store in FAISS: exact, on the rows where they are, so that there is no second copy to build or to fall behind.

Rows that do not count are left out inside the search (FAISS's IDSelector), never afterwards.

Traps met here: FAISS's threads wait for one another in a loop, so that on a busy machine two of them take many
times as long as one for ten thousand rows. It checks no shape, so it is checked before. k > n pads with -1, which is
dropped. Range search is strictly greater, as `Store.above` says.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import faiss
import numpy as np

from search.errors import OptionError
from search.similarity import Vectors
from search.store import Among, Found

__all__ = ["FaissStore", "Selected", "cores"]

_FAISS: Any = faiss
"""Its type stubs know neither the overloads nor the selectors that are used here."""


_LITTLE = 1 << 18
"""Pairs of a query and a row that one core compares, in some 20 ms: where the others are busy, they are waited for."""


@contextmanager
def cores(count: int | None) -> Iterator[None]:
    """Let FAISS use so many cores for what this thread asks of it; None: as it would."""
    if count is None:
        yield
        return
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


class FaissStore:
    """Rows searched by FAISS's exact inner product."""

    def __init__(self, vectors: Vectors) -> None:
        """Search (n, width) rows, which may be a memory map; they are not copied where they are as FAISS needs them."""
        self._vectors = np.ascontiguousarray(vectors, dtype=np.float32)

    @property
    def count(self) -> int:
        """Return the number of rows."""
        return len(self._vectors)

    @property
    def flat(self) -> "FaissStore":
        """Return this store: it misses nothing."""
        return self

    def at(self, weight: float) -> "FaissStore":  # noqa: ARG002 - as stores have it
        """Return this store: it is asked the same at every weight."""
        return self

    def search(self, queries: Vectors, k: int, among: Among | None = None) -> list[Found]:
        """Return the min(k, n) nearest of the n rows searched, for every (m, width) query, best first."""
        self._check(queries)
        k = min(k, self.count if among is None else int(np.count_nonzero(among)))
        if not k or not len(queries):
            return [_nothing() for _ in queries]
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        scores = np.empty((len(queries), k), np.float32)
        rows = np.empty((len(queries), k), np.int64)
        with Selected(among) as selector, self._cores(queries):
            _FAISS.knn_inner_product(*self._sides(queries), k, _FAISS.swig_ptr(scores), _FAISS.swig_ptr(rows), selector)
        return [Found(found[found >= 0], score[found >= 0]) for found, score in zip(rows, scores, strict=True)]

    def above(self, queries: Vectors, threshold: float, among: Among | None = None) -> list[Found]:
        """Return all rows searched whose inner product with the query is greater than the threshold."""
        self._check(queries)
        if not self.count or not len(queries):
            return [_nothing() for _ in queries]
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        found = _FAISS.RangeSearchResult(len(queries))
        with Selected(among) as selector, self._cores(queries):
            _FAISS.range_search_inner_product(*self._sides(queries), threshold, found, selector)
        limits = _FAISS.rev_swig_ptr(found.lims, len(queries) + 1).astype(np.int64)
        rows = _FAISS.rev_swig_ptr(found.labels, int(limits[-1])).copy()
        scores = _FAISS.rev_swig_ptr(found.distances, int(limits[-1])).copy()
        return [
            Found(rows[begin:end], scores[begin:end])
            for begin, end in zip(limits[:-1].tolist(), limits[1:].tolist(), strict=True)
        ]

    def _sides(self, queries: Vectors) -> tuple[Any, ...]:
        """Return what FAISS takes first: queries, rows, their width, and how many there are of each."""
        width = self._vectors.shape[1]
        return _FAISS.swig_ptr(queries), _FAISS.swig_ptr(self._vectors), width, len(queries), self.count

    def _cores(self, queries: Vectors) -> AbstractContextManager[None]:
        return cores(1 if len(queries) * self.count <= _LITTLE else None)

    def _check(self, queries: Vectors) -> None:
        if queries.ndim != 2 or queries.shape[1] != self._vectors.shape[1]:  # noqa: PLR2004 - a matrix
            raise OptionError(f"queries of shape {queries.shape}; the store's rows are {self._vectors.shape[1]} wide.")


class Selected:
    """FAISS's selector of some rows; the bits it looks at live as long as the block."""

    def __init__(self, among: Among | None) -> None:
        """Select these rows; None: all."""
        self._bits = None if among is None else np.packbits(among, bitorder="little")

    def __enter__(self) -> Any:
        return None if self._bits is None else _FAISS.IDSelectorBitmap(self._bits)

    def __exit__(self, *_: object) -> None:
        self._bits = None


def _nothing() -> Found:
    return Found(np.empty(0, np.int64), np.empty(0, np.float32))
