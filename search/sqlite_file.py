"""One SQLite file, opened to be read or to be written, its errors turned into ours."""

import math
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from search.errors import IndexFolderError, KindredError, OutputError

__all__ = ["SqliteFile"]

_WAIT_SECONDS = 60


class SqliteFile:
    """The open file. Use as a context manager, or `close` it; what was not committed is gone then."""

    def __init__(self, path: Path, *, schema: str | None = None) -> None:
        """Open the file: to be read, or, where there is a schema, to be written; a new one gets the schema's tables.

        Raises:
            IndexFolderError: it is damaged.
            OutputError: it cannot be written.
        """
        self.path = path
        self._writing = schema is not None
        with self._translated():
            self._connection = self._connect()
        try:
            if schema is None:
                self._prepare_reading()
            else:
                self._prepare_writing(schema)
        except KindredError:
            self.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        if self._writing:
            return sqlite3.connect(self.path, timeout=_WAIT_SECONDS, isolation_level=None)
        # A reader may have to finish or undo what a killed writer left, and to make the file through which readers
        # and writers meet. Where it may not write, it reads what a writer of another user, or one that was killed,
        # has put beside the file; where there is nothing, the file is all there is, and nobody writes.
        mode = "mode=rw"
        if not os.access(self.path.parent, os.W_OK):
            beside = self.path.with_name(f"{self.path.name}-shm")
            mode = "mode=ro" if beside.exists() else "mode=ro&immutable=1"
        uri = f"{self.path.absolute().as_uri()}?{mode}"
        return sqlite3.connect(uri, uri=True, timeout=_WAIT_SECONDS, check_same_thread=False, isolation_level=None)

    def _prepare_reading(self) -> None:
        self.write("PRAGMA query_only = ON")
        self._connection.create_function("number", 1, _number, deterministic=True)
        self._connection.create_function("truth", 1, _truth, deterministic=True)

    def _prepare_writing(self, schema: str) -> None:
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "BEGIN IMMEDIATE"):
            self.write(statement)
        if not list(self.read("SELECT 1 FROM sqlite_master LIMIT 1")):
            for statement in schema.split(";\n"):
                self.write(statement)

    def __enter__(self) -> Self:
        """Give the file to a with block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file; what was not committed is gone."""
        self.close()

    def close(self) -> None:
        """Close the file; what was not committed is gone."""
        self._connection.close()

    def read(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield what a query finds."""
        with self._translated():
            cursor = self._connection.execute(query, values)
        while True:
            with self._translated():
                found = cursor.fetchone()
            if found is None:
                return
            yield found

    def write(self, statement: str, values: Sequence[object] = ()) -> int:
        """Do what a statement says; return the number of the row that it inserted last."""
        with self._translated():
            return int(self._connection.execute(statement, values).lastrowid or 0)

    def write_many(self, statement: str, values: Sequence[Sequence[object]]) -> None:
        """Do what a statement says, once for each of the values."""
        with self._translated():
            self._connection.executemany(statement, values)

    def commit(self) -> None:
        """Put all of this on the disk, and go on writing."""
        self.write("COMMIT")
        self.write("BEGIN IMMEDIATE")

    def allow_cut(self) -> None:
        """Read what is left of a file that was cut off, which SQLite would refuse as a whole."""
        self.write("PRAGMA writable_schema = ON")  # `query_only` holds: nothing is written

    def damage(self, words: str) -> str:
        """Return what SQLite finds wrong with the file, `words` being a table of FTS5; "" for nothing."""
        told = str(next(iter(self.read("PRAGMA integrity_check(1)")))[0])
        return self._damaged_words(words) if told == "ok" else told

    def _damaged_words(self, words: str) -> str:
        """Compare the index of words with the texts, where nobody writes just then."""
        try:
            self._connection.execute("PRAGMA query_only = OFF")
            self._connection.execute("PRAGMA busy_timeout = 100")
            self._connection.execute(f"INSERT INTO {words} ({words}, rank) VALUES ('integrity-check', 1)")  # noqa: S608
        except sqlite3.DatabaseError as exc:
            damaged = exc.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY}
            return f"the index of words is damaged ({exc})" if damaged else ""
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {1000 * _WAIT_SECONDS}")
            self._connection.execute("PRAGMA query_only = ON")
        return ""

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn SQLite's errors into ours: the file is damaged, or cannot be written (a full disk is one reason)."""
        try:
            yield
        except sqlite3.Error as exc:
            code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
            if self._writing and code not in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
                raise OutputError(
                    f"{self.path}: cannot be written ({exc}); what was committed before is as it was. "
                    "See that the disk has room, and run it again."
                ) from exc
            raise self._damaged(exc) from exc
        except UnicodeDecodeError as exc:  # an error of SQLite that quotes what is damaged
            raise self._damaged(exc) from exc

    def _damaged(self, error: Exception) -> IndexFolderError:
        return IndexFolderError(f"{self.path}: damaged ({error}). Try: kindred repair")


def _number(value: object) -> float | None:
    """Return the number that a value of SQLite is, or that its text says; None where that is none."""
    if isinstance(value, int | float):
        return value
    try:
        number = float(str(value)) if value is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _truth(value: object) -> int | None:
    """Return 1 or 0 for JSON's true and false (which are numbers to SQLite), and for their names as text."""
    return {"1": 1, "true": 1, "0": 0, "false": 0}.get(str(value).lower())
