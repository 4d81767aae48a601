"""The sentences of an index and the sources they came from, in one SQLite file.

Rows are only ever added. A source owns consecutive rows, and whether they count is the source's matter: it is `born`
in one generation and may have `died` in another, so that a reader of an older generation still sees what it saw.
Every row carries a proof over the sentence and its vector, so that damage to either is noticed where it is read.

Not handled: who may write, and when something is committed; see `index_writer`.
"""

import hashlib
import json
import math
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from search.errors import IndexFolderError, KindredError, OutputError
from search.records import IndexedSource, Sentence
from search.similarity import Vectors

__all__ = ["Block", "Label", "SentenceFile", "StoredSentence", "content_hash", "sentence_bytes"]

_SCHEMA = """
CREATE TABLE sentences (
    row INTEGER PRIMARY KEY,
    text TEXT NOT NULL,
    hash INTEGER NOT NULL,
    line INTEGER NOT NULL,
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    label TEXT,
    probability REAL,
    metadata TEXT NOT NULL,
    proof BLOB NOT NULL
);
CREATE INDEX sentences_hash ON sentences (hash);
CREATE TABLE sources (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    reading TEXT NOT NULL,
    first INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    size INTEGER,
    modified INTEGER,
    sha256 TEXT,
    digest TEXT,
    written INTEGER NOT NULL,
    born INTEGER,
    completed INTEGER,
    died INTEGER,
    proof BLOB NOT NULL
);
CREATE TABLE blocks (first INTEGER PRIMARY KEY, rows INTEGER NOT NULL, sha256 TEXT NOT NULL);
CREATE VIRTUAL TABLE words USING fts5(
    text, content='sentences', content_rowid='row', tokenize="unicode61 remove_diacritics 2 tokenchars '_+'"
);
CREATE TABLE manifest (only INTEGER PRIMARY KEY CHECK (only = 1), content TEXT NOT NULL);
"""

_COLUMNS = "row, text, line, start, end, label, probability, metadata, proof"
_SOURCE = "number, name, path, reading, first, rows, size, modified, sha256, digest"
_PARAMETERS = 900
_WAIT_SECONDS = 60

Label = tuple[str | None, float | None]
"""The most likely label and its probability; None without labels."""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that were committed together, and the SHA-256 of their bytes in the file of vectors."""

    first: int
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class StoredSentence:
    """A row of the table of sentences, as it stands there; the metadata is JSON."""

    row: int
    text: str
    line: int
    start: int
    end: int
    label: str | None
    probability: float | None
    metadata: str

    def holds(self, sentence: Sentence) -> bool:
        """Say whether this is that sentence, its place and metadata included."""
        mine = (self.text, self.line, self.start, self.end, self.metadata)
        return mine == (sentence.text, sentence.line, sentence.start, sentence.end, _metadata(sentence))

    def sentence(self, source: str) -> Sentence:
        """Return the sentence as one of a source; ask for the proof first."""
        return Sentence(self.text, source, self.line, self.start, self.end, json.loads(self.metadata))

    def proof(self, vector: Vectors) -> bytes:
        """Return 8 bytes that stand for the sentence and its vector together."""
        fields = (self.row, self.line, self.start, self.end, self.label, self.probability, len(self.text))
        digest = hashlib.blake2b(f"{fields!r}{self.text}{self.metadata}".encode(), digest_size=8)
        digest.update(vector.tobytes())
        return digest.digest()


def content_hash(text: str) -> int:
    """Return a signed 64-bit number that stands for a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


