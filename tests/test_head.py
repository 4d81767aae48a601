"""The logits of few rows: equal to scikit-learn's regression, one linear map, and what a base knows is kept."""

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.linear_model import LogisticRegression

from search import head
from search.head import STRENGTH, Head, cross_fitted, fit_head
from search.metrics import match_confidence
from search.similarity import softmax

EVEN = np.ones(3, dtype=np.float32)


def _rows(count: int, seed: int = 0) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Make texts of three labels, each about a place of its own, CLS ten times as long as the mean."""
    random = np.random.default_rng(seed)
    classes = np.arange(count) % 3
    places = np.random.default_rng(9).normal(size=(3, 8))
    features = places[classes] + 1.5 * random.normal(size=(count, 8))
    return features * np.repeat([10.0, 1.0], 4), classes


@pytest.mark.parametrize("weights", [EVEN, np.array([0.5, 1.0, 3.0], dtype=np.float32)])
def test_the_logits_are_those_of_the_logistic_regression(weights: npt.NDArray[np.float32]) -> None:
    """On the features as they are scaled, scikit-learn's multinomial regression gives the same probabilities."""
    features, classes = _rows(30)
    fitted = fit_head(features, classes, weights, shares=(1.0, 0.5))
    lengths = [np.linalg.norm(half, axis=1).mean() for half in np.split(features, 2, axis=1)]
    scaled = features * np.repeat([1.0 / lengths[0], 0.5 / lengths[1]], 4)
    given = dict(enumerate(weights.tolist()))
    oracle = LogisticRegression(C=STRENGTH, class_weight=given, tol=1e-8, max_iter=5000).fit(scaled, classes)
    others, _ = _rows(12, seed=1)
    expected = oracle.predict_proba(others * np.repeat([1.0 / lengths[0], 0.5 / lengths[1]], 4))
    np.testing.assert_allclose(softmax(fitted.logits(others)), expected, atol=1e-4)


def test_shares_say_what_the_logits_are_read_from() -> None:
    """With a share of almost nothing, a half of the features hardly moves the logits."""
    features, classes = _rows(30)
    fitted = fit_head(features, classes, EVEN, shares=(1.0, 1e-4))
    assert np.abs(fitted.weight[:, 4:]).max() < 1e-4 * np.abs(fitted.weight[:, :4]).max()


def test_a_few_rows_hardly_move_what_a_base_knows() -> None:
    """Six rows, all with the wrong label, do not turn a good start; without a start they are learned."""
    features, classes = _rows(300)
    start = fit_head(features, classes, EVEN)
    few, right = _rows(6, seed=2)
    wrong = (right + 1) % 3
    judged, gold = _rows(60, seed=3)
    kept = fit_head(few, wrong, EVEN, start=start).logits(judged).argmax(axis=1)
    anew = fit_head(few, wrong, EVEN).logits(judged).argmax(axis=1)
    before = (start.logits(judged).argmax(axis=1) == gold).mean()
    assert (kept == gold).mean() > before - 0.1
    assert (anew == gold).mean() < 0.4 < before


def test_many_rows_do_move_what_a_base_knows() -> None:
    """Three thousand rows that object are heard."""
    features, classes = _rows(300)
    start = fit_head(features, classes, EVEN)
    many, right = _rows(3000, seed=2)
    judged, gold = _rows(60, seed=3)
    moved = fit_head(many, (right + 1) % 3, EVEN, start=start).logits(judged).argmax(axis=1)
    assert (moved == (gold + 1) % 3).mean() > 0.7


def test_each_row_is_judged_by_a_head_that_has_not_seen_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """No fold's head is fitted on a row that it judges, every row is judged once, and every head knows all labels."""
    features, classes = _rows(18)
    features[:, 0] = np.arange(18)
    seen: list[set[int]] = []
    judged: list[set[int]] = []
    true_logits = Head.logits

    def fit(rows: npt.NDArray[np.float64], labels: npt.NDArray[np.int64], *_: object, **__: object) -> Head:
        seen.append(set(rows[:, 0].astype(int).tolist()))
        assert set(labels.tolist()) == {0, 1, 2}
        return Head(np.zeros((3, 8)), np.zeros(3))

    def logits(self: Head, rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        judged.append(set(rows[:, 0].astype(int).tolist()))
        return true_logits(self, rows)

    monkeypatch.setattr(head, "fit_head", fit)
    monkeypatch.setattr(Head, "logits", logits)
    assert cross_fitted(features, classes, EVEN).shape == (18, 3)
    assert all(a | b == set(range(18)) and not a & b for a, b in zip(seen, judged, strict=True))
    assert sorted(row for rows in judged for row in rows) == list(range(18))


def test_rows_of_one_text_are_in_one_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    """No head judges a text that it was fitted on, though it is there again."""
    features, classes = _rows(18)
    same = np.arange(18) // 6 * 6 + np.arange(18) % 3
    features[:, 0] = same
    seen: list[set[int]] = []
    judged: list[set[int]] = []

    def fit(rows: npt.NDArray[np.float64], *_: object, **__: object) -> Head:
        seen.append(set(rows[:, 0].astype(int).tolist()))
        return Head(np.zeros((3, 8)), np.zeros(3))

    def logits(_: Head, rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        judged.append(set(rows[:, 0].astype(int).tolist()))
        return np.zeros((len(rows), 3))

    monkeypatch.setattr(head, "fit_head", fit)
    monkeypatch.setattr(Head, "logits", logits)
    cross_fitted(features, classes, EVEN, same=same)
    assert len(seen) == 3
    assert all(a | b == set(same.tolist()) and not a & b for a, b in zip(seen, judged, strict=True))


@pytest.mark.parametrize("same", [[0, 1, 0, 1], [0, 0, 2, 2]])
def test_two_texts_are_judged_by_each_other(same: list[int]) -> None:
    """Where two texts are all there is, under one label each or under both, two heads are fitted all the same."""
    features = np.arange(16.0).reshape(4, 4)[same]
    assert np.isfinite(cross_fitted(features, np.array([0, 0, 1, 1]), EVEN[:2], same=np.array(same))).all()


def test_the_temperature_gives_the_confidence_asked_for() -> None:
    """Divided by it, the highest probabilities have the mean that was named, as far as the bounds allow."""
    logits = np.random.default_rng(0).normal(scale=5.0, size=(40, 3))
    for confidence in (0.45, 0.7, 0.95):
        found = match_confidence(logits, confidence)
        assert softmax(logits, found).max(axis=1).mean() == pytest.approx(confidence, abs=0.002)
