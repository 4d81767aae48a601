"""Files to sentences: text, Markdown and tables, streamed, every sentence with its source, line and span.

`.txt`, other text and standard input: a sentence a line; `--unit` splits prose into sentences, or takes whole
paragraphs or documents. `.md`: the prose of the document (no code, no markup of blocks), split into sentences.
Tables: the text column's cell is the sentence, the other columns become its metadata.
"""

import glob
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from search.errors import InputError
from search.lines import STDIN, Line, LineReader, kind_of
from search.records import Sentence, Source
from search.splitting import Span, markdown_blocks, sentence_spans, trimmed
from search.tables import TABLE_SUFFIXES, TableReader, choose_column

__all__ = ["TEXT_COLUMNS", "Corpus", "Readable", "Unit", "expand"]

TEXT_COLUMNS = ("text", "sentence", "review", "content", "body", "comment", "question", "document", "title")
"""What a text column is usually called, most likely first."""

_TEXT_SUFFIXES = (".txt", ".text", ".md", ".markdown")
_MARKDOWN_SUFFIXES = (".md", ".markdown")
_MAX_CHARACTERS = 100_000


class Unit(StrEnum):
    """What becomes one sentence of the corpus."""

    LINE = "line"
    SENTENCE = "sentence"
    PARAGRAPH = "paragraph"
    DOCUMENT = "document"


def expand(patterns: Sequence[str]) -> list[str]:
    """Return the files that the patterns name, each once: a file, "-", a folder (searched whole), or a glob.

    Folders and globs come in sorted order; in a folder, hidden files and files of other kinds than text
    and tables are passed over.

    Raises:
        InputError: a pattern names nothing.
    """
    names: list[str] = []
    for pattern in patterns:
        path = Path(pattern)
        if pattern == STDIN or path.is_file():
            names.append(pattern)
        elif path.is_dir():
            found = [
                str(file)
                for file in sorted(path.rglob("*"))
                if kind_of(file.name) in _TEXT_SUFFIXES + TABLE_SUFFIXES
                and not any(part.startswith(".") for part in file.relative_to(path).parts)
                and file.is_file()
            ]
            if not found:
                raise InputError(f"{pattern}: no text file in this folder (.txt, .md, .csv, .tsv, .jsonl, .parquet).")
            names.extend(found)
        else:
            found = sorted(file for file in glob.glob(pattern, recursive=True) if Path(file).is_file())  # noqa: PTH207 - absolute patterns too
            if not found:
                raise InputError(f"{pattern}: no such file or folder.")
            names.extend(found)
    first: dict[object, str] = {}
    for name in names:
        first.setdefault(name if name == STDIN else Path(name).absolute(), name)
    return list(first.values())


class Readable(Protocol):
    """Sources that give sentences: files, or a program's records."""

    names: list[str]
    sources: list[Source]

    @property
    def bytes_read(self) -> int:
        """Return how much has been read so far."""

    @property
    def reading(self) -> str:
        """Say how sources are cut into sentences."""

    def place(self, name: str) -> str:
        """Return where a source's file is, or "" where it is none."""

    def read(self, name: str) -> Iterator[Sentence]:
        """Yield the sentences of a source; at its end its `Source` is the last of `sources`."""


@dataclass(frozen=True, slots=True)
class _Block:
    """A piece of a file before it is cut to units: consecutive characters of it, and the line they begin on."""

    line: int
    start: int
    text: str


