"""An index, being written: rows are added, sources come and go, and a commit makes all of it count at once.

A commit puts the rows on the disk, then the sentences, and then replaces the manifest, which says how much of both
counts. Killed before that last step, the folder opens as it was, and the next writer takes back what was beyond.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from search.builds import Build, check_target
from search.canaries import Canaries
from search.encoder import Encoder, Label
from search.errors import IndexFolderError, InputError, OutputError
from search.lock import WriterLock
from search.manifest import Layout, Manifest
from search.origin import Origin
from search.records import IndexedSource, Sentence, Source
from search.row_file import RowFile
from search.sentence_writer import SentenceWriter
from search.similarity import Vectors
from search.store_record import StoreRecord, StoreWish
from search.stored import StoredSentence, sentence_bytes

__all__ = ["IndexWriter"]


class IndexWriter:
    """The one writer of an index folder. Use as a context manager; nothing counts before `commit`.

    Left early, by an error or an interrupt, what was not committed is taken back; of a new folder in which nothing was,
    nothing is left.
    """

    def __init__(
        self,
        folder: Path,
        encoder: Encoder | None,
        *,
        overwrite: bool = False,
        resume: bool = True,
        wait: float = 0.0,
    ) -> None:
        """Begin to write: to a new index, to one that is there, or to one that will replace it.

        Args:
            folder: where.
            encoder: what makes the rows; None: only rows that the index there has are written.
            overwrite: leave the index that is there as it is until the new one is finished.
            resume: go on with an unfinished new one by the same encoder, if there is one; see `Build`.
            wait: how many seconds to wait for another writer.

        Raises:
            OutputError: the folder holds something else than an index, or another process writes to it.
            IndexFolderError: the index there is damaged, of another format, or of another encoder.
        """
        check_target(folder, overwrite=overwrite)
        layout, created = Layout(folder), not folder.exists()
        self._reading: tuple[IndexedSource, hashlib._Hash] | None = None
        self._changed = False
        self._encoder = encoder
        with ExitStack() as undo:
            folder.mkdir(parents=True, exist_ok=True)
            undo.enter_context(WriterLock(layout.lock, layout.writer, wait=wait))
            self._build = Build(folder, encoder, overwrite=overwrite, resume=resume, created=created)
            undo.callback(self._build.leave_nothing)
            begun = self._build.manifest
            self._rows = undo.enter_context(RowFile(self._build.vectors, begun.passport.width, begun.rows))
            self._file = undo.enter_context(SentenceWriter(self._build.sentences))
            self._file.begin(begun.generation, begun.rows)
            self._sources: dict[int, IndexedSource] = {}
            self._numbers: defaultdict[str, set[int]] = defaultdict(set)
            for source in self._file.sources(begun.generation, begun.rows):
                self._count(source)
            found = sum(source.rows for source in self._sources.values())
            if found != begun.count:
                raise IndexFolderError(
                    f"{self._build.sentences}: {found:,} sentences, the manifest says {begun.count:,}. "
                    f"Try: kindred repair {folder}"
                )
            self.unfinished = self._file.unfinished(begun.rows)
            self._leave = undo.pop_all()

    def __enter__(self) -> Self:
        """Give the writer to a with block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take back what was not committed; an interrupt's note says what was."""
        self._leave.close()
        manifest = self._build.manifest
        if isinstance(error, KeyboardInterrupt) and manifest.rows and not manifest.finished:
            new = " of the new index" if self._build.replaces else ""
            error.add_note(f"{manifest.count:,} sentences{new} are committed; the same command goes on from there.")

    @property
    def manifest(self) -> Manifest:
        """Return the manifest of the last commit."""
        return self._build.manifest

    @property
    def sources(self) -> list[IndexedSource]:
        """Return the sources that count, what was not committed included."""
        return list(self._sources.values())

    def known(self, texts: Sequence[str]) -> dict[str, tuple[Vectors, Label]]:
        """Return the vector and the label of those texts that the index has had before."""
        found = ((stored, proof, self._rows.row(stored.row)) for stored, proof in self._file.known(texts))
        return {
            stored.text: (vector, (stored.label, stored.probability))
            for stored, proof, vector in found
            if stored.is_whole(proof, vector)  # else it is damaged, and made anew
        }

    def made_by(self, encoder: Encoder) -> None:
        """Say that an encoder makes rows from now on, where they were only copied until now.

        Raises:
            IndexFolderError: it makes other rows than the index has.
        """
        origin = self._build.manifest.origin
        origin.check(self._build.layout.folder, encoder)
        self._build.manifest = replace(self._build.manifest, origin=origin.written_by(encoder.passport))
        self._encoder = encoder

    def stored(self, rows: int) -> Iterator[StoredSentence]:
        """Yield the first rows' sentences."""
        return (stored for stored, _ in self._file.consecutive(0, rows))

    def begin(self, name: str, path: str, reading: str) -> None:
        """Begin a source: what is appended until `complete` is read from it.

        Where the index has the path already, the old rows count until the new ones are complete.
        """
        try:
            f"{name}{path}".encode()
        except UnicodeEncodeError as exc:
            raise InputError(f"{name!r}: the file's name is not UTF-8; rename it.") from exc
        self._reading = IndexedSource(0, name, path, reading, self._rows.rows, 0), hashlib.sha256()

    def resume(self, source: IndexedSource, sentences: Iterable[Sentence]) -> bool:
        """Go on with the source that was being read, if these are the sentences of it that the index has."""
        digest = hashlib.sha256()
        stored = self._file.consecutive(source.first, source.rows)
        for sentence, (there, _) in zip_longest(sentences, stored, fillvalue=(None, None)):
            if not isinstance(sentence, Sentence) or there is None or not there.holds(sentence):
                return False
            digest.update(sentence_bytes(sentence))
        self._reading = source, digest
        return True

    def append(self, sentences: Sequence[Sentence], vectors: Vectors, labels: Sequence[Label]) -> None:
        """Write n sentences, their (n, d+s) rows, and their labels with probabilities, in this order."""
        source, digest = self._current()
        if not sentences:
            return
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
        first = self._rows.rows
        self._rows.append(rows)
        self._file.add_sentences(first, sentences, rows, labels)
        for sentence in sentences:
            digest.update(sentence_bytes(sentence))
        source = replace(source, rows=source.rows + len(sentences))
        if source.number:
            self._file.grow_source(source.number, source.rows)
        else:
            visible = not self._alike(source)
            source = self._file.add_source(source, generation=self._next, visible=visible)
        if source.number in self._sources or not self._alike(source):
            self._count(source)
        self._reading = source, digest
        self._changed = True

    def abandon(self) -> None:
        """Give up the source that is being read; what was appended of it does not count."""
        source, _ = self._current()
        if source.number:
            self.remove(source)
        self._reading = None

    def complete(self, read: Source, modified: int | None) -> None:
        """End the source: it has been read as `read` says, and was changed last at `modified` (None: unknown)."""
        source, digest = self._current()
        digest.update(read.sha256.encode())
        done = replace(source, size=read.size, modified=modified, sha256=read.sha256, digest=digest.hexdigest())
        self._file.complete_source(done, self._next)
        for old in self._alike(done):
            if old.number != done.number:
                self.remove(old)
        self._count(done)
        self._reading = None
        self._changed = True

    def move(self, source: IndexedSource, name: str, path: str, modified: int | None) -> None:
        """Give a source's rows to the file that has the same content now."""
        moved = replace(source, name=name, path=path, modified=modified)
        self.remove(source)
        moved = self._file.add_source(moved, generation=self._next, visible=True)
        self._count(moved)

    def note_time(self, source: IndexedSource, modified: int | None) -> None:
        """Note when a file whose content is as it was has been changed last."""
        self._file.note_time(source.number, modified)
        self._count(replace(source, modified=modified))

    def remove(self, source: IndexedSource) -> None:
        """Let a source's rows count no more."""
        self._file.end_source(source.number, self._next)
        self._sources.pop(source.number, None)
        self._numbers[source.key].discard(source.number)
        self._changed = True

    def commit(self, *, finished: bool, last: bool | None = None) -> Manifest:
        """Make all that was written count, in one step.

        Args:
            finished: all of the sources have been read.
            last: the job is done, and takes the place of the index that it is to replace; None: where it is finished.
        """
        last = finished if last is None else last
        begun, origin = self._build.manifest, self._origin()
        unchanged = not self._changed and origin.canaries == self._build.manifest.origin.canaries
        if unchanged and begun.finished and finished and not self._build.replaces:
            self._file.commit()
            return begun
        if block := self._rows.seal():
            self._file.add_block(block)
        digests = sorted(source.digest for source in self._sources.values() if source.digest is not None)
        manifest = replace(
            begun,
            generation=self._next,
            finished=finished,
            origin=origin,
            rows=self._rows.rows,
            count=sum(source.rows for source in self._sources.values()),
            digest=hashlib.sha256("\n".join(digests).encode()).hexdigest(),
            rewrites=None if last else begun.rewrites,
        )
        self._file.keep_manifest(manifest.to_json())
        self._file.commit()
        self._rows.commit()
        self._build.commit(manifest, last=last)
        self._changed = False
        return manifest

    def wish(self, wish: StoreWish) -> None:
        """Let a new index say, from its first commit on, how it is to be searched, so that no kill loses it."""
        if not self._build.manifest.rows:
            self._build.manifest = replace(self._build.manifest, store=StoreRecord(wish))

    def keep_store(self, store: StoreRecord) -> Manifest:
        """Commit how the index, which is otherwise as committed, is searched; a structure's file is there already."""
        manifest = replace(self._build.manifest, generation=self._next, store=store)
        self._file.keep_manifest(manifest.to_json())
        self._file.commit()
        self._build.commit(manifest, last=manifest.finished)
        return manifest

    def _origin(self) -> Origin:
        """Return who has made the rows, those that are not committed included."""
        origin = self._build.manifest.origin
        if self._encoder is None:
            return origin
        if origin.canaries is None:
            origin = replace(origin, canaries=Canaries.of(self._encoder))
        return origin.added_to() if self._rows.rows > self._build.manifest.rows else origin

    @property
    def _next(self) -> int:
        return self._build.manifest.generation + 1

    def _alike(self, source: IndexedSource) -> list[IndexedSource]:
        return [self._sources[number] for number in sorted(self._numbers[source.key])]

    def _count(self, source: IndexedSource) -> None:
        """Note a source that counts, as it is now; found by its key at once, be there 100,000 others."""
        self._sources[source.number] = source
        self._numbers[source.key].add(source.number)

    def _current(self) -> "tuple[IndexedSource, hashlib._Hash]":
        if self._reading is None:
            raise OutputError("Rows belong to a source; begin one.")
        return self._reading
