"""Filters: exactly the nearest of the sentences that fit, as brute force has it, and nothing a user writes is SQL."""

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.corpus import Corpus
from search.errors import OptionError
from search.filters import Filter, matching_rows
from search.index import Index
from search.indexing import build_index
from search.query import Searcher
from tests.toy import TOPICS, ToyEncoder

CITIES = ["Lisbon", "Porto", 'O"Hara', "d'Or", "São", ""]
Row = dict[str, Any]


def made_rows(count: int) -> list[Row]:
    """Make rows with columns of several kinds, some of them missing."""
    chance = random.Random(3)  # noqa: S311 - no secret
    rows: list[Row] = []
    for number in range(count):
        words = f"{chance.choice(['good', 'bad', 'the'])} {chance.choice(TOPICS)} {number % 41}"
        row: Row = {"text": words, "rating": chance.choice([1, 2, 3.5, "4", " 5 ", "none", None]), "number": number}
        row["city"] = chance.choice(CITIES)
        row["my col"] = chance.choice([True, False, "true", "x"])
        if chance.random() < 0.2:
            del row["city"]
        rows.append(row)
    return rows


ROWS = made_rows(400)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Index the rows, in two files of two folders."""
    folder = tmp_path_factory.mktemp("filters")
    for name, rows in (("a/one.jsonl", ROWS[:250]), ("b/two.jsonl", ROWS[250:])):
        (folder / name).parent.mkdir()
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    build_index(Corpus([str(folder / "a"), str(folder / "b")]), folder / "index", ToyEncoder())
    return folder


def number(value: object) -> float | None:
    """Return the number a cell is or says."""
    try:
        found = float(str(int(value) if isinstance(value, bool) else value))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def compared(sign: str, left: Any, right: Any) -> bool | None:
    """Compare as SQL does: nothing is known of what is missing."""
    if left is None:
        return None
    results = {"=": left == right, "<>": left != right, "<": left < right, "<=": left <= right}
    results |= {">": left > right, ">=": left >= right}
    return bool(results[sign])


Meets = Callable[[Row], bool | None]


def random_condition(chance: random.Random, depth: int = 0) -> tuple[str, Meets]:
    """Return a condition, and the function that says whether a row meets it: True, False or unknown."""
    if depth < 2 and chance.random() < 0.6:
        kind = chance.choice(["and", "or", "not"])
        text, left = random_condition(chance, depth + 1)
        if kind == "not":
            return f"not ({text})", lambda row: None if (one := left(row)) is None else not one
        other, right = random_condition(chance, depth + 1)
        decisive = kind == "or"

        def both(row: Row) -> bool | None:
            found = {left(row), right(row)}
            return decisive if decisive in found else None if None in found else not decisive

        return f"({text}) {kind} ({other})", both
    sign = chance.choice(["=", "<>", "<", "<=", ">", ">="])
    kind = chance.choice(["rating", "number", "city", "null", "in"])
    if kind in {"rating", "number"}:
        value = chance.choice([1, 2.5, 4, 5, -1] if kind == "rating" else [0, 7, 200, 399])
        return f"{kind} {sign} {value}", lambda row: compared(sign, number(row[kind]), value)
    city = chance.choice(CITIES)
    if kind == "null":
        return "city is null", lambda row: row.get("city") is None
    if kind == "in":
        return f"number in ({value_of(city)}, 7, 9)", lambda row: row["number"] in {7, 9}
    return f"city {sign} {value_of(city)}", lambda row: compared(sign, row.get("city"), city)


def value_of(text: str) -> str:
    """Write a text as a value."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def test_filtered_searches_equal_brute_force(folder: Path) -> None:
    """1,000 random conditions, some with a source or a label too: the hits are the first k of all hits that fit."""
    chance = random.Random(11)  # noqa: S311 - no secret
    with Index(folder / "index") as index:
        searcher = Searcher(index, ToyEncoder())
        (everything,) = searcher.search(["bad food 7"], k=len(ROWS))
        sizes = set()
        for _ in range(1000):
            text, meets = random_condition(chance)
            sources = chance.choice([(), ("a/*.jsonl",), ("two.jsonl",), ("one.jsonl", "b/*")])
            labels = chance.choice([(), ("negative",), ("positive", "neutral")])
            k = chance.choice([1, 5, 500])
            (found,) = searcher.search(["bad food 7"], k=k, only=Filter(text, sources, labels))
            expected = [
                (hit.entry.row, hit.score)
                for hit in everything
                if meets(ROWS[hit.entry.row]) is True
                and (not labels or hit.entry.label in labels)
                and (len(sources) != 1 or ("one" in hit.entry.sentence.source) == (sources[0] == "a/*.jsonl"))
            ]
            assert [(hit.entry.row, hit.score) for hit in found] == expected[:k], text
            sizes.add(len(expected))
    assert 0 in sizes
    assert len(sizes) > 50