class Corpus:
    """Iterate over the sentences of some files; read a window at a time, so that memory does not grow with them.

    After each file, its `Source` is appended to `sources`. `bytes_read` follows along, `total_bytes` is what there
    will be (None with standard input).
    """

    def __init__(self, patterns: Sequence[str], *, unit: Unit | None = None, text_column: str | None = None) -> None:
        """Find the files.

        Args:
            patterns: files, folders, globs, or "-" for standard input.
            unit: what becomes a sentence; None: a line, in Markdown a sentence.
            text_column: the column of tables to read; None: the usual one.

        Raises:
            InputError: a pattern names nothing.
        """
        self.names = expand(patterns)
        self.sources: list[Source] = []
        self._unit = unit
        self._text_column = text_column
        self._finished_bytes = 0
        self._reader: LineReader | TableReader | None = None

    @property
    def total_bytes(self) -> int | None:
        """Return the size of all files, or None where standard input is among them."""
        if STDIN in self.names:
            return None
        return sum(Path(name).stat().st_size for name in self.names)

    @property
    def bytes_read(self) -> int:
        """Return how many bytes have been read so far."""
        return self._finished_bytes + (self._reader.size if self._reader else 0)

    def __iter__(self) -> Iterator[Sentence]:
        """Yield every sentence that is not blank, file by file.

        Raises:
            InputError: a file cannot be read, or holds no sentence; names file and line.
        """
        for name in self.names:
            yield from self.read(name)

    @property
    def reading(self) -> str:
        """Say how files are cut into sentences; read in another way, a file gives others."""
        return json.dumps({"unit": self._unit, "text_column": self._text_column})

    def place(self, name: str) -> str:
        """Return where a file is, wherever the next command is started; "" for standard input."""
        return "" if name == STDIN else str(Path(name).absolute())

    def read(self, name: str) -> Iterator[Sentence]:
        """Yield the sentences of one file; at its end its `Source` is the last of `sources`.

        Raises:
            InputError: the file cannot be read, or holds no sentence; names file and line.
        """
        count = 0
        for sentence in self._sentences(name):
            if len(sentence.text) > _MAX_CHARACTERS and self._unit is not Unit.DOCUMENT:
                raise InputError(
                    f"{name}:{sentence.line}: a sentence of {len(sentence.text):,} characters, the limit is "
                    f"{_MAX_CHARACTERS:,}; split the text with --unit sentence, or put in line breaks."
                )
            count += 1
            yield sentence
        if self._reader is None or count == 0:
            raise InputError(f"{name}: no text in it (the file is empty, or every line is blank).")
        self.sources.append(Source(name, self._reader.size, self._reader.sha256, count))
        self._finished_bytes += self._reader.size
        self._reader = None

    def _sentences(self, name: str) -> Iterator[Sentence]:
        if kind_of(name) in TABLE_SUFFIXES:
            yield from self._table_sentences(name)
            return
        markdown = kind_of(name) in _MARKDOWN_SUFFIXES
        unit = self._unit or (Unit.SENTENCE if markdown else Unit.LINE)
        lines = LineReader(name)
        self._reader = lines
        for block in _blocks(lines, unit, markdown=markdown):
            spans = sentence_spans(block.text) if unit is Unit.SENTENCE else [trimmed(block.text, 0, len(block.text))]
            for span in spans:
                if span.start < span.end:
                    yield Sentence(
                        text=block.text[span.start : span.end],
                        source=name,
                        line=block.line + block.text.count("\n", 0, span.start),
                        start=block.start + span.start,
                        end=block.start + span.end,
                    )

    def _table_sentences(self, name: str) -> Iterator[Sentence]:
        table = TableReader(name)
        self._reader = table
        column = None
        for row in table:
            if column is None:
                column = choose_column(row, name, asked=self._text_column, usual=TEXT_COLUMNS, option="--text-column")
            if column not in row.cells:
                raise InputError(f"{name}:{row.line}: no {column!r} in this row, which others have.")
            cell = row.cells[column]
            if cell is None:
                continue
            if not isinstance(cell, str):
                raise InputError(f"{name}:{row.line}: column {column!r} holds {cell!r}, expected text.")
            metadata = {key: value for key, value in row.cells.items() if key != column}
            for span in self._cell_spans(cell):
                if span.start < span.end:
                    yield Sentence(cell[span.start : span.end], name, row.line, span.start, span.end, metadata)

    def _cell_spans(self, cell: str) -> list[Span]:
        if self._unit is Unit.SENTENCE:
            return sentence_spans(cell)
        return [trimmed(cell, 0, len(cell))]


def _blocks(lines: LineReader, unit: Unit, *, markdown: bool) -> Iterator[_Block]:
    """Yield the pieces of a file that units are cut from: lines, paragraphs, or the whole document."""
    if unit is Unit.LINE:
        return (_Block(line.number, line.start, line.text) for line in lines)
    if unit is Unit.DOCUMENT:
        return iter([_joined(list(lines))])
    if markdown:
        document = _joined(list(lines))
        return (
            _Block(1 + document.text.count("\n", 0, span.start), span.start, document.text[span.start : span.end])
            for span in markdown_blocks(document.text)
        )
    return _paragraphs(lines)


def _paragraphs(lines: LineReader) -> Iterator[_Block]:
    paragraph: list[Line] = []
    for line in lines:
        if line.text.strip():
            paragraph.append(line)
        elif paragraph:
            yield _joined(paragraph)
            paragraph = []
    if paragraph:
        yield _joined(paragraph)


def _joined(lines: list[Line]) -> _Block:
    """Put consecutive lines together again: offsets into the text are offsets into the file."""
    if not lines:
        return _Block(1, 0, "")
    return _Block(lines[0].number, lines[0].start, "".join(line.text for line in lines))
