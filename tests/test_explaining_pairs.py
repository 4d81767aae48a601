"""Why two texts score as they do: shares that add up, whichever text comes first; in the command and in the report."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from search.encoders import load_encoder
from search.explaining_pairs import Explained, PairExplanation, differing, explain_pairs
from search.report import report_html
from search.similarity import parts, total
from search.word_shares import Part
from tests.cli_runner import ROOT, run, succeed, toy_index
from tests.found import found
from tests.test_explaining import total as added
from tests.test_explaining import values
from tests.test_report import data_of
from tests.toy import EMOTIONS, ToyEncoder

TEXTS = ["good room", "room room food", "bad food and the staff were bad", "pool price noise love", "\u6e29 pool"]


def test_the_shares_of_either_text_add_up_to_the_meaning_part(toy: ToyEncoder) -> None:
    """Of all pairs; both parts, weighted, are the score of the two rows; every piece stands where it says."""
    pairs = list(combinations(TEXTS, 2))
    explained = explain_pairs(pairs, toy)
    rows = toy.encode(TEXTS).rows
    for a, b in pairs:
        why = explained.of(a, b)
        assert why is not None
        assert added(why.a, why.a_rest) == pytest.approx(why.meaning, abs=1e-9)
        assert added(why.b, why.b_rest) == pytest.approx(why.meaning, abs=1e-9)
        assert all(a[part.start : part.end] == part.text for part in why.a)
        assert all(b[part.start : part.end] == part.text for part in why.b)
        both = parts(rows[[TEXTS.index(a)]], rows[[TEXTS.index(b)]], toy.passport.meaning_dim)
        assert why.sentiment is not None
        assert total(np.array([why.meaning]), np.array([why.sentiment]), 0.3) == total(*both, 0.3)


def test_what_is_shared_carries_the_score(toy: ToyEncoder) -> None:
    """The topic that both have gives most; twice in a text it gives twice; the order of the two is turned with them."""
    explained = explain_pairs([("room room food", "the room")], toy)
    why = explained.of("room room food", "the room")
    assert why is not None
    assert [part.text for part in why.b] == ["the", "room"]
    assert values(why.b)["room"] > 0.8
    assert abs(values(why.a)["food"]) < 0.02
    turned = explained.of("the room", "room room food")
    assert turned is not None
    assert (turned.a, turned.a_rest, turned.b) == (why.b, why.b_rest, why.a)
    assert (why.differing, turned.differing) == (
        (("room room food", "the room"),),
        (("the room", "room room food"),),
    ) or ([one[::-1] for one in why.differing] == list(turned.differing))
    assert explained.of("the room", "the pool") is None


def test_many_pairs_are_read_a_few_at_a_time(toy: ToyEncoder) -> None:
    """200 pairs, given twice over and turned, are explained once each, in batches of 64 pairs."""
    pairs = [(f"room {number}", f"food {number}") for number in range(200)]
    explained = explain_pairs([*pairs, *((b, a) for a, b in pairs)], toy)
    assert all(explained.of(*pair) for pair in pairs)
    assert [len(call) for call in toy.calls] == [128, 128, 128, 16]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("My card was stolen", "My bank card was stolen", [("", "bank")]),
        ("It is fine.", "It is fine.", []),
        ("\u6e29\u6cc9", "\u6e29\u6c34", [("\u6cc9", "\u6c34")]),
        ("a, b", "", [("a, b", "")]),
        ("Pay 500 euros now", "pay 5000 euros", [("Pay 500", "pay 5000"), ("now", "")]),
    ],
)
def test_the_words_that_differ(a: str, b: str, expected: list[tuple[str, str]]) -> None:
    """What stands in one text in place of what stands in the other, as it is written there."""
    assert list(differing(a, b)) == expected


def test_without_labels_there_is_no_sentiment_part() -> None:
    """Labels without an order have one; where the encoder has none it is told as none."""
    (why,) = [explain_pairs([("joy room", "fear room")], ToyEncoder(EMOTIONS)).of("joy room", "fear room")]
    assert why is not None
    assert why.sentiment is not None
    assert why.sentiment < 0.5


def test_the_command_tells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Below each member what carries its score and what differs; each refused pair is listed; equal texts need none."""
    monkeypatch.setattr("search.cli.duplicates_inputs.load", lambda *_: ToyEncoder())
    texts = ["good room", "good  room", "room good", "food 12 euros", "food 21 euros", "bad pool"]
    index = toy_index(tmp_path / "known", texts, ToyEncoder())
    out = succeed(capsys, "duplicates", index, "--threshold", "0.8", "--explain")
    assert "meaning: room +" in out
    assert "survivor: room +" in out
    assert "refused for: 21 euros / 12 euros" in out
    assert "differs: 12 / 21" in out
    assert "1 pair refused: number 1." in out
    plain = succeed(capsys, "duplicates", index, "--threshold", "0.8")
    assert "meaning:" not in plain
    assert "number 1 (--json and --csv list them)." in plain
    printed = succeed(capsys, "duplicates", index, "--threshold", "0.8", "--explain", "--json").splitlines()
    told = {(one["kind"], one.get("level")): "explanation" in one for one in map(json.loads, printed)}
    assert told == {
        ("pair", "exact"): False, ("pair", "semantic"): True, ("refusal", "semantic"): True, ("cluster", None): False,
        ("summary", None): False,
    }  # fmt: skip


def test_the_report_holds_the_shares() -> None:
    """In thousandths, six words at most and all else in one: they add up to the meaning part; none unless asked."""
    parts_of_a = tuple(Part(f"w{number}", number, number + 1, 0.1 + number / 100) for number in range(8))
    why = PairExplanation(0.95, 0.5, parts_of_a, -0.03, (Part("x", 0, 1, 0.9),), 0.05, (("a", "b"),))
    result = found(["a", "b", "c"], {(1, 0): 0.95}, refused={(0, 2): (0.91, "number", ("1",))})
    (pair,) = data_of(report_html(result, encoder="toy", explained=Explained({("a", "b"): why})))["pairs"]
    meaning, sentiment, of_b, of_a = pair[6]
    assert (pair[5], meaning, sentiment) == ([], 950_000, 500_000)
    assert of_a == [["w7", 170], ["w6", 160], ["w5", 150], ["w4", 140], ["w3", 130], ["w2", 120], [None, 80]]
    assert of_b == [["x", 900], [None, 50]]
    assert sum(value for _, value in of_a) == 950
    data = data_of(report_html(result, encoder="toy"))
    assert [len(row) for row in (*data["pairs"], *data["refused"])] == [5, 6]


@pytest.mark.slow
def test_the_shipped_encoder_explains(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Over the support questions a pair's parts are its score, and the shares of either text add up to the meaning."""
    options = ["duplicates", ROOT / "corpora" / "support.txt", "--threshold", "0.85", "--explain", "--json"]
    done = run(capsys, *options)
    assert done.code == 0, done.err
    assert done.err.count("Encoder: ") == 1
    weight = load_encoder().passport.default_weight
    explained = [one for one in map(json.loads, done.out.splitlines()) if "explanation" in one]
    assert len(explained) > 50
    for one in explained:
        why = one["explanation"]
        assert (1 - weight) * why["meaning"] + weight * why["sentiment"] == pytest.approx(one["score"], abs=2e-6)
        for side in ("a", "b"):
            assert sum(part["value"] for part in why[side]) + why[f"{side}_rest"] == pytest.approx(
                why["meaning"], abs=1e-4
            )
            assert why[side][0]["text"] in one[side]["text"]
