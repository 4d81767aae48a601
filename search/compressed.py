"""Files as they are stored: opened, decompressed where their names end in .gz or .zst, and counted as they are read.

What is counted are the bytes of the file as it is, so that size and hash are the file's own.
"""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from search.errors import InputError

__all__ = ["COMPRESSED_SUFFIXES", "Counted", "is_compressed", "kind_of", "opened"]

COMPRESSED_SUFFIXES = (".gz", ".zst")

_BROKEN = (gzip.BadGzipFile, EOFError, zlib.error)

_CHUNK = 4096
"""Little at a time: a few compressed bytes may be a great many."""


def kind_of(name: str) -> str:
    """Return the suffix that says what a file holds, in small letters, be it compressed or not.

    >>> kind_of("a/b.CSV.gz"), kind_of("notes.txt"), kind_of("-")
    ('.csv', '.txt', '')
    """
    path = Path(name)
    return (path.with_suffix("") if is_compressed(name) else path).suffix.lower()


def is_compressed(name: str) -> bool:
    """Say whether a file is compressed, by its name."""
    return Path(name).suffix.lower() in COMPRESSED_SUFFIXES


@contextmanager
def opened(name: str, told: Callable[[bytes], None]) -> Iterator[BinaryIO]:
    """Give what a file holds; of a compressed one, the compressed bytes are told as they are read.

    Raises:
        InputError: the file cannot be opened, read or decompressed; also later, inside the with block.
    """
    try:
        with Path(name).open("rb") as file:
            yield _decompressed(name, file, told) if is_compressed(name) else file
    except _BROKEN as exc:
        raise InputError(f"{name}: cannot be decompressed ({exc}); it may be cut off.") from exc
    except OSError as exc:
        raise InputError(f"{name}: cannot be read ({exc.strerror}).") from exc


def _decompressed(name: str, file: BinaryIO, told: Callable[[bytes], None]) -> BinaryIO:
    counted = cast("BinaryIO", io.BufferedReader(Counted(file, told)))
    if Path(name).suffix.lower() == ".gz":
        return cast("BinaryIO", gzip.GzipFile(fileobj=counted))
    return cast("BinaryIO", io.BufferedReader(_Zstandard(counted, name)))


class Counted(io.RawIOBase):
    """A file that tells what is read of it."""

    def __init__(self, file: BinaryIO, told: Callable[[bytes], None]) -> None:
        """Read from `file`, and tell `told`."""
        self._file = file
        self._told = told

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read as many bytes as there is room for, and return how many it were."""
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
