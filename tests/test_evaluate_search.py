"""Scorecards of search: retrieval and topics, with figures worked by hand."""

import math
from pathlib import Path

import pytest

from search.errors import InputError
from search.evaluate import evaluate
from search.measurements import Measurement, Task
from tests.test_evaluate import beir, written
from tests.toy import EMOTIONS, ToyEncoder

Asked = tuple[str | None, float | None]

FEELINGS = (("good", "positive"), ("bad", "negative"))
RANGE = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)


def test_retrieval(tmp_path: Path, toy: ToyEncoder) -> None:
    """One query finds both its documents, the better one second; one finds one of two, at rank 2."""
    folder = beir(
        tmp_path,
        ["q1\td1\t1", "q1\td2\t2", "q1\td3\t0", "q2\td4\t1", "q2\tgone\t1", "q3\td1\t0", "q9\td1\t1"],
        [("q1", "room"), ("q2", "pool"), ("q3", "food")],
    )
    second = 1 / math.log2(3)
    first_query, second_query = (1 + 2 * second) / (2 + second), second / (1 + second)
    for found, weight in zip(evaluate(toy, folder), (0.0, 0.3), strict=True):
        assert (found.task, found.rows, found.weight) == (Task.RETRIEVAL, 2, weight)
        if not weight:
            assert found.figures == pytest.approx(
                {"ndcg@10": (first_query + second_query) / 2, "recall@100": (1 + 0.5) / 2, "mrr": (1 + 0.5) / 2}
            )


def topics_file(folder: Path, cells: dict[tuple[str, str, str], int], more: str = "") -> str:
    """Write so many texts of each (text, category, polarity), told apart by a number."""
    rows = [
        f"{text} {number},{category},{polarity}\n"
        for (text, category, polarity), count in cells.items()
        for number in range(count)
    ]
    return written(folder, "a.csv", "text,category,polarity\n" + "".join(rows) + more)


def figures(found: list[Measurement]) -> dict[Asked, dict[str, float]]:
    """Return the figures by what was asked."""
    return {(one.asked, one.weight): {name: round(value, 6) for name, value in one.figures.items()} for one in found}


def test_topics_with_equal_cells(tmp_path: Path, toy: ToyEncoder) -> None:
    """With 11 texts in each of four cells, half the weight on sentiment finds the cell asked for and nothing else.

    With all of it, the feeling is as asked and the topic chance: of equal scores the first rows win, rooms, so that
    half of the texts keep their topic.
    """
    cells = {(f"{word} {topic}", topic, feeling): 11 for topic in ("room", "food") for word, feeling in FEELINGS}
    found = evaluate(toy, topics_file(tmp_path, cells), weights=[0.5, 1.0])
    assert {(one.task, one.rows) for one in found} == {(Task.TOPICS, 44)}
    everything, half = ({"topic_kept": kept, "sentiment_agrees": 1.0, "both": kept} for kept in (1.0, 0.5))
    assert figures(found) == {
        ("same", 0.5): everything,
        ("same", 1.0): half,
        ("opposite", 0.5): everything,
        ("opposite", 1.0): half,
    }


def test_topics_by_meaning(tmp_path: Path, toy: ToyEncoder) -> None:
    """By meaning alone, each of 6 good and 5 bad rooms finds the 10 others: 50 of 110 are of its feeling."""
    cells = {("good room", "room", "positive"): 6, ("bad room", "room", "negative"): 5}
    cells |= {("good food", "food", "positive"): 5, ("bad food", "food", "negative"): 6}
    found = figures(evaluate(toy, topics_file(tmp_path, cells), weights=[0.0]))
    same, other = round(50 / 110, 6), round(60 / 110, 6)
    assert found == {
        ("same", 0.0): {"topic_kept": 1.0, "sentiment_agrees": same, "both": same},
        ("opposite", 0.0): {"topic_kept": 1.0, "sentiment_agrees": other, "both": other},
    }


def test_topics_asked(tmp_path: Path, toy: ToyEncoder) -> None:
    """Without weights a range is measured; the opposite only where labels have an order, sentiment only with labels."""
    file = topics_file(tmp_path, {("good room", "room", "positive"): 11})
    assert [(one.asked, one.weight) for one in evaluate(toy, file)] == [
        (asked, weight) for asked in ("same", "opposite") for weight in RANGE
    ]
    assert set(figures(evaluate(ToyEncoder(EMOTIONS), file))) == {("same", weight) for weight in RANGE}
    assert set(figures(evaluate(ToyEncoder(None), file))) == {(None, 0.0)}


def test_texts_of_one_opinion(tmp_path: Path, toy: ToyEncoder) -> None:
    """Only texts of one topic and one feeling count, each once, and no miscellaneous or neutral ones."""
    more = (
        "good room 0,room,positive\n"
        "two topics,room,positive\ntwo topics,food,positive\n"
        "two feelings,room,positive\ntwo feelings,room,negative\n"
        "torn,room,conflict\nneither,room,neutral\nother,anecdotes/miscellaneous,positive\n"
    )
    file = topics_file(tmp_path, {("good room", "room", "positive"): 11}, more)
    assert {one.rows for one in evaluate(toy, file)} == {11}
    with pytest.raises(InputError, match="10 sentences with one topic and one polarity; more than 10 are needed"):
        evaluate(toy, topics_file(tmp_path, {("good room", "room", "positive"): 10}, more))
