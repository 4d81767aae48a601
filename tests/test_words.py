"""Finding by words: names, numbers and code as they are written, quoted phrases, and the fusion with meaning."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from search.corpus import Corpus
from search.filters import Filter
from search.index import Index
from search.indexing import build_index
from search.query import Searcher
from search.verifying import verify_index
from search.words import Match, Words, fused, words_of
from tests.test_index import corpus_of
from tests.toy import ToyEncoder

TEXTS = [
    "the XR-500 will not start",
    "the XR-5000 will start",
    "XR 500, not an RX-500",
    "call max_len() with -1",
    "call max len",
    "a café in Zürich",
    "good room good room good room",
    "a very long sentence that has the word room once, among a great many other words that say little or nothing",
    "don't panic",
    "version 2.3.1 of c++",
]


@pytest.fixture
def searcher(tmp_path: Path) -> Iterator[Searcher]:
    """Index the texts."""
    build_index(corpus_of(tmp_path, TEXTS), tmp_path / "i", ToyEncoder())
    with Index(tmp_path / "i") as index:
        yield Searcher(index, ToyEncoder())


def found(searcher: Searcher, query: str, match: Match = Match.WORDS, only: Filter | None = None) -> list[int]:
    """Return the rows of the hits."""
    (hits,) = searcher.search([query], k=100, match=match, only=only)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    return [hit.entry.row for hit in hits]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("XR-500", {0, 2}),
        ("xr-5000", {1}),
        ("max_len", {3}),
        ("max_len()", {3}),
        ("max len", {4}),
        ("CAFE", {5}),
        ("zurich", {5}),
        ("don't", {8}),
        ("2.3.1", {9}),
        ("C++", {9}),
        ('"will not start"', {0}),
        ("\u201cwill start\u201d", {1}),
        ('"XR-500" start', {0, 2}),
        ('"call" "max_len"', {3}),
        ("nothing-of-this", set()),
        ("?! -- ...", set()),
        ('"', set()),
        ('AND OR NOT NEAR("', {0, 2, 7}),
        ("text: room*", {6, 7}),
        ("a\0caf\u00e9", {5}),
    ],
)
def test_words_that_are_there(searcher: Searcher, query: str, expected: set[int]) -> None:
    """Names, numbers and code are found as they are written; quotes must be there; no sign is a command."""
    assert set(found(searcher, query)) == expected


def test_the_best_come_first(searcher: Searcher) -> None:
    """A sentence that has the word more often, and is shorter, is before one that has it once."""
    assert found(searcher, "room") == [6, 7]


def test_both(searcher: Searcher) -> None:
    """Fused, sentences of either ranking are there, those of both first; the score is the similarity of meaning."""
    by_meaning = found(searcher, "room 500", Match.MEANING)
    by_words = found(searcher, "room 500")
    assert found(searcher, "room 500", Match.BOTH) == fused([by_meaning, by_words], 100)
    (hits,) = searcher.search(["room 500"], k=100, match=Match.BOTH)
    (alike,) = searcher.search(["room 500"], k=100)
    assert {hit.entry.row: hit.score for hit in hits} == {hit.entry.row: hit.score for hit in alike}
    assert set(found(searcher, '"start" room', Match.BOTH)) == {0, 1}


def test_filters_hold_for_words_too(searcher: Searcher) -> None:
    """Only sentences that fit are found, by words and by both."""
    only = Filter(labels=("positive",))
    assert found(searcher, "room start", Match.WORDS, only) == [6]
    assert found(searcher, "room start", Match.BOTH, only) == [6]


def test_words_of_old_rows_are_not_found(searcher: Searcher, tmp_path: Path) -> None:
    """A changed file's old words are gone with its rows, before and after the reader asks again."""
    build_index(corpus_of(tmp_path, ["the XR-700 will not start"]), tmp_path / "i", ToyEncoder())
    assert found(searcher, "XR-700") == []
    assert set(found(searcher, "XR-500")) == {0, 2}
    searcher.index.refresh()
    assert found(searcher, "XR-700") == [len(TEXTS)]
    assert found(searcher, "XR-500") == []
    assert verify_index(tmp_path / "i").problems == ()


def test_words_of_a_stopped_run_are_not_found(tmp_path: Path) -> None:
    """What was taken back, after a window that was not committed, leaves no words behind."""
    from tests.test_index_interrupted import InterruptedEncoder

    build_index(corpus_of(tmp_path, TEXTS), tmp_path / "i", ToyEncoder())
    with pytest.raises(RuntimeError):
        build_index(corpus_of(tmp_path, ["lost words"], "b.txt"), tmp_path / "i", InterruptedEncoder(RuntimeError(), 0))
    build_index(Corpus([str(tmp_path / "a.txt")]), tmp_path / "i", ToyEncoder())
    assert verify_index(tmp_path / "i").problems == ()


def test_a_query_s_parts() -> None:
    """Quotes are phrases, the rest is terms, each once; signs alone are neither."""
    assert words_of('a "b c" A - "?" a') == Words(("b c",), ("a", "A"))
    assert words_of("").expression() == ""


def test_fusion_is_by_rank() -> None:
    """Ranks count, not scores: 1/(60 + rank) summed; equal sums are in row order."""
    assert fused([[1, 2, 3], [3, 2, 1]], 9) == [1, 3, 2]
    assert fused([[5], [4]], 9) == [4, 5]
    assert fused([[], []], 9) == []
