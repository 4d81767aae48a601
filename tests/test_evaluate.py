"""Scorecards: small files of every layout, and figures worked by hand."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from search.encoder import Encoded, to_rows
from search.errors import InputError, OptionError
from search.evaluate import detect, evaluate
from search.measurements import Measurement, Task
from search.similarity import Labels, Scale
from tests.toy import EMOTIONS, ToyEncoder

SURE = math.exp(4) / (math.exp(4) + 2)
"""The probability the toy encoder gives to its label."""


def written(folder: Path, name: str, content: str) -> str:
    """Write a file and return its name."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return str(path)


class LogitEncoder(ToyEncoder):
    """Gives each text the logits it spells out, with meaning of no interest."""

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode n texts such as "4 0"."""
        logits = np.array([[float(number) for number in text.split()] for text in texts], dtype=np.float32)
        return to_rows(np.hstack([np.ones((len(texts), self.passport.meaning_dim)), logits]), self.passport, 1.0)


def only(measurements: Sequence[Measurement]) -> Measurement:
    """Return the one measurement there is."""
    (measurement,) = measurements
    return measurement


def test_sentiment(tmp_path: Path, toy: ToyEncoder) -> None:
    """With the encoder's own labels: 3 of 4 right; F1 2/3, 2/3 and 1; half of the rows are positive."""
    content = "text,label\ngood room,positive\nthe room,positive\nthe pool,neutral\nhate food,negative\n"
    found = only(evaluate(toy, written(tmp_path, "a.csv", content)))
    assert (found.task, found.rows, found.asked, found.weight) == (Task.SENTIMENT, 4, None, None)
    assert found.figures == pytest.approx(
        {"accuracy": 0.75, "macro_f1": 7 / 9, "calibration_error": SURE - 0.75, "majority": 0.5}
    )
    assert found.to_dict()["macro_f1"] == 0.7778


def test_five_steps_against_three(tmp_path: Path, toy: ToyEncoder) -> None:
    """Five stars are compared by their side of the middle: 1 and 2 negative, 3 neutral, 4 and 5 positive."""
    content = "text,label\ngood room,5\nbad room,4\nthe room,3\nhate food,1\ngood food,2\n"
    found = only(evaluate(toy, written(tmp_path, "a.csv", content)))
    assert found.rows == 5
    assert found.figures == pytest.approx(
        {"accuracy": 0.6, "macro_f1": (0.5 + 1 + 0.5) / 3, "calibration_error": SURE - 0.6, "majority": 0.4}
    )


def test_two_steps_against_three(tmp_path: Path, toy: ToyEncoder) -> None:
    """Of three steps only positive and negative count against two; undecided is taken for the lower."""
    content = "text,label\ngood room,pos\nbad room,pos\nthe room,pos\nhate food,neg\n"
    found = only(evaluate(toy, written(tmp_path, "a.csv", content)))
    sure = SURE / (1 - (1 - SURE) / 2)
    error = 0.75 * (sure - 2 / 3) + 0.25 * 0.5
    assert found.figures == pytest.approx(
        {"accuracy": 0.5, "macro_f1": 0.5, "calibration_error": error, "majority": 0.75}
    )


def test_three_steps_against_two(tmp_path: Path) -> None:
    """Neutral rows do not count against an encoder of two steps."""
    encoder = LogitEncoder(Labels(("bad", "good"), Scale.ORDINAL))
    content = "text,label\n4 0,negative\n0 4,neutral\n0 4,positive\n4 0,positive\n"
    found = only(evaluate(encoder, written(tmp_path, "a.csv", content)))
    assert (found.rows, found.figures["accuracy"], found.figures["majority"]) == (3, 2 / 3, 2 / 3)


def test_certainly_neutral(tmp_path: Path) -> None:
    """An encoder that gives neither of the steps compared any probability is undecided, with confidence 1/2."""
    content = "text,label\n0 300 0,neg\n0 300 0,pos\n"
    found = only(evaluate(LogitEncoder(), written(tmp_path, "a.csv", content)))
    expected = {"accuracy": 0.5, "macro_f1": 1 / 3, "calibration_error": 0.0, "majority": 0.5}
    assert found.figures == pytest.approx(expected)