class SentenceFile:
    """The open file. Use as a context manager, or `close` it."""

    def __init__(self, path: Path, *, writing: bool = False) -> None:
        """Open the file, for reading unless told otherwise; a new one gets its tables.

        Raises:
            IndexFolderError: it is damaged.
            OutputError: it cannot be written.
        """
        self._path = path
        self._writing = writing
        if writing:
            with self._translated():
                self._connection = sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None)
            try:
                self._prepare()
            except KindredError:
                self._connection.close()
                raise
        else:
            # A reader may have to finish or undo what a killed writer left, and to make the file through which readers
            # and writers meet. Where nothing may be written, nobody writes.
            mode = "mode=rw" if os.access(path.parent, os.W_OK) else "mode=ro&immutable=1"
            uri = f"{path.absolute().as_uri()}?{mode}"
            with self._translated():
                self._connection = sqlite3.connect(
                    uri, uri=True, timeout=_WAIT_SECONDS, check_same_thread=False, isolation_level=None
                )
                self._connection.execute("PRAGMA query_only = ON")
                self._connection.create_function("number", 1, _number, deterministic=True)
                self._connection.create_function("truth", 1, _truth, deterministic=True)

    def _prepare(self) -> None:
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "BEGIN IMMEDIATE"):
            self._write(statement)
        if not list(self._read("SELECT 1 FROM sqlite_master LIMIT 1")):
            for statement in _SCHEMA.split(";\n"):
                self._write(statement)

    def __enter__(self) -> Self:
        """Give the file to a with block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file; what was not committed is gone."""
        self.close()

    def close(self) -> None:
        """Close the file; what was not committed is gone."""
        self._connection.close()

    # Reading

    def sentences(self, rows: Sequence[int]) -> Iterator[tuple[StoredSentence, bytes]]:
        """Yield the sentences of the rows that are there, each with its proof, in no order."""
        for start in range(0, len(rows), _PARAMETERS):
            wanted = list(rows[start : start + _PARAMETERS])
            marks = ", ".join("?" * len(wanted))
            for *values, proof in self._read(f"SELECT {_COLUMNS} FROM sentences WHERE row IN ({marks})", wanted):  # noqa: S608
                yield StoredSentence(*values), proof

    def consecutive(self, first: int, count: int) -> Iterator[tuple[StoredSentence, bytes]]:
        """Yield the sentences of consecutive rows, in order, each with its proof."""
        query = f"SELECT {_COLUMNS} FROM sentences WHERE row >= ? AND row < ? ORDER BY row"  # noqa: S608
        for *values, proof in self._read(query, (first, first + count)):
            yield StoredSentence(*values), proof

    def texts(self, first: int, count: int) -> Iterator[tuple[int, str]]:
        """Yield number and text of consecutive rows, in order."""
        span = (first, first + count)
        yield from self._read("SELECT row, text FROM sentences WHERE row >= ? AND row < ? ORDER BY row", span)

    def known(self, texts: Sequence[str]) -> Iterator[tuple[StoredSentence, bytes]]:
        """Yield the first sentence, with its proof, of each of those texts that have one."""
        query = f"SELECT {_COLUMNS} FROM sentences WHERE hash = ? AND text = ? ORDER BY row LIMIT 1"  # noqa: S608
        for text in texts:
            for *values, proof in self._read(query, (content_hash(text), text)):
                yield StoredSentence(*values), proof

    def sources(self, generation: int, rows: int) -> list[IndexedSource]:
        """Return the sources that count in a generation of so many rows, in the order of their rows.

        Raises:
            IndexFolderError: one of them is damaged.
        """
        where = "born <= ? AND (died IS NULL OR died > ?)"
        return [
            self._as_of(source, completed, generation, rows)
            for source, completed in self._sources(where, (generation, generation))
        ]

    def unfinished(self, rows: int) -> IndexedSource | None:
        """Return the source that was being read when so many rows had been committed."""
        where = "completed IS NULL AND died IS NULL AND first + rows = ?"
        return next((source for source, _ in self._sources(where, (rows,))), None)

    def blocks(self, rows: int) -> list[Block]:
        """Return the blocks that make up so many rows, in their order."""
        values = self._read("SELECT first, rows, sha256 FROM blocks WHERE first < ? ORDER BY first", (rows,))
        return [Block(*one) for one in values]

    def with_words(self, expression: str, rows: int) -> Iterator[int]:
        """Yield those of so many rows that have the words of an FTS5 expression, best first (BM25), then in order."""
        query = "SELECT rowid FROM words WHERE words MATCH ? AND rowid < ? ORDER BY rank, rowid"
        for (row,) in self._read(query, (expression, rows)):
            yield row

    def matching(self, condition: str, values: Sequence[object], rows: int) -> Iterator[int]:
        """Yield those of so many rows that meet a condition on columns of `sentences`, its `?` being the values."""
        query = f"SELECT row FROM sentences WHERE row < ? AND ({condition})"  # noqa: S608 - made by us, of our own words
        for (row,) in self._read(query, (rows, *values)):
            yield row

    def columns(self, rows: int) -> set[str]:
        """Return the names of the metadata of so many rows."""
        query = "SELECT DISTINCT key FROM sentences, json_each(sentences.metadata) WHERE row < ?"
        return {key for (key,) in self._read(query, (rows,))}

    def manifest(self) -> dict[str, Any]:
        """Return what the manifest of the last commit holds; nothing where there is none that can be read."""
        for (content,) in self._read("SELECT content FROM manifest"):
            value: dict[str, Any] = json.loads(content)
            return value
        return {}

    def check(self) -> str:
        """Return "ok", or what SQLite finds wrong with the file."""
        told = str(next(iter(self._read("PRAGMA integrity_check(1)")))[0])
        return self._check_words() if told == "ok" else told

    def _check_words(self) -> str:
        """Compare the index of words with the sentences, where nobody writes just then."""
        try:
            self._connection.execute("PRAGMA query_only = OFF")
            self._connection.execute("PRAGMA busy_timeout = 100")
            self._connection.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError as exc:
            damaged = exc.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY}
            return f"the index of words is damaged ({exc})" if damaged else "ok"
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {1000 * _WAIT_SECONDS}")
            self._connection.execute("PRAGMA query_only = ON")
        return "ok"

    # Writing

    def begin(self, generation: int, rows: int) -> None:
        """Begin to write on a generation of so many rows; what a killed writer left beyond it is taken back."""
        newer = (generation,)
        beyond = "SELECT 'delete', row, text FROM sentences WHERE row >= ?"
        self._write(f"INSERT INTO words (words, rowid, text) {beyond}", (rows,))
        self._write("DELETE FROM sentences WHERE row >= ?", (rows,))
        self._write("DELETE FROM blocks WHERE first >= ?", (rows,))
        self._write("DELETE FROM sources WHERE written > ?", newer)
        self._write("UPDATE sources SET died = NULL WHERE died > ?", newer)
        self._write("UPDATE sources SET born = NULL WHERE born > ?", newer)
        self._write(
            "UPDATE sources SET completed = NULL, size = NULL, modified = NULL, sha256 = NULL, digest = NULL "
            "WHERE completed > ?",
            newer,
        )
        self._write("UPDATE sources SET rows = ? - first WHERE first + rows > ?", (rows, rows))
        for (number,) in list(self._read("SELECT number FROM sources WHERE completed IS NULL")):
            self._prove(number)

    def add_sentences(
        self, first: int, sentences: Sequence[Sentence], vectors: Vectors, labels: Sequence[Label]
    ) -> None:
        """Add n sentences as consecutive rows."""
        values = []
        for number, (one, vector, label) in enumerate(zip(sentences, vectors, labels, strict=True)):
            metadata = _metadata(one)
            stored = StoredSentence(first + number, one.text, one.line, one.start, one.end, *label, metadata)
            place = (one.line, one.start, one.end, *label, metadata)
            values.append((stored.row, one.text, content_hash(one.text), *place, stored.proof(vector)))
        with self._translated():
            self._connection.executemany("INSERT INTO sentences VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        self._write("INSERT INTO words (rowid, text) SELECT row, text FROM sentences WHERE row >= ?", (first,))

    def add_source(self, source: IndexedSource, *, generation: int, visible: bool) -> IndexedSource:
        """Add a source, born in this generation or, not yet visible, later; return it with its number."""
        born = generation if visible else None
        completed = generation if source.complete else None
        values = (source.name, source.path, source.reading, source.first, source.rows, source.size, source.modified)
        more = (source.sha256, source.digest, generation, born, completed, b"")
        cursor = self._write(
            "INSERT INTO sources (name, path, reading, first, rows, size, modified, sha256, digest, written, born, "
            "completed, proof) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*values, *more),
        )
        added = replace(source, number=int(cursor.lastrowid or 0))
        self._prove(added.number)
        return added

    def grow_source(self, number: int, rows: int) -> None:
        """Say how many rows a source has by now."""
        self._write("UPDATE sources SET rows = ? WHERE number = ?", (rows, number))
        self._prove(number)

    def complete_source(self, source: IndexedSource, generation: int) -> None:
        """Say that a source has been read to its end; from now on it counts."""
        self._write(
            "UPDATE sources SET size = ?, modified = ?, sha256 = ?, digest = ?, completed = ?, "
            "born = coalesce(born, ?) WHERE number = ?",
            (source.size, source.modified, source.sha256, source.digest, generation, generation, source.number),
        )
        self._prove(source.number)

    def note_time(self, number: int, modified: int | None) -> None:
        """Note the time of change of a file whose content is as it was."""
        self._write("UPDATE sources SET modified = ? WHERE number = ?", (modified, number))

    def end_source(self, number: int, generation: int) -> None:
        """Say that a source's rows do not count from this generation on."""
        self._write("UPDATE sources SET died = ? WHERE number = ?", (generation, number))

    def add_block(self, block: Block) -> None:
        """Note rows that are committed together."""
        self._write("INSERT INTO blocks VALUES (?, ?, ?)", (block.first, block.rows, block.sha256))

    def keep_manifest(self, content: dict[str, Any]) -> None:
        """Keep a copy of the manifest, should its file be damaged one day."""
        self._write("REPLACE INTO manifest VALUES (1, ?)", (json.dumps(content, ensure_ascii=False),))

    def commit(self) -> None:
        """Put all of this on the disk, and go on writing."""
        self._write("COMMIT")
        self._write("BEGIN IMMEDIATE")

    def _sources(self, where: str, values: Sequence[object]) -> Iterator[tuple[IndexedSource, int | None]]:
        query = f"SELECT {_SOURCE}, completed, proof FROM sources WHERE {where} ORDER BY first, number"  # noqa: S608
        for *fields, completed, proof in self._read(query, values):
            source = IndexedSource(*fields)
            if proof != _source_proof(source):
                raise IndexFolderError(f"{self._path}: damaged (source {source.name!r}). Try: kindred repair")
            yield source, completed

    @staticmethod
    def _as_of(source: IndexedSource, completed: int | None, generation: int, rows: int) -> IndexedSource:
        """Return a source as it was in a generation of so many rows."""
        counted = min(source.rows, rows - source.first)
        if completed is not None and completed <= generation:
            return source
        return replace(source, rows=counted, size=None, modified=None, sha256=None, digest=None)

    def _prove(self, number: int) -> None:
        for fields in self._read(f"SELECT {_SOURCE} FROM sources WHERE number = ?", (number,)):  # noqa: S608
            proof = _source_proof(IndexedSource(*fields))
            self._write("UPDATE sources SET proof = ? WHERE number = ?", (proof, number))

    def _read(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        with self._translated():
            cursor = self._connection.execute(query, values)
        while True:
            with self._translated():
                found = cursor.fetchone()
            if found is None:
                return
            yield found

    def _write(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        with self._translated():
            return self._connection.execute(statement, values)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn SQLite's errors into ours: the file is damaged, or cannot be written (a full disk is one reason)."""
        try:
            yield
        except sqlite3.Error as exc:
            code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
            if self._writing and code not in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
                raise OutputError(
                    f"{self._path}: cannot be written ({exc}); what was committed before is as it was. "
                    "See that the disk has room, and run it again."
                ) from exc
            raise IndexFolderError(f"{self._path}: damaged ({exc}). Try: kindred repair") from exc


def sentence_bytes(one: Sentence) -> bytes:
    """Return what of a sentence goes into its source's digest."""
    return f"{len(one.text)} {one.text} {one.line} {one.start} {one.end}\n".encode("utf-8", "replace")


def _number(value: object) -> float | None:
    """Return the number that a value of SQLite is, or that its text says; None where that is none."""
    if isinstance(value, int | float):
        return value
    try:
        number = float(str(value)) if value is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _truth(value: object) -> int | None:
    """Return 1 or 0 for JSON's true and false (which are numbers to SQLite), and for their names as text."""
    return {"1": 1, "true": 1, "0": 0, "false": 0}.get(str(value).lower())


def _metadata(sentence: Sentence) -> str:
    try:
        return json.dumps(dict(sentence.metadata), ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:
        return json.dumps(_without_nan(dict(sentence.metadata)), ensure_ascii=False, default=str)


def _without_nan(value: Any) -> Any:
    """Return a value with None for numbers that JSON does not have, and SQLite does not read."""
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _source_proof(source: IndexedSource) -> bytes:
    fields = (source.number, source.name, source.path, source.reading, source.first, source.rows)
    content = (source.size, source.sha256, source.digest)
    return hashlib.blake2b(repr(fields + content).encode(), digest_size=8).digest()
