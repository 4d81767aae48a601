"""Tables of text: CSV, TSV, JSONL and Parquet, one row at a time, each row with the line it begins on.

CSV is quoted as usual (RFC 4180), with comma or semicolon; TSV has no quoting at all, as in its registration
(text/tab-separated-values). A row of another width than the header's is an error, never a shift.
"""

import csv
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.compressed import is_compressed, kind_of
from search.encodings import UTF8
from search.errors import InputError
from search.files import sha256_of_file
from search.lines import MAX_LINE_BYTES, LineReader

__all__ = ["TABLE_SUFFIXES", "Row", "TableReader", "choose_column", "first_row", "number_cell", "text_cell"]

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")

_PARQUET_BATCH = 1024


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row by column name, and the line (Parquet: the row number) it begins on, from 1."""

    line: int
    cells: dict[str, Any]


class TableReader:
    """Iterate over the rows of a table; the suffix of its name says which kind it is.

    After the last row, `size` and `sha256` are the file's.
    """

    def __init__(self, name: str, *, encoding: str | None = UTF8) -> None:
        """Name the file to read, and its encoding (None: to be found out); nothing is opened yet."""
        self.name = name
        self._suffix = kind_of(name)
        self._lines = LineReader(name, encoding=encoding)
        self._parquet_size = 0

    @property
    def size(self) -> int:
        """Return the number of bytes read so far."""
        return self._parquet_size or self._lines.size

    @property
    def encoding(self) -> str | None:
        """Return what the file was read in, once it has been; None for Parquet, which has its own."""
        return None if self._suffix == ".parquet" else self._lines.encoding

    @property
    def guessed(self) -> bool:
        """Say whether the encoding is a guess."""
        return self._lines.guessed

    @property
    def sha256(self) -> str:
        """Return the hexadecimal hash of the file's bytes; complete after the last row."""
        return sha256_of_file(Path(self.name)) if self._suffix == ".parquet" else self._lines.sha256

    def __iter__(self) -> Iterator[Row]:
        """Yield every row.

        Raises:
            InputError: the file cannot be read as such a table; names file and line.
        """
        if self._suffix not in TABLE_SUFFIXES:
            raise InputError(f"{self.name}: not a table by its name; give {', '.join(TABLE_SUFFIXES)}.")
        if self._suffix == ".parquet":
            if is_compressed(self.name):
                raise InputError(f"{self.name}: Parquet is compressed already; decompress this file.")
            return self._parquet_rows()
        if self._suffix == ".jsonl":
            return self._json_rows()
        if self._suffix == ".tsv":
            return self._tsv_rows()
        return self._csv_rows()

    def _csv_rows(self) -> Iterator[Row]:
        csv.field_size_limit(MAX_LINE_BYTES)
        lines = iter(self._lines)
        first = next(lines, None)
        if first is None:
            return
        delimiter = ";" if first.text.count(";") > first.text.count(",") else ","
        try:
            header = self._check(next(csv.reader([first.text], delimiter=delimiter), []))
        except csv.Error as exc:
            raise InputError(f"{self.name}:1: not readable as CSV ({exc}).") from exc
        reader = csv.reader((line.text for line in lines), delimiter=delimiter, strict=True)
        begins = 2
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as exc:
                raise InputError(f"{self.name}:{begins}: not readable as CSV ({exc}).") from exc
            if cells is None:
                return
            if cells:
                yield self._row(begins, header, cells)
            begins = reader.line_num + 2

    def _tsv_rows(self) -> Iterator[Row]:
        header: list[str] | None = None
        for line in self._lines:
            if header is None:
                header = self._check(line.text.rstrip("\r\n").split("\t"))
            elif line.text.strip():
                yield self._row(line.number, header, line.text.rstrip("\r\n").split("\t"))

    def _json_rows(self) -> Iterator[Row]:
        for line in self._lines:
            if not line.text.strip():
                continue
            try:
                value = json.loads(line.text)
                if "\\u" in line.text:
                    json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
            except ValueError as exc:
                raise InputError(f"{self.name}:{line.number}: not valid JSON ({exc}).") from exc
            if not isinstance(value, dict):
                raise InputError(f"{self.name}:{line.number}: expected a JSON object with named fields.")
            yield Row(line.number, value)

    def _parquet_rows(self) -> Iterator[Row]:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as exc:
            raise InputError(
                f"{self.name}: Parquet needs pyarrow; install it with: pip install 'kindred[train]'."
            ) from exc
        try:
            table = parquet.ParquetFile(self.name)
            number = 0
            for batch in table.iter_batches(_PARQUET_BATCH):
                for cells in batch.to_pylist():
                    number += 1
                    yield Row(number, cells)
        except (OSError, pa.ArrowException) as exc:
            raise InputError(f"{self.name}: not readable as Parquet ({exc}).") from exc
        self._parquet_size = Path(self.name).stat().st_size

    def _check(self, header: Sequence[str]) -> list[str]:
        twice = sorted({column for column in header if list(header).count(column) > 1})
        if twice:
            raise InputError(f"{self.name}:1: two columns are called {twice[0]!r}; give each its own name.")
        return list(header)

    def _row(self, line: int, header: Sequence[str], cells: Sequence[str]) -> Row:
        if len(cells) != len(header):
            raise InputError(
                f"{self.name}:{line}: {len(cells)} cells, the header has {len(header)} ({', '.join(header)})."
            )
        return Row(line, dict(zip(header, cells, strict=True)))


def first_row(name: str) -> Row:
    """Return a table's first row.

    Raises:
        InputError: it has none.
    """
    row = next(iter(TableReader(name)), None)
    if row is None:
        raise InputError(f"{name}: no rows in it.")
    return row


def text_cell(row: Row, column: str, name: str) -> str:
    """Return a cell's text without white space at its ends.

    Raises:
        InputError: there is none; names file, line and column.
    """
    value = row.cells.get(column)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{name}:{row.line}: no text in column {column!r}.")
    return value.strip()


def number_cell(row: Row, column: str, name: str) -> float:
    """Return a cell's number.

    Raises:
        InputError: it is none, or not finite; names file, line and column.
    """
    try:
        number = float(row.cells[column])
    except (KeyError, TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{name}:{row.line}: {column} is {row.cells.get(column)!r}, expected a number.")
    return number


def choose_column(
    row: Row, name: str, *, asked: str | None, usual: Sequence[str], option: str, taken: Sequence[str] = ()
) -> str:
    """Return the column to read: the one asked for, the first of the usual names, or the only one there is.

    Args:
        row: the table's first row.
        name: the file, for the message.
        asked: the user's choice, or None.
        usual: names to look for, most likely first, compared without case.
        option: the option that names the column, for the message.
        taken: columns that already mean something else.

    Raises:
        InputError: the column asked for is not there, or none of the usual ones is.
    """
    columns = [column for column in row.cells if column not in taken]
    if asked is not None:
        if asked not in row.cells:
            raise InputError(f"{name}: no column {asked!r}; the columns are {', '.join(row.cells)}.")
        return asked
    by_lower = {column.lower(): column for column in reversed(columns)}
    for candidate in usual:
        if candidate in by_lower:
            return by_lower[candidate]
    if len(columns) == 1:
        return columns[0]
    raise InputError(f"{name}: which column? Name it with {option}; the columns are {', '.join(row.cells)}.")
