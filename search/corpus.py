"""Files to sentences: text, Markdown, tables and documents, streamed, every sentence with its source, line and span.

`.txt`, other text and standard input: a sentence a line; `--unit` splits prose into sentences, or takes whole
paragraphs or documents. `.md`: the prose of the document (no code, no markup of blocks), split into sentences.
Tables: the text column's cell is the sentence, the other columns become its metadata. Documents (`documents`): their
text, split into sentences.
"""

import glob
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from search.compressed import kind_of
from search.documents import DOCUMENT_SUFFIXES, DocumentReader, how_read, missing
from search.encodings import codec
from search.errors import InputError
from search.files import absolute
from search.lines import STDIN, LineReader
from search.reading import Reading
from search.records import Sentence, Source
from search.splitting import Span, sentence_spans, trimmed
from search.tables import TABLE_SUFFIXES, TableReader, choose_column
from search.units import Unit, cut, document_blocks, text_blocks

__all__ = ["TEXT_COLUMNS", "Corpus", "Readable", "expand"]

TEXT_COLUMNS = ("text", "sentence", "review", "content", "body", "comment", "question", "document", "title")
"""What a text column is usually called, most likely first."""

_TEXT_SUFFIXES = (".txt", ".text", ".md", ".markdown")
_MARKDOWN_SUFFIXES = (".md", ".markdown")
_MAX_CHARACTERS = 100_000


def _ignore(_: str) -> None:
    """Tell nobody."""


def expand(patterns: Sequence[str], *, documents: bool = False, tell: Callable[[str], None] = _ignore) -> list[str]:
    """Return the files that the patterns name, each once: a file, "-", a folder (searched whole), or a glob.

    Folders and globs come in sorted order; in a folder, hidden files and files of other kinds than text, tables and,
    where `documents` says so, documents are passed over. `tell` hears of documents whose library is missing.

    Raises:
        InputError: a pattern names nothing.
    """
    names: list[str] = []
    for pattern in patterns:
        path = Path(pattern)
        if pattern == STDIN or path.is_file():
            names.append(pattern)
        elif path.is_dir():
            found = _in_folder(path, documents=documents, tell=tell)
            if not found:
                kinds = ", ".join([".txt", ".md", *TABLE_SUFFIXES, *(DOCUMENT_SUFFIXES if documents else ())])
                raise InputError(f"{pattern}: no text file in this folder ({kinds}).")
            names.extend(found)
        else:
            found = sorted(file for file in glob.glob(pattern, recursive=True) if Path(file).is_file())  # noqa: PTH207 - absolute patterns too
            if not found:
                raise InputError(f"{pattern}: no such file or folder.")
            names.extend(found)
    first: dict[object, str] = {}
    for name in names:
        first.setdefault(name if name == STDIN else absolute(name), name)
    return list(first.values())


def _in_folder(folder: Path, *, documents: bool, tell: Callable[[str], None]) -> list[str]:
    kinds = _TEXT_SUFFIXES + TABLE_SUFFIXES + (DOCUMENT_SUFFIXES if documents else ())
    found = [
        str(file)
        for file in sorted(folder.rglob("*"))
        if kind_of(file.name) in kinds
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
        and file.is_file()
    ]
    reasons = {name: missing(name) for name in found if kind_of(name) in DOCUMENT_SUFFIXES}
    for reason, count in Counter(filter(None, reasons.values())).items():
        tell(f"{folder}: {count:,} file(s) passed over: {reason}")
    return [name for name in found if not reasons.get(name)]


class Readable(Protocol):
    """Sources that give sentences: files, or a program's records."""

    names: list[str]
    sources: list[Source]

    @property
    def bytes_read(self) -> int:
        """Return how much has been read so far."""

    def reading(self, name: str, before: str = "") -> str:
        """Say how a source is cut into sentences that was read as `before` says the last time."""

    def recall(self, name: str, before: str) -> str:
        """Read a source, where nothing else is asked, as `before` says of the last time; return the options it gets."""

    def place(self, name: str) -> str:
        """Return where a source's file is, or "" where it is none."""

    def read(self, name: str) -> Iterator[Sentence]:
        """Yield the sentences of a source; at its end its `Source` is the last of `sources`."""


