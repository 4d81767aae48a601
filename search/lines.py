"""Bytes to lines of text: strict UTF-8, with the place of every line and the hash of everything read.

Not handled: other encodings, and files that end their lines with a lone carriage return (one long line).
"""

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from search.errors import InputError

__all__ = ["MAX_LINE_BYTES", "STDIN", "Line", "LineReader"]

STDIN = "-"

MAX_LINE_BYTES = 1_000_000
"""A longer line is no sentence, and an encoder would read only its first few hundred words."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its line end. `number` counts from 1, `start` is its offset in characters from the file's start."""

    number: int
    start: int
    text: str


class LineReader:
    """Iterate over the lines of a file, or of standard input for "-".

    After the last line, `size` and `sha256` are the content's. Offsets count line ends as they stand in the file,
    and not a byte order mark.
    """

    def __init__(self, name: str) -> None:
        """Name the file to read; nothing is opened yet."""
        self.name = name
        self.size = 0
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Return the hexadecimal hash of the bytes read so far."""
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[Line]:
        """Yield every line, blank ones too.

        Raises:
            InputError: the file cannot be opened, is binary, is not UTF-8, or has a line over MAX_LINE_BYTES.
        """
        if self.name == STDIN:
            yield from self._read(sys.stdin.buffer)
            return
        try:
            with Path(self.name).open("rb") as file:
                yield from self._read(file)
        except OSError as exc:
            raise InputError(f"{self.name}: cannot be read ({exc.strerror}).") from exc

    def _read(self, file: BinaryIO) -> Iterator[Line]:
        number, start = 0, 0
        while raw := file.readline(MAX_LINE_BYTES + 2):
            number += 1
            self.size += len(raw)
            self._digest.update(raw)
            if number == 1:
                raw = raw.removeprefix(_BYTE_ORDER_MARK)
            text = self._decode(raw, number)
            yield Line(number, start, text)
            start += len(text)

    def _decode(self, raw: bytes, number: int) -> str:
        place = f"{self.name}:{number}"
        if b"\0" in raw:
            raise InputError(f"{place}: a zero byte; this is a binary file. Give text files (UTF-8).")
        if len(raw.rstrip(b"\r\n")) > MAX_LINE_BYTES:
            raise InputError(
                f"{place}: a line of over {MAX_LINE_BYTES:,} bytes; break the text into lines "
                "(a sentence or a paragraph each)."
            )
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as exc:
            raise InputError(
                f"{place}: byte {exc.start + 1} of the line (0x{raw[exc.start]:02x}) is not UTF-8. "
                "Convert the file, for example with: iconv -f WINDOWS-1252 -t UTF-8."
            ) from exc
