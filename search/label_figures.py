"""The figures of labels given to rows: how many are right, of which label, how sure, and the worst mistakes."""

from typing import Any

import numpy as np
import numpy.typing as npt

from search.metrics import accuracy, calibration_error, cross_entropy, f1, macro_f1
from search.similarity import softmax
from search.training_data import TrainingData

__all__ = ["base_figures", "label_figures"]

_MISTAKES = 10

_Logits = npt.NDArray[np.floating]
_Rows = npt.NDArray[np.int64]


def label_figures(logits: _Logits, temperature: float, data: TrainingData, rows: _Rows) -> dict[str, Any]:
    """Return the figures of the (n, C) logits of n rows of `data`; probabilities are softmax(logits / temperature)."""
    names = data.labels.names
    gold = data.classes[rows]
    probabilities = softmax(logits, temperature)
    predicted = probabilities.argmax(axis=1)
    confusion = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(confusion, (gold, predicted), 1)
    return {
        "rows": len(gold),
        "accuracy": round(accuracy(predicted, gold), 4),
        "macro_f1": round(macro_f1(predicted, gold, len(names)), 4),
        "label_loss": round(cross_entropy(probabilities, gold), 4),
        "calibration_error": round(calibration_error(probabilities, gold), 4),
        "f1": {name: round(f1(predicted == label, gold == label), 4) for label, name in enumerate(names)},
        "confusion": {
            name: dict(zip(names, confusion[label].tolist(), strict=True)) for label, name in enumerate(names)
        },
        "worst_mistakes": _worst_mistakes(probabilities, data, rows),
    }


def base_figures(logits: _Logits, temperature: float, gold: _Rows) -> dict[str, float]:
    """Return the figures of what the base says of n rows by itself, to stand beside those of `label_figures`."""
    probabilities = softmax(logits, temperature)
    predicted = probabilities.argmax(axis=1)
    return {
        "accuracy": round(accuracy(predicted, gold), 4),
        "macro_f1": round(macro_f1(predicted, gold, logits.shape[1]), 4),
        "calibration_error": round(calibration_error(probabilities, gold), 4),
    }


def _worst_mistakes(probabilities: _Logits, data: TrainingData, rows: _Rows) -> list[dict[str, Any]]:
    """Return the texts that were given another label with most confidence."""
    names, gold = data.labels.names, data.classes[rows]
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != gold)
    worst = wrong[np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")][:_MISTAKES]
    return [
        {
            "text": data.texts[int(rows[row])]["text"],
            "label": names[gold[row]],
            "given": names[predicted[row]],
            "probability": round(float(probabilities[row, predicted[row]]), 4),
        }
        for row in worst.tolist()
    ]
