"""Bytes to lines of text, with the place of every line and the hash of everything read.

Text is strict UTF-8, or in an encoding that is named, or found out (`encodings`). A name that ends in .gz or .zst is of
a compressed file; what it decompresses to is read, a line at a time. Its size and hash are the file's as it is.

Not handled: files that end their lines with a lone carriage return (one long line).
"""

import hashlib
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from search.compressed import is_compressed, opened
from search.encodings import MIN_BYTES, MIN_CONFIDENCE, SAMPLE_BYTES, UTF8, Transcoded, detect, from_mark, is_utf8
from search.errors import InputError

__all__ = ["MAX_LINE_BYTES", "STDIN", "Line", "LineReader"]

STDIN = "-"

MAX_LINE_BYTES = 1_000_000
"""A longer line is no sentence, and an encoder would read only its first few hundred words."""

_READ = MAX_LINE_BYTES + 2
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its line end. `number` counts from 1, `start` is its offset in characters from the file's start."""

    number: int
    start: int
    text: str


class LineReader:
    """Iterate over the lines of a file, or of standard input for "-".

    After the last line, `size` and `sha256` are the content's, `encoding` is what it was read in, and `guessed`
    whether that is a guess. Offsets count line ends as they stand in the file, and not a byte order mark.
    """

    def __init__(self, name: str, *, encoding: str | None = UTF8) -> None:
        """Name the file to read, and its encoding (None: to be found out); nothing is opened yet."""
        self.name = name
        self.size = 0
        self.encoding = encoding
        self.guessed = False
        self._digest = hashlib.sha256()
        self._counts_lines = name == STDIN or not is_compressed(name)
        self._unsure = ""

    @property
    def sha256(self) -> str:
        """Return the hexadecimal hash of the bytes read so far."""
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[Line]:
        """Yield every line, blank ones too.

        Raises:
            InputError: the file cannot be opened or decompressed, is binary, is not in its encoding, is in none that
                can be told for sure, or has a line over MAX_LINE_BYTES (as UTF-8).
        """
        if self.name == STDIN:
            yield from self._read(sys.stdin.buffer)
            return
        with opened(self.name, self._count) as file:
            yield from self._read(file)

    def _count(self, raw: bytes) -> None:
        self.size += len(raw)
        self._digest.update(raw)

    def _read(self, file: BinaryIO) -> Iterator[Line]:
        start = 0
        for number, raw in enumerate(self._lines(file), start=1):
            text = self._decode(raw.removeprefix(_BYTE_ORDER_MARK) if number == 1 else raw, number)
            yield Line(number, start, text)
            start += len(text)

    def _lines(self, file: BinaryIO) -> Iterator[bytes]:
        """Yield the lines as UTF-8; where the encoding is not known, find it out at the first that is not ASCII."""
        if self.encoding not in {None, UTF8}:
            yield from self._transcoded(file, b"", 1)
            return
        number = 0
        while raw := file.readline(_READ):
            number += 1
            marked = from_mark(raw) if self.encoding is None and number == 1 else None
            if self.encoding is None and (marked or not raw.isascii()):
                sample = raw + file.read(SAMPLE_BYTES)
                self.encoding = marked or self._found(sample)
                if self.encoding != UTF8:
                    yield from self._transcoded(file, sample, number)
                    return
                for line in io.BytesIO(sample):
                    yield self._counted(line if line.endswith(b"\n") else line + file.readline(_READ))
            else:
                yield self._counted(raw)
        self.encoding = self.encoding or UTF8

    def _found(self, sample: bytes) -> str:
        if is_utf8(sample):
            return UTF8
        guess = detect(sample)
        if guess.sure:
            self.guessed = True
            return guess.encoding
        if guess.encoding:
            self._unsure = (
                f", and too little says what it is ({guess.encoding}? confidence {guess.confidence:.2f}; "
                f"{MIN_CONFIDENCE} and {MIN_BYTES} such bytes are needed)"
            )
        return UTF8

    def _transcoded(self, file: BinaryIO, before: bytes, line: int) -> Iterator[bytes]:
        told = self._count if self._counts_lines else _nothing
        content = Transcoded(file, self.encoding or UTF8, self.name, before=before, line=line, told=told)
        lines = cast("BinaryIO", io.BufferedReader(content))
        while raw := lines.readline(_READ):
            yield raw

    def _counted(self, raw: bytes) -> bytes:
        if self._counts_lines:
            self._count(raw)
        return raw

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
            return raw.decode(UTF8)
        except UnicodeDecodeError as exc:
            raise InputError(
                f"{place}: byte {exc.start + 1} of the line (0x{raw[exc.start]:02x}) is not UTF-8{self._unsure}. "
                f"{'Name the encoding with --encoding, or convert' if self._unsure else 'Convert'} the file, "
                "for example with: iconv -f WINDOWS-1252 -t UTF-8."
            ) from exc


def _nothing(_: bytes) -> None:
    """Count nothing: it is counted below."""