def test_labels_that_cannot_be_compared(tmp_path: Path, toy: ToyEncoder) -> None:
    """Labels without order fit only an encoder of the same labels."""
    file = written(tmp_path, "a.csv", "text,label\njoy room,joy\nanger room,fear\n")
    assert only(evaluate(ToyEncoder(EMOTIONS), file)).figures["accuracy"] == 0.5
    with pytest.raises(
        OptionError, match=r"labels \(fear, joy\) are not the encoder's \(negative, neutral, positive\)"
    ):
        evaluate(toy, file)
    with pytest.raises(OptionError, match="cannot be compared by polarity"):
        evaluate(ToyEncoder(EMOTIONS), written(tmp_path, "b.csv", "text,label\na,1\nb,2\n"))


@pytest.mark.parametrize(
    ("scores", "expected"), [((5, 3, 1), 1.0), ((1, 3, 5), -1.0), ((5, 1, 3), 0.5), ((0.5, -2, -7.5), 1.0)]
)
def test_similarity(tmp_path: Path, scores: Sequence[float], expected: float) -> None:
    """Spearman's correlation of three pairs, of falling likeness, with their scores: 1 - sum(d^2) / 4."""
    pairs = ["room,room", "room,room food", "room,pool"]
    content = "sentence1,sentence2,relatedness\n" + "".join(
        f"{pair},{score}\n" for pair, score in zip(pairs, scores, strict=True)
    )
    found = only(evaluate(ToyEncoder(None), written(tmp_path, "a.csv", content)))
    assert found == Measurement(Task.SIMILARITY, found.data, 3, None, 0.0, {"spearman": found.figures["spearman"]})
    assert found.figures["spearman"] == pytest.approx(expected)


def test_weights(tmp_path: Path, toy: ToyEncoder) -> None:
    """Pairs are measured at every weight asked for, without one at 0 and the encoder's own; feelings turn the order."""
    content = "sentence1,sentence2,score\ngood room,bad room,3\ngood room,the room food,2\ngood room,love pool,1\n"
    file = written(tmp_path, "a.csv", content)
    found = evaluate(toy, file, weights=[1.0, 0.0])
    assert [(one.weight, one.asked, round(one.figures["spearman"], 6)) for one in found] == [
        (1.0, "same", -1.0),
        (0.0, None, 1.0),
    ]
    assert [one.weight for one in evaluate(toy, file)] == [0.0, 0.3]
    assert [one.weight for one in evaluate(ToyEncoder(None), file, weights=[0.5])] == [0.0]
    with pytest.raises(OptionError, match=r"weight is 1\.5"):
        evaluate(toy, file, weights=[0.0, 1.5])


def test_nothing_told_apart(tmp_path: Path, toy: ToyEncoder) -> None:
    """Equal scores of the encoder correlate 0; equal scores in the file measure nothing and are refused."""
    pairs = "room,room,{}\nfood,food,{}\n"
    file = written(tmp_path, "a.csv", "sentence1,sentence2,score\n" + pairs.format(1, 2))
    assert [one.figures["spearman"] for one in evaluate(toy, file)] == [0.0, 0.0]
    with pytest.raises(InputError, match="every score is 4"):
        evaluate(toy, written(tmp_path, "b.csv", "sentence1,sentence2,score\n" + pairs.format(4, 4)))


def test_duplicates(tmp_path: Path) -> None:
    """Of pairs ranked true, false, true, false: average precision 1/2 + 1/3, best F1 4/5 at the third pair's score."""
    content = "sentence1,sentence2,label\nroom,room pool,1\nroom,room,1\nroom,pool,0\nroom,room room pool,0\n"
    found = only(evaluate(ToyEncoder(None), written(tmp_path, "a.csv", content)))
    rows = ToyEncoder(None).encode(["room", "room pool"]).rows.astype(np.float64)
    assert (found.task, found.rows) == (Task.DUPLICATES, 4)
    assert found.figures == pytest.approx(
        {"average_precision": 1 / 2 + 1 / 3, "best_f1": 0.8, "threshold": round(float(rows[0] @ rows[1]), 6)}
    )


