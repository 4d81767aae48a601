"""A search structure in FAISS: rows in lists (IVF) or in a graph (HNSW), asked for candidates and nothing else.

It holds rows in few bits, so that what it says of their scores is rough: candidates are scored again from the rows.
The same rows and the same name make the same file, byte for byte, on as many cores as there are: seeds are fixed, rows
are added in their order, and a graph, which depends on who is faster, is built on one core.

A list holds rows of like meaning and of like sentiment, and codes tell how a row differs from its list's middle. So few
bits stay for the two numbers of a sentiment that at a large weight they would drown all meaning, but for the middles.

A file is read whole: its pages, mapped and fetched one by one, take longer from a cold disk. FAISS trusts
what is in it, so that it must be known to be as it was written (`approximate.open_store`).
"""

import errno
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from search.errors import IndexFolderError, OptionError
from search.similarity import Vectors
from search.store import Among
from search.store_faiss import Selected, cores

__all__ = ["Division", "Rows", "Structure", "build", "check_spec", "codes", "divide", "extend", "write"]

_FAISS: Any = faiss
_BLOCK, _TRAINED = 1 << 14, 1 << 16
_SEED = 1234
_PER_LIST = 50
"""Rows a list that the lists are made of; FAISS asks for 39, more make no difference that could be measured."""

_NAMES = re.compile(r"IVF\d+,|HNSW\d+,")
"""Lists are asked by their middles one by one: FAISS's IVF1k is not read, nor lists of lists."""

_FEELINGS = 8
"""Parts of the sentiment block at most: of fewer, more candidates are needed at a weight of 0.7; of more, each with
fewer parts of the meaning, more lists at small weights (benchmarks/approximate.md)."""

_ROUNDS = 10
"""Rounds of k-means, as many as FAISS makes for lists."""

_LANES = 16
"""Codes are compared so many numbers at a time; of a width that is no multiple, one by one, ten times slower."""

_FEW = 4
"""Queries that one core looks at: they are done before others have begun."""

Rows = npt.NDArray[np.int64]
"""Row numbers."""


@dataclass(frozen=True, slots=True)
class Division:
    """The (lists, width) middles of lists, and rows that they were made of; padded."""

    middles: Vectors
    sample: Vectors


def codes(width: int) -> str:
    """Return FAISS's name of the codes that are compared fastest: 4 bits for two numbers, by tables (FastScan)."""
    return f"PQ{_wide(width) // 2}x4fsr"


def check_spec(spec: str, width: int) -> None:
    """Refuse what is no structure, or none that can be asked here.

    Raises:
        OptionError: naming it, and what there is.
    """
    _empty(spec, width)


