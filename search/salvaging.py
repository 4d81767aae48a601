"""What of an index that may be damaged is whole: sentences with their rows, and sentences that have lost theirs.

Every sentence's proof is asked; whatever cannot be read, or is not what was written, is passed over.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from search.errors import IndexFolderError
from search.manifest import Layout, Manifest
from search.records import IndexedSource, Sentence
from search.sentence_file import SentenceFile
from search.similarity import Vectors
from search.stored import StoredSentence

__all__ = ["Salvage", "Whole"]

_BATCH = 4096


@dataclass(frozen=True, slots=True)
class Whole:
    """A sentence that is whole, and its row: (d+s,) float32, or None where that is lost."""

    source: IndexedSource
    stored: StoredSentence
    row: Vectors | None

    @property
    def sentence(self) -> Sentence:
        """Return the sentence as one of its source."""
        return self.stored.sentence(self.source.name)


class Salvage:
    """An index, opened as far as that can be done. Use as a context manager.

    `sources` are its sources in the order of their rows, the one that was being read when a run was stopped included;
    `damaged` are those of which not even that can be told for sure, so that all of their sentences are lost.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """Open the sentences of the index that the manifest is of.

        Raises:
            IndexFolderError: they cannot be opened.
        """
        layout = Layout(folder)
        self.damaged: list[IndexedSource] = []
        self._vectors = layout.vectors(manifest.build)
        self._width = manifest.passport.width
        try:
            with ExitStack() as opened:
                self._file = opened.enter_context(SentenceFile(layout.sentences(manifest.build)))
                self._file.allow_cut()
                self.sources = self._file.sources(manifest.generation, manifest.rows, self.damaged)
                half = self._file.unfinished(manifest.rows, [])
                self._close = opened.pop_all()
        except IndexFolderError as exc:
            told = str(exc).removesuffix(" Try: kindred repair")
            raise IndexFolderError(
                f"{told} The vectors alone say nothing, so nothing can be repaired; index the files again: "
                f"kindred index FILES --out {folder} --overwrite"
            ) from exc
        if half is not None and half.number not in {source.number for source in self.sources}:
            self.sources.append(half)  # a file that has changed: its old rows count until the new ones are all there

    def __enter__(self) -> Self:
        """Give the index to a with block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._close.close()

    def whole(self) -> Iterator[Whole]:
        """Yield the sentences that are whole, source after source, in the order of their rows."""
        for source in self.sources:
            end = source.first + source.rows
            for first in range(source.first, end, _BATCH):
                yield from self._some(source, first, min(_BATCH, end - first))

    def _some(self, source: IndexedSource, first: int, count: int) -> Iterator[Whole]:
        rows = self._rows(first, count)
        stored = dict(self._sentences(first, count))
        for one in sorted(stored, key=lambda found: found.row):
            number = one.row - first
            if number < len(rows) and one.is_whole(stored[one], rows[number]):
                yield Whole(source, one, rows[number])
            elif one.is_whole_alone(stored[one]):
                yield Whole(source, one, None)

    def _rows(self, first: int, count: int) -> Vectors:
        """Return the rows that are there."""
        offset = first * self._width * 4
        try:
            values = np.fromfile(self._vectors, dtype=np.float32, count=count * self._width, offset=offset)
        except OSError:  # it is gone, or the disk has lost this part of it
            values = np.empty(0, dtype=np.float32)
        return values[: len(values) // self._width * self._width].reshape(-1, self._width)

    def _sentences(self, first: int, count: int) -> Iterator[tuple[StoredSentence, bytes]]:
        """Yield the sentences that can be read; where some cannot, one at a time."""
        try:
            yield from list(self._file.sentences(range(first, first + count)))
        except IndexFolderError:
            if count > 1:
                yield from self._sentences(first, count // 2)
                yield from self._sentences(first + count // 2, count - count // 2)
