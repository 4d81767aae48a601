"""The store in FAISS: an exact (flat) index.

Traps met here: a wrong width is an empty AssertionError, so it is checked before; k > count pads with -1, which is
dropped; range search is strictly greater, as `Store.above` says.
"""

from pathlib import Path

import faiss
import numpy as np

from search.errors import IndexFolderError, OptionError, OutputError
from search.similarity import Vectors
from search.store import Found

__all__ = ["FaissStore"]

_BLOCK = 65_536


class FaissStore:
    """Rows in a flat FAISS index of inner products."""

    def __init__(self, index: faiss.Index) -> None:
        """Wrap a FAISS index; use `build` or `open`."""
        self._index = index

    @classmethod
    def build(cls, vectors: Vectors) -> "FaissStore":
        """Build a store of (n, width) rows, which may be a memory map: they are read in blocks."""
        index = faiss.IndexFlatIP(vectors.shape[1])
        for start in range(0, len(vectors), _BLOCK):
            index.add(np.ascontiguousarray(vectors[start : start + _BLOCK], dtype=np.float32))
        return cls(index)

    @classmethod
    def open(cls, path: Path) -> "FaissStore":
        """Open what `save` wrote.

        Raises:
            IndexFolderError: the file is missing or damaged.
        """
        try:
            return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC))
        except RuntimeError as exc:
            raise IndexFolderError(f"{path}: not readable as a FAISS index; build the index again.") from exc

    @property
    def count(self) -> int:
        """Return the number of rows."""
        return int(self._index.ntotal)

    def search(self, queries: Vectors, k: int) -> list[Found]:
        """Return the min(k, count) nearest rows of every (m, width) query, best first."""
        self._check(queries)
        if not self.count or not len(queries):
            return [Found(np.empty(0, np.int64), np.empty(0, np.float32)) for _ in queries]
        scores, rows = self._index.search(queries, min(k, self.count))
        return [Found(found[found >= 0], score[found >= 0]) for found, score in zip(rows, scores, strict=True)]

    def above(self, queries: Vectors, threshold: float) -> list[Found]:
        """Return all rows whose inner product with the query is greater than the threshold."""
        self._check(queries)
        if not self.count or not len(queries):
            return [Found(np.empty(0, np.int64), np.empty(0, np.float32)) for _ in queries]
        limits, scores, rows = self._index.range_search(queries, threshold)
        return [
            Found(rows[begin:end], scores[begin:end])
            for begin, end in zip(limits[:-1].tolist(), limits[1:].tolist(), strict=True)
        ]

    def save(self, path: Path) -> None:
        """Write the store to one file.

        Raises:
            OutputError: it cannot be written; the disk may be full.
        """
        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as exc:
            reason = str(exc).rsplit("Error: ", 1)[-1]
            raise OutputError(
                f"{path}: cannot be written ({reason}). See that the disk has room, and run it again."
            ) from exc

    def _check(self, queries: Vectors) -> None:
        if queries.ndim != 2 or queries.shape[1] != self._index.d:  # noqa: PLR2004 - a matrix
            raise OptionError(f"queries of shape {queries.shape}; the store's rows are {self._index.d} wide.")
