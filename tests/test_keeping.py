"""Which sentence of a cluster is preferred: by a column's number or date, by the file's time."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from search.compared import Compared
from search.corpus import Corpus
from search.errors import OptionError
from search.index import Index
from search.indexing import build_index
from search.keeping import Keeping
from tests.toy import ToyEncoder


def order(tmp_path: Path, rows: Sequence[Mapping[str, object]], *options: str) -> list[int]:
    """Return the numbers of records in the order in which they are preferred."""
    with Index.create(tmp_path / "index", encoder=ToyEncoder()) as index:
        index.add([{"text": "room", **row} for row in rows], source="rows")
        keys = Keeping(*options).preferences(Compared(index), list(range(len(rows))))
    assert keys is not None
    return sorted(range(len(rows)), key=lambda one: keys[one])


def test_a_column(tmp_path: Path) -> None:
    """The highest number first, be it written as text; what has none is last."""
    rows: list[dict[str, object]] = [{"stars": 3}, {"stars": "4.5"}, {"stars": ""}, {"other": 1}, {"stars": 12}]
    assert order(tmp_path, rows, "stars") == [4, 1, 0, 2, 3]


def test_dates(tmp_path: Path) -> None:
    """The latest first: a day, a time with a zone, seconds since 1970; a time without a zone is UTC."""
    dates = ["2026-01-31", "2026-01-31T12:00:00+02:00", "2026-01-31T10:30:00", "", 1769850000, "2025-12-31T23:59:59Z"]
    assert order(tmp_path, [{"day": date} for date in dates], "newest", "day") == [2, 1, 4, 0, 5, 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("stars",), "rows:2: stars is 'many', expected a number"),
        (("newest", "stars"), "rows:1: stars is 'today', expected a date, as 2026-01-31"),
        (("price",), "No sentence that has a duplicate has a column 'price'; the columns are: stars"),
        (("newest",), "rows: no file whose time could be compared; name a date column"),
    ],
)
def test_values_that_are_none(options: tuple[str, ...], message: str, tmp_path: Path) -> None:
    """The message names the place and what is expected there."""
    rows: list[dict[str, object]] = [{"stars": "today" if options[0] == "newest" else 1}, {"stars": "many"}]
    with pytest.raises(OptionError) as told:
        order(tmp_path, rows, *options)
    assert message in str(told.value)


def test_a_date_column_is_for_the_newest() -> None:
    """An option that would not be looked at is refused."""
    with pytest.raises(OptionError, match="for keeping the newest, not 'first'"):
        Keeping("first", "day")


def test_the_time_of_the_file(tmp_path: Path) -> None:
    """Without a date column, sentences of the file that was changed last are preferred."""
    paths = [tmp_path / f"{name}.txt" for name in "abc"]
    for path, time in zip(paths, [1_000_000_000, 1_600_000_000, 1_400_000_000], strict=True):
        path.write_text("room\nfood\n", encoding="utf-8")
        os.utime(path, (time, time))
    build_index(Corpus([str(path) for path in paths]), tmp_path / "index", ToyEncoder())
    with Index(tmp_path / "index") as index:
        keys = Keeping("newest").preferences(Compared(index), [0, 1, 2, 4])
    assert keys == [(-1_000_000_000e9,), (-1_000_000_000e9,), (-1_600_000_000e9,), (-1_400_000_000e9,)]