class Corpus:
    """Iterate over the sentences of some files; read a window at a time, so that memory does not grow with them.

    After each file, its `Source` is appended to `sources`. `bytes_read` follows along, `total_bytes` is what there
    will be (None with standard input).
    """

    def __init__(
        self,
        patterns: Sequence[str],
        *,
        unit: Unit | None = None,
        text_column: str | None = None,
        encoding: str | None = None,
        tell: Callable[[str], None] = _ignore,
    ) -> None:
        """Find the files.

        Args:
            patterns: files, folders, globs, or "-" for standard input.
            unit: what becomes a sentence; None: a line, in Markdown and documents a sentence.
            text_column: the column of tables to read; None: the usual one.
            encoding: of all text, tables and HTML pages; None: UTF-8, or what they are in, as far as that can be told.
            tell: hears of encodings that were guessed, and of what is left out.

        Raises:
            InputError: a pattern names nothing.
            OptionError: there is no such encoding.
        """
        self.names = expand(patterns, documents=True, tell=tell)
        self.sources: list[Source] = []
        self._asked = Reading(unit, text_column, None if encoding is None else codec(encoding))
        self._recalled: dict[str, Reading] = {}
        self._tell = tell
        self._finished_bytes = 0
        self._reader: LineReader | TableReader | DocumentReader | None = None

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

    def reading(self, name: str, before: str = "") -> str:
        """Say how a file is cut into sentences that was read as `before` says; read in another way, it gives others."""
        how = self._asked.or_as(Reading.from_json(before)) if before else self._how(name)
        return how.to_json(how_read(name) if kind_of(name) in DOCUMENT_SUFFIXES else None)

    def recall(self, name: str, before: str) -> str:
        """Read a file, where nothing else is asked, as `before` says of the last time; return the options it gets."""
        recalled = Reading.from_json(before).left_open_by(self._asked)
        self._recalled[self.place(name)] = recalled
        return str(recalled)

    def place(self, name: str) -> str:
        """Return where a file is, wherever the next command is started; "" for standard input."""
        return "" if name == STDIN else str(absolute(name))

    def read(self, name: str) -> Iterator[Sentence]:
        """Yield the sentences of one file; at its end its `Source` is the last of `sources`.

        Raises:
            InputError: the file cannot be read, or holds no sentence; names file and line.
        """
        count, how = 0, self._how(name)
        for sentence in self._sentences(name, how):
            if len(sentence.text) > _MAX_CHARACTERS and how.unit is not Unit.DOCUMENT:
                raise InputError(
                    f"{name}:{sentence.line}: a sentence of {len(sentence.text):,} characters, the limit is "
                    f"{_MAX_CHARACTERS:,}; split the text with --unit sentence, or put in line breaks."
                )
            count += 1
            yield sentence
        if self._reader is None or count == 0:
            raise InputError(f"{name}: no text in it (the file is empty, or every line is blank).")
        if self._reader.guessed:
            self._tell(f"{name} read as {self._reader.encoding}; if that is wrong, say what it is with --encoding.")
        self.sources.append(Source(name, self._reader.size, self._reader.sha256, count))
        self._finished_bytes += self._reader.size
        self._reader = None

    def _how(self, name: str) -> Reading:
        return self._asked.or_as(self._recalled.get(self.place(name), Reading()))

    def _sentences(self, name: str, how: Reading) -> Iterator[Sentence]:
        if kind_of(name) in TABLE_SUFFIXES:
            yield from self._table_sentences(name, how)
            return
        if kind_of(name) in DOCUMENT_SUFFIXES:
            document = DocumentReader(name, encoding=how.encoding, tell=self._tell)
            self._reader = document
            unit = how.unit or Unit.SENTENCE
            blocks = document_blocks(document, unit)
        else:
            markdown = kind_of(name) in _MARKDOWN_SUFFIXES
            lines = LineReader(name, encoding=how.encoding)
            self._reader = lines
            unit = how.unit or (Unit.SENTENCE if markdown else Unit.LINE)
            blocks = text_blocks(lines, unit, markdown=markdown)
        for block in blocks:
            yield from cut(block, unit, name)

    def _table_sentences(self, name: str, how: Reading) -> Iterator[Sentence]:
        table = TableReader(name, encoding=how.encoding)
        self._reader = table
        column = None
        for row in table:
            if column is None:
                column = choose_column(row, name, asked=how.text_column, usual=TEXT_COLUMNS, option="--text-column")
            if column not in row.cells:
                raise InputError(f"{name}:{row.line}: no {column!r} in this row, which others have.")
            cell = row.cells[column]
            if cell is None:
                continue
            if not isinstance(cell, str):
                raise InputError(f"{name}:{row.line}: column {column!r} holds {cell!r}, expected text.")
            metadata = {key: value for key, value in row.cells.items() if key != column}
            for span in _cell_spans(cell, how.unit):
                if span.start < span.end:
                    yield Sentence(cell[span.start : span.end], name, row.line, span.start, span.end, metadata)


def _cell_spans(cell: str, unit: Unit | None) -> list[Span]:
    return sentence_spans(cell) if unit is Unit.SENTENCE else [trimmed(cell, 0, len(cell))]
