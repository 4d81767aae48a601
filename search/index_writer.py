"""An index, being built: rows and sentences are written together, and count only once the manifest is in place."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from search.encoder import Encoded, Passport
from search.errors import OutputError
from search.files import sync
from search.manifest import FileRecord, Layout, Manifest
from search.records import Sentence, Source
from search.similarity import Vectors
from search.store_faiss import FaissStore

__all__ = ["IndexWriter", "best_labels", "check_target", "content_hash"]

_SCHEMA = """
CREATE TABLE sentences (
    row INTEGER PRIMARY KEY,
    text TEXT NOT NULL,
    hash BLOB NOT NULL,
    source TEXT NOT NULL,
    line INTEGER NOT NULL,
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    label TEXT,
    probability REAL,
    metadata TEXT NOT NULL
);
CREATE INDEX sentences_hash ON sentences (hash);
"""


def content_hash(text: str) -> bytes:
    """Return the 16 bytes that stand for a text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class IndexWriter:
    """Build a new generation of an index folder. Use as a context manager; nothing counts before `commit`.

    A generation is written beside the one that is there, under other file names. Left early, its files are removed,
    and the folder too where it was new; killed, the folder still opens as it was, or as committed, and the next build
    removes the other files.
    """

    def __init__(self, folder: Path, passport: Passport, *, overwrite: bool = False) -> None:
        """Begin a generation.

        Raises:
            OutputError: the folder exists and may not be overwritten, or holds something else than an index.
            IndexFolderError: the index there is damaged or of a newer format.
        """
        self.folder = folder
        self._layout = Layout(folder)
        self._passport = passport
        self._created = not folder.exists()
        self._old = check_target(folder, overwrite=overwrite)
        self._generation = self._old.generation + 1 if self._old else 1
        self._count = 0
        self._digest = hashlib.sha256()
        self._remove_all_but(self._generation - 1)
        with ExitStack() as undo, _writing(self._layout.sentences(self._generation)) as path:
            undo.callback(self._undo)
            for file in self._layout.all_files(self._generation):
                file.parent.mkdir(parents=True, exist_ok=True)
            self._vectors = undo.enter_context(self._layout.vectors(self._generation).open("xb"))
            self._sentences = undo.enter_context(closing(sqlite3.connect(path)))
            # The file is nobody's until the commit, so a journal would only cost time.
            self._sentences.execute("PRAGMA journal_mode = OFF")
            self._sentences.execute("PRAGMA synchronous = OFF")
            self._sentences.executescript(_SCHEMA)
            self._leave = undo.pop_all()

    def __enter__(self) -> Self:
        """Give the writer to a with block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what was not committed."""
        self._leave.close()

    def known(self, texts: Sequence[str]) -> dict[str, int]:
        """Return the rows of those texts that are in this generation already."""
        rows: dict[str, int] = {}
        for text in texts:
            found = self._sentences.execute(
                "SELECT row FROM sentences WHERE hash = ? AND text = ? LIMIT 1", (content_hash(text), text)
            ).fetchone()
            if found is not None:
                rows[text] = found[0]
        return rows

    def encoded(self, row: int) -> tuple[Vectors, str | None, float | None]:
        """Return a written row's vector, label and probability."""
        self._vectors.flush()
        width = self._passport.width
        vector = np.fromfile(
            self._layout.vectors(self._generation), dtype=np.float32, count=width, offset=row * width * 4
        )
        label, probability = self._sentences.execute(
            "SELECT label, probability FROM sentences WHERE row = ?", (row,)
        ).fetchone()
        return vector, label, probability

    def append(
        self,
        sentences: Sequence[Sentence],
        vectors: Vectors,
        labels: Sequence[tuple[str | None, float | None]],
    ) -> None:
        """Write n sentences, their (n, d+s) rows, and their labels with probabilities, in this order."""
        self._vectors.write(np.ascontiguousarray(vectors, dtype=np.float32).tobytes())
        with _writing(self._layout.sentences(self._generation)):
            self._sentences.executemany(
                "INSERT INTO sentences VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        self._count + number,
                        one.text,
                        content_hash(one.text),
                        one.source,
                        one.line,
                        one.start,
                        one.end,
                        label,
                        probability,
                        json.dumps(dict(one.metadata), ensure_ascii=False, default=str),
                    )
                    for number, (one, (label, probability)) in enumerate(zip(sentences, labels, strict=True))
                ),
            )
            self._sentences.commit()
        for one in sentences:
            self._digest.update(
                f"{len(one.text)} {one.text} {one.line} {one.start} {one.end}\n".encode("utf-8", "replace")
            )
        self._count += len(sentences)

    def commit(self, sources: Sequence[Source]) -> Manifest:
        """Build the search structure, flush everything, and put the manifest in place."""
        self._vectors.flush()
        self._sentences.close()
        shape = (self._count, self._passport.width)
        vectors = np.memmap(self._layout.vectors(self._generation), dtype=np.float32, mode="r", shape=shape)
        FaissStore.build(vectors).save(self._layout.faiss(self._generation))
        for source in sources:
            self._digest.update(f"{source.sha256}\n".encode())
        files = self._layout.all_files(self._generation)
        for path in files:
            sync(path)
            sync(path.parent)
        manifest = Manifest(
            generation=self._generation,
            passport=self._passport,
            count=self._count,
            digest=self._digest.hexdigest(),
            sources=tuple(sources),
            files=tuple(FileRecord.of(path, self.folder) for path in files),
        )
        manifest.write(self.folder)
        self._remove_all_but(self._generation)
        return manifest

    def _undo(self) -> None:
        if not self._committed():
            self._remove_all_but(self._generation - 1)
            if self._created:
                _remove_empty(self.folder)

    def _committed(self) -> bool:
        """Say whether the manifest in place is this generation's; an interrupt may come right after the rename."""
        if not self._layout.manifest.exists():
            return False
        return Manifest.read(self.folder).generation == self._generation

    def _remove_all_but(self, generation: int) -> None:
        for path in self._layout.strays(generation):
            path.unlink(missing_ok=True)


