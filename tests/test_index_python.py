"""An index from Python: made, added to, asked and deleted from without a file."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search.corpus import Corpus
from search.errors import IndexFolderError, InputError, OptionError, OutputError
from search.index import Index
from search.indexing import build_index
from search.sources import State, state_of
from search.verifying import verify_index
from tests.test_index import corpus_of, texts_of
from tests.toy import ToyEncoder, TrainedToy

ROWS: list[dict[str, Any]] = [
    {"text": "good room", "city": "Lisbon", "rating": 5},
    {"text": " bad food ", "city": "Porto", "rating": math.nan},
    {"text": "the pool", "city": None, "rating": 3},
    {"text": None, "city": "Faro", "rating": 1},
]


@pytest.fixture
def index(tmp_path: Path, toy: ToyEncoder) -> Iterator[Index]:
    """Make an empty index."""
    with Index.create(tmp_path / "i", encoder=toy) as index:
        yield index


def told(index: Index) -> list[str]:
    """Return the texts of an index, in order."""
    return [text for _, text in index.texts()]


def test_an_index_without_files(index: Index) -> None:
    """Records become sentences with their other fields as metadata; they are found, filtered, and kept for others."""
    assert (len(index), index.search(["good room"])) == (0, [[]])
    assert index.add(ROWS) == 3
    assert told(index) == ["good room", "bad food", "the pool"]
    ((hit,),) = index.search(["good room"], k=1)
    assert (hit.score, hit.entry.sentence.text, hit.entry.sentence.line) == (1.0, "good room", 1)
    assert dict(hit.entry.sentence.metadata) == {"city": "Lisbon", "rating": 5}
    (second,) = index.entries([1])
    assert (second.sentence.start, second.sentence.end) == (1, 9)
    assert dict(second.sentence.metadata) == {"city": "Porto", "rating": None}
    (found,) = index.search(["good room"], where="rating <= 4")
    assert [one.entry.sentence.text for one in found] == ["the pool"]
    (found,) = index.search(["good room"], labels=["negative"], sources=["records-1"])
    assert [one.entry.sentence.text for one in found] == ["bad food"]
    with Index.open(index.folder, encoder=ToyEncoder()) as other:
        assert told(other) == told(index)
    assert verify_index(index.folder, ToyEncoder()).problems == ()


@pytest.mark.parametrize("kind", ["list", "generator", "texts", "frame"])
def test_kinds_of_records(index: Index, kind: str) -> None:
    """A list or an iterator of mappings, plain texts, and a DataFrame give the same sentences."""
    rows = [{"text": f"room {number}", "n": number} for number in range(5000)]
    records: Any = rows
    if kind == "generator":
        records = (row for row in rows)
    elif kind == "texts":
        records = [row["text"] for row in rows]
    elif kind == "frame":
        pandas = pytest.importorskip("pandas")
        records = pandas.DataFrame(rows)
    assert index.add(records) == 5000
    assert told(index) == [row["text"] for row in rows]
    (entry,) = index.entries([4999])
    assert dict(entry.sentence.metadata) == ({} if kind == "texts" else {"n": 4999})


def test_what_is_missing_in_a_frame(index: Index) -> None:
    """Each of pandas' missing values is none: no text, and a column that is null; a Series is texts."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "text": pandas.array(["good room", None, "the pool"], dtype="string"),
            "rating": pandas.array([4, 3, None], dtype="Int64"),
            "day": pandas.to_datetime(["2026-01-02", "2026-01-03", None]),
        }
    )
    assert index.add(frame) == 2
    first, second = (dict(entry.sentence.metadata) for entry in index.entries([0, 1]))
    assert (first["rating"], first["day"][:10], second) == (4, "2026-01-02", {"rating": None, "day": None})
    (found,) = index.search(["pool"], where="rating is null and day is null")
    assert [hit.entry.sentence.text for hit in found] == ["the pool"]
    assert index.add(frame["text"]) == 2
    assert told(index) == ["good room", "the pool"] * 2


