"""The sentences of an index and the sources they came from, in one SQLite file, as a reader sees them.

Rows are only ever added. A source owns consecutive rows, and whether they count is the source's matter: it is `born`
in one generation and may have `died` in another, so that a reader of an older generation still sees what it saw.
Every row carries a proof over the sentence and its vector, so that damage to either is noticed where it is read.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from search.errors import IndexFolderError
from search.records import IndexedSource
from search.sqlite_file import SqliteFile
from search.stored import Block, StoredSentence, content_hash, source_proof

__all__ = ["SOURCE_COLUMNS", "SentenceFile"]

SOURCE_COLUMNS = "number, name, path, reading, first, rows, size, modified, sha256, digest"
"""The columns of a source that make an `IndexedSource`."""

_COLUMNS = "row, text, line, start, end, label, probability, metadata, proof"
_PARAMETERS = 900


class SentenceFile(SqliteFile):
    """The open file. Use as a context manager, or `close` it."""

    def sentences(self, rows: Sequence[int]) -> Iterator[tuple[StoredSentence, bytes]]:
        """Yield the sentences of the rows that are there, each with its proof, in no order."""
        for start in range(0, len(rows), _PARAMETERS):
            wanted = list(rows[start : start + _PARAMETERS])
            marks = ", ".join("?" * len(wanted))
            for *values, proof in self.read(f"SELECT {_COLUMNS} FROM sentences WHERE row IN ({marks})", wanted):  # noqa: S608
                yield StoredSentence(*values), proof

    def consecutive(self, first: int, count: int) -> Iterator[tuple[StoredSentence, bytes]]:
        """Yield the sentences of consecutive rows, in order, each with its proof."""
        query = f"SELECT {_COLUMNS} FROM sentences WHERE row >= ? AND row < ? ORDER BY row"  # noqa: S608
        for *values, proof in self.read(query, (first, first + count)):
            yield StoredSentence(*values), proof

    def texts(self, first: int, count: int) -> Iterator[tuple[int, str]]:
        """Yield number and text of consecutive rows, in order."""
        span = (first, first + count)
        yield from self.read("SELECT row, text FROM sentences WHERE row >= ? AND row < ? ORDER BY row", span)

    def known(self, texts: Sequence[str]) -> Iterator[tuple[StoredSentence, bytes]]:
        """Yield the first sentence, with its proof, of each of those texts that have one."""
        query = f"SELECT {_COLUMNS} FROM sentences WHERE hash = ? AND text = ? ORDER BY row LIMIT 1"  # noqa: S608
        for text in texts:
            for *values, proof in self.read(query, (content_hash(text), text)):
                yield StoredSentence(*values), proof

    def sources(self, generation: int, rows: int, damaged: list[IndexedSource] | None = None) -> list[IndexedSource]:
        """Return the sources that count in a generation of so many rows, in the order of their rows.

        Those that are damaged are added to `damaged` instead.

        Raises:
            IndexFolderError: one of them is damaged, and there is no such list.
        """
        where = "born <= ? AND (died IS NULL OR died > ?)"
        return [
            self._as_of(source, completed, generation, rows)
            for source, completed in self._sources(where, (generation, generation), damaged)
        ]

    def unfinished(self, rows: int, damaged: list[IndexedSource] | None = None) -> IndexedSource | None:
        """Return the source that was being read when so many rows had been committed; see `sources`."""
        where = "completed IS NULL AND died IS NULL AND first + rows = ?"
        return next((source for source, _ in self._sources(where, (rows,), damaged)), None)

    def blocks(self, rows: int) -> list[Block]:
        """Return the blocks that make up so many rows, in their order."""
        values = self.read("SELECT first, rows, sha256 FROM blocks WHERE first < ? ORDER BY first", (rows,))
        return [Block(*one) for one in values]

    def with_words(self, expression: str, rows: int) -> Iterator[int]:
        """Yield those of so many rows that have the words of an FTS5 expression, best first (BM25), then in order."""
        query = "SELECT rowid FROM words WHERE words MATCH ? AND rowid < ? ORDER BY rank, rowid"
        for (row,) in self.read(query, (expression, rows)):
            yield row

    def matching(self, condition: str, values: Sequence[object], rows: int) -> Iterator[int]:
        """Yield those of so many rows that meet a condition on columns of `sentences`, its `?` being the values."""
        query = f"SELECT row FROM sentences WHERE row < ? AND ({condition})"  # noqa: S608 - made by us, of our own words
        for (row,) in self.read(query, (rows, *values)):
            yield row

    def columns(self, rows: int) -> set[str]:
        """Return the names of the metadata of so many rows."""
        query = "SELECT DISTINCT key FROM sentences, json_each(sentences.metadata) WHERE row < ?"
        return {key for (key,) in self.read(query, (rows,))}

    def manifest(self) -> dict[str, Any]:
        """Return what the manifest of the last commit holds; nothing where there is none that can be read."""
        for (content,) in self.read("SELECT content FROM manifest"):
            value: dict[str, Any] = json.loads(content)
            return value
        return {}

    def problem(self) -> str:
        """Return what SQLite finds wrong with the file, "" for nothing."""
        return self.damage("words")

    def _sources(
        self, where: str, values: Sequence[object], damaged: list[IndexedSource] | None = None
    ) -> Iterator[tuple[IndexedSource, int | None]]:
        query = f"SELECT {SOURCE_COLUMNS}, completed, proof FROM sources WHERE {where} ORDER BY first, number"  # noqa: S608
        for *fields, completed, proof in self.read(query, values):
            source = IndexedSource(*fields)
            if proof == source_proof(source):
                yield source, completed
            elif damaged is not None:
                damaged.append(source)
            else:
                raise IndexFolderError(f"{self.path}: damaged (source {source.name!r}). Try: kindred repair")

    @staticmethod
    def _as_of(source: IndexedSource, completed: int | None, generation: int, rows: int) -> IndexedSource:
        """Return a source as it was in a generation of so many rows."""
        counted = min(source.rows, rows - source.first)
        if completed is not None and completed <= generation:
            return source
        return replace(source, rows=counted, size=None, modified=None, sha256=None, digest=None)
