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

from collections.abc import Sequence
from pathlib import Path

from search.encoder import Encoder
from search.errors import InputError
from search.evaluate_rows import measure_pairs, measure_sentiment
from search.evaluate_search import measure_retrieval, measure_topics
from search.measurements import Measurement, Task
from search.pairs import PairCorpus, PairKind, holds_pairs
from search.similarity import check_weight
from search.tables import first_row

__all__ = ["detect", "evaluate"]

_TOPIC_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)


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
    encoder: Encoder,
    name: str,
    *,
    task: Task | None = None,
    weights: Sequence[float] = (),
    text_column: str | None = None,
    label_column: str | None = None,
) -> list[Measurement]:
    """Measure an encoder on a file.

    Args:
        encoder: what to measure.
        name: the file or folder.
        task: what it measures; None: as its columns say.
        weights: the weights of sentiment to measure at; none: meaning alone and the encoder's default, for topics
            a range of them.
        text_column: the column of texts, for sentiment; None: the usual one.
        label_column: the column of labels, for sentiment; None: the usual one.

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
        return measure_sentiment(encoder, name, text_column=text_column, label_column=label_column)
    if task is Task.TOPICS:
        return list(measure_topics(encoder, name, weights))
    if task is Task.RETRIEVAL:
        return list(measure_retrieval(encoder, Path(name), weights))
    return list(measure_pairs(encoder, name, task, weights))
