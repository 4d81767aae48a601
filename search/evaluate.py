"""Scorecards of an encoder on labelled files: sentiment, similarity, retrieval, topic and sentiment, duplicates.

What a file measures is read from its columns:

| task | columns or files |
|---|---|
| sentiment | text, label |
| similarity | sentence1, sentence2, score |
| duplicates | sentence1, sentence2, label (1: the pair says the same) |
| topics | text, category, polarity: each sentence asks for its nearest others |
| retrieval | a folder in BEIR's layout: corpus.jsonl, queries.jsonl, qrels/test.tsv |
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from search.encoder import Encoded, Encoder
from search.errors import InputError, OptionError
from search.labelled import LabelledCorpus, order_labels
from search.metrics import (
    accuracy,
    average_precision,
    best_f1,
    calibration_error,
    macro_f1,
    ndcg,
    recall,
    reciprocal_rank,
)
from search.nearest import Nearest
from search.pairs import PairCorpus, PairKind, holds_pairs
from search.query import OPPOSITE, SAME, aim
from search.similarity import Labels, Scale, Vectors, check_weight, parts, total
from search.store_faiss import FaissStore
from search.tables import TableReader, first_row, text_cell

__all__ = ["Measurement", "Task", "detect", "evaluate"]

_TOPIC_K = 10
_TOPIC_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
_RETRIEVED = 100
_NO_TOPIC = {"anecdotes/miscellaneous"}


class Task(StrEnum):
    """What is measured."""

    SENTIMENT = "sentiment"
    SIMILARITY = "similarity"
    DUPLICATES = "duplicates"
    TOPICS = "topics"
    RETRIEVAL = "retrieval"


@dataclass(frozen=True, slots=True)
class Measurement:
    """Figures of one encoder on one file. `asked` is the sentiment asked for, `weight` its weight; None: no matter."""

    task: Task
    data: str
    rows: int
    asked: str | None
    weight: float | None
    figures: dict[str, float]

    def to_dict(self) -> dict[str, object]:
        """Return the measurement as one flat object, as `--json` prints it."""
        return {
            "task": str(self.task),
            "data": self.data,
            "rows": self.rows,
            "sentiment": self.asked,
            "weight": self.weight,
            **{name: round(value, 4) for name, value in self.figures.items()},
        }


def detect(name: str) -> Task:
    """Say what a file, or a folder in BEIR's layout, measures.

    Raises:
        InputError: it is none of the layouts above.
    """
    path = Path(name)
    if path.is_dir():
        if (path / "corpus.jsonl").exists() and (path / "queries.jsonl").exists() and (path / "qrels").is_dir():
            return Task.RETRIEVAL
        raise InputError(
            f"{name}: a folder to evaluate on needs corpus.jsonl, queries.jsonl and qrels/ (BEIR's layout)."
        )
    columns = set(first_row(name).cells)
    if holds_pairs(name):
        kind = PairCorpus([name]).kind
        if kind is PairKind.POSITIVE:
            raise InputError(f"{name}: pairs need a column score (similarity) or label (duplicates).")
        return Task.SIMILARITY if kind is PairKind.SCORED else Task.DUPLICATES
    return Task.TOPICS if {"text", "category", "polarity"} <= columns else Task.SENTIMENT


def evaluate(
    encoder: Encoder, name: str, *, task: Task | None = None, weights: Sequence[float] = ()
) -> list[Measurement]:
    """Measure an encoder on a file.

    Args:
        encoder: what to measure.
        name: the file or folder.
        task: what it measures; None: as its columns say.
        weights: the weights of sentiment to measure at; none: meaning alone and the encoder's default, for topics
            a range of them.

    Raises:
        InputError: the file is not of the task's layout.
        OptionError: a weight is out of range, or labels cannot be compared.
    """
    for weight in weights:
        check_weight(weight)
    task = task or detect(name)
    passport = encoder.passport
    if passport.labels is None:
        weights = [0.0]
    elif not weights:
        weights = _TOPIC_WEIGHTS if task is Task.TOPICS else sorted({0.0, passport.default_weight})
    if task is Task.SENTIMENT:
        return _sentiment(encoder, name)
    if task is Task.TOPICS:
        return list(_topics(encoder, name, weights))
    if task is Task.RETRIEVAL:
        return list(_retrieval(encoder, Path(name), weights))
    return list(_pairs(encoder, name, task, weights))


def _sentiment(encoder: Encoder, name: str) -> list[Measurement]:
    labels = encoder.passport.labels
    if labels is None:
        return []
    rows = list(LabelledCorpus([name]))
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
    return [Measurement(Task.SENTIMENT, name, len(gold), None, None, figures)]


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
    return tuple(str(sign) for sign in shared), gold, summed / summed.sum(axis=1, keepdims=True)


def _signs(steps: int) -> list[int]:
    return [int(sign) for sign in np.sign(np.linspace(-1, 1, steps))]


def _pairs(encoder: Encoder, name: str, task: Task, weights: Sequence[float]) -> Iterator[Measurement]:
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


def _topics(encoder: Encoder, name: str, weights: Sequence[float]) -> Iterator[Measurement]:
    texts, topics, feelings = _with_one_opinion(name)
    rows = encoder.encode(texts).rows
    nearest = Nearest(rows, encoder.passport.meaning_dim, FaissStore.build(rows))
    asks: list[str | None] = [None] if encoder.passport.labels is None else [SAME]
    if encoder.passport.labels is not None and encoder.passport.labels.scale is Scale.ORDINAL:
        asks.append(OPPOSITE)
    for asked in asks:
        for weight in weights:
            wanted, used = aim(rows, encoder.passport, asked, weight)
            kept = agrees = both = 0.0
            for number, found in enumerate(nearest.top(wanted, _TOPIC_K + 1, used)):
                others = found.rows[found.rows != number][:_TOPIC_K]
                same_topic = topics[others] == topics[number]
                as_asked = (feelings[others] == feelings[number]) == (asked != OPPOSITE)
                kept += same_topic.mean()
                agrees += as_asked.mean()
                both += (same_topic & as_asked).mean()
            count = len(texts)
            figures = {
                "topic_kept": float(kept / count),
                "sentiment_agrees": float(agrees / count),
                "both": float(both / count),
            }
            yield Measurement(Task.TOPICS, name, count, asked, weight, figures)


def _with_one_opinion(name: str) -> tuple[list[str], npt.NDArray[np.str_], npt.NDArray[np.str_]]:
    """Return the texts that have a single topic and a single feeling, positive or negative, each text once."""
    topics: dict[str, set[str]] = defaultdict(set)
    feelings: dict[str, set[str]] = defaultdict(set)
    for row in TableReader(name):
        text = text_cell(row, "text", name)
        topics[text].add(text_cell(row, "category", name))
        feelings[text].add(text_cell(row, "polarity", name))
    texts = [
        text
        for text in topics
        if len(topics[text]) == len(feelings[text]) == 1
        and feelings[text] <= {"positive", "negative"}
        and not topics[text] & _NO_TOPIC
    ]
    if len(texts) <= _TOPIC_K:
        raise InputError(
            f"{name}: {len(texts)} sentences with one topic and one polarity; more than {_TOPIC_K} are needed."
        )
    return (
        texts,
        np.array([next(iter(topics[text])) for text in texts]),
        np.array([next(iter(feelings[text])) for text in texts]),
    )


def _retrieval(encoder: Encoder, folder: Path, weights: Sequence[float]) -> Iterator[Measurement]:
    ids, documents = _documents(folder / "corpus.jsonl")
    qrels = _qrels(folder)
    queries = {
        str(row.cells.get("_id")): text_cell(row, "text", str(folder / "queries.jsonl"))
        for row in TableReader(str(folder / "queries.jsonl"))
    }
    asked = [query for query in qrels if query in queries]
    if not asked:
        raise InputError(f"{folder}: no query of qrels is in queries.jsonl.")
    rows = encoder.encode(documents).rows
    nearest = Nearest(rows, encoder.passport.meaning_dim, FaissStore.build(rows))
    wanted = encoder.encode([queries[query] for query in asked]).rows
    for weight in weights:
        sums: dict[str, float] = defaultdict(float)
        for query, found in zip(asked, nearest.top(wanted, _RETRIEVED, weight), strict=True):
            relevant = qrels[query]
            gains = np.array([relevant.get(ids[row], 0.0) for row in found.rows.tolist()])
            ideal = np.array(list(relevant.values()))
            sums["ndcg@10"] += ndcg(gains, ideal, 10)
            sums["recall@100"] += recall(gains, int((ideal > 0).sum()), 100)
            sums["mrr"] += reciprocal_rank(gains)
        figures = {key: value / len(asked) for key, value in sums.items()}
        yield Measurement(Task.RETRIEVAL, str(folder), len(asked), SAME if weight else None, weight, figures)


def _documents(path: Path) -> tuple[list[str], list[str]]:
    ids, texts = [], []
    for row in TableReader(str(path)):
        ids.append(str(row.cells.get("_id")))
        texts.append(f"{row.cells.get('title') or ''} {text_cell(row, 'text', str(path))}".strip())
    return ids, texts


def _qrels(folder: Path) -> dict[str, dict[str, float]]:
    path = folder / "qrels" / "test.tsv"
    relevant: dict[str, dict[str, float]] = defaultdict(dict)
    for row in TableReader(str(path)):
        try:
            grade = float(row.cells["score"])
            relevant[row.cells["query-id"]][row.cells["corpus-id"]] = grade
        except (KeyError, ValueError) as exc:
            raise InputError(f"{path}:{row.line}: expected the columns query-id, corpus-id and score.") from exc
    return {query: grades for query, grades in relevant.items() if any(grade > 0 for grade in grades.values())}
