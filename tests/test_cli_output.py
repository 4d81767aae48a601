"""What programs read: the field names of --json and CSV, and tables without a terminal."""

import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from search.cli.output import Bar
from search.corpus import Corpus
from search.indexing import build_index
from tests.cli_runner import run, succeed, tree
from tests.toy import ToyEncoder

HIT = "rank score meaning sentiment label probability text source line start end row metadata".split()
PAIR = "score level a b reason".split()
PLACE = "text source line row".split()
CLUSTER = "survivor members".split()
INFO = "digest count generation finished encoder store recall structure sources".split()
SOURCE = "name sentences size sha256 state".split()

ROWS = [
    ("the room was good", "a"),
    ("caf\u00e9 food, \u201clovely\u201d", "b"),
    ("the staff were rude, loud and never there again", "c"),
    ("the room was good", "d"),
]


def _objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Write four sentences, two of them equal, with a column beside."""
    path = tmp_path / "hotels.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "guest"), *ROWS])
    return path


@pytest.fixture
def toy_folder(corpus: Path, tmp_path: Path, toy: ToyEncoder) -> Path:
    """Index them with the toy encoder: enough for what needs no encoder any more."""
    build_index(Corpus([str(corpus)]), tmp_path / "toy", toy)
    return tmp_path / "toy"


@pytest.fixture
def checkpoint(tmp_path: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Fine-tune a small encoder with three ordered labels."""
    words = {"negative": "bad awful rude dirty", "neutral": "room bed pool hotel", "positive": "good lovely kind clean"}
    rows = [f"very {word} {end},{label}" for label, some in words.items() for word in some.split() for end in ".!"]
    (tmp_path / "labels.csv").write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    asked = [tmp_path / "labels.csv", "--base", small_bert, "--out", tmp_path / "ck", "--no-fast", "--json"]
    told = succeed(capsys, "finetune", *asked)
    (report,) = _objects(told)
    assert report == json.loads((tmp_path / "ck" / "report.json").read_text(encoding="utf-8"))
    assert report["labels"] == {"negative": 8, "neutral": 8, "positive": 8}
    assert report["scale"] == "ordinal"
    return tmp_path / "ck"