def beir(folder: Path, qrels: Sequence[str], queries: Sequence[tuple[str, str]]) -> str:
    """Write a folder in BEIR's layout: four documents, and the queries and qrels given."""
    documents = [("d1", "", "good room"), ("d2", "room", "food"), ("d3", "", "pool"), ("d4", "price", "pool")]
    corpus = [json.dumps({"_id": one, "title": title, "text": text}) for one, title, text in documents]
    written(folder, "b/corpus.jsonl", "\n".join(corpus))
    asked = [json.dumps({"_id": one, "text": text}) for one, text in queries]
    written(folder, "b/queries.jsonl", "\n".join(asked))
    written(folder, "b/qrels/test.tsv", "\n".join(["query-id\tcorpus-id\tscore", *qrels]))
    return str(folder / "b")


@pytest.mark.parametrize(
    ("name", "content", "task"),
    [
        ("a.csv", "text,label\nx,1\n", Task.SENTIMENT),
        ("a.tsv", "sentence1\tsentence2\tsimilarity\tlabel\na\tb\t1\t1\n", Task.SIMILARITY),
        ("a.jsonl", '{"sentence1": "a", "sentence2": "b", "label": 1}', Task.DUPLICATES),
        ("a.csv", "text,category,polarity\na,b,c\n", Task.TOPICS),
    ],
)
def test_detect(tmp_path: Path, name: str, content: str, task: Task) -> None:
    """The columns, or the files of a folder, say what is measured."""
    assert detect(written(tmp_path, name, content)) is task
    assert detect(beir(tmp_path, [], [])) is Task.RETRIEVAL


@pytest.mark.parametrize(
    ("content", "task", "message"),
    [
        ("text,label\n", None, "no rows in it"),
        ("sentence1,sentence2,other\na,b,x\n", None, "need a column score"),
        ("sentence1,sentence2,score\na,b,1\na,b,high\n", None, r"a\.csv:3: score is 'high', expected a number"),
        ("sentence1,sentence2,score\na, ,1\n", None, r"a\.csv:2: no text in column 'sentence2'"),
        ("sentence1,sentence2,label\na,b,1\na,b,2\n", None, r"a\.csv:3: label is 2, expected 0 or 1"),
        ("text,label\na,1\n", Task.TOPICS, r"a\.csv:2: no text in column 'category'"),
        ("text,label\na,1\n", Task.DUPLICATES, r"a\.csv: pairs need the columns sentence1 and sentence2"),
        ("text,label\na,1\n", Task.RETRIEVAL, r"corpus\.jsonl: cannot be read"),
    ],
)
def test_files_of_another_layout(
    tmp_path: Path, toy: ToyEncoder, content: str, task: Task | None, message: str
) -> None:
    """A file that is not of the layout is an error of the input, with its line."""
    with pytest.raises(InputError, match=message):
        evaluate(toy, written(tmp_path, "a.csv", content), task=task)


def test_folders_of_another_layout(tmp_path: Path, toy: ToyEncoder) -> None:
    """A folder lacks a file, or its qrels ask for nothing that is there: both are errors that say so."""
    with pytest.raises(InputError, match=r"BEIR's layout"):
        detect(str(tmp_path))
    with pytest.raises(InputError, match="no query of qrels"):
        evaluate(toy, beir(tmp_path, ["q1\td1\t1"], [("q2", "pool")]))
    with pytest.raises(InputError, match=r"test\.tsv:2: expected the columns"):
        evaluate(toy, beir(tmp_path, ["q1\td1\tyes"], [("q1", "pool")]))


def test_sentiment_of_an_encoder_without(tmp_path: Path) -> None:
    """An encoder without labels has no figures of sentiment."""
    assert evaluate(ToyEncoder(None), written(tmp_path, "a.csv", "text,label\na,1\nb,2\n")) == []
