"""An index, written anew without rows that do not count any more, or without those that are damaged."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np

from search.builds import kept_manifest
from search.encoder import Label
from search.errors import IndexFolderError
from search.format_1 import READING, Format1, is_format_1, place
from search.index_writer import IndexWriter
from search.manifest import Layout, Manifest
from search.progress import SILENT, Progress
from search.records import IndexedSource, Sentence, Source
from search.sentence_file import SentenceFile
from search.similarity import Vectors
from search.stored import StoredSentence
from search.structuring import structure_index

__all__ = ["Compacted", "Lost", "compact_index", "repair_index"]

_BATCH = 4096


@dataclass(frozen=True, slots=True)
class Lost:
    """How many sentences of a source were lost."""

    source: IndexedSource
    sentences: int


@dataclass(frozen=True, slots=True)
class Compacted:
    """An index written anew: its manifest, how many rows it had before, and what of its sources was lost."""

    manifest: Manifest
    rows_before: int
    lost: tuple[Lost, ...]


def compact_index(folder: Path, *, wait: float = 0.0, progress: Progress = SILENT) -> Compacted:
    """Write an index anew without the rows that do not count any more; until that is done the old one is what opens.

    Raises:
        IndexFolderError: the folder is no index, or a sentence is damaged.
        OutputError: it cannot be written, or another process writes to it.
    """
    manifest = Manifest.read(folder)
    if not manifest.finished:
        raise IndexFolderError(f"{folder} is unfinished; run the same kindred index again before it is compacted.")
    return _rewrite(folder, wait=wait, progress=progress, lossy=False)


def repair_index(folder: Path, *, wait: float = 0.0, progress: Progress = SILENT) -> Compacted:
    """Write an index anew from what of it is whole. A source that lost sentences is read again by the next index run.

    One of format 1 becomes one of this version's, if all of it is whole.

    Raises:
        IndexFolderError: the folder is no index, or nothing of it can be read.
        OutputError: it cannot be written, or another process writes to it.
    """
    if is_format_1(folder):
        return _convert(folder, wait=wait, progress=progress)
    _restore_manifest(folder)
    return _rewrite(folder, wait=wait, progress=progress, lossy=True)


def _convert(folder: Path, *, wait: float, progress: Progress) -> Compacted:
    """Write an index of format 1 anew."""
    with IndexWriter(folder, None, overwrite=True, resume=False, wait=wait) as writer:
        old = Format1.open(folder, Manifest.origin_of(folder).passport.width)
        progress.start("converting", sum(source.sentences for source in old.sources), "sentences")
        done = 0
        for source, batches in groupby(old.rows(), key=itemgetter(0)):
            writer.begin(source.name, place(source), READING)
            for _, sentences, rows, labels in batches:
                writer.append(sentences, rows, labels)
                done += len(sentences)
                progress.advance(done)
            writer.complete(source, None)
        progress.finish()
        return Compacted(writer.commit(finished=True), done, ())


def _restore_manifest(folder: Path) -> None:
    """Put the copy of the manifest that is beside the sentences in the place of one that is damaged."""
    Manifest.replaced(folder)  # refuses a newer format, which is not damaged
    try:
        Manifest.read(folder)
    except IndexFolderError as damaged:
        kept = kept_manifest(Layout(folder))
        if kept is None:
            raise IndexFolderError(f"{folder}: nothing in it can be repaired ({damaged})") from damaged
        kept.write(Layout(folder).manifest)


def _rewrite(folder: Path, *, wait: float, progress: Progress, lossy: bool) -> Compacted:
    layout = Layout(folder)
    lost: list[Lost] = []
    with IndexWriter(folder, None, overwrite=True, resume=False, wait=wait) as writer:
        old = Manifest.read(folder)  # as it is now that nobody else writes
        writer.wish(old.store.wish)
        with ExitStack() as opened:
            file, sources, damaged = _opened(layout, old, opened, lossy=lossy)
            lost += [Lost(source, source.rows) for source in damaged]
            progress.start("rewriting", old.count, "sentences")
            done = 0
            for source in sources:
                writer.begin(source.name, source.path, source.reading)
                kept = 0
                for sentences, rows, labels in _whole(
                    source, file, layout.vectors(old.build), old.passport.width, lossy=lossy
                ):
                    writer.append(sentences, rows, labels)
                    kept += len(sentences)
                    progress.advance(done + kept)
                if kept < source.rows:
                    lost.append(Lost(source, source.rows - kept))
                elif source.sha256 is not None and source.size is not None:
                    read = Source(source.name, source.size, source.sha256, source.rows)
                    writer.complete(read, source.modified)
                done += source.rows
            progress.finish()
        writer.commit(finished=True)
        manifest = structure_index(folder, writer, old.store.wish, progress=progress)
    return Compacted(manifest, old.rows, tuple(lost))


def _opened(
    layout: Layout, old: Manifest, opened: ExitStack, *, lossy: bool
) -> tuple[SentenceFile, list[IndexedSource], list[IndexedSource]]:
    """Open the sentences; return them, the sources that are whole, and those of which what is noted is damaged.

    Raises:
        IndexFolderError: they cannot be opened, or, if nothing may be lost, a source is damaged.
    """
    damaged: list[IndexedSource] = []
    try:
        file = opened.enter_context(SentenceFile(layout.sentences(old.build)))
        return file, file.sources(old.generation, old.rows, damaged if lossy else None), damaged
    except IndexFolderError as exc:
        if not lossy:
            raise
        told = str(exc).removesuffix(" Try: kindred repair")
        raise IndexFolderError(
            f"{told} The vectors alone say nothing, so nothing can be repaired; index the files again: "
            f"kindred index FILES --out {layout.folder} --overwrite"
        ) from exc


_Rows = tuple[list[Sentence], Vectors, list[Label]]


def _whole(source: IndexedSource, file: SentenceFile, vectors: Path, width: int, *, lossy: bool) -> Iterator[_Rows]:
    """Yield the sentences of a source that are whole, with their rows and labels, so many at a time.

    Raises:
        IndexFolderError: one is damaged, and this may not be.
    """
    for first in range(source.first, source.first + source.rows, _BATCH):
        count = min(_BATCH, source.first + source.rows - first)
        rows = _read_rows(vectors, width, first, count)
        stored = dict(_read_sentences(file, first, count, lossy=lossy))
        whole = [
            (one, rows[one.row - first])
            for one, proof in sorted(stored.items(), key=lambda found: found[0].row)
            if one.row - first < len(rows) and one.proof(rows[one.row - first]) == proof
        ]
        if len(whole) < count and not lossy:
            raise IndexFolderError(f"{source.name}: a sentence is damaged. Try: kindred repair {vectors.parent.parent}")
        if whole:
            yield (
                [one.sentence(source.name) for one, _ in whole],
                np.stack([row for _, row in whole]),
                [(one.label, one.probability) for one, _ in whole],
            )


def _read_rows(vectors: Path, width: int, first: int, count: int) -> Vectors:
    """Return the rows that are there."""
    try:
        values = np.fromfile(vectors, dtype=np.float32, count=count * width, offset=first * width * 4)
    except FileNotFoundError:
        values = np.empty(0, dtype=np.float32)
    return values[: len(values) // width * width].reshape(-1, width)


def _read_sentences(
    file: SentenceFile, first: int, count: int, *, lossy: bool
) -> Iterator[tuple[StoredSentence, bytes]]:
    """Yield the sentences that can be read; where some cannot, one at a time."""
    try:
        yield from list(file.sentences(range(first, first + count)))
    except IndexFolderError:
        if not lossy:
            raise
        if count > 1:
            yield from _read_sentences(file, first, count // 2, lossy=lossy)
            yield from _read_sentences(file, first + count // 2, count - count // 2, lossy=lossy)
