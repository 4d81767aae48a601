"""Top-k and threshold search are exact: equal to a brute-force search in float64, ties included."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from search.errors import OptionError
from search.nearest import Nearest, Scored, check_k, check_threshold
from search.similarity import SCORE_DECIMALS, Labels, Vectors, sentiment_blocks, unit
from search.store_faiss import FaissStore
from tests.toy import EMOTIONS, FEELINGS

WEIGHTS = (0.0, 0.3, 0.7, 1.0)
D = 12


def rows_of(count: int, labels: Labels, seed: int) -> Vectors:
    """Make rows of random unit blocks."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(len(labels.names)), size=count)
    return np.hstack([unit(random.normal(size=(count, D))), sentiment_blocks(probabilities, labels)])


def distinct() -> Vectors:
    """Make 300 rows that differ, more than one block of queries."""
    return rows_of(300, FEELINGS, 1)


def nominal() -> Vectors:
    """Make 100 rows with nominal labels."""
    return rows_of(100, EMOTIONS, 2)


def copies() -> Vectors:
    """Make 240 rows, 6 different ones 40 times each, in random order."""
    return np.random.default_rng(3).permutation(np.repeat(rows_of(6, FEELINGS, 3), 40, axis=0))


def few_feelings() -> Vectors:
    """Make 200 rows with one of three sentiment blocks: for weight 1 nearly everything ties."""
    rows = rows_of(200, FEELINGS, 4)
    rows[:, D:] = sentiment_blocks(np.eye(3)[np.random.default_rng(4).integers(3, size=200)], FEELINGS)
    return rows


def near_copies() -> Vectors:
    """Make 200 rows that differ by about as much as float32 and the rounding of scores."""
    random = np.random.default_rng(5)
    rows = np.repeat(rows_of(2, FEELINGS, 5), 100, axis=0)
    rows[:, :D] = unit(rows[:, :D] + random.normal(size=(200, D)) * 10.0 ** random.integers(-8, -3, size=(200, 1)))
    return random.permutation(rows)


def crossed() -> Vectors:
    """Make 90 axis rows, half of them turned around: scores of exactly 1, 0 and -1."""
    axes = np.repeat(np.vstack([np.eye(D, dtype=np.float32)[:3], -np.eye(D, dtype=np.float32)[:3]]), 15, axis=0)
    return np.hstack([axes, sentiment_blocks(np.eye(3)[np.arange(90) % 3], FEELINGS)])


DATA = pytest.mark.parametrize("make", [distinct, nominal, copies, few_feelings, near_copies, crossed])


def nearest_of(rows: Vectors) -> Nearest:
    """Search rows with the FAISS store."""
    return Nearest(rows, D, FaissStore(rows))


def oracle(rows: Vectors, query: Vectors, weight: float) -> npt.NDArray[np.float64]:
    """Score all rows in float64, one at a time."""
    wide, asked = rows.astype(np.float64), query.astype(np.float64)
    meaning = np.array([round(math.fsum(row[:D] * asked[:D]), SCORE_DECIMALS) for row in wide])
    sentiment = np.array([round(math.fsum(row[D:] * asked[D:]), SCORE_DECIMALS) for row in wide])
    return ((1 - weight) * meaning + weight * sentiment).round(SCORE_DECIMALS)


def ranking(scores: npt.NDArray[np.float64]) -> list[int]:
    """Order rows by score, then row."""
    return sorted(range(len(scores)), key=lambda row: (-scores[row], row))


def check(found: Scored, rows: Vectors, query: Vectors, weight: float, expected: list[int]) -> None:
    """Compare what was found with the rows expected, in order, and with their scores and parts."""
    assert found.rows.tolist() == expected
    np.testing.assert_array_equal(found.scores, oracle(rows[expected], query, weight))
    np.testing.assert_array_equal(found.meaning, oracle(rows[expected], query, 0.0))
    np.testing.assert_array_equal(found.sentiment, oracle(rows[expected], query, 1.0))


@DATA
@pytest.mark.parametrize("weight", WEIGHTS)
def test_top_k_equals_brute_force(make: Callable[[], Vectors], weight: float) -> None:
    """For every k, also where ties cross it, the rows, their order, scores and parts are the oracle's."""
    rows = make()
    queries = np.vstack([rows[:4], rows_of(4, EMOTIONS if make is nominal else FEELINGS, 9)])
    rankings = [ranking(oracle(rows, query, weight)) for query in queries]
    for k in (1, 2, 7, 39, 40, 41, 75, len(rows) - 1, len(rows)):
        for query, found, expected in zip(queries, nearest_of(rows).top(queries, k, weight), rankings, strict=True):
            check(found, rows, query, weight, expected[:k])


