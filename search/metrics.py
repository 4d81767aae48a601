"""Figures of quality, on plain arrays."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.similarity import softmax

__all__ = [
    "Bin",
    "accuracy",
    "average_precision",
    "best_f1",
    "calibration_bins",
    "calibration_error",
    "cross_entropy",
    "f1",
    "fit_temperature",
    "macro_f1",
    "match_confidence",
    "ndcg",
    "recall",
    "reciprocal_rank",
]

_Floats = npt.NDArray[np.floating]
_Ints = npt.NDArray[np.integer]

_BINS = 15


def accuracy(predicted: _Ints, gold: _Ints) -> float:
    """Return the share of the n predictions that are right."""
    return float(np.mean(predicted == gold))


def f1(predicted: npt.NDArray[np.bool_], gold: npt.NDArray[np.bool_]) -> float:
    """Return the harmonic mean of precision and recall of n yes-or-no predictions; 0 where neither ever says yes."""
    shown = int(predicted.sum() + gold.sum())
    return 2 * int((predicted & gold).sum()) / shown if shown else 0.0


def macro_f1(predicted: _Ints, gold: _Ints, label_count: int) -> float:
    """Return the mean over labels of F1; a label that is neither given nor predicted counts as 0."""
    return float(np.mean([f1(predicted == label, gold == label) for label in range(label_count)]))


def cross_entropy(probabilities: _Floats, gold: _Ints) -> float:
    """Return the mean negative log-probability of the n gold labels, in nats."""
    chosen = probabilities[np.arange(len(gold)), gold].astype(np.float64)
    return float(-np.log(np.clip(chosen, 1e-12, None)).mean())


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions of about the same confidence: its mean, the share of them that is right, how many they are."""

    confidence: float
    right: float
    count: int


def calibration_bins(probabilities: _Floats, gold: _Ints) -> list[Bin]:
    """Return those of 15 equal bins of confidence that have any of the n predictions, lowest first."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == gold
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    chosen = [bins == number for number in np.unique(bins)]
    return [Bin(float(confidence[own].mean()), float(right[own].mean()), int(own.sum())) for own in chosen]


def calibration_error(probabilities: _Floats, gold: _Ints) -> float:
    """Return the expected calibration error: |confidence - accuracy| averaged over 15 equal bins of confidence.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks".
    """
    found = calibration_bins(probabilities, gold)
    return sum(one.count / len(gold) * abs(one.confidence - one.right) for one in found)


def fit_temperature(logits: _Floats, gold: _Ints) -> float:
    """Return the temperature in [0.05, 20] that gives the gold labels the highest probability (Guo et al. 2017)."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda log: cross_entropy(softmax(logits, float(np.exp(log))), gold),
        bounds=(np.log(0.05), np.log(20.0)),
        method="bounded",
    )
    return float(np.exp(found.x))


def match_confidence(logits: _Floats, confidence: float) -> float:
    """Return the temperature in [0.05, 20] at which the highest probabilities of n texts have this mean."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda log: (softmax(logits, float(np.exp(log))).max(axis=1).mean() - confidence) ** 2,
        bounds=(np.log(0.05), np.log(20.0)),
        method="bounded",
    )
    return float(np.exp(found.x))


def average_precision(scores: _Floats, gold: _Ints) -> float:
    """Return the area under the precision-recall steps of n scored pairs; `gold` is 1 for a true pair.

    Pairs of equal score are taken together, so that their order does not matter.
    """
    precision, found, _ = _precision_recall(scores, gold)
    return float(np.sum(np.diff(found, prepend=0.0) * precision))


def best_f1(scores: _Floats, gold: _Ints) -> tuple[float, float]:
    """Return the best F1 over all thresholds, and the threshold: pairs that score it or more are positive."""
    precision, found, thresholds = _precision_recall(scores, gold)
    with np.errstate(invalid="ignore"):
        f1 = np.nan_to_num(2 * precision * found / (precision + found))
    best = int(np.argmax(f1))
    return float(f1[best]), float(thresholds[best])


def _precision_recall(scores: _Floats, gold: _Ints) -> tuple[_Floats, _Floats, _Floats]:
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    hits = np.cumsum(gold[order])
    last = np.append(np.diff(ordered) != 0, True)
    shown = np.arange(1, len(ordered) + 1)
    return (hits / shown)[last], (hits / max(1, hits[-1]))[last], ordered[last]


def ndcg(gains: _Floats, ideal: _Floats, k: int) -> float:
    """Return nDCG@k of one query.

    Args:
        gains: relevance of the hits, best hit first.
        ideal: relevance of everything relevant, in any order.
        k: how many hits count.
    """
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    best = np.sort(ideal)[::-1][:k]
    worth = float(np.sum(best * discount[: len(best)]))
    return float(np.sum(gains[:k] * discount[: len(gains[:k])])) / worth if worth else 0.0


def recall(gains: _Floats, relevant: int, k: int) -> float:
    """Return the share of the relevant that is among the first k hits."""
    return float(np.sum(gains[:k] > 0)) / relevant if relevant else 0.0


def reciprocal_rank(gains: _Floats) -> float:
    """Return 1 / rank of the first relevant hit, 0 where there is none."""
    found = np.flatnonzero(gains > 0)
    return 1.0 / (1 + int(found[0])) if len(found) else 0.0
