"""Rows made ready for training: the streamed file equals the rows, and every label is held back alike."""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from search import training_data
from search.errors import InputError, OptionError
from search.labelled import LabelledCorpus
from search.similarity import Labels, Scale
from search.training_data import TrainingData, from_texts, prepare

pytest.importorskip("datasets")

ROWS = [(f"Zeile {n} 😀", ("bad", "good", "ok")[0 if n % 10 < 5 else 1 if n % 10 < 8 else 2]) for n in range(200)]
"""100 bad, 60 good and 40 ok ones, mixed."""


def made(
    folder: Path,
    rows: Sequence[tuple[str, str]] = ROWS,
    *,
    validation: float | None = None,
    seed: int = 0,
    ordinal: Sequence[str] | None = None,
    nominal: bool = False,
) -> TrainingData:
    """Write rows to two files, and make them ready."""
    half = (len(rows) + 1) // 2
    for name, part in (("a.tsv", rows[:half]), ("b.tsv", rows[half:])):
        lines = "".join(f"{text}\t{label}\n" for text, label in part)
        (folder / name).write_text(f"text\tlabel\n{lines}", encoding="utf-8")
    corpus = LabelledCorpus([str(folder / "a.tsv"), str(folder / "b.tsv")][: len(rows)])
    return prepare(corpus, folder / "texts.arrow", validation=validation, seed=seed, ordinal=ordinal, nominal=nominal)


def held(data: TrainingData) -> list[int]:
    """Count what is held back of each label."""
    return [int(np.sum(data.classes[data.held_back] == label)) for label in range(len(data.labels.names))]


@pytest.mark.parametrize("batch", [1, 7, 200, 8192])
def test_the_file_equals_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    """In batches of any size, the streamed file holds every text with its number, beside the class of its label."""
    monkeypatch.setattr(training_data, "_BATCH", batch)
    data = made(tmp_path)
    assert data.texts["text"][:] == [text for text, _ in ROWS]
    assert data.texts["label"][:] == list(range(200))
    assert data.labels == Labels(("bad", "ok", "good"), Scale.ORDINAL)
    assert [data.labels.names[one] for one in data.classes] == [label for _, label in ROWS]
    assert data.counts() == {"bad": 100, "ok": 40, "good": 60}
    assert [source.sentences for source in data.sources] == [100, 100]
    wanted = np.array([5, 199, 5, 0, 42, 7, 8, 9])
    blocks = list(data.blocks(wanted))
    assert list(itertools.chain(*blocks)) == [ROWS[row][0] for row in wanted]
    assert len(blocks) == -(-len(wanted) // batch)


@pytest.mark.parametrize(("validation", "expected"), [(0.1, [10, 4, 6]), (0.25, [25, 10, 15]), (0.5, [50, 20, 30])])
def test_the_split_is_stratified(tmp_path: Path, validation: float, expected: list[int]) -> None:
    """Of every label the same share is held back; each row is trained on or held back, never both."""
    data = made(tmp_path, validation=validation)
    assert held(data) == expected
    assert sorted([*data.train.tolist(), *data.held_back.tolist()]) == list(range(200))
    assert data.held_back.tolist() == sorted(data.held_back.tolist())
    assert data.train.tolist() == sorted(data.train.tolist())


def test_the_seed(tmp_path: Path) -> None:
    """One seed holds back the same rows again, another others."""
    one, again, other = (made(tmp_path, seed=seed).held_back.tolist() for seed in (1, 1, 2))
    assert one == again
    assert one != other


@pytest.mark.parametrize(
    ("count", "validation", "expected"), [(20, None, [2, 2]), (14, None, []), (200, 0.0, []), (4, 0.5, [2, 2])]
)
def test_too_few_to_measure(tmp_path: Path, count: int, validation: float | None, expected: list[int]) -> None:
    """Unasked, where a label would have fewer than two rows held back, nothing is, and all rows are trained on."""
    rows = [(f"{label} {n}", label) for label in ("pos", "neg") for n in range(count)]
    data = made(tmp_path, rows, validation=validation)
    assert (held(data) if expected else data.held_back.tolist()) == expected
    assert len(data.train) == 2 * count - sum(expected)


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        (0.1, "--validation 0.1 holds back 1 of the 10 rows of label 'neg'; each label needs 2 to measure"),
        (0.95, "--validation 0.95 leaves 0 of the 10 rows of label 'neg' to learn from; each label needs"),
    ],
)
def test_a_share_that_cannot_be_held_back_is_refused(tmp_path: Path, validation: float, message: str) -> None:
    """What was asked for is not dropped silently, and leaves no label without rows: both numbers are named."""
    rows = [(f"{label} {n}", label) for label in ("pos", "neg") for n in range(10)]
    with pytest.raises(OptionError, match=re.escape(message)):
        made(tmp_path, rows, validation=validation)