def divide(rows: Vectors, lists: int, meaning_dim: int) -> Division:
    """Divide (n, d+s) rows, which may be a memory map, into so many lists, or fewer where there are few rows.

    Both blocks are divided for themselves, and each part of one with each of the other is a list.

    Args:
        rows: rows of unit blocks.
        lists: how many lists at most.
        meaning_dim: d.
    """
    chosen = np.random.default_rng(_SEED).permutation(len(rows))[: lists * _PER_LIST]
    sample = np.asarray(rows[np.sort(chosen)])
    lists = max(1, min(lists, len(sample) // _PER_LIST))
    most = min(_FEELINGS, math.isqrt(lists)) if rows.shape[1] > meaning_dim else 1
    feelings = max(part for part in range(1, most + 1) if lists % part == 0)
    middles = np.empty((feelings, lists // feelings, rows.shape[1]), np.float32)
    middles[:, :, :meaning_dim] = _middles(sample[:, :meaning_dim], lists // feelings)
    if rows.shape[1] > meaning_dim:
        middles[:, :, meaning_dim:] = _middles(sample[:, meaning_dim:], feelings)[:, None]
    return Division(_padded(middles.reshape(-1, rows.shape[1])), _padded(sample))


def build(spec: str, rows: Vectors, division: Division | None = None) -> Any:
    """Build a structure of (n, width) rows, which may be a memory map: FAISS's, in memory.

    Args:
        spec: FAISS's factory string, for example "IVF1024,SQ8"; of lists as many as the division has.
        rows: row i of the structure.
        division: the lists, for a structure that has some.
    """
    index = _empty(spec, rows.shape[1])
    if division is not None:
        index.quantizer.add(division.middles)
    with _filling(index):
        index.train(_padded(rows[:_TRAINED]) if division is None else division.sample)
        _add(index, rows)
    return index


def extend(path: Path, rows: Vectors) -> Any:
    """Return the structure in a file, of the first of (n, width) rows, with the others added: FAISS's, in memory.

    Lists stay as they are, and so does what a graph has; it is not what `build` would make of all the rows.

    Raises:
        IndexFolderError: the file is no structure.
    """
    index = _read(path)
    with _filling(index):
        _add(index, rows)
    return index


def write(index: Any, path: Path) -> None:
    """Write a structure to a file.

    Raises:
        OSError: it cannot be written.
    """
    try:
        faiss.write_index(index, str(path))
    except RuntimeError as exc:
        raise OSError(errno.EIO, str(exc).strip().splitlines()[-1], str(path)) from exc


class Structure:
    """A structure in a file, asked for candidates."""

    def __init__(self, path: Path, *, width: int, count: int) -> None:
        """Open a structure of (count, width) rows.

        Raises:
            IndexFolderError: the file is none, or is of other rows.
        """
        self._index = _read(path)
        if (self._index.d, self._index.ntotal) != (_wide(width), count):
            raise IndexFolderError(
                f"{path}: {self._index.ntotal} rows of {self._index.d} numbers, there should be {count} of {width}."
            )
        self.count = count
        self.lists: int | None = self._index.nlist if _is_ivf(self._index) else None

    def candidates(self, queries: Vectors, fetch: int, effort: int, among: Among | None = None) -> Rows:
        """Return (m, fetch) rows that may be the nearest to (m, width) queries, with -1 where there are fewer.

        Args:
            queries: rows.
            fetch: how many candidates each.
            effort: how many lists are looked at; of a graph, how many rows are kept in sight.
            among: which rows are looked for.
        """
        with Selected(among) as selector, cores(1 if len(queries) <= _FEW else None):
            _, rows = self._index.search(_padded(queries), fetch, params=self._parameters(effort, selector))
        return np.where(rows < self.count, rows, -1)  # from a damaged list

    def _parameters(self, effort: int, selector: Any) -> Any:
        if self.lists is None:
            return _FAISS.SearchParametersHNSW(sel=selector, efSearch=effort)
        return _FAISS.SearchParametersIVF(sel=selector, nprobe=min(effort, self.lists))


def _empty(spec: str, width: int) -> Any:
    if not _NAMES.match(spec):
        raise OptionError(f"{spec!r}: a structure is IVF... or HNSW..., for example IVF1024,SQ8 or HNSW32,SQ8.")
    try:
        return faiss.index_factory(_wide(width), spec, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as exc:
        raise OptionError(f"{spec!r} is no structure that FAISS can make of rows {width} wide.") from exc


def _read(path: Path) -> Any:
    try:
        return _FAISS.read_index(str(path))
    except RuntimeError as exc:
        raise IndexFolderError(f"{path}: damaged ({str(exc).strip().splitlines()[-1][:80]}).") from exc


@contextmanager
def _filling(index: Any) -> Iterator[None]:
    """Let rows be added: to a graph by one core, for on several it depends on who is faster; to the nearest list.

    By the middles' inner product, which is what lists are asked by, some rows would go to another list.
    """
    if not _is_ivf(index):
        with cores(1):
            yield
        return
    asked, nearest = index.quantizer, _FAISS.IndexFlatL2(index.d)
    nearest.add(asked.reconstruct_n(0, index.nlist))
    index.own_fields, index.quantizer = False, nearest
    try:
        yield
    finally:
        index.own_fields, index.quantizer = True, asked
        nearest.thisown = True  # or nobody would free it


def _middles(rows: Vectors, parts: int) -> Vectors:
    """Return the (parts, width) middles that k-means finds of (n, width) rows."""
    means = faiss.Kmeans(rows.shape[1], parts, niter=_ROUNDS, seed=_SEED)
    means.train(np.ascontiguousarray(rows))
    return np.asarray(means.centroids, dtype=np.float32)


def _add(index: Any, rows: Vectors) -> None:
    """Add those of the rows that a structure has not got yet, which are the last."""
    for start in range(index.ntotal, len(rows), _BLOCK):
        index.add(_block(rows, start))


def _is_ivf(index: Any) -> bool:
    return isinstance(index, faiss.IndexIVF)


def _block(rows: Vectors, start: int) -> Vectors:
    return _padded(rows[start : start + _BLOCK])


def _padded(rows: Vectors) -> Vectors:
    """Return rows with zeros at their end, which change no inner product, up to a width that FAISS is fast at."""
    return np.pad(rows, ((0, 0), (0, _wide(rows.shape[1]) - rows.shape[1])))


def _wide(width: int) -> int:
    """Return the width that rows are padded to."""
    return width + -width % _LANES