def test_one_for_several(index: Index) -> None:
    """One record for a list is refused, rather than taken apart; one pattern or label is one."""
    for record in ("good room", {"text": "good room"}):
        with pytest.raises(OptionError, match="add takes a list of records; for one, give a list of one"):
            index.add(record)
    index.add(ROWS)
    assert len(index.search(["good room"], sources="records-1", labels="negative")[0]) == 1
    assert index.delete(sources="records-*", labels="negative") == 1


def test_adding_again(index: Index, toy: ToyEncoder) -> None:
    """Each call is a source of its own, unless it is given a name, under which a second call replaces the first."""
    index.add(["good room"])
    index.add(["bad food"])
    assert index.add(["the pool", "good room"], source="crm") == 2
    toy.calls.clear()
    assert index.add(["bad pool", "good room"], source="crm") == 2
    assert [text for call in toy.calls for text in call] == ["bad pool"]
    assert told(index) == ["good room", "bad food", "bad pool", "good room"]
    assert [source.name for source in index.sources] == ["records-1", "records-2", "crm"]
    assert {state_of(source) for source in index.sources} == {State.UNKNOWN}


def test_another_field_is_the_text(index: Index) -> None:
    """The field of the text can be named; one that is not there is an error that lists those that are."""
    index.add([{"a": "good room", "b": "x"}], text_column="a")
    assert told(index) == ["good room"]
    with pytest.raises(InputError, match=r"records-2: no column 'c'; the columns are a, b"):
        index.add([{"a": "good room", "b": "x"}], text_column="c")


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([], "records-1: no text in these records"),
        (["  ", None], "records-1:2: a NoneType, expected a mapping or a text"),
        ([{"text": "a"}, {"text": 3}], "records-1:2: 'text' holds 3, expected text"),
        ([{"text": "half \ud83d"}], "records-1:1: half a surrogate pair"),
        ([{"text": "a", "x": "half \ud83d"}], "records-1:1: half a surrogate pair"),
    ],
)
def test_bad_records_change_nothing(index: Index, records: list[Any], message: str) -> None:
    """A record that cannot be used is named by its number, and nothing of the call is added."""
    with pytest.raises(InputError, match=message):
        index.add(records)
    index.refresh()
    assert told(index) == []
    assert index.add(["good room"]) == 1


def test_delete(index: Index, tmp_path: Path) -> None:
    """What fits is deleted, whole sources and single sentences; an unchanged file is not read again for it."""
    index.add(ROWS)
    corpus = corpus_of(tmp_path, ["good bed", "bad bed", "the bed"])
    build_index(corpus, index.folder, ToyEncoder())
    index.refresh()
    assert index.delete(where="city = 'Porto'") == 1
    assert sorted(told(index)) == ["bad bed", "good bed", "good room", "the bed", "the pool"]
    assert index.delete(labels=["negative"]) == 1
    assert index.delete(sources=["records-1"], where="rating > 4") == 1
    assert sorted(told(index)) == ["good bed", "the bed", "the pool"]
    assert build_index(Corpus(corpus.names), index.folder, ToyEncoder()).same == 1
    assert sorted(texts_of(index.folder)) == ["good bed", "the bed", "the pool"]
    assert verify_index(index.folder, ToyEncoder()).problems == ()
    assert index.delete(sources=["records-1"]) == 1
    with pytest.raises(OptionError, match="No sentence has a column 'ratng'"):
        index.delete(where="ratng is null")
    assert index.delete(sources=["*.txt"]) == 2
    assert (len(index), index.search(["good room"])) == (0, [[]])


def test_what_is_refused(index: Index, tmp_path: Path) -> None:
    """Deleting without saying what, one text for a list, an index over another, and another encoder."""
    with pytest.raises(OptionError, match="Say which sentences to delete"):
        index.delete()
    with pytest.raises(OptionError, match="give a list of one"):
        index.search("good room")
    with pytest.raises(OutputError, match="is an index already"):
        Index.create(tmp_path / "i", encoder=ToyEncoder())
    with pytest.raises(IndexFolderError, match="is another"):
        Index.open(tmp_path / "i", encoder=TrainedToy(1.0))
    with pytest.raises(IndexFolderError, match="no such index"):
        Index.open(tmp_path / "gone")
