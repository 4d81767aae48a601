"""The sentences of an index and the sources they came from, in one SQLite file, as its writer sees them.

Not handled: who may write, and when something is committed; see `index_writer`.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from search.encoder import Label
from search.records import IndexedSource, Sentence
from search.sentence_file import SOURCE_COLUMNS, SentenceFile
from search.similarity import Vectors
from search.stored import Block, StoredSentence, content_hash, metadata_json, source_proof

__all__ = ["SentenceWriter"]

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


class SentenceWriter(SentenceFile):
    """The open file, which can also be written to; a new one gets its tables."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it.

        Raises:
            IndexFolderError: it is damaged.
            OutputError: it cannot be written.
        """
        super().__init__(path, schema=_SCHEMA)

    def begin(self, generation: int, rows: int) -> None:
        """Begin to write on a generation of so many rows; what a killed writer left beyond it is taken back."""
        newer = (generation,)
        beyond = "SELECT 'delete', row, text FROM sentences WHERE row >= ?"
        self.write(f"INSERT INTO words (words, rowid, text) {beyond}", (rows,))
        self.write("DELETE FROM sentences WHERE row >= ?", (rows,))
        self.write("DELETE FROM blocks WHERE first >= ?", (rows,))
        self.write("DELETE FROM sources WHERE written > ?", newer)
        self.write("UPDATE sources SET died = NULL WHERE died > ?", newer)
        self.write("UPDATE sources SET born = NULL WHERE born > ?", newer)
        self.write(
            "UPDATE sources SET completed = NULL, size = NULL, modified = NULL, sha256 = NULL, digest = NULL "
            "WHERE completed > ?",
            newer,
        )
        self.write("UPDATE sources SET rows = ? - first WHERE first + rows > ?", (rows, rows))
        for (number,) in list(self.read("SELECT number FROM sources WHERE completed IS NULL")):
            self._prove(number)

    def add_sentences(
        self, first: int, sentences: Sequence[Sentence], vectors: Vectors, labels: Sequence[Label]
    ) -> None:
        """Add n sentences as consecutive rows."""
        values = []
        for number, (one, vector, label) in enumerate(zip(sentences, vectors, labels, strict=True)):
            metadata = metadata_json(one)
            stored = StoredSentence(first + number, one.text, one.line, one.start, one.end, *label, metadata)
            place = (one.line, one.start, one.end, *label, metadata)
            values.append((stored.row, one.text, content_hash(one.text), *place, stored.proof(vector)))
        self.write_many("INSERT INTO sentences VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        self.write("INSERT INTO words (rowid, text) SELECT row, text FROM sentences WHERE row >= ?", (first,))

    def add_source(self, source: IndexedSource, *, generation: int, visible: bool) -> IndexedSource:
        """Add a source, born in this generation or, not yet visible, later; return it with its number."""
        born = generation if visible else None
        completed = generation if source.complete else None
        values = (source.name, source.path, source.reading, source.first, source.rows, source.size, source.modified)
        more = (source.sha256, source.digest, generation, born, completed, b"")
        number = self.write(
            "INSERT INTO sources (name, path, reading, first, rows, size, modified, sha256, digest, written, born, "
            "completed, proof) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*values, *more),
        )
        added = replace(source, number=number)
        self._prove(added.number)
        return added

    def grow_source(self, number: int, rows: int) -> None:
        """Say how many rows a source has by now."""
        self.write("UPDATE sources SET rows = ? WHERE number = ?", (rows, number))
        self._prove(number)

    def complete_source(self, source: IndexedSource, generation: int) -> None:
        """Say that a source has been read to its end; from now on it counts."""
        self.write(
            "UPDATE sources SET size = ?, modified = ?, sha256 = ?, digest = ?, completed = ?, "
            "born = coalesce(born, ?) WHERE number = ?",
            (source.size, source.modified, source.sha256, source.digest, generation, generation, source.number),
        )
        self._prove(source.number)

    def note_time(self, number: int, modified: int | None) -> None:
        """Note the time of change of a file whose content is as it was."""
        self.write("UPDATE sources SET modified = ? WHERE number = ?", (modified, number))

    def end_source(self, number: int, generation: int) -> None:
        """Say that a source's rows do not count from this generation on."""
        self.write("UPDATE sources SET died = ? WHERE number = ?", (generation, number))

    def add_block(self, block: Block) -> None:
        """Note rows that are committed together."""
        self.write("INSERT INTO blocks VALUES (?, ?, ?)", (block.first, block.rows, block.sha256))

    def keep_manifest(self, content: dict[str, Any]) -> None:
        """Keep a copy of the manifest, should its file be damaged one day."""
        self.write("REPLACE INTO manifest VALUES (1, ?)", (json.dumps(content, ensure_ascii=False),))

    def _prove(self, number: int) -> None:
        for fields in self.read(f"SELECT {SOURCE_COLUMNS} FROM sources WHERE number = ?", (number,)):  # noqa: S608
            proof = source_proof(IndexedSource(*fields))
            self.write("UPDATE sources SET proof = ? WHERE number = ?", (proof, number))
