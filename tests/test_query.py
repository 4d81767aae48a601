"""Text to hits: what may be asked of sentiment, what a score is made of, and equality with a brute-force search."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from search.corpus import Corpus
from search.errors import EncoderError, IndexFolderError, OptionError
from search.index import Index
from search.indexing import build_index
from search.query import Searcher, aim, check_query
from search.records import Hit
from search.similarity import Labels
from tests.toy import EMOTIONS, FEELINGS, TOPICS, ToyEncoder, TrainedToy

TEXTS = [f"{word} {topic}" for topic in TOPICS for word in ("good", "bad", "the")]
TEXTS += ["good room", "room room food", "pool price noise love", "käse 😀", "joy fear", "hate everything"]
QUERIES = ["good room", "bad food staff", "the pool", "nichts davon", "love noise. price price"]
D = len(TOPICS) + 2


def searcher_of(folder: Path, encoder: ToyEncoder) -> Searcher:
    """Index the texts, a line each."""
    path = folder / "a.txt"
    path.write_text("\n".join(TEXTS), encoding="utf-8")
    build_index(Corpus([str(path)]), folder / "i", encoder)
    encoder.calls.clear()
    return Searcher(Index(folder / "i"), encoder)


@pytest.fixture
def searcher(tmp_path: Path, toy: ToyEncoder) -> Iterator[Searcher]:
    """Give an index whose encoder has ordered labels."""
    searcher = searcher_of(tmp_path, toy)
    yield searcher
    searcher.index.close()


def oracle(
    query: str, weight: float, block: Sequence[float] | None = None, labels: Labels | None = FEELINGS
) -> list[tuple[str, float, float, float]]:
    """Score every text in float64, the query's sentiment block replaced by `block`; return them best first."""
    encoder = ToyEncoder(labels)
    rows = encoder.encode(TEXTS).rows.astype(np.float64)
    asked = encoder.encode([query]).rows[0].astype(np.float64)
    if block is not None:
        asked[D:] = block
    meaning, sentiment = (rows[:, :D] @ asked[:D]).round(6), (rows[:, D:] @ asked[D:]).round(6)
    scores = ((1 - weight) * meaning + weight * sentiment).round(6)
    order = sorted(range(len(TEXTS)), key=lambda row: (-scores[row], row))
    return [(TEXTS[row], float(scores[row]), float(meaning[row]), float(sentiment[row])) for row in order]


def plain(hits: Sequence[Hit]) -> list[tuple[str, float, float, float | None]]:
    """Return of each hit what the oracle returns."""
    return [(hit.entry.sentence.text, hit.score, hit.meaning, hit.sentiment) for hit in hits]


def own(query: str) -> list[float]:
    """Return a query's own sentiment block."""
    return [float(value) for value in ToyEncoder().encode([query]).rows[0, D:]]


