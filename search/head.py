"""Logits that are linear in a text's CLS and mean: multinomial logistic regression, which few rows can fit.

    minimise  sum_i weight_i * cross_entropy(logits(x_i), class_i) + ||W - W0||^2 / (2 * strength)

x is CLS and mean, each divided by its usual length. Without a start W0 is 0. Where the base knows the labels, its own
logits are the start, the biases are held as well, and the strength is small: what it knows stays until many rows
object.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

__all__ = ["KEPT_STRENGTH", "STRENGTH", "Head", "cross_fitted", "fit_head"]

STRENGTH = 10.0
"""How far the weights may go: the inverse of the price on their squares."""

KEPT_STRENGTH = 0.03
"""The same where they start from the base's own."""

_FOLDS = 8

_Floats = npt.NDArray[np.float64]
_Classes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Head:
    """C logits of a text's d features.

    Attributes:
        weight: (C, d).
        bias: (C,).
    """

    weight: _Floats
    bias: _Floats

    def logits(self, features: npt.NDArray[np.floating]) -> _Floats:
        """Return the (n, C) logits of (n, d) features."""
        return np.asarray(features @ self.weight.T + self.bias, dtype=np.float64)


def fit_head(
    features: npt.NDArray[np.floating],
    classes: _Classes,
    label_weights: npt.NDArray[np.floating],
    *,
    shares: tuple[float, float] = (1.0, 1.0),
    start: Head | None = None,
) -> Head:
    """Fit the logits of n texts.

    Args:
        features: (n, 2h) CLS and mean.
        classes: (n,) label numbers.
        label_weights: (C,) how much each label's rows count.
        shares: the length that CLS and mean are brought to: the longer, the more the logits are read from it.
        start: where to start from, and what to keep.
    """
    lengths = [np.linalg.norm(half, axis=1).mean() for half in np.split(features.astype(np.float64), 2, axis=1)]
    half = features.shape[1] // 2
    scale = np.repeat([share / length for share, length in zip(shares, lengths, strict=True)], half)
    before = np.zeros((len(classes), len(label_weights))) if start is None else start.logits(features)
    moved = _regress(features * scale, classes, label_weights, before, kept=start is not None)
    weight = moved.weight * scale
    return Head(weight, moved.bias) if start is None else Head(start.weight + weight, start.bias + moved.bias)


def cross_fitted(
    features: npt.NDArray[np.floating],
    classes: _Classes,
    label_weights: npt.NDArray[np.floating],
    *,
    shares: tuple[float, float] = (1.0, 1.0),
    start: Head | None = None,
    same: _Classes | None = None,
) -> _Floats:
    """Return the (n, C) logits of n texts, each by a head that was fitted without it and its fold; as `fit_head`.

    Every label needs two rows or more. Rows of one number in `same` are of one text, and in one fold; None: all differ.
    """
    folds = _folds(classes, np.arange(len(classes)) if same is None else same)
    logits = np.empty((len(classes), len(label_weights)))
    for fold in np.unique(folds):
        out = folds == fold
        head = fit_head(features[~out], classes[~out], label_weights, shares=shares, start=start)
        logits[out] = head.logits(features[out])
    return logits


def _folds(classes: _Classes, same: _Classes) -> _Classes:
    """Deal the texts of each label to the folds in turn, all rows of a text to the same one."""
    _, first, of_row = np.unique(same, return_index=True, return_inverse=True)
    labels = classes[first]
    count = max(2, min(_FOLDS, int(np.bincount(labels, minlength=int(classes.max()) + 1).min())))
    folds = np.empty_like(labels)
    for label in np.unique(labels):
        texts = np.flatnonzero(labels == label)
        folds[texts] = np.arange(len(texts)) % count if len(texts) > 1 else label % count
    return np.asarray(folds[of_row], dtype=np.int64)


def _regress(
    features: _Floats,
    classes: _Classes,
    label_weights: npt.NDArray[np.floating],
    before: _Floats,
    *,
    kept: bool,
) -> Head:
    """Return what to add to the (n, C) logits `before`; the biases are held only where something is to be kept."""
    count, width = len(label_weights), features.shape[1]
    gold = np.eye(count)[classes]
    weights = np.asarray(label_weights, dtype=np.float64)[classes]
    price = 1.0 / (KEPT_STRENGTH if kept else STRENGTH)
    prices = np.repeat([price, price if kept else 0.0], [count * width, count])

    def objective(flat: _Floats) -> tuple[float, _Floats]:
        head = Head(flat[: count * width].reshape(count, width), flat[count * width :])
        logits = before + head.logits(features)
        logits -= logits.max(axis=1, keepdims=True)
        norms = np.log(np.exp(logits).sum(axis=1))
        loss = weights @ (norms - (logits * gold).sum(axis=1)) + prices @ flat**2 / 2
        error = weights[:, None] * (np.exp(logits - norms[:, None]) - gold)
        return float(loss), np.concatenate([(error.T @ features).ravel(), error.sum(axis=0)]) + prices * flat

    options = {"maxiter": 1000, "ftol": 1e-12, "gtol": 1e-6}
    found = minimize(objective, np.zeros(count * (width + 1)), jac=True, method="L-BFGS-B", options=options)
    return Head(found.x[: count * width].reshape(count, width), found.x[count * width :])
