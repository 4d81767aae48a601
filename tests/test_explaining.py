"""Which words carry a score: shares that add up to it, and words that move the feeling."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from search.corpus import Corpus
from search.encoder import TokenEncoder, Tokens
from search.encoders import Backend, load_encoder
from search.errors import EncoderError
from search.explaining import Explanation, explain
from search.index import Index
from search.indexing import build_index
from search.query import Searcher
from search.records import Hit
from search.word_shares import Part
from tests.cli_runner import ROOT, refuse, run, succeed
from tests.toy import EMOTIONS, ToyEncoder

TEXTS = ["good room", "bad food, and the staff were bad", "room room food", "pool price noise love", "...", "温泉 pool"]


@pytest.fixture
def searcher(tmp_path: Path, toy: ToyEncoder) -> Iterator[Searcher]:
    """Give an index of the texts."""
    (tmp_path / "a.txt").write_text("\n".join(TEXTS), encoding="utf-8")
    build_index(Corpus([str(tmp_path / "a.txt")]), tmp_path / "i", toy)
    with Index(tmp_path / "i") as index:
        yield Searcher(index, toy)


def total(parts: tuple[Part, ...], rest: float) -> float:
    """Add up what all words, and the rest, give."""
    return sum(part.value for part in parts) + rest


def values(parts: tuple[Part, ...]) -> dict[str, float]:
    """Return what each word gives."""
    return {part.text: round(part.value, 3) for part in parts}


def check(query: str, hits: list[Hit], explanations: list[Explanation]) -> None:
    """Refuse explanations whose shares do not add up, or whose pieces are not where they say."""
    assert len(explanations) == len(hits)
    for hit, one in zip(hits, explanations, strict=True):
        assert total(one.query, one.query_rest) == pytest.approx(hit.meaning, abs=1e-9)
        assert total(one.sentence, one.sentence_rest) == pytest.approx(hit.meaning, abs=1e-9)
        for text, parts in ((query, one.query), (hit.entry.sentence.text, one.sentence)):
            assert all(text[part.start : part.end] == part.text for part in parts)
        assert all(hit.entry.sentence.text[part.start : part.end] == part.text for part in one.sentiment)


def test_the_shares_add_up_to_the_meaning_part(searcher: Searcher, toy: ToyEncoder) -> None:
    """For every hit, in the query's words and in its own; what they share carries it, the other words carry little."""
    query = "the food in the room"
    (hits,) = searcher.search([query], k=len(TEXTS))
    explanations = explain(query, hits, toy)
    check(query, hits, explanations)
    at = [hit.entry.sentence.text for hit in hits].index("room room food")
    one = explanations[at]
    assert values(one.query)["food"] > 0.2
    assert values(one.query)["room"] == pytest.approx(2 * values(one.query)["food"], abs=0.02)
    assert abs(values(one.query)["in"]) < 0.02
    assert [part.text for part in one.sentence] == ["room", "room", "food"]
    assert one.sentence_rest == pytest.approx(0, abs=1e-4)  # the toy's mark gives nothing


def test_the_word_that_turns_the_feeling_moves_the_sentiment_part(searcher: Searcher, toy: ToyEncoder) -> None:
    """Left out, "good" leaves a neutral text: agreement with a good one falls; asked for the opposite, it rises."""
    (hits,) = searcher.search(["good food"], k=len(TEXTS))
    at = [hit.entry.sentence.text for hit in hits].index("good room")
    assert values(explain("good food", hits, toy)[at].sentiment)["good"] > 0.2
    assert values(explain("good food", hits, toy)[at].sentiment)["room"] == 0
    assert values(explain("good food", hits, toy, sentiment="opposite")[at].sentiment)["good"] < -0.2
    assert explain("good food", hits, toy, sentiment="any")[at].sentiment == ()
    assert explain("good food", hits, toy, weight=0.0)[at].sentiment == ()
    assert explain("good food", [], toy) == []


