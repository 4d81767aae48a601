"""Figures of what an encoder finds: topic and sentiment of the nearest, and retrieval."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from search.encoder import Encoder
from search.errors import InputError
from search.measurements import Measurement, Task
from search.metrics import ndcg, recall, reciprocal_rank
from search.nearest import Nearest
from search.query import OPPOSITE, SAME, aim
from search.similarity import Scale
from search.store_faiss import FaissStore
from search.tables import TableReader, text_cell

__all__ = ["measure_retrieval", "measure_topics"]

_TOPIC_K = 10
_RETRIEVED = 100
_NO_TOPIC = {"anecdotes/miscellaneous"}


def measure_topics(encoder: Encoder, name: str, weights: Sequence[float]) -> Iterator[Measurement]:
    """Measure how often each sentence's 10 nearest others share its topic, have the feeling asked for, and both.

    Asked for the same feeling and, with ordered labels, for the opposite one, at each weight.

    Raises:
        InputError: the file has too few sentences of one topic and one polarity.
    """
    texts, topics, feelings = _with_one_opinion(name)
    rows = encoder.encode(texts).rows
    nearest = Nearest(rows, encoder.passport.meaning_dim, FaissStore(rows))
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


def measure_retrieval(encoder: Encoder, folder: Path, weights: Sequence[float]) -> Iterator[Measurement]:
    """Measure nDCG@10, recall@100 and MRR on a folder in BEIR's layout, at each weight.

    Raises:
        InputError: a file of it is missing or of another layout.
    """
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
    nearest = Nearest(rows, encoder.passport.meaning_dim, FaissStore(rows))
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
