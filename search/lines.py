"""Bytes to lines of text: strict UTF-8, with the place of every line and the hash of everything read.

A name that ends in .gz or .zst is of a compressed file; what it decompresses to is read, a line at a time. Its size and
hash are the file's as it is.

Not handled: other encodings, and files that end their lines with a lone carriage return (one long line).
"""

import gzip
import hashlib
import io
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from search.errors import InputError

__all__ = ["COMPRESSED_SUFFIXES", "MAX_LINE_BYTES", "STDIN", "Line", "LineReader", "kind_of"]

STDIN = "-"

MAX_LINE_BYTES = 1_000_000
"""A longer line is no sentence, and an encoder would read only its first few hundred words."""

COMPRESSED_SUFFIXES = (".gz", ".zst")

_BROKEN = (gzip.BadGzipFile, EOFError, zlib.error)

_CHUNK = 4096
"""Little at a time: a few compressed bytes may be a great many."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def kind_of(name: str) -> str:
    """Return the suffix that says what a file holds, in small letters, be it compressed or not.

    >>> kind_of("a/b.CSV.gz"), kind_of("notes.txt"), kind_of("-")
    ('.csv', '.txt', '')
    """
    path = Path(name)
    if path.suffix.lower() in COMPRESSED_SUFFIXES:
        path = path.with_suffix("")
    return path.suffix.lower()


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
        self._compressed = False

    @property
    def sha256(self) -> str:
        """Return the hexadecimal hash of the bytes read so far."""
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[Line]:
        """Yield every line, blank ones too.

        Raises:
            InputError: the file cannot be opened or decompressed, is binary, is not UTF-8, or has a line over
                MAX_LINE_BYTES.
        """
        if self.name == STDIN:
            yield from self._read(sys.stdin.buffer)
            return
        try:
            with Path(self.name).open("rb") as file:
                yield from self._read(self._opened(file))
        except _BROKEN as exc:
            raise InputError(f"{self.name}: cannot be decompressed ({exc}); it may be cut off.") from exc
        except OSError as exc:
            raise InputError(f"{self.name}: cannot be read ({exc.strerror}).") from exc

    def _opened(self, file: BinaryIO) -> BinaryIO:
        """Return the file's content, decompressed where its name says that it is compressed."""
        suffix = Path(self.name).suffix.lower()
        if suffix not in COMPRESSED_SUFFIXES:
            return file
        self._compressed = True
        counted = cast("BinaryIO", io.BufferedReader(_Counted(file, self._count)))
        content = (
            gzip.GzipFile(fileobj=counted) if suffix == ".gz" else io.BufferedReader(_Zstandard(counted, self.name))
        )
        return cast("BinaryIO", content)

    def _count(self, raw: bytes) -> None:
        self.size += len(raw)
        self._digest.update(raw)

    def _read(self, file: BinaryIO) -> Iterator[Line]:
        number, start = 0, 0
        while raw := file.readline(MAX_LINE_BYTES + 2):
            number += 1
            if not self._compressed:
                self._count(raw)
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


class _Counted(io.RawIOBase):
    """A file that tells what is read of it."""

    def __init__(self, file: BinaryIO, told: Callable[[bytes], None]) -> None:
        self._file = file
        self._told = told

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = self._file.read(len(view))
        view[: len(data)] = data
        self._told(data)
        return len(data)


class _Zstandard(io.RawIOBase):
    """What a file of Zstandard frames decompresses to."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        try:
            import zstandard
        except ImportError as exc:
            raise InputError(f"{name}: .zst needs zstandard; install it with: pip install 'kindred[read]'.") from exc
        self._file = file
        self._error = zstandard.ZstdError
        self._new = zstandard.ZstdDecompressor().decompressobj
        self._frame = self._new()
        self._begun = False
        self._waiting = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        while not self._waiting:
            data = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame, self._begun = self._new(), False
            data = data or self._file.read(_CHUNK)
            if not data:
                if self._begun:
                    raise EOFError("the last frame is not complete")
                return 0
            self._begun = True
            try:
                self._waiting = self._frame.decompress(data)
            except self._error as exc:
                raise EOFError(str(exc)) from exc
        count = min(len(view), len(self._waiting))
        view[:count] = self._waiting[:count]
        self._waiting = self._waiting[count:]
        return count
