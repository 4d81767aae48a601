"""A program's own records to sentences: dicts, plain texts, or a pandas DataFrame, without a file."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from search.corpus import TEXT_COLUMNS
from search.errors import InputError
from search.records import Sentence, Source
from search.splitting import trimmed
from search.tables import Row, choose_column

__all__ = ["Records"]

_ROWS = 4096


class Records:
    """Sentences of records, in the way that `Corpus` gives those of files. They can be read once."""

    def __init__(self, records: Iterable[Any], name: str, *, text_column: str | None = None) -> None:
        """Take records.

        Args:
            records: mappings, each with a text and other fields that become its metadata; or texts alone; or a pandas
                DataFrame.
            name: the name of the source that they become.
            text_column: which field is the text; None: the usual one.
        """
        self.names = [name]
        self.sources: list[Source] = []
        self.bytes_read = 0
        self._records = records
        self._text_column = text_column

    def reading(self, name: str, before: str = "") -> str:  # noqa: ARG002 - whatever the name, and how before
        """Say how the records are read."""
        return json.dumps({"records": self._text_column})

    def recall(self, name: str, before: str) -> str:  # noqa: ARG002 - whatever it was
        """Return "": how records are read is asked each time."""
        return ""

    def place(self, name: str) -> str:  # noqa: ARG002 - whatever the name
        """Return "": records are no file."""
        return ""

    def read(self, name: str) -> Iterator[Sentence]:
        """Yield a sentence a record; `line` counts the records from 1. Records without a text are passed over.

        Raises:
            InputError: a record is none, has no such field, or its text is no text; names it by its number.
        """
        digest, count, column = hashlib.sha256(), 0, self._text_column
        for number, record in enumerate(_plain(self._records), start=1):
            cells = {"text": record} if isinstance(record, str) else record
            if not isinstance(cells, Mapping):
                raise InputError(f"{name}:{number}: a {type(record).__name__}, expected a mapping or a text.")
            row = Row(number, {str(key): value for key, value in cells.items()})
            if column is None or column not in row.cells:
                column = choose_column(row, name, asked=self._text_column, usual=TEXT_COLUMNS, option="text_column")
            sentence = _sentence(row, column, name)
            if sentence is None:
                continue
            count += 1
            data = f"{sentence.text}\0{json.dumps(dict(sentence.metadata), default=str)}\0".encode()
            digest.update(data)
            self.bytes_read += len(data)
            yield sentence
        if count == 0:
            raise InputError(f"{name}: no text in these records.")
        self.sources.append(Source(name, self.bytes_read, digest.hexdigest(), count))


def _plain(records: Any) -> Iterator[Any]:
    """Yield a DataFrame's rows, or a Series of texts, as mappings, a block at a time; other records as they are."""
    if not hasattr(records, "iloc"):
        yield from records
        return
    if hasattr(records, "to_frame"):
        records = records.to_frame("text")
    for start in range(0, len(records), _ROWS):
        block = records.iloc[start : start + _ROWS].astype(object)
        yield from block.where(block.notna(), None).to_dict("records")  # pandas has three kinds of missing values


def _sentence(row: Row, column: str, name: str) -> Sentence | None:
    text = row.cells[column]
    if text is None or text != text:  # noqa: PLR0124 - NaN, a DataFrame's missing value
        return None
    if not isinstance(text, str):
        raise InputError(f"{name}:{row.line}: {column!r} holds {text!r}, expected text.")
    metadata = {key: value for key, value in row.cells.items() if key != column}
    try:
        f"{text}{json.dumps(metadata, ensure_ascii=False, default=str)}".encode()
    except UnicodeEncodeError as exc:
        raise InputError(f"{name}:{row.line}: half a surrogate pair, which is no text ({exc.reason}).") from exc
    span = trimmed(text, 0, len(text))
    return (
        Sentence(text[span.start : span.end], name, row.line, span.start, span.end, metadata) if text.strip() else None
    )
