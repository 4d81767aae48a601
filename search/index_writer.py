"""An index, being written: rows are added, sources come and go, and a commit makes all of it count at once.

A commit puts the rows on the disk, then the sentences, and then replaces the manifest, which says how much of both
counts. Killed before that last step, the folder opens as it was, and the next writer takes back what was beyond.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from search.encoder import Encoded, Passport
from search.errors import IndexFolderError, InputError, OutputError
from search.files import sync
from search.lock import WriterLock
from search.manifest import Layout, Manifest
from search.records import IndexedSource, Sentence, Source
from search.sentence_file import Block, Label, SentenceFile, sentence_bytes
from search.similarity import Vectors

__all__ = ["IndexWriter", "best_labels", "check_passport", "check_target"]


class IndexWriter:
    """The one writer of an index folder. Use as a context manager; nothing counts before `commit`.

    Left early, by an error or an interrupt, what was not committed is taken back; of a new folder in which nothing was,
    nothing is left.
    """

    def __init__(
        self, folder: Path, passport: Passport, *, overwrite: bool = False, resume: bool = True, wait: float = 0.0
    ) -> None:
        """Begin to write: to a new index, to one that is there, or to one that will replace it.

        Args:
            folder: where.
            passport: the encoder that makes the rows.
            overwrite: leave the index that is there as it is until the new one is finished.
            resume: go on with an unfinished new one by the same encoder, if there is one.
            wait: how many seconds to wait for another writer.

        Raises:
            OutputError: the folder holds something else than an index, or another process writes to it.
            IndexFolderError: the index there is damaged, of another format, or of another encoder.
        """
        check_target(folder, overwrite=overwrite)
        self._layout = Layout(folder)
        self._passport = passport
        self._created = not folder.exists()
        self._reading: tuple[IndexedSource, hashlib._Hash] | None = None
        self._changed = False
        with ExitStack() as undo:
            folder.mkdir(parents=True, exist_ok=True)
            undo.enter_context(WriterLock(self._layout.lock, self._layout.writer, wait=wait))
            self._replaces = overwrite and self._layout.manifest.exists()
            self._target = self._layout.next if self._replaces else self._layout.manifest
            if self._replaces and not resume:
                self._target.unlink(missing_ok=True)
            self.manifest = self._begin()
            undo.callback(self._leave_nothing)
            self._rows = self.manifest.rows
            self._vectors = undo.enter_context(self._open_vectors())
            undo.callback(self._take_back)
            self._file = undo.enter_context(SentenceFile(self._layout.sentences(self.manifest.build), writing=True))
            self._file.begin(self.manifest.generation, self._rows)
            counted = self._file.sources(self.manifest.generation, self._rows)
            self._sources = {source.number: source for source in counted}
            self.unfinished = self._file.unfinished(self._rows)
            self._leave = undo.pop_all()

    def __enter__(self) -> Self:
        """Give the writer to a with block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take back what was not committed."""
        self._leave.close()

    @property
    def sources(self) -> list[IndexedSource]:
        """Return the sources that count, what was not committed included."""
        return list(self._sources.values())

    def known(self, texts: Sequence[str]) -> dict[str, tuple[Vectors, Label]]:
        """Return the vector and the label of those texts that the index has had before."""
        found = ((stored, proof, self._vector(stored.row)) for stored, proof in self._file.known(texts))
        return {
            stored.text: (vector, (stored.label, stored.probability))
            for stored, proof, vector in found
            if stored.proof(vector) == proof  # else it is damaged, and made anew
        }

    def begin(self, name: str, path: str, reading: str) -> None:
        """Begin a source: what is appended until `complete` is read from it.

        Where the index has the path already, the old rows count until the new ones are complete.
        """
        try:
            f"{name}{path}".encode()
        except UnicodeEncodeError as exc:
            raise InputError(f"{name!r}: the file's name is not UTF-8; rename it.") from exc
        self._reading = IndexedSource(0, name, path, reading, self._rows, 0), hashlib.sha256()

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
        self._write_rows(rows.tobytes())
        self._file.add_sentences(self._rows, sentences, rows, labels)
        for sentence in sentences:
            digest.update(sentence_bytes(sentence))
        self._rows += len(sentences)
        source = replace(source, rows=source.rows + len(sentences))
        if source.number:
            self._file.grow_source(source.number, source.rows)
        else:
            visible = not self._alike(source)
            source = self._file.add_source(source, generation=self._next, visible=visible)
        if source.number in self._sources or not self._alike(source):
            self._sources[source.number] = source
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
        self._sources[done.number] = done
        self._reading = None
        self._changed = True

    def move(self, source: IndexedSource, name: str, path: str, modified: int | None) -> None:
        """Give a source's rows to the file that has the same content now."""
        moved = replace(source, name=name, path=path, modified=modified)
        self.remove(source)
        moved = self._file.add_source(moved, generation=self._next, visible=True)
        self._sources[moved.number] = moved

    def note_time(self, source: IndexedSource, modified: int | None) -> None:
        """Note when a file whose content is as it was has been changed last."""
        self._file.note_time(source.number, modified)
        self._sources[source.number] = replace(source, modified=modified)

    def remove(self, source: IndexedSource) -> None:
        """Let a source's rows count no more."""
        self._file.end_source(source.number, self._next)
        self._sources.pop(source.number, None)
        self._changed = True

    def commit(self, *, finished: bool) -> Manifest:
        """Make all that was written count, in one step; `finished` says that the job is done with it."""
        if not self._changed and self.manifest.finished and finished and not self._replaces:
            self._file.commit()
            return self.manifest
        self._seal()
        digests = sorted(source.digest for source in self._sources.values() if source.digest is not None)
        manifest = replace(
            self.manifest,
            generation=self._next,
            finished=finished,
            rows=self._rows,
            count=sum(source.rows for source in self._sources.values()),
            digest=hashlib.sha256("\n".join(digests).encode()).hexdigest(),
        )
        self._file.keep_manifest(manifest.to_json())
        self._file.commit()
        self.manifest = manifest  # interrupted from here on, it may count already
        with _writing(self._target):
            manifest.write(self._target)
        self._changed = False
        if finished:
            self._finish()
        return manifest

    @property
    def _row_bytes(self) -> int:
        return self._passport.width * 4

    @property
    def _next(self) -> int:
        return self.manifest.generation + 1

    def _alike(self, source: IndexedSource) -> list[IndexedSource]:
        return [one for one in self._sources.values() if one.key == source.key]

    def _current(self) -> "tuple[IndexedSource, hashlib._Hash]":
        if self._reading is None:
            raise OutputError("Rows belong to a source; begin one.")
        return self._reading

    def _begin(self) -> Manifest:
        """Return what is there to go on with; files that belong to nothing go."""
        generation = Manifest.replaced(self._layout.folder)
        manifest = None
        if self._target.exists():
            manifest = self._unfinished_next() if self._replaces else Manifest.read_file(self._target)
        if manifest is None:
            build = self._layout.last_build() + 1
            digest = hashlib.sha256().hexdigest()
            manifest = Manifest(generation, build, False, self._passport, 0, 0, digest)  # noqa: FBT003 - unfinished
        check_passport(self._layout.folder, manifest.passport, self._passport)
        self._clear(manifest.build)
        return replace(manifest, passport=self._passport)  # the encoder's folder may have moved

    def _unfinished_next(self) -> Manifest | None:
        """Return the replacement that was being written, if it can be gone on with."""
        try:
            manifest = Manifest.read_file(self._target)
        except IndexFolderError:
            return None
        return manifest if manifest.passport.fingerprint == self._passport.fingerprint else None

    def _open_vectors(self) -> BinaryIO:
        """Open the file of rows to add to it; what a killed writer left beyond the last commit goes."""
        path = self._layout.vectors(self.manifest.build)
        path.parent.mkdir(exist_ok=True)
        size, expected = path.stat().st_size if path.exists() else 0, self._rows * self._row_bytes
        if size < expected:
            raise IndexFolderError(f"{path} is {size} bytes long, the manifest says {expected}. Try: kindred repair")
        file = path.open("ab+", buffering=0)
        file.truncate(expected)
        return file

    def _take_back(self) -> None:
        self._vectors.truncate(self.manifest.rows * self._row_bytes)

    def _vector(self, row: int) -> Vectors:
        data = os.pread(self._vectors.fileno(), self._row_bytes, row * self._row_bytes)
        return np.frombuffer(data, dtype=np.float32)

    def _write_rows(self, data: bytes) -> None:
        with _writing(self._layout.vectors(self.manifest.build)):
            while data:
                data = data[self._vectors.write(data) :]

    def _seal(self) -> None:
        """Put the new rows on the disk, with a checksum."""
        first, count = self.manifest.rows, self._rows - self.manifest.rows
        if count:
            data = os.pread(self._vectors.fileno(), count * self._row_bytes, first * self._row_bytes)
            self._file.add_block(Block(first, count, hashlib.sha256(data).hexdigest()))
            path = self._layout.vectors(self.manifest.build)
            with _writing(path):
                os.fsync(self._vectors.fileno())
                sync(path.parent)

    def _finish(self) -> None:
        """Put a finished replacement in the place of the index that was there."""
        if self._replaces:
            self._target.replace(self._layout.manifest)
            sync(self._layout.folder)
            self._target, self._replaces = self._layout.manifest, False
        self._clear(self.manifest.build)

    def _clear(self, build: int) -> None:
        """Remove files that are neither this build's nor those of the index that opens."""
        keep = {self._layout.manifest, self._target, self._layout.lock, self._layout.writer}
        keep |= self._layout.files(build)
        if self._replaces:
            keep |= self._old_files()
        for path in self._layout.own() - keep:
            if path.is_file():
                path.unlink(missing_ok=True)
        for path in (self._layout.folder / "faiss",):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()

    def _old_files(self) -> set[Path]:
        """Return the files of the index that is to be replaced; of one that this version cannot read, all that are."""
        try:
            return self._layout.files(Manifest.read(self._layout.folder).build)
        except IndexFolderError:
            return self._layout.own() - {self._layout.next}

    def _leave_nothing(self) -> None:
        """Remove what was made, where nothing of it was committed."""
        if self._target.exists():
            return
        files = self._layout.files(self.manifest.build)
        for path in files if self._layout.manifest.exists() else files | self._layout.own():
            if path.is_file():
                path.unlink()
        for path in (self._layout.folder / "vectors", *([self._layout.folder] if self._created else [])):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn the system's errors, a full disk among them, into ours."""
    try:
        yield
    except OSError as exc:
        raise OutputError(
            f"{path}: cannot be written ({exc.strerror}); what was committed before is as it was. "
            "See that the disk has room, and run it again."
        ) from exc