@pytest.mark.slow
def test_hits_have_the_fields_of_the_design(
    checkpoint: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hit a line, fields in order; the score is made of its parts; k > n gives n; text is not escaped."""
    index = tmp_path / "index"
    (built,) = _objects(succeed(capsys, "index", corpus, "--out", index, "--encoder", checkpoint, "--json"))
    assert (built["index"], built["count"], len(built["digest"])) == (str(index), 4, 64)
    told = succeed(capsys, "query", index, "the room was good", "food", "-k", 9, "--weight", 0.4, "--json")
    assert "caf\u00e9 food, \u201clovely\u201d" in told
    hits = _objects(told)
    assert all(list(hit) == ["query", "number", *HIT, "state"] for hit in hits)
    assert [(hit["query"], hit["number"], hit["rank"]) for hit in hits] == [
        (query, number, rank)
        for number, query in enumerate(("the room was good", "food"), start=1)
        for rank in (1, 2, 3, 4)
    ]
    for hit in hits:
        assert hit["score"] == pytest.approx(0.6 * hit["meaning"] + 0.4 * hit["sentiment"], abs=2e-6)
        assert hit["label"] in {"negative", "neutral", "positive"}
        assert 0.3333 <= hit["probability"] <= 1
        text, guest = ROWS[hit["row"]]
        assert (hit["text"], hit["metadata"]) == (text, {"guest": guest})
        assert (hit["source"], hit["line"]) == (str(corpus), hit["row"] + 2)
        assert (hit["start"], hit["end"]) == (0, len(text))
    assert [(hit["row"], hit["score"]) for hit in hits[:2]] == [(0, 1.0), (3, 1.0)]
    for query, named in [(["--sentiment", "positive"], True), (["--sentiment", "any"], False)]:
        some = _objects(succeed(capsys, "query", index, "food", "-k", 4, "--json", *query))
        same = [hit["score"] == pytest.approx(hit["meaning"], abs=1e-6) for hit in some]
        assert all(same) is not named


@pytest.mark.slow
def test_tables_are_plain_where_there_is_no_terminal(
    checkpoint: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Piped, a table has its columns and no escape codes, and results alone are on standard output."""
    index = tmp_path / "index"
    outcome = run(capsys, "index", corpus, "--out", index, "--encoder", checkpoint)
    assert outcome.out == f"4 sentences of 1 file(s) with {checkpoint}: {index}\n"
    assert "Next: kindred query" in outcome.err
    for arguments, heads in [
        (["query", index, "food"], ["score", "meaning", "sentiment", "label", "sentence", "where"]),
        (["duplicates", index], ["score", "level", "sentence", "where"]),
        (["info", index], ["what", "value"]),
    ]:
        outcome = run(capsys, *arguments)
        assert outcome.code == 0
        assert outcome.out.splitlines()[0].split() == heads
        assert "\x1b" not in outcome.out + outcome.err
        assert "\r" not in outcome.err


def test_info_has_the_fields_of_the_design(toy_folder: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`info --json` is one object; it needs no encoder."""
    (info,) = _objects(succeed(capsys, "info", toy_folder, "--json"))
    assert list(info) == INFO
    assert (info["count"], info["generation"], info["recall"], len(info["digest"])) == (4, 1, 1.0, 64)
    assert (info["encoder"]["name"], info["encoder"]["fingerprint"]) == ("toy", "toy")
    assert info["encoder"]["labels"] == ["negative", "neutral", "positive"]
    (source,) = info["sources"]
    assert list(source) == SOURCE
    assert (source["name"], source["sentences"], source["size"]) == (str(corpus), 4, corpus.stat().st_size)
    assert (info["finished"], source["state"]) == (True, "same")


def test_pairs_and_clusters_have_the_fields_of_the_design(toy_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`duplicates --json` prints every pair, then every cluster, each with its kind first, and last the sum."""
    pair, cluster, summary = _objects(succeed(capsys, "duplicates", toy_folder, "--threshold", 1, "--json"))
    assert list(pair) == ["kind", *PAIR]
    assert list(pair["a"]) == list(pair["b"]) == PLACE
    assert (pair["kind"], pair["score"], pair["level"]) == ("pair", 1.0, "exact")
    assert [(end["row"], end["line"], end["text"]) for end in (pair["a"], pair["b"])] == [
        (0, 2, "the room was good"),
        (3, 5, "the room was good"),
    ]
    assert list(cluster) == ["kind", *CLUSTER]
    assert cluster["kind"] == "cluster"
    assert (summary["kind"], summary["sentences"], summary["survive"]) == ("summary", 4, 3)
    assert (cluster["survivor"]["row"], [member["row"] for member in cluster["members"]]) == (0, [3])


def test_pairs_are_also_written_as_csv(
    toy_folder: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`duplicates --csv` writes one row a pair, quoted where needed, beside the table; a lower threshold finds more."""
    report = tmp_path / "pairs.csv"
    told = succeed(capsys, "duplicates", toy_folder, "--threshold", -1, "--no-guard", "all", "--csv", report)
    assert "4 sentences, 4 pairs at -1 (weight 0.3)" in told
    with report.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    sides = ["source_a", "line_a", "text_a", "source_b", "line_b", "text_b"]
    assert list(rows[0]) == ["score", "level", *sides, "refused", "words"]
    assert (rows[0]["score"], rows[0]["level"], rows[0]["line_a"], rows[0]["line_b"]) == ("1.000000", "exact", "2", "5")
    assert {row["source_a"] for row in rows} == {str(corpus)}
    assert any(row["text_b"] == "caf\u00e9 food, \u201clovely\u201d" for row in rows)
    assert [float(row["score"]) for row in rows] == sorted((float(row["score"]) for row in rows), reverse=True)
    before = tree(tmp_path)
    succeed(capsys, "duplicates", toy_folder, "--threshold", -1, "--no-guard", "all", "--csv", report, "--overwrite")
    assert tree(tmp_path) == before


def test_a_remark_has_a_line_of_its_own_above_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal it does not run into the bar that is drawn, and is not broken; a slow rate is not 0."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    told = f"Step 4 is saved in {'/folder' * 12}; the same command goes on from there."
    with Bar() as bar:
        bar.start("fine-tuning", 10, "steps")
        bar.advance(1)
        bar.tell(told)
        bar.advance(2)
        bar.finish()
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err)
    assert told in re.split(r"[\r\n]+", drawn)
    assert " 0 steps/s" not in drawn


def test_what_an_interrupt_notes_is_said(
    corpus: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was committed before Ctrl-C is noted on the exception, which click wraps in one of its own."""

    def interrupted(*_arguments: object, **_options: object) -> None:
        error = KeyboardInterrupt()
        error.add_note("4,096 sentences are committed.")
        raise error

    monkeypatch.setattr("search.cli.info.command.callback", interrupted)
    outcome = run(capsys, "info", corpus)
    assert (outcome.code, outcome.out) == (130, "")
    assert outcome.err.strip() == "Interrupted; what was there before is as it was. 4,096 sentences are committed."