def test_no_text_is_on_both_sides(tmp_path: Path) -> None:
    """Rows of one text are held back together, in every file and under every label, and the share is about the same."""
    rows = [(f"text {n % 40}", "pos" if n % 2 else "neg") for n in range(200)]
    rows += [(f"text {n}", "neg") for n in range(1, 40, 4)]
    data = made(tmp_path, rows, validation=0.2)
    texts = np.array([text for text, _ in rows])
    assert not set(texts[data.train]) & set(texts[data.held_back])
    assert sorted([*data.train.tolist(), *data.held_back.tolist()]) == list(range(210))
    assert len(set(texts[data.held_back])) == 8
    assert data.same.tolist() == [n % 40 for n in range(200)] + list(range(1, 40, 4))


def test_texts_with_two_labels_are_found(tmp_path: Path) -> None:
    """Each once, by its first row, with its labels in their order; a text that repeats under one label is none."""
    rows = [("a", "pos"), ("b", "neg"), ("a", "neg"), ("a", "pos"), ("b", "neg"), ("c", "pos")]
    assert made(tmp_path, rows).contradicted() == {0: ("neg", "pos")}
    assert made(tmp_path).contradicted() == {}


@pytest.mark.parametrize(("one", "other"), [("Joy", "joy"), ("1", "1.0"), ("ÄRGER", "ärger")])
def test_one_label_in_two_spellings_is_refused(tmp_path: Path, one: str, other: str) -> None:
    """Both are named with their places: half the rows of each would otherwise count as mistakes of the other."""
    rows = [("a", one), ("b", "x"), ("c", other), ("d", "x"), ("e", one), ("f", other)]
    with pytest.raises(InputError, match=rf"Labels '{one}' \(.*a\.tsv:2\) and '{other}' \(.*a\.tsv:4\) are one label"):
        made(tmp_path, rows)


def test_a_label_of_one_text_is_refused(tmp_path: Path) -> None:
    """However often it is there, it cannot measure and be learned from."""
    with pytest.raises(OptionError, match=r"All 3 rows of label 'odd' are one text \(.*a\.tsv:3\); give it two"):
        made(tmp_path, [("a", "x"), ("b", "odd"), ("c", "x"), ("b", "odd"), ("b", "odd")])


def test_order_of_labels(tmp_path: Path) -> None:
    """The order is known, given, or none, and classes follow it."""
    given = made(tmp_path, ordinal=["good", "ok", "bad"])
    assert given.labels == Labels(("good", "ok", "bad"), Scale.ORDINAL)
    assert given.classes[:10].tolist() == [2, 2, 2, 2, 2, 0, 0, 0, 1, 1]
    none = made(tmp_path, nominal=True)
    assert none.labels == Labels(("bad", "good", "ok"), Scale.NOMINAL)
    assert none.classes[:10].tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 2, 2]


def test_errors(tmp_path: Path) -> None:
    """One label, a label with one row, another label's order, and a row without label are errors."""
    with pytest.raises(OptionError, match="All rows have the label 'bad'"):
        made(tmp_path, [("a", "bad"), ("b", "bad")])
    with pytest.raises(OptionError, match=r"Label 'odd' has one row \(.*b\.tsv:3\) of 4"):
        made(tmp_path, [("a", "bad"), ("b", "bad"), ("c", "bad"), ("d", "odd")])
    with pytest.raises(OptionError, match="--ordinal names bad, good; the data's labels are bad, good, ok"):
        made(tmp_path, ordinal=["bad", "good"])
    with pytest.raises(InputError, match=r"b\.tsv:2: no label"):
        made(tmp_path, [("a", "bad"), ("b", "good"), ("c", "")])


def test_from_texts(tmp_path: Path) -> None:
    """Texts in memory may lack a label: they are trained on, never held back, and counted for none."""
    rows = [*ROWS, *((f"ohne {n}", "") for n in range(50))]
    data = from_texts(rows, Labels(("bad", "ok", "good"), Scale.ORDINAL), tmp_path, validation=0.1, seed=0)
    assert data.texts["text"][:] == [text for text, _ in rows]
    assert data.classes[200:].tolist() == [-1] * 50
    assert data.counts() == {"bad": 100, "ok": 40, "good": 60}
    assert held(data) == [10, 4, 6]
    assert set(range(200, 250)) <= set(data.train.tolist())
    with pytest.raises(ValueError, match="not in tuple"):
        from_texts([("a", "odd")], data.labels, tmp_path, validation=0.1, seed=0)