@DATA
@pytest.mark.parametrize("weight", WEIGHTS)
def test_threshold_equals_brute_force(make: Callable[[], Vectors], weight: float) -> None:
    """For every threshold, those included that are exactly a row's score, all rows that reach it are found."""
    rows = make()
    query = rows[:1]
    scores = oracle(rows, query[0], weight)
    order = ranking(scores)
    own = np.unique(scores)[:: max(1, len(np.unique(scores)) // 5)].tolist()
    for threshold in (-1.0, -0.5, 0.0, 0.5, 0.85, 0.999999, 1.0, *own):
        (found,) = nearest_of(rows).above(query, threshold, weight)
        check(found, rows, query[0], weight, [row for row in order if scores[row] >= threshold])


@DATA
@pytest.mark.parametrize("weight", WEIGHTS)
def test_every_row_finds_itself_with_exactly_one(make: Callable[[], Vectors], weight: float) -> None:
    """The best score of a row of the index is 1.0 to the last bit, and threshold 1.0 finds the row."""
    rows = make()
    nearest = nearest_of(rows)
    tops, aboves = nearest.top(rows, 1, weight), list(nearest.above(rows, 1.0, weight))
    assert len(tops) == len(aboves) == len(rows)
    for number, (top, above) in enumerate(zip(tops, aboves, strict=True)):
        assert top.scores.tolist() == [1.0]
        assert top.rows[0] == above.rows[0] <= number
        assert number in above.rows.tolist()
        assert set(above.scores.tolist()) == {1.0}


@DATA
@pytest.mark.parametrize("weight", WEIGHTS)
def test_only_living_rows_and_those_asked_for_are_found(make: Callable[[], Vectors], weight: float) -> None:
    """Rows that are dead, or not among those asked for, are left out before the search: k others take their place."""
    rows = make()
    random = np.random.default_rng(8)
    alive, among = random.random(len(rows)) < 0.6, random.random(len(rows)) < 0.3
    nearest = Nearest(rows, D, FaissStore(rows), alive)
    for query in rows[:4]:
        scores = oracle(rows, query, weight)
        for wanted, asked in ((alive, None), (alive & among, among)):
            expected = [row for row in ranking(scores) if wanted[row]]
            for k in (1, 5, len(rows)):
                (found,) = nearest.top(query[None, :], k, weight, asked)
                check(found, rows, query, weight, expected[:k])
            (above,) = nearest.above(query[None, :], 0.5, weight, asked)
            check(above, rows, query, weight, [row for row in expected if scores[row] >= 0.5])


@pytest.mark.parametrize("weight", WEIGHTS)
def test_threshold_one_finds_exact_duplicates(weight: float) -> None:
    """Of 6 rows given 40 times, threshold 1.0 finds the 40 copies in row order; k = 3 gives the first three."""
    rows = copies()
    same = [row for row in range(len(rows)) if rows[row].tolist() == rows[7].tolist()]
    (found,) = nearest_of(rows).above(rows[7:8], 1.0, weight)
    assert found.rows.tolist() == same
    assert len(same) == 40
    (top,) = nearest_of(rows).top(rows[7:8], 3, weight)
    assert top.rows.tolist() == same[:3]


def test_the_weight_chooses_the_order() -> None:
    """Hand-made rows: the nearest in meaning wins for weight 0, the same feeling for weight 1."""
    axes = np.zeros((3, D), np.float32)
    axes[[0, 1, 2], [0, 1, 0]] = 1.0
    rows = np.hstack([axes, np.array([[0, 1], [1, 0], [1, 0]], np.float32)])
    rows[2, :2] = 0.6, 0.8
    query = np.hstack([axes[:1], np.array([[1, 0]], np.float32)])
    for weight, expected, scores in (
        (0.0, [0, 2, 1], [1.0, 0.6, 0.0]),
        (0.3, [2, 0, 1], [0.72, 0.7, 0.3]),
        (1.0, [1, 2, 0], [1.0, 1.0, 0.0]),
    ):
        (found,) = nearest_of(rows).top(query, 3, weight)
        assert found.rows.tolist() == expected
        assert found.scores.tolist() == scores


def test_more_than_there_is_gives_what_there_is() -> None:
    """A k over n gives n rows; one row is found; an index of none, or no query, gives nothing."""
    rows = distinct()
    (found,) = nearest_of(rows[:5]).top(rows[:1], 1000, 0.3)
    assert found.rows.tolist() == ranking(oracle(rows[:5], rows[0], 0.3))
    (one,) = nearest_of(rows[:1]).top(rows[:1], 10, 0.3)
    assert (one.rows.tolist(), one.scores.tolist()) == ([0], [1.0])
    empty = nearest_of(rows[:0])
    assert [found.rows.tolist() for found in empty.top(rows[:2], 3, 0.3)] == [[], []]
    assert [found.rows.tolist() for found in empty.above(rows[:2], -1.0, 0.3)] == [[], []]
    assert nearest_of(rows).top(rows[:0], 3, 0.3) == []
    assert list(nearest_of(rows).above(rows[:0], 0.5, 0.3)) == []


@pytest.mark.parametrize("threshold", [-1.01, 1.01, math.nan])
def test_a_threshold_no_score_can_have_is_refused(threshold: float) -> None:
    """The message names the value; -1 and 1 are allowed."""
    check_threshold(-1.0)
    check_threshold(1.0)
    with pytest.raises(OptionError, match=f"threshold is {threshold:g}"):
        list(nearest_of(distinct()).above(distinct()[:1], threshold, 0.3))


@pytest.mark.parametrize("k", [0, -1])
def test_a_k_below_one_is_refused(k: int) -> None:
    """The message names it; 1 is allowed."""
    check_k(1)
    with pytest.raises(OptionError, match=f"k is {k}"):
        nearest_of(distinct()).top(distinct()[:1], k, 0.3)


def test_a_weight_out_of_range_or_a_wrong_width_is_refused() -> None:
    """Both searches check the weight, and the width of the queries."""
    nearest, query = nearest_of(distinct()), distinct()[:1]
    with pytest.raises(OptionError, match=r"weight is 1\.5"):
        nearest.top(query, 1, 1.5)
    with pytest.raises(OptionError, match=r"weight is -0\.5"):
        list(nearest.above(query, 0.5, -0.5))
    with pytest.raises(OptionError, match=f"{D + 2} wide"):
        nearest.top(query[:, :-1], 1, 0.3)