def best_labels(encoded: Encoded, passport: Passport) -> list[Label]:
    """Return the most likely label and its probability for each of n encoded texts; None without labels."""
    if passport.labels is None:
        return [(None, None)] * len(encoded.rows)
    best = encoded.probabilities.argmax(axis=1)
    return [
        (passport.labels.names[label], round(float(encoded.probabilities[row, label]), 4))
        for row, label in enumerate(best)
    ]


def check_passport(folder: Path, mine: Passport, other: Passport) -> None:
    """Refuse an encoder other than the one that made the rows.

    Raises:
        IndexFolderError: naming both, and what to do.
    """
    if other.fingerprint != mine.fingerprint:
        raise IndexFolderError(
            f"{folder} was made by the encoder {mine.name} ({mine.fingerprint[:12]}); {other.name} "
            f"({other.fingerprint[:12]}) is another, whose scores would mean nothing here. Name the first with "
            f"--encoder, or index the files again with --encoder {other.name} --overwrite."
        )


def check_target(folder: Path, *, overwrite: bool) -> Manifest | None:
    """Return the manifest of the index that would be gone on with, or None where there is none.

    Raises:
        OutputError: the folder is a file or holds something else than an index.
        IndexFolderError: the index there is damaged or of another format.
    """
    if folder.is_file():
        raise OutputError(f"{folder} is a file; name a folder with --out.")
    if not folder.exists() or not any(folder.iterdir()):
        return None
    layout = Layout(folder)
    if not layout.manifest.exists():
        if layout.own().issuperset(folder.iterdir()):
            return None  # what a killed first build left
        raise OutputError(f"{folder} exists and is not an index; choose another --out.")
    if overwrite:
        Manifest.replaced(folder)
        return None
    return Manifest.read(folder)
