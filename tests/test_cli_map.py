"""`kindred map` and `kindred evaluate --plot`: the real command, and what it leaves behind."""

import json
import re
from pathlib import Path

import pytest

from tests.cli_runner import ROOT, refuse, run, succeed, toy_index
from tests.toy import ToyEncoder

PNG = b"\x89PNG\r\n\x1a\n"


def data_of(page: str) -> dict[str, object]:
    """Return what a page is made of."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, flags=re.DOTALL)
    assert found is not None
    value: dict[str, object] = json.loads(found[1])
    return value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an index."""
    texts = [
        f"{feeling} {topic} {number}"
        for feeling in ("good", "bad", "")
        for topic in ("room", "food")
        for number in range(9)
    ]
    return toy_index(tmp_path / "hotels", [text.strip() for text in texts], ToyEncoder())


def test_a_page_and_pictures(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is whole, holds every sentence, and is not written over; drawn again it is the same to the byte."""
    page, picture, drawing = (tmp_path / f"map.{kind}" for kind in ("html", "png", "svg"))
    for path in (page, picture, drawing):
        assert succeed(capsys, "map", folder, "--out", path) == ""
    told = data_of(page.read_text(encoding="utf-8"))
    assert told["count"] == 54
    assert [(mark["name"], mark["count"]) for mark in told["marks"]] == [  # type: ignore[attr-defined]
        ("negative", 18), ("neutral", 18), ("positive", 18),
    ]  # fmt: skip
    assert "good room 3" in told["texts"]  # type: ignore[operator]
    assert picture.read_bytes().startswith(PNG)
    assert drawing.read_text(encoding="utf-8").count("<svg") == 1
    before = page.read_bytes()
    assert "map.html exists; choose another --out, or replace it with --overwrite." in refuse(
        capsys, "map", folder, "--out", page
    )
    assert page.read_bytes() == before
    succeed(capsys, "map", folder, "--out", page, "--overwrite")
    assert page.read_bytes() == before
    assert sorted(path.suffix for path in tmp_path.iterdir()) == ["", ".html", ".png", ".svg", ".txt"]


def test_only_some_sentences_and_a_weight(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A label chooses the sentences; the weight is told, and moves them."""
    page, other = tmp_path / "a.html", tmp_path / "b.html"
    succeed(capsys, "map", folder, "--out", page, "--label", "negative", "--title", "<b>Bad</b>")
    succeed(capsys, "map", folder, "--out", other, "--label", "negative", "--weight", "0.5")
    some, weighed = (data_of(path.read_text(encoding="utf-8")) for path in (page, other))
    assert some["count"] == weighed["count"] == 18
    assert some["title"] == "<b>Bad</b>"
    assert "<title>&lt;b&gt;Bad&lt;/b&gt;" in page.read_text(encoding="utf-8")
    assert weighed["weight"] == 0.5
    assert some["places"] != weighed["places"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--out", "{}/map.pdf"], "map.pdf: name a file that ends in .html or .png or .svg with --out."),
        (["--out", "{}/none/map.png"], "map.png: there is no folder"),
        (["--out", "{}/map.html", "--weight", "2"], "weight is 2; it must lie between 0"),
        (["--out", "{}/map.html", "--label", "angry"], "No label 'angry'"),
        (["--out", "{}/map.html", "--where", "stars > 3"], "No sentence has a column 'stars'"),
    ],
)
def test_what_cannot_be_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    """Each mistake is told, and nothing is written."""
    assert message in refuse(capsys, "map", folder, *(one.format(tmp_path) for one in options))
    assert list(tmp_path.glob("*map*")) == []


def test_an_encoder_without_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its sentences have one mark; feelings cannot take part."""
    index = toy_index(tmp_path / "plain", ["room", "food", "pool"], ToyEncoder(None))
    assert "knows meaning only" in refuse(capsys, "map", index, "--out", tmp_path / "m.html", "--weight", "0.3")
    succeed(capsys, "map", index, "--out", tmp_path / "m.html")
    told = data_of((tmp_path / "m.html").read_text(encoding="utf-8"))
    assert [mark["count"] for mark in told["marks"]] == [3]  # type: ignore[attr-defined]


@pytest.mark.slow
def test_evaluate_draws_what_it_measures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Labels as confusion and calibration, topics along the weights; a picture that is there is left alone."""
    labelled, topics = tmp_path / "labelled.csv", tmp_path / "topics.csv"
    labelled.write_text("text,label\nlovely room,positive\nawful room,negative\nThe lift is left.,neutral\n", "utf-8")
    rows = [f"{word} {topic} {one},{topic},{feeling}" for topic in ("room", "food") for one in range(4)
            for word, feeling in (("lovely", "positive"), ("awful", "negative"))]  # fmt: skip
    topics.write_text("text,category,polarity\n" + "\n".join(rows) + "\n", encoding="utf-8")
    picture = tmp_path / "plot.svg"
    out = succeed(capsys, "evaluate", labelled, topics, "--plot", picture)
    assert "accuracy" in out
    drawn = picture.read_bytes()
    assert b"<svg" in drawn
    assert "plot.svg exists" in refuse(capsys, "evaluate", labelled, "--plot", picture)
    assert picture.read_bytes() == drawn
    assert run(capsys, "evaluate", ROOT / "corpora/feelings.csv", "--plot", tmp_path / "p.txt").code == 1