@pytest.mark.parametrize(
    ("where", "meets"),
    [
        ("`my col` = true", lambda row: row["my col"] in {True, "true"} and row["my col"] != 1.5),
        ("`my col` <> true", lambda row: row["my col"] is False),
        ('city = "Lisbon"', lambda row: row.get("city") == "Lisbon"),
        ("city like 'lis%'", lambda row: row.get("city") == "Lisbon"),
        ("not city like '%o%'", lambda row: row.get("city") is not None and "o" not in row["city"].lower()),
        ("rating between 2 and 4", lambda row: 2 <= (number(row["rating"]) or 0) <= 4),
        ("rating not in (1, 2)", lambda row: number(row["rating"]) not in {1, 2, None}),
        ("rating = -1 or number = 3 and rating is not null or number = 5 /* a remark */", lambda row: row["number"] == 5
         or (row["number"] == 3 and row["rating"] is not None)),
        ("number = '7'", lambda row: row["number"] == 7),
    ],
)  # fmt: skip
def test_conditions(folder: Path, where: str, meets: Meets) -> None:
    """Each kind of comparison means what the module says, numbers written as text and missing columns included."""
    with Index(folder / "index") as index:
        among = matching_rows(index, Filter(where))
    assert np.flatnonzero(among).tolist() == [number for number, row in enumerate(ROWS) if meets(row)]


@pytest.mark.parametrize(
    "where",
    [
        "",
        "rating",
        "1 = 1",
        "rating >=",
        "rating = city",
        "rating + 1 > 2",
        "rating = (select 1)",
        "rating in (select row from sentences)",
        "exists (select 1)",
        "load_extension('x') = 1",
        "rating = 1; drop table sentences",
        "rating = 1) or (1 = 1",
        "1=1) --",
        "rating = 1 union select 1",
        "sentences.text = 'x'",
        "rating = randomblob(100000000)",
        "case when rating = 1 then 1 end = 1",
        "(" * 5000 + "rating = 1" + ")" * 5000,
        '`a"b` = 1',
    ],
)
def test_what_is_no_condition_is_refused(folder: Path, where: str) -> None:
    """Functions, subqueries, statements and all else that is no comparison of a column are refused, with an example."""
    with Index(folder / "index") as index, pytest.raises(OptionError, match="A condition is like: rating >= 4"):
        matching_rows(index, Filter(where))


def test_values_are_only_values(folder: Path) -> None:
    """What would break out of a statement is compared like any other text."""
    with Index(folder / "index") as index:
        for value in ("x' OR 1=1 --", '"); DROP TABLE sentences; --', "?", "%s", "\\'"):
            among = matching_rows(index, Filter(f"city = {value_of(value)}"))
            assert not among.any()
        assert len(list(index.texts())) == 400


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Filter("ratng > 3"), "No sentence has a column 'ratng'; the columns are city, my col, number, rating"),
        (Filter("ratng is null"), "No sentence has a column 'ratng'"),
        (Filter("rating > 3 or ratng > 3"), "No sentence has a column 'ratng'"),
        (Filter(sources=("c/*",)), r"No source fits 'c/\*'; the sources are .*one.jsonl, .*two.jsonl"),
        (Filter(labels=("angry",)), "No label 'angry'; this encoder knows negative, neutral, positive"),
    ],
)
def test_what_there_is_not_is_told(folder: Path, wanted: Filter, message: str) -> None:
    """A column, source or label that does not exist is an error that lists those that do, not an empty answer."""
    with Index(folder / "index") as index, pytest.raises(OptionError, match=message):
        matching_rows(index, wanted)


@pytest.mark.slow
def test_one_row_in_100_000(tmp_path: Path) -> None:
    """Where a single sentence fits, it is the hit, however far it is; the others are as far as they are."""
    path = tmp_path / "many.csv"
    cities = ["Porto"] * 100_000
    cities[77_777] = "Lisbon"
    lines = (f"{TOPICS[number % 6]} {number},{number},{city}" for number, city in enumerate(cities))
    path.write_text("text,number,city\n" + "\n".join(lines) + "\n", encoding="utf-8")
    build_index(Corpus([str(path)]), tmp_path / "index", ToyEncoder())
    with Index(tmp_path / "index") as index:
        searcher = Searcher(index, ToyEncoder())
        for where in ("city = 'Lisbon'", "number = 77777", "number > 77776 and number < 77778.5 and city like 'L%'"):
            (found,) = searcher.search(["bad pool"], k=10, only=Filter(where))
            assert [hit.entry.row for hit in found] == [77_777]
        (found,) = searcher.search(["bad pool"], k=3, only=Filter("number >= 99999 or number < 1"))
        assert sorted(hit.entry.row for hit in found) == [0, 99_999]
