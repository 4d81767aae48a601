"""Whether the files that an index was made of are still as they were.

A file of the same size and time of change is taken to be the same, unless it was changed so shortly before it was read
that the clock could not tell; else its content is compared. A file is gone only where its folder is there and holds
something else: an empty or missing folder may be a share that is not mounted.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from search.files import sha256_of_file
from search.records import IndexedSource

__all__ = ["Stamp", "State", "is_away", "missing_folder", "moved_from", "state_of"]

_CLOCK_NANOSECONDS = 2_000_000_000
"""The coarsest clock of a file system (FAT): a change within it of the reading may not show in the time."""


class State(StrEnum):
    """How a source is now, compared with what the index read."""

    SAME = "same"
    CHANGED = "changed"
    INCOMPLETE = "incomplete"
    GONE = "gone"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file's size, and its time of change in nanoseconds; None where that is too fresh to prove anything."""

    size: int
    modified: int | None

    @classmethod
    def of(cls, path: str) -> "Stamp":
        """Look at a file.

        Raises:
            OSError: it cannot be looked at.
        """
        status = Path(path).stat()
        fresh = time.time_ns() - status.st_mtime_ns < _CLOCK_NANOSECONDS
        return cls(status.st_size, None if fresh else status.st_mtime_ns)


def state_of(source: IndexedSource) -> State:
    """Return how a source is now. One without a file of its own (standard input) is not known.

    One that the index has in part, since a run was stopped or repair has lost some of it, is incomplete if it is there.
    """
    if not source.path:
        return State.UNKNOWN if source.complete else State.INCOMPLETE
    try:
        stamp = Stamp.of(source.path)
    except FileNotFoundError:
        return State.GONE if _has_others(Path(source.path).parent) else State.UNREACHABLE
    except OSError:
        return State.UNREACHABLE
    return _compared(source, stamp) if source.complete else State.INCOMPLETE


def _compared(source: IndexedSource, stamp: Stamp) -> State:
    if stamp.size != source.size:
        return State.CHANGED
    if source.modified is not None and stamp.modified == source.modified:
        return State.SAME
    try:
        return State.SAME if sha256_of_file(Path(source.path)) == source.sha256 else State.CHANGED
    except OSError:
        return State.UNREACHABLE


def is_away(path: str) -> bool:
    """Say whether no file is where one was; of one that cannot be looked at, that is not known."""
    try:
        Path(path).stat()
    except OSError as exc:
        return isinstance(exc, FileNotFoundError | NotADirectoryError)
    return False


def missing_folder(path: str) -> Path | None:
    """Return the uppermost missing folder of those a file was in, or the empty one; None where there is neither."""
    missing = None
    for folder in Path(path).parents:
        if not is_away(str(folder)):
            return missing if missing or _has_others(folder) else folder
        missing = folder
    return missing


def moved_from(path: str, candidates: Sequence[IndexedSource]) -> IndexedSource | None:
    """Return the one of the candidates, of this file's size but no more where they were, that has its content."""
    try:
        content = sha256_of_file(Path(path)) if candidates else None
    except OSError:
        return None
    return next((source for source in candidates if source.sha256 == content), None)


def _has_others(folder: Path) -> bool:
    try:
        return any(folder.iterdir())
    except OSError:
        return False
