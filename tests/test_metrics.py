"""Figures of quality equal scikit-learn's, where it has them, and examples worked by hand."""

import math

import numpy as np
import pytest
from sklearn import metrics as reference

from search.metrics import (
    accuracy,
    average_precision,
    best_f1,
    calibration_error,
    cross_entropy,
    fit_temperature,
    macro_f1,
    ndcg,
    recall,
    reciprocal_rank,
)
from search.similarity import softmax

SEEDS = pytest.mark.parametrize("seed", range(5))


@SEEDS
def test_classification_equals_scikit_learn(seed: int) -> None:
    """Accuracy, macro-F1 and cross-entropy of random predictions of 4 labels, one of them never given."""
    random = np.random.default_rng(seed)
    gold = random.integers(3, size=60)
    probabilities = random.dirichlet(np.ones(4), size=60)
    predicted = probabilities.argmax(axis=1)
    labels = range(4)
    assert accuracy(predicted, gold) == pytest.approx(reference.accuracy_score(gold, predicted))
    expected = reference.f1_score(gold, predicted, labels=labels, average="macro", zero_division=0)
    assert macro_f1(predicted, gold, 4) == pytest.approx(expected)
    assert cross_entropy(probabilities, gold) == pytest.approx(reference.log_loss(gold, probabilities, labels=labels))


def test_classification_by_hand() -> None:
    """Three of four are right; F1 is 2/3 and 4/5, and 0 for a third label that nobody names."""
    predicted, gold = np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1])
    assert accuracy(predicted, gold) == 0.75
    assert macro_f1(predicted, gold, 2) == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert macro_f1(predicted, gold, 3) == pytest.approx((2 / 3 + 4 / 5) / 3)


def test_cross_entropy_by_hand() -> None:
    """The mean of -ln of the gold labels' probabilities; a probability of 0 counts as 1e-12."""
    probabilities = np.array([[0.5, 0.5], [0.25, 0.75]])
    assert cross_entropy(probabilities, np.array([0, 0])) == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert cross_entropy(np.array([[0.0, 1.0]]), np.array([0])) == pytest.approx(12 * math.log(10))


def test_calibration_error_by_hand() -> None:
    """Two bins: 4 texts at 0.9 of which 3 are right, 1 at 0.6 that is wrong."""
    probabilities = np.array([[0.9, 0.1]] * 4 + [[0.6, 0.4]])
    gold = np.array([0, 0, 0, 1, 1])
    assert calibration_error(probabilities, gold) == pytest.approx(0.8 * 0.15 + 0.2 * 0.6)


def test_calibration_error_is_nothing_where_confidence_is_right() -> None:
    """Certain and right is 0, certain and wrong is 1, half sure and half right is 0."""
    certain = np.eye(2)
    assert calibration_error(certain, np.array([0, 1])) == 0.0
    assert calibration_error(certain, np.array([1, 0])) == 1.0
    assert calibration_error(np.full((2, 2), 0.5), np.array([0, 1])) == 0.0


def test_calibration_error_takes_each_bin_by_itself() -> None:
    """Too sure in one bin and not sure enough in another do not cancel out."""
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    assert calibration_error(probabilities, np.array([0, 1, 0, 0])) == pytest.approx(0.4)


@pytest.mark.parametrize(("other", "expected"), [(0.61, abs(0.635 - 0.5)), (0.68, (0.34 + 0.68) / 2)])
def test_calibration_error_has_fifteen_bins(other: float, expected: float) -> None:
    """Of 15 bins the tenth is 0.6 to 0.667: 0.66, which is right, shares it with 0.61, and not with 0.68."""
    probabilities = np.array([[0.66, 0.34], [other, 1 - other]])
    assert calibration_error(probabilities, np.array([0, 1])) == pytest.approx(expected)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_of_the_labels_is_found(temperature: float) -> None:
    """Labels drawn from softmax(logits / T) give T back, and no temperature explains them better."""
    random = np.random.default_rng(1)
    logits = random.normal(scale=2.0, size=(20_000, 3))
    drawn = softmax(logits, temperature).cumsum(axis=1) > random.random((20_000, 1))
    gold = drawn.argmax(axis=1)
    fitted = fit_temperature(logits, gold)
    assert fitted == pytest.approx(temperature, rel=0.05)
    best = cross_entropy(softmax(logits, fitted), gold)
    assert all(best <= cross_entropy(softmax(logits, fitted * by), gold) for by in (0.9, 0.97, 1.03, 1.1))


def test_the_temperature_stays_in_its_range() -> None:
    """Logits that are always right ask for the lowest temperature, always wrong ones for the highest."""
    logits = np.eye(3) * 0.1
    assert fit_temperature(logits, np.arange(3)) == pytest.approx(0.05, rel=0.01)
    assert fit_temperature(logits, np.array([1, 2, 0])) == pytest.approx(20.0, rel=0.01)


