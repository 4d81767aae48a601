"""A store that asks a search structure for candidates and scores them from the rows; exact where that is quicker.

Exact are: rows newer than the structure, which are searched beside it; few rows among many (a filter); very many hits;
and every threshold. A filter that leaves a share of the rows makes the structure look at as many more lists, and
so does a weight that needs more than others.
"""

import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from search.errors import IndexFolderError
from search.files import sha256_of_file
from search.similarity import Vectors
from search.store import Among, Found, Store
from search.store_faiss import FaissStore
from search.store_record import StoreRecord, StructureFile
from search.structure_faiss import Rows, Structure

__all__ = ["FEW", "ApproximateStore", "open_store"]

FEW = 30_000
"""So many rows are searched exactly, without a structure."""

_SHARE = 0.1
"""A filter that leaves this share of a million rows is as quick without the structure (benchmarks/approximate.md)."""

_MOST, _MOST_SHARE = 1000, 0.04
"""Where more candidates than this, and than this share of the rows, would be scored, all rows are as quick."""

_MOST_WEIGHT = 0.75
"""With more weight on sentiment, so many rows score nearly the same that no structure can tell which to look at."""

_ALONE = 16
"""More queries at once need so many rows that what lies around each is needed, too."""

_USUAL = 32
"""For so many rows the effort is measured; it grows with the square root of more."""


class ApproximateStore:
    """Rows of which a structure has the first."""

    def __init__(
        self,
        vectors: Vectors,
        structure: Structure,
        *,
        efforts: Mapping[float, int],
        spare: int,
        few: int = FEW,
        scattered: Vectors | None = None,
    ) -> None:
        """Search (n, width) rows, which may be a memory map.

        Args:
            vectors: the rows.
            structure: of the first of them.
            efforts: for some weights, how many lists it looks at; of a graph, how many rows it keeps in sight.
            spare: how many candidates are asked for each row.
            few: so many rows, or fewer, are searched exactly.
            scattered: the same rows, where reading some here and there is another thing than reading all.
        """
        self._vectors = vectors
        self._scattered = vectors if scattered is None else scattered
        self._structure = structure
        self._efforts, self._spare, self._few = efforts, spare, few
        self._effort = max(efforts.values())
        self._all = FaissStore(vectors)
        self._newer = FaissStore(vectors[structure.count :])

    @property
    def count(self) -> int:
        """Return the number of rows."""
        return self._all.count

    @property
    def flat(self) -> FaissStore:
        """Return the store that misses nothing."""
        return self._all

    def at(self, weight: float) -> Store:
        """Return a store that looks as far as the weight needs: the more needed at the measured ones on both sides."""
        if weight > _MOST_WEIGHT:
            return self._all
        below = max((one for one in self._efforts if one <= weight), default=min(self._efforts))
        above = min((one for one in self._efforts if one >= weight), default=max(self._efforts))
        efforts = {weight: max(self._efforts[below], self._efforts[above])}
        return ApproximateStore(
            self._vectors,
            self._structure,
            efforts=efforts,
            spare=self._spare,
            few=self._few,
            scattered=self._scattered,
        )

    def search(self, queries: Vectors, k: int, among: Among | None = None) -> list[Found]:
        """Return min(k, n) of n rows searched, the nearest or nearly so, for every (m, width) query, best first."""
        matching = self.count if among is None else int(np.count_nonzero(among))
        effort = self._needed(k, matching)
        if effort is None or not len(queries):
            return self._all.search(queries, k, among)
        old = self._structure.count
        candidates = self._structure.candidates(
            queries, k * self._spare, effort, None if among is None else among[:old]
        )
        newer = self._newer.search(queries, k, None if among is None else among[old:])
        source = self._scattered if len(queries) <= _ALONE else self._vectors
        results = []
        for number, (found, new) in enumerate(zip(candidates, newer, strict=True)):
            rows = np.concatenate([found[found >= 0], new.rows + old])
            if len(rows) < min(k, matching):  # the lists looked at held too few
                results += self._all.search(queries[number : number + 1], k, among)
            else:
                results.append(_scored(source, queries[number], rows, k))
        return results

    def above(self, queries: Vectors, threshold: float, among: Among | None = None) -> list[Found]:
        """Return all rows searched whose inner product with the query is greater than the threshold."""
        return self._all.above(queries, threshold, among)

    def _needed(self, k: int, matching: int) -> int | None:
        """Return the effort for k of so many matching rows, or None where they are better searched exactly."""
        if matching <= max(self._few, k, _SHARE * self.count):
            return None
        if k * self._spare > max(_MOST, _MOST_SHARE * self.count):
            return None
        effort = self._effort * max(1.0, k / _USUAL) ** 0.5 * self.count / matching
        return min(int(np.ceil(effort)), self._structure.lists or self.count)


def open_store(vectors: Vectors, folder: Path, record: StoreRecord) -> tuple[Store, str]:
    """Open the store of (n, width) rows that a manifest names; where its structure is not whole, the exact one.

    Returns:
        the store, and what is wrong with the structure, "" for nothing.
    """
    if record.file is None:
        return FaissStore(vectors), ""
    try:
        structure = _open(folder / record.file.name, record.file, width=vectors.shape[1], count=record.rows)
    except FileNotFoundError as exc:
        return FaissStore(vectors), f"{exc.filename} is missing."
    except IndexFolderError as exc:
        return FaissStore(vectors), str(exc)
    efforts = {float(weight): effort for weight, effort in record.efforts.items()}
    again = _mapped_again(vectors)
    return ApproximateStore(vectors, structure, efforts=efforts, spare=record.spare, few=FEW, scattered=again), ""


def _mapped_again(vectors: Vectors) -> Vectors:
    """Map the rows of a whole memory map once more, for reading some of them.

    What the system reads around each of some hundred candidates, as it should where all are read, takes a second from a
    cold disk.
    """
    if not isinstance(vectors, np.memmap) or not isinstance(vectors.base, mmap.mmap) or vectors.offset:
        return vectors  # no map, or one of some of the rows
    path: Any = vectors.filename
    try:
        again: Any = np.memmap(path, dtype=vectors.dtype, mode="r", shape=vectors.shape)
        again.base.madvise(mmap.MADV_RANDOM)
    except (AttributeError, OSError, ValueError):  # no system that takes advice
        return vectors
    return cast(Vectors, again)


def _open(path: Path, expected: StructureFile, *, width: int, count: int) -> Structure:
    """Open a structure that is as it was written: by its size and time, or, where it was copied since, by its hash."""
    found = path.stat()
    same = found.st_size == expected.size
    if same and found.st_mtime_ns != expected.modified:
        same = sha256_of_file(path) == expected.sha256
    if not same:
        raise IndexFolderError(f"{path} is damaged.")
    return Structure(path, width=width, count=count)


def _scored(vectors: Vectors, query: Vectors, rows: Rows, k: int) -> Found:
    """Score rows by a (width,) query; return the k best."""
    scores = np.asarray(vectors[rows] @ query, dtype=np.float32)
    order = np.lexsort((rows, -scores))[:k]
    return Found(rows[order], scores[order])
