"""The rows of a build: raw float32, little endian, row after row, added at the end of one file."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from search.errors import IndexFolderError, OutputError
from search.files import sync
from search.similarity import Vectors
from search.stored import Block

__all__ = ["RowFile", "writing"]


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's errors, a full disk among them, into ours."""
    try:
        yield
    except OSError as exc:
        raise OutputError(
            f"{path}: cannot be written ({exc.strerror}); what was committed before is as it was. "
            "See that the disk has room, and run it again."
        ) from exc


class RowFile:
    """The file, open to be added to. Use as a context manager; what was not committed is taken back then.

    `rows` is how many it has, those that are not committed included.
    """

    def __init__(self, path: Path, width: int, rows: int) -> None:
        """Open the file, or make it; what a killed writer left beyond its `rows` committed ones goes.

        Raises:
            IndexFolderError: it has fewer rows.
        """
        self._path = path
        self._row_bytes = 4 * width
        self._committed = self.rows = rows
        self._digest = hashlib.sha256()
        path.parent.mkdir(exist_ok=True)
        size, expected = path.stat().st_size if path.exists() else 0, rows * self._row_bytes
        if size < expected:
            raise IndexFolderError(f"{path} is {size} bytes long, the manifest says {expected}. Try: kindred repair")
        self._file = path.open("ab+", buffering=0)
        self._file.truncate(expected)

    def __enter__(self) -> Self:
        """Give the file to a with block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take back what was not committed, and close the file."""
        with self._file:
            self._file.truncate(self._committed * self._row_bytes)

    def row(self, number: int) -> Vectors:
        """Return one of the rows."""
        data = os.pread(self._file.fileno(), self._row_bytes, number * self._row_bytes)
        return np.frombuffer(data, dtype=np.float32)

    def append(self, rows: Vectors) -> None:
        """Add C-contiguous float32 rows."""
        data = rows.data.cast("B")
        with writing(self._path):
            while data:
                data = data[self._file.write(data) :]
        self._digest.update(rows.data)
        self.rows += len(rows)

    def seal(self) -> Block | None:
        """Put the rows that are not committed on the disk; return them with their checksum, None for none."""
        count = self.rows - self._committed
        if not count:
            return None
        with writing(self._path):
            os.fsync(self._file.fileno())
            sync(self._path.parent)
        return Block(self._committed, count, self._digest.hexdigest())

    def commit(self) -> None:
        """Count what has been sealed as committed."""
        self._committed = self.rows
        self._digest = hashlib.sha256()
