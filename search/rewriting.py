"""An index, written anew beside itself from what of it is whole; until that is done, the old one is what opens.

Rows that are whole are copied. A sentence that has lost its row may be encoded again; that takes as long as indexing
does, and is committed and gone on with in the same way: a window at a time, none of them twice.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

import numpy as np

from search.encoded_once import encoded_once
from search.encoder import Encoder, Label, Passport
from search.errors import IndexFolderError
from search.index_writer import IndexWriter
from search.manifest import Manifest
from search.progress import SILENT, Progress
from search.records import IndexedSource, Source
from search.salvaging import Salvage, Whole
from search.similarity import Vectors
from search.structuring import structure_index

__all__ = ["Part", "Remake", "Rewritten", "rewrite_index"]

_WINDOW = 4096
"""Sentences in memory, and in a commit where some are encoded."""

Remake = Callable[[Passport], Encoder]
"""Gives the encoder of an index; asked once, and not before a sentence needs it."""


@dataclass(frozen=True, slots=True)
class Part:
    """So many sentences of a source."""

    source: IndexedSource
    sentences: int


@dataclass(frozen=True, slots=True)
class Rewritten:
    """An index written anew: its manifest, how many rows it had, and what of its sources was encoded again and lost."""

    manifest: Manifest
    rows_before: int
    remade: tuple[Part, ...] = ()
    lost: tuple[Part, ...] = ()


def rewrite_index(
    folder: Path, *, lossy: bool, remake: Remake | None = None, wait: float = 0.0, progress: Progress = SILENT
) -> Rewritten:
    """Write an index anew.

    Args:
        folder: the index; its manifest is whole.
        lossy: leave out sentences that are damaged.
        remake: gives the encoder to make lost rows anew; None: their sentences count as damaged.
        wait: how many seconds to wait for another writer.
        progress: is told how far it is.

    Raises:
        IndexFolderError: the sentences cannot be opened, one is damaged and may not be left out, or the encoder is
            another.
        OutputError: the folder cannot be written to, or another process does.
    """
    with IndexWriter(folder, None, overwrite=True, resume=lossy, wait=wait) as writer:
        old = Manifest.read(folder)  # as it is now that nobody else writes
        writer.wish(old.store.wish)
        with Salvage(folder, old) as salvage:
            copying = _Copying(salvage, writer, remake)
            progress.start("rewriting", old.count, "sentences")
            for done in copying.run():
                progress.advance(done)
            progress.finish()
            remade, lost = copying.remade(), copying.lost()
        if lost and not lossy:
            raise IndexFolderError(f"{lost[0].source.name}: a sentence is damaged. Try: kindred repair {folder}")
        writer.commit(finished=old.finished, last=True)
        manifest = structure_index(folder, writer, old.store.wish, progress=progress)
    return Rewritten(manifest, old.rows, remade, lost)


class _Copying:
    """What is whole of an index on its way into a new build of it; counts each source's sentences by its number."""

    def __init__(self, salvage: Salvage, writer: IndexWriter, remake: Remake | None) -> None:
        self._salvage = salvage
        self._writer = writer
        self._remake = remake
        self._encoder: Encoder | None = None
        self._written: Counter[int] = Counter()
        self._remade: Counter[int] = Counter()

    def run(self) -> Iterator[int]:
        """Write all, and say after each window how many sentences are behind."""
        whole = self._beyond()
        while window := list(islice(whole, _WINDOW)):
            made = self._made(window)
            for source, group in groupby(window, key=lambda one: one.source):
                self._append(source, list(group), made)
            if made:
                self._writer.commit(finished=False)
            yield self._written.total()

    def remade(self) -> tuple[Part, ...]:
        """Return what was encoded again, by a run that was stopped, too."""
        return tuple(Part(one, self._remade[one.number]) for one in self._salvage.sources if self._remade[one.number])

    def lost(self) -> tuple[Part, ...]:
        """Return what was left out."""
        sources = [*self._salvage.damaged, *self._salvage.sources]
        missing = [(one, one.rows - self._written[one.number]) for one in sources]
        return tuple(Part(one, count) for one, count in missing if count)

    def _whole(self) -> Iterator[Whole]:
        found = self._salvage.whole()
        return found if self._remake else (one for one in found if one.row is not None)

    def _beyond(self) -> Iterator[Whole]:
        """Return what is still to be written; what a stopped run has is counted or, if it is not the same, given up."""
        whole, half = self._whole(), self._writer.unfinished
        rows = self._writer.manifest.rows
        before = half.first if half else rows
        same = all(
            there.holds(self._counted(one).sentence)
            for there, one in zip(self._writer.stored(before), whole, strict=False)
        )
        if half is not None:
            same = same and self._writer.resume(half, (self._counted(one).sentence for one in islice(whole, half.rows)))
        if same and self._written.total() == rows:
            return whole
        for source in self._writer.sources:
            self._writer.remove(source)
        self._written.clear()
        self._remade.clear()
        return self._whole()

    def _counted(self, one: Whole) -> Whole:
        self._written[one.source.number] += 1
        self._remade[one.source.number] += one.row is None
        return one

    def _append(self, source: IndexedSource, group: list[Whole], made: dict[str, tuple[Vectors, Label]]) -> None:
        """Write sentences of a source; with its last one it is complete, if nothing was left out."""
        if not self._written[source.number]:
            self._writer.begin(source.name, source.path, source.reading)
        rows, labels = zip(*(_row_of(self._counted(one), made) for one in group), strict=True)
        self._writer.append([one.sentence for one in group], np.stack(rows), labels)
        whole = self._written[source.number] == source.rows
        if whole and source.size is not None and source.sha256 is not None:
            self._writer.complete(Source(source.name, source.size, source.sha256, source.rows), source.modified)

    def _made(self, window: list[Whole]) -> dict[str, tuple[Vectors, Label]]:
        """Return rows and labels for the texts of a window that have lost theirs; equal texts have one."""
        lost = {one.stored.text for one in window if one.row is None}
        if not lost or self._remake is None:
            return {}
        if self._encoder is None:
            self._encoder = self._remake(self._writer.manifest.passport)
            self._writer.made_by(self._encoder)
        there = {one.stored.text: _row_of(one, {}) for one in window if one.row is not None and one.stored.text in lost}
        gone = (one.stored.text for one in window if one.row is None and one.stored.text not in there)
        return there | encoded_once(gone, self._encoder, self._writer)


def _row_of(one: Whole, made: dict[str, tuple[Vectors, Label]]) -> tuple[Vectors, Label]:
    if one.row is None:
        return made[one.stored.text]
    return one.row, (one.stored.label, one.stored.probability)