@pytest.mark.parametrize("weight", [0.0, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("sentiment", [None, "same", "opposite", "negative", "neutral", "positive"])
def test_hits_equal_a_brute_force_search(searcher: Searcher, sentiment: str | None, weight: float) -> None:
    """Every hit, its order, score and parts are those of scoring all sentences, whatever is asked."""
    half = 0.5**0.5
    certain = {"negative": [1.0, 0.0], "neutral": [half, half], "positive": [0.0, 1.0]}
    found = searcher.search(QUERIES, k=100, sentiment=sentiment, weight=weight)
    assert len(found) == len(QUERIES)
    for query, hits in zip(QUERIES, found, strict=True):
        block = own(query)[::-1] if sentiment == "opposite" else certain.get(str(sentiment))
        assert plain(hits) == oracle(query, weight, block)
        for rank, hit in enumerate(hits, start=1):
            assert hit.rank == rank
            assert hit.sentiment is not None
            assert hit.score == pytest.approx((1 - weight) * hit.meaning + weight * hit.sentiment, abs=1e-6)


def test_default_weights(searcher: Searcher) -> None:
    """Without a weight it is the encoder's 0.3, for the opposite view 0.5, and for "any" 0."""
    (hits,), (opposite,), (anything,) = (
        searcher.search(["bad food"], k=100, sentiment=one) for one in (None, "opposite", "any")
    )
    assert plain(hits) == oracle("bad food", 0.3)
    assert plain(opposite) == oracle("bad food", 0.5, own("bad food")[::-1])
    assert plain(anything) == oracle("bad food", 0.0)
    strong = replace(searcher.passport, default_weight=0.8)
    rows = ToyEncoder().encode(["bad food"]).rows
    assert [aim(rows, strong, one, None)[1] for one in ("same", "opposite", "any", "positive")] == [0.8, 0.8, 0.0, 0.8]


def test_what_is_asked(searcher: Searcher) -> None:
    """On one topic, "same" finds the same feeling first, "opposite" the other, a label its own, "any" does not mind."""

    def first(sentiment: str, weight: float | None = None) -> str:
        (hits,) = searcher.search(["love food"], k=1, sentiment=sentiment, weight=weight)
        return hits[0].entry.sentence.text

    assert [first("same"), first("opposite"), first("negative"), first("neutral")] == [
        "good food",
        "bad food",
        "bad food",
        "the food",
    ]
    assert oracle("love food", 0.0)[0][0] == first("any") == first("positive", weight=0.0)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_a_sentence_finds_itself(searcher: Searcher, weight: float) -> None:
    """A sentence of the index scores 1 against itself for every weight; equal texts tie, in the order of the index."""
    for text in TEXTS:
        (hits,) = searcher.search([text], k=len(TEXTS), weight=weight)
        mine = [hit for hit in hits if hit.entry.sentence.text == text]
        assert [hit.score for hit in mine] == [1.0] * TEXTS.count(text)
        assert [hit.entry.row for hit in mine] == [row for row, other in enumerate(TEXTS) if other == text]


@pytest.mark.parametrize("k", [1, 3, len(TEXTS), 10_000])
def test_k(searcher: Searcher, k: int) -> None:
    """There are min(k, n) hits, the first of all; without k, 10."""
    (hits,) = searcher.search(["good room"], k=k)
    assert plain(hits) == oracle("good room", 0.3)[:k]
    assert len(searcher.search(["good room"])[0]) == 10


def test_hit_as_json(searcher: Searcher) -> None:
    """A hit as programs read it has the sentence, its place, its label, and the score's parts."""
    (hits,) = searcher.search(["bad pool"], k=1)
    assert hits[0].to_dict() == {
        "rank": 1, "score": 1.0, "meaning": 1.0, "sentiment": 1.0, "label": "negative", "probability": 0.9647,
        "text": "bad pool", "source": searcher.index.sources[0].name, "line": 17, "start": 159, "end": 167,
        "row": 16, "metadata": {},
    }  # fmt: skip


def test_nominal_labels(tmp_path: Path) -> None:
    """Labels without order can be asked for by name, and have no opposite."""
    searcher = searcher_of(tmp_path, ToyEncoder(EMOTIONS))
    (hits,) = searcher.search(["the room"], k=100, sentiment="joy", weight=0.6)
    assert plain(hits) == oracle("the room", 0.6, [0.0, 0.0, 1.0], EMOTIONS)
    assert plain(searcher.search(["bad room"], k=100)[0]) == oracle("bad room", 0.3, None, EMOTIONS)
    with pytest.raises(EncoderError, match=r"nominal \(anger, fear, joy\)"):
        searcher.search(["the room"], sentiment="opposite")
    searcher.index.close()


def test_meaning_only(tmp_path: Path) -> None:
    """An encoder without labels searches by meaning, and refuses every question of sentiment."""
    searcher = searcher_of(tmp_path, ToyEncoder(None))
    for sentiment, weight in [(None, None), ("any", None), (None, 0.0), ("any", 0.0)]:
        (hits,) = searcher.search(["bad room"], k=100, sentiment=sentiment, weight=weight)
        assert [hit[:3] for hit in plain(hits)] == [row[:3] for row in oracle("bad room", 0.0, None, None)]
        assert {(hit.sentiment, hit.entry.label) for hit in hits} == {(None, None)}
    for sentiment, weight in [("same", None), ("opposite", None), ("positive", None), (None, 0.3)]:
        with pytest.raises(EncoderError, match="knows meaning only"):
            searcher.search(["bad room"], sentiment=sentiment, weight=weight)
    searcher.index.close()


@pytest.mark.parametrize(
    ("k", "sentiment", "weight", "message"),
    [
        (0, None, None, "k is 0; it must be 1 or more"),
        (-3, None, None, "k is -3"),
        (1, None, 1.1, "weight is 1.1; it must lie between 0"),
        (1, None, -0.1, "weight is -0.1"),
        (1, None, float("nan"), "weight is nan"),
        (1, "any", 0.3, "sentiment 'any' means 0"),
        (1, "angry", None, "No label 'angry'; this encoder knows negative, neutral, positive"),
        (1, "Positive", None, "No label 'Positive'"),
    ],
)
def test_options_out_of_range(
    searcher: Searcher, toy: ToyEncoder, k: int, sentiment: str | None, weight: float | None, message: str
) -> None:
    """An option out of range is an error that names it, before anything is encoded."""
    with pytest.raises(OptionError, match=message):
        searcher.search(["good room"], k=k, sentiment=sentiment, weight=weight)
    with pytest.raises(OptionError, match=message):
        check_query(searcher.passport, k=k, sentiment=sentiment, weight=weight)
    assert toy.calls == []


@pytest.mark.parametrize("texts", [[""], [" \n\u00a0"], ["good", ""]])
def test_blank_query(searcher: Searcher, texts: list[str]) -> None:
    """A blank query among others is an error, not ten sentences at random."""
    with pytest.raises(OptionError, match="A query is blank"):
        searcher.search(texts)


def test_many_queries_and_none(searcher: Searcher, toy: ToyEncoder) -> None:
    """Queries are encoded together, and each answered as if it were alone; no query, no answer."""
    together = searcher.search(QUERIES * 60, k=3)
    assert len(toy.calls) == 1
    assert together == [searcher.search([query], k=3)[0] for query in QUERIES] * 60
    assert searcher.search([]) == []


def test_another_encoder(searcher: Searcher) -> None:
    """An encoder of another fingerprint is refused, both named."""
    with pytest.raises(IndexFolderError, match=r"encoder toy \(toy\); toy \(trained\) is another"):
        Searcher(searcher.index, TrainedToy(1.0))
