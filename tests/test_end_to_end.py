"""The four stages from the command line, with the real base, on the project's own text."""

import json
from pathlib import Path
from typing import Any

import pytest

from search.checkpoint import BASE_ENCODER
from tests.cli_runner import ROOT, succeed

pytestmark = pytest.mark.slow

HOTELS = [
    "The room was freezing all night.",
    "It was bitterly cold in our bedroom.",
    "Our room was wonderfully warm and cosy.",
    "The heating in the room worked perfectly, we loved it.",
    "Breakfast was cold and tasted of nothing.",
    "Breakfast was delicious and generous.",
    "The receptionist was rude to us.",
    "The receptionist was kind to us.",
    "Parking costs twelve euros a day.",
    "The receptionist was  rude to us.",
]


def _objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def feelings(tmp_path: Path) -> Path:
    """Write 120 labelled sentences with plain words of praise and blame."""
    words = {
        "negative": "awful rude dirty cold tasteless noisy broken disappointing terrible unhelpful".split(),
        "positive": "wonderful kind spotless warm delicious quiet perfect delightful excellent helpful".split(),
    }
    things = "room,staff,breakfast,hotel,waiter,place".split(",")
    rows = [f"The {thing} was {word}.,{label}" for label, some in words.items() for word in some for thing in things]
    path = tmp_path / "feelings.csv"
    path.write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    return path


def test_fine_tune_index_query_and_find_duplicates(
    feelings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newcomer's session: each stage takes what the one before gave, by the names it was given by default."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hotels.txt").write_text("\n".join(HOTELS) + "\n", encoding="utf-8")

    asked = ["--base", BASE_ENCODER, "--method", "joint", "--epochs", 4, "--learning-rate", 3e-4]
    told = succeed(capsys, "finetune", feelings, *asked)
    assert "Checkpoint: checkpoints/feelings" in told
    assert "Fast build: on 1,000 sentences" in told
    report = json.loads(Path("checkpoints/feelings/report.json").read_text(encoding="utf-8"))
    assert report["validation"]["accuracy"] >= 0.9
    assert report["epochs"][-1]["meaning_cosine"] > 0.9

    told = succeed(capsys, "index", "hotels.txt", "--encoder", "checkpoints/feelings")
    assert "10 sentences" in told
    assert "indexes/hotels" in told

    def ask(*arguments: object) -> list[dict[str, Any]]:
        return _objects(succeed(capsys, "query", "hotels", *arguments, "--json"))

    themselves = ask(HOTELS[0], "-k", 2)
    assert (themselves[0]["text"], themselves[0]["score"]) == (HOTELS[0], 1.0)
    assert themselves[1]["text"] == HOTELS[1]

    labels = {hit["text"]: hit["label"] for hit in ask("hotel", "-k", 10)}
    assert len(labels) == 10
    assert [labels[HOTELS[row]] for row in (4, 5, 6, 7)] == ["negative", "positive", "negative", "positive"]

    meaning = [hit["text"] for hit in ask("The receptionist was rude to us.", "--sentiment", "any", "-k", 3)]
    assert set(meaning) == {HOTELS[6], HOTELS[7], HOTELS[9]}
    (opposite,) = ask("The receptionist was rude to us.", "--sentiment", "opposite", "-k", 1)
    assert opposite["text"] == HOTELS[7]
    (named,) = ask("breakfast", "--sentiment", "positive", "--weight", 0.5, "-k", 1)
    assert named["text"] == HOTELS[5]

    found = _objects(succeed(capsys, "duplicates", "hotels", "--json"))
    exact = [one for one in found if one["kind"] == "pair" and one["level"] == "exact"]
    assert [(pair["a"]["line"], pair["b"]["line"]) for pair in exact] == [(7, 10)]
    clusters = [
        {one["survivor"]["line"], *(member["line"] for member in one["members"])}
        for one in found
        if one["kind"] == "cluster"
    ]
    assert [7, 10] in [sorted(lines & {7, 10}) for lines in clusters]
    assert not any({7, 8} <= lines for lines in clusters), "opposite feelings are no duplicates"

    (measured,) = _objects(succeed(capsys, "evaluate", feelings, "--encoder", "checkpoints/feelings", "--json"))
    assert measured["rows"] == 120
    assert measured["accuracy"] >= report["validation"]["accuracy"] - 0.05


def test_the_shipped_default_knows_meaning_and_feeling_without_any_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No checkpoint named at all: index and query a corpus of the project with the encoder that ships."""
    monkeypatch.chdir(tmp_path)
    succeed(capsys, "index", ROOT / "corpora" / "hotels.txt")
    (info,) = _objects(succeed(capsys, "info", "hotels", "--json"))
    assert info["count"] >= 400
    assert info["encoder"]["name"] == "kindred-mini"
    assert info["encoder"]["backend"] == "openvino"
    assert info["encoder"]["labels"] == ["negative", "neutral", "positive"]
    hits = _objects(
        succeed(capsys, "query", "hotels", "scrambled eggs in the morning", "-k", 1, "--sentiment", "any", "--json")
    )
    assert "scrambled eggs" in hits[0]["text"]
    asked = "the receptionist was rude to us"
    for sentiment, label in (("same", "negative"), ("opposite", "positive"), ("positive", "positive")):
        found = _objects(succeed(capsys, "query", "hotels", asked, "-k", 5, "--sentiment", sentiment, "--json"))
        assert [hit["label"] for hit in found].count(label) >= 4
