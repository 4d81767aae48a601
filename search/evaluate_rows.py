"""Figures of what an encoder says of texts and of pairs: sentiment, similarity, duplicates."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from search.encoder import Encoded, Encoder
from search.errors import InputError, OptionError
from search.labelled import LabelledCorpus, order_labels
from search.measurements import Measurement, Outcomes, Task
from search.metrics import accuracy, average_precision, best_f1, calibration_error, macro_f1
from search.pairs import PairCorpus, PairKind
from search.query import SAME
from search.similarity import Labels, Scale, Vectors, parts, total

__all__ = ["measure_pairs", "measure_sentiment"]


def measure_sentiment(
    encoder: Encoder, name: str, *, text_column: str | None = None, label_column: str | None = None
) -> list[Measurement]:
    """Measure labels on a labelled file: accuracy, macro-F1, calibration error, and the majority class's accuracy.

    Labels of another scale are compared by polarity. Without labels of its own, an encoder gives no measurement.

    Raises:
        InputError: the file cannot be used.
        OptionError: the two sets of labels cannot be compared.
    """
    labels = encoder.passport.labels
    if labels is None:
        return []
    rows = list(LabelledCorpus([name], text_column=text_column, label_column=label_column))
    gold_labels = sorted({row.label for row in rows})
    encoded = encoder.encode([row.text for row in rows])
    if set(gold_labels) <= set(labels.names):
        names = labels.names
        gold = np.array([names.index(row.label) for row in rows])
        probabilities = encoded.probabilities
    else:
        names, gold, probabilities = _by_polarity([row.label for row in rows], labels, encoded)
        probabilities, gold = probabilities[gold >= 0], gold[gold >= 0]
    predicted = probabilities.argmax(axis=1)
    present = sorted(set(gold.tolist()) | set(predicted.tolist()))
    figures = {
        "accuracy": accuracy(predicted, gold),
        "macro_f1": macro_f1(np.searchsorted(present, predicted), np.searchsorted(present, gold), len(present)),
        "calibration_error": calibration_error(probabilities, gold),
        "majority": float(np.bincount(gold).max() / len(gold)),
    }
    outcomes = Outcomes(names, gold, probabilities)
    return [Measurement(Task.SENTIMENT, name, len(gold), None, None, figures, outcomes)]


def _by_polarity(
    gold_names: Sequence[str], labels: Labels, encoded: Encoded
) -> tuple[tuple[str, ...], npt.NDArray[np.int64], Vectors]:
    """Compare labels of another scale by their sign: below, at, or above the middle.

    Labels of one sign are added up. Only signs that both sides have are compared: the gold rows of another sign get
    -1, the encoder's probability of another sign is shared out. So a three-step encoder is judged on two-step data by
    its positive against its negative.

    Raises:
        OptionError: one of the two has no order.
    """
    counted = {name: gold_names.count(name) for name in set(gold_names)}
    theirs = order_labels(counted)
    if theirs.scale is Scale.NOMINAL or labels.scale is Scale.NOMINAL:
        raise OptionError(
            f"The data's labels ({', '.join(theirs.names)}) are not the encoder's ({', '.join(labels.names)}), and "
            "cannot be compared by polarity, since one of the two has no order."
        )
    gold_signs = dict(zip(theirs.names, _signs(len(theirs.names)), strict=True))
    own_signs = _signs(len(labels.names))
    shared = sorted(set(gold_signs.values()) & set(own_signs))
    gold = np.array([shared.index(gold_signs[name]) if gold_signs[name] in shared else -1 for name in gold_names])
    summed = np.stack(
        [encoded.probabilities[:, np.array(own_signs) == sign].sum(axis=1) for sign in shared], axis=1
    ).astype(np.float32)
    summed += np.finfo(np.float32).tiny  # probabilities of 0 throughout are shared out evenly
    return (
        tuple({-1: "negative", 0: "neutral", 1: "positive"}[sign] for sign in shared),
        gold,
        summed / summed.sum(axis=1, keepdims=True),
    )


def _signs(steps: int) -> list[int]:
    return [int(sign) for sign in np.sign(np.linspace(-1, 1, steps))]


def measure_pairs(encoder: Encoder, name: str, task: Task, weights: Sequence[float]) -> Iterator[Measurement]:
    """Measure scores on a file of pairs, at each weight: rank correlation, or average precision and best F1.

    Raises:
        InputError: the file holds other pairs than the task needs.
    """
    corpus = PairCorpus([name])
    wanted = PairKind.SCORED if task is Task.SIMILARITY else PairKind.LABELLED
    if corpus.kind is not wanted:
        raise InputError(f"{name}: holds {corpus.kind} pairs; {task} needs {wanted} ones.")
    pairs = list(corpus)
    gold = [pair.value for pair in pairs]
    if task is Task.SIMILARITY and len(set(gold)) == 1:
        raise InputError(f"{name}: every score is {gold[0]:g}; with nothing to tell apart, nothing is measured.")
    truth = np.array(gold)
    rows_a = encoder.encode([pair.a for pair in pairs]).rows
    rows_b = encoder.encode([pair.b for pair in pairs]).rows
    meaning, sentiment = parts(rows_a, rows_b, encoder.passport.meaning_dim)
    for weight in weights:
        scores = total(meaning, sentiment, weight)
        if task is Task.SIMILARITY:
            # Equal scores throughout have no rank correlation: they tell nothing apart.
            figures = {"spearman": float(spearmanr(scores, truth).statistic) if np.ptp(scores) else 0.0}
        else:
            f1, threshold = best_f1(scores, truth.astype(np.int64))
            precision = average_precision(scores, truth.astype(np.int64))
            figures = {"average_precision": precision, "best_f1": f1, "threshold": threshold}
        yield Measurement(task, name, len(truth), SAME if weight else None, weight, figures)