def test_a_long_text_is_left_out_in_few_pieces(tmp_path: Path, toy: ToyEncoder) -> None:
    """500 words are 46 pieces of 11; each word is in one of them, and the texts encoded are as few."""
    text = " ".join(["food"] * 499 + ["bad"])
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    build_index(Corpus([str(tmp_path / "a.txt")]), tmp_path / "i", toy)
    with Index(tmp_path / "i") as index:
        (hits,) = Searcher(index, toy).search(["bad food"])
    toy.calls.clear()
    (one,) = explain("bad food", hits, toy)
    assert len(one.sentiment) == 46
    assert sum(len(part.text.split()) for part in one.sentiment) == 500
    assert sum(map(len, toy.calls)) == 1 + 1 + 46
    assert one.sentiment[-1].value > 0.2


def test_an_encoder_that_does_not_average_its_tokens_is_told(searcher: Searcher) -> None:
    """Shares of something that is no mean would be made up."""

    class Other(ToyEncoder):
        def tokens(self, texts: Sequence[str]) -> list[Tokens]:
            found = super().tokens(texts)
            for one in found:
                one.vectors[:] = np.roll(one.vectors, 3, axis=1)
            return found

    (hits,) = searcher.search(["food"], k=1)
    with pytest.raises(EncoderError, match="toy does not make a text's meaning of the mean of its tokens"):
        explain("food", hits, Other())


def test_labels_without_an_order_are_explained_too(tmp_path: Path) -> None:
    """The word of joy raises the agreement with joy."""
    encoder = ToyEncoder(EMOTIONS)
    (tmp_path / "a.txt").write_text("joy room\nfear room\n", encoding="utf-8")
    build_index(Corpus([str(tmp_path / "a.txt")]), tmp_path / "i", encoder)
    with Index(tmp_path / "i") as index:
        (hits,) = Searcher(index, encoder).search(["room"], sentiment="joy")
    first, second = explain("room", hits, encoder, sentiment="joy")
    assert values(first.sentiment)["joy"] > 0.3
    assert values(second.sentiment)["fear"] == pytest.approx(0, abs=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("backend", [Backend.OPENVINO, Backend.TORCH])
def test_both_backends_explain(backend: Backend, tmp_path: Path) -> None:
    """The shipped encoder: shares add up, "not" is what makes the text a negative one, the topic's word carries it."""
    encoder: TokenEncoder = load_encoder(backend=backend)
    lines = ["The room was not clean at all.", "Wir haben gut geschlafen, danke", "x" * 4000, "The bus stops here."]
    (tmp_path / "a.txt").write_text("\n".join(lines), encoding="utf-8")
    build_index(Corpus([str(tmp_path / "a.txt")]), tmp_path / "i", encoder)
    query = "Our bathroom isn't clean"
    with Index(tmp_path / "i") as index:
        (hits,) = Searcher(index, encoder).search([query])
    explanations = explain(query, hits, encoder)
    check(query, hits, explanations)
    assert hits[0].entry.sentence.text == lines[0]
    first = explanations[0]
    assert max(first.sentence, key=lambda part: part.value).text in {"clean", "room"}
    assert max(first.sentiment, key=lambda part: part.value).text == "not"
    assert abs(first.sentence_rest) < 0.25 * hits[0].meaning
    for hit, one in zip(hits, explanations, strict=True):  # the marks give some; the words must give the most
        assert abs(one.query_rest) <= max(0.1, 0.5 * abs(hit.meaning))


@pytest.mark.slow
def test_the_command_explains(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Below each sentence, or as fields for programs that add up; without the option nothing is added."""
    folder = tmp_path / "hotels"
    succeed(capsys, "index", ROOT / "corpora" / "hotels.txt", "--out", folder)
    query = "we could not sleep because of the street"
    out = succeed(capsys, "query", folder, query, "-k", "3", "--explain")
    assert out.count("meaning: ") == 3
    assert "sleep +0." in out
    lines = succeed(capsys, "query", folder, query, "-k", "3", "--explain", "--json").splitlines()
    for line in lines:
        hit = json.loads(line)
        why = hit["explanation"]
        assert sum(one["value"] for one in why["sentence"]) + why["sentence_rest"] == pytest.approx(
            hit["meaning"], abs=1e-4
        )
    assert "explanation" not in run(capsys, "query", folder, query, "--json").out
    assert "nothing" not in refuse(capsys, "query", tmp_path / "none", query, "--explain")