@SEEDS
@pytest.mark.parametrize("levels", [3, 10, 10_000])
def test_pairs_equal_scikit_learn(seed: int, levels: int) -> None:
    """Average precision and the best F1 over all thresholds, with many equal scores and with few."""
    random = np.random.default_rng(seed)
    scores = random.integers(levels, size=80) / levels
    gold = random.integers(2, size=80)
    assert average_precision(scores, gold) == pytest.approx(reference.average_precision_score(gold, scores))
    f1, threshold = best_f1(scores, gold)
    every = {one: reference.f1_score(gold, scores >= one) for one in set(scores.tolist())}
    assert f1 == pytest.approx(max(every.values()))
    assert every[threshold] == pytest.approx(f1)


@SEEDS
def test_the_order_of_pairs_does_not_matter(seed: int) -> None:
    """Shuffled, with many equal scores, the figures are the same to the last bit."""
    random = np.random.default_rng(seed)
    scores, gold = random.integers(4, size=50) / 4, random.integers(2, size=50)
    order = random.permutation(50)
    assert average_precision(scores[order], gold[order]) == average_precision(scores, gold)
    assert best_f1(scores[order], gold[order]) == best_f1(scores, gold)


def test_pairs_by_hand() -> None:
    """True, false, true: precision 1 at the first, 2/3 at the second; F1 is best when all are taken."""
    scores, gold = np.array([0.2, 0.9, 0.5]), np.array([1, 1, 0])
    assert average_precision(scores, gold) == pytest.approx((1 + 2 / 3) / 2)
    assert best_f1(scores, gold) == pytest.approx((0.8, 0.2))
    assert best_f1(np.array([0.9, 0.1]), np.array([1, 0])) == (1.0, 0.9)
    assert average_precision(np.array([0.5, 0.5]), np.array([1, 0])) == 0.5


def test_without_a_true_pair_all_is_zero() -> None:
    """No warning, no NaN."""
    scores, gold = np.array([0.9, 0.1]), np.array([0, 0])
    assert average_precision(scores, gold) == 0.0
    assert best_f1(scores, gold)[0] == 0.0


@SEEDS
@pytest.mark.parametrize("k", [1, 5, 20, 50])
def test_ndcg_equals_scikit_learn(seed: int, k: int) -> None:
    """20 documents with grades 0 to 3, ranked at random; k may be more than there are."""
    random = np.random.default_rng(seed)
    grades = random.integers(4, size=20).astype(np.float64)
    scores = np.arange(20.0, 0.0, -1.0)
    expected = reference.ndcg_score(grades[None], scores[None], k=k)
    assert ndcg(grades, random.permutation(grades), k) == pytest.approx(expected)


def test_ndcg_by_hand() -> None:
    """A grade 1 and a grade 2, of which 2 is found at rank 2: 2/log2(3) of 2 + 1/log2(3)."""
    gains, ideal = np.array([0.0, 2.0, 0.0]), np.array([1.0, 2.0])
    assert ndcg(gains, ideal, 3) == pytest.approx((2 / math.log2(3)) / (2 + 1 / math.log2(3)))
    assert ndcg(gains, ideal, 2) == ndcg(gains, ideal, 3)
    assert ndcg(gains, ideal, 1) == 0.0
    assert ndcg(np.array([2.0, 1.0]), ideal, 10) == pytest.approx(1.0)


def test_recall_by_hand() -> None:
    """Two of four relevant are found, one of them first; grades above 1 count once."""
    gains = np.array([3.0, 0.0, 1.0])
    assert [recall(gains, 4, k) for k in (1, 2, 3, 100)] == [0.25, 0.25, 0.5, 0.5]


def test_reciprocal_rank_by_hand() -> None:
    """1 at the first place, 1/3 at the third; only the first relevant hit counts."""
    assert reciprocal_rank(np.array([1.0, 0.0])) == 1.0
    assert reciprocal_rank(np.array([0.0, 0.0, 2.0, 1.0])) == pytest.approx(1 / 3)


def test_nothing_found_or_nothing_relevant_is_zero() -> None:
    """No hits, none that is relevant, or nothing to find: every figure of retrieval is 0."""
    none, miss = np.empty(0), np.zeros(3)
    assert [reciprocal_rank(none), reciprocal_rank(miss)] == [0.0, 0.0]
    assert [recall(none, 2, 5), recall(miss, 2, 5), recall(miss, 0, 5)] == [0.0, 0.0, 0.0]
    assert [ndcg(none, np.ones(2), 5), ndcg(miss, np.ones(2), 5), ndcg(none, none, 5)] == [0.0, 0.0, 0.0]