@contextmanager
def _writing(path: Path) -> Iterator[Path]:
    """Turn SQLite's errors, a full disk among them, into ours."""
    try:
        yield path
    except sqlite3.Error as exc:
        raise OutputError(
            f"{path}: cannot be written ({exc}); nothing was changed. See that the disk has room, and run it again."
        ) from exc


def best_labels(encoded: Encoded, passport: Passport) -> list[tuple[str | None, float | None]]:
    """Return the most likely label and its probability for each of n encoded texts; None without labels."""
    if passport.labels is None:
        return [(None, None)] * len(encoded.rows)
    best = encoded.probabilities.argmax(axis=1)
    return [
        (passport.labels.names[label], round(float(encoded.probabilities[row, label]), 4))
        for row, label in enumerate(best)
    ]


def check_target(folder: Path, *, overwrite: bool) -> Manifest | None:
    """Return the manifest of the index that would be replaced, or None where there is none.

    Raises:
        OutputError: the folder may not be written to.
        IndexFolderError: the index there is damaged or of a newer format.
    """
    if folder.is_file():
        raise OutputError(f"{folder} is a file; name a folder with --out.")
    if not folder.exists() or not any(folder.iterdir()):
        return None
    if not Layout(folder).manifest.exists():
        own = {folder / "vectors", folder / "faiss", *Layout(folder).strays(0)}
        if own.issuperset(folder.iterdir()):
            return None  # what a killed first build left
        raise OutputError(f"{folder} exists and is not an index; choose another --out.")
    if not overwrite:
        raise OutputError(f"{folder} exists; choose another --out, or replace the index with --overwrite.")
    return Manifest.read(folder)


def _remove_empty(folder: Path) -> None:
    for path in (folder / "vectors", folder / "faiss", folder):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
