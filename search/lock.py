"""One writer to a folder: a lock that the system takes back when its holder dies, and the holder's process id."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from search.errors import OutputError

__all__ = ["WriterLock"]


class WriterLock:
    """The right to write to a folder, as a context manager. Readers need none."""

    def __init__(self, lock: Path, holder: Path, *, wait: float = 0.0) -> None:
        """Name the file to lock, and the one that says who holds it; wait so many seconds for another to finish."""
        from filelock import FileLock

        self._lock = FileLock(lock, timeout=wait)
        self._holder = holder

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            OutputError: another process is writing, which is named; or nobody may write there.
        """
        from filelock import Timeout

        try:
            self._lock.acquire()
            self._holder.write_text(f"{os.getpid()}\n", encoding="ascii")
        except Timeout as exc:
            raise OutputError(
                f"{self._holder.parent} is being written to by process {self._told()}; wait until it has finished "
                "(--wait SECONDS does), or stop it: what it has committed is kept."
            ) from exc
        except OSError as exc:
            self._lock.release()
            raise OutputError(
                f"{self._holder.parent} cannot be written to ({exc.strerror}); what was committed before is as it was. "
                "See that the disk has room, or choose another place, and run it again."
            ) from exc
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back."""
        self._holder.unlink(missing_ok=True)
        self._lock.release()

    def _told(self) -> str:
        try:
            return self._holder.read_text(encoding="ascii").strip() or "(unknown)"
        except (OSError, UnicodeDecodeError):  # it has just finished
            return "(unknown)"
