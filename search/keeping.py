"""Which sentence of a cluster survives, where the user has a preference."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from search.compared import Compared
from search.errors import OptionError
from search.records import Entry

__all__ = ["Keep", "Keeping"]


class Keep(StrEnum):
    """What is preferred; any other word is a column, of whose numbers the highest is."""

    FIRST = "first"
    LONGEST = "longest"
    NEWEST = "newest"
    MOST_CENTRAL = "most-central"


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is preferred: one of `Keep`, or a column's highest number; `date_column` says what "newest" goes by.

    Without a date column the time at which a source's file was changed counts.
    """

    keep: str = Keep.MOST_CENTRAL
    date_column: str | None = None

    def __post_init__(self) -> None:
        """Refuse a date column that would not be looked at."""
        if self.date_column is not None and self.keep != Keep.NEWEST:
            raise OptionError(f"A date column is for keeping the newest, not {self.keep!r}.")

    def preferences(self, compared: Compared, items: Sequence[int]) -> list[tuple[float, ...]] | None:
        """Return a key for each of n items, lowest preferred; None where the most central is.

        Raises:
            OptionError: no sentence has the column, or a sentence's value is no number (no date), or it has no file.
        """
        if self.keep == Keep.MOST_CENTRAL:
            return None
        if self.keep == Keep.FIRST:
            return [(float(item),) for item in items]
        entries = compared.entries(items)
        if self.keep == Keep.LONGEST:
            return [(-float(len(entry.sentence.text)),) for entry in entries]
        if self.keep == Keep.NEWEST and self.date_column is None:
            return [(-_file_time(compared, item, entry),) for item, entry in zip(items, entries, strict=True)]
        if self.keep == Keep.NEWEST:
            return _by_column(entries, str(self.date_column), _date, "a date, as 2026-01-31 or 2026-01-31T12:00:00")
        return _by_column(entries, self.keep, float, "a number")


def _file_time(compared: Compared, item: int, entry: Entry) -> float:
    time = compared.changed(item)
    if time is None:
        raise OptionError(f"{entry.sentence.source}: no file whose time could be compared; name a date column.")
    return float(time)


def _date(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        date = datetime.fromisoformat(value)
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _by_column(
    entries: Sequence[Entry], column: str, read: Callable[[str], float], expected: str
) -> list[tuple[float, ...]]:
    """Return keys by which the highest value comes first, and those without one last."""
    if entries and not any(column in entry.sentence.metadata for entry in entries):
        known = sorted({name for entry in entries for name in entry.sentence.metadata})
        columns = ", ".join(known) or "none"
        raise OptionError(f"No sentence that has a duplicate has a column {column!r}; the columns are: {columns}.")
    keys: list[tuple[float, ...]] = []
    for entry in entries:
        value = entry.sentence.metadata.get(column)
        if value is None or not str(value).strip():
            keys.append((1.0, 0.0))
            continue
        try:
            number = read(str(value).strip())
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            where = f"{entry.sentence.source}:{entry.sentence.line}"
            raise OptionError(f"{where}: {column} is {value!r}, expected {expected}.")
        keys.append((0.0, -number))
    return keys
