"""`kindred query --queries`: many queries in batches, from lines and from tables."""

import json
from pathlib import Path

import pytest

from search.cli import query
from tests.cli_runner import refuse, run, succeed

pytestmark = pytest.mark.slow


@pytest.fixture
def index(tmp_path: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Index nine sentences."""
    lines = [f"the {what} was {how}" for what in ("room", "food", "bed") for how in ("good", "bad", "cold")]
    (tmp_path / "corpus.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    succeed(capsys, "index", tmp_path / "corpus.txt", "--out", tmp_path / "index", "--encoder", small_bert)
    return tmp_path / "index"


def test_batches_answer_as_single_queries_do(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seven queries in batches of two: each has its number, in order, and the hits that it has alone."""
    monkeypatch.setattr(query, "_BATCH", 2)
    texts = ["the room was good", "bad food", "bed", "cold", "the food", "good", "room bed"]
    (tmp_path / "q.txt").write_text("\n\n".join(texts), encoding="utf-8")
    told = succeed(capsys, "query", index, "--queries", tmp_path / "q.txt", "-k", 2, "--json")
    hits = [json.loads(line) for line in told.splitlines()]
    assert [(hit["query"], hit["number"], hit["rank"]) for hit in hits] == [
        (text, number, rank) for number, text in enumerate(texts, start=1) for rank in (1, 2)
    ]
    for number, text in enumerate(texts):
        alone = succeed(capsys, "query", index, text, "-k", 2, "--json")
        assert [json.loads(line)["row"] for line in alone.splitlines()] == [
            hit["row"] for hit in hits[2 * number : 2 * number + 2]
        ]


def test_a_table_of_queries(index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A column of a table is asked, by its usual name or the one given; options hold for every query."""
    (tmp_path / "q.csv").write_text(
        "id,text,asked\n1,room,the bed was cold\n2,food,the food was bad\n", encoding="utf-8"
    )
    for options, expected in [
        ([], ["room", "food"]),
        (["--text-column", "asked"], ["the bed was cold", "the food was bad"]),
    ]:
        told = succeed(capsys, "query", index, "--queries", tmp_path / "q.csv", "-k", 1, "--exact", "--json", *options)
        assert [json.loads(line)["query"] for line in told.splitlines()] == expected


def test_what_is_wrong_in_a_later_batch_is_told(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bad line comes after the answers to those before it: they are printed, then the line is named, exit code 1."""
    monkeypatch.setattr(query, "_BATCH", 2)
    (tmp_path / "q.txt").write_bytes(b"room\nfood\nbed\n\xff\n")
    outcome = run(capsys, "query", index, "--queries", tmp_path / "q.txt", "-k", 1, "--json")
    assert outcome.code == 1
    assert [json.loads(line)["number"] for line in outcome.out.splitlines()] == [1, 2]
    assert f"{tmp_path / 'q.txt'}:4: byte 1 of the line (0xff) is not UTF-8" in outcome.err


def test_a_missing_column_is_named(index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table without the column is an error before anything is answered."""
    (tmp_path / "q.csv").write_text("text\nroom\n", encoding="utf-8")
    assert "nothing" in refuse(capsys, "query", index, "--queries", tmp_path / "q.csv", "--text-column", "nothing")


def test_the_state_of_a_hit_is_that_of_its_own_file(
    tmp_path: Path, small_bert: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two files of one name, indexed from two folders, of which one has changed: its hits are marked, no others."""
    for folder, text in (("one", "the room was good"), ("two", "the food was bad")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text(text + "\n", encoding="utf-8")
        monkeypatch.chdir(tmp_path / folder)
        succeed(capsys, "index", "a.txt", "--out", tmp_path / "index", "--encoder", small_bert)
    (tmp_path / "one" / "a.txt").write_text("the room was bad\n", encoding="utf-8")
    told = succeed(capsys, "query", tmp_path / "index", "the room was good", "--json")
    assert [(hit["text"], hit["state"]) for hit in map(json.loads, told.splitlines())] == [
        ("the room was good", "changed"),
        ("the food was bad", "same"),
    ]
    lines = succeed(capsys, "query", tmp_path / "index", "the room was good").splitlines()
    assert [line.rstrip().endswith("a.txt:1 (changed)") for line in lines[1:]] == [True, False]


def test_where_nothing_is_found_that_is_said_and_why(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the table's place, for each query; as JSON there is no line, and no error."""
    told = succeed(capsys, "query", index, "the bed", "zebra", "--match", "words")
    assert "1  " in told.partition("zebra")[0]
    assert told.endswith("zebra\nNothing was found: no sentence has its words.\n")
    both = ["--source", "corpus.txt", "--match", "words"]
    assert succeed(capsys, "query", index, "zebra", *both) == (
        "Nothing was found: no sentence has its words and meets the filters.\n"
    )
    assert succeed(capsys, "query", index, "zebra", "--match", "words", "--json") == ""


def test_where_the_filters_leave_nothing_that_is_said(
    tmp_path: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """However near the sentences that do not meet them are."""
    (tmp_path / "a.csv").write_text("text,stars\nthe room was good,4\n", encoding="utf-8")
    succeed(capsys, "index", tmp_path / "a.csv", "--out", tmp_path / "i", "--encoder", small_bert)
    ask = ["query", tmp_path / "i", "the room was good", "--where", "stars > 4"]
    assert succeed(capsys, *ask) == "Nothing was found: no sentence meets the filters.\n"
    assert succeed(capsys, *ask, "--json") == ""
