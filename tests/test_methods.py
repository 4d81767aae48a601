"""How labels are learned: chosen by the number of rows and by what the base knows, with a reason, unless asked."""

from pathlib import Path

import numpy as np
import pytest

from search.errors import OptionError
from search.methods import FEW_OF_KNOWN, FEW_OF_OTHERS, FEW_PLAIN, choose, known_labels
from search.similarity import Labels, Scale
from search.training_data import TrainingData, from_texts
from search.training_options import EPOCHS, FinetuneOptions, Method

FEELINGS = Labels(("negative", "neutral", "positive"), Scale.ORDINAL)
POLES = Labels(("negative", "positive"), Scale.ORDINAL)
EMOTIONS = Labels(("anger", "joy"), Scale.NOMINAL)


def _data(rows: int, labels: Labels, folder: Path) -> TrainingData:
    texts = [(f"text {number}", labels.names[number % len(labels.names)]) for number in range(rows)]
    return from_texts([*texts, ("without a label", "")], labels, folder, validation=None, seed=0)


@pytest.mark.parametrize(
    ("rows", "labels", "known", "method", "why"),
    [
        (FEW_PLAIN + 1, POLES, None, Method.JOINT, "801 labelled rows, more than 800"),
        (FEW_PLAIN, POLES, None, Method.CONTRASTIVE, "800 labelled rows, no more than 800, and a base without labels"),
        (FEW_OF_KNOWN + 1, POLES, FEELINGS, Method.JOINT, "401 labelled rows, more than 400"),
        (
            FEW_OF_KNOWN,
            FEELINGS,
            FEELINGS,
            Method.HEAD,
            "400 labelled rows, no more than 400, and labels that the base",
        ),
        (FEW_OF_OTHERS + 1, EMOTIONS, FEELINGS, Method.JOINT, "51 labelled rows, more than 50"),
        (FEW_OF_OTHERS, EMOTIONS, FEELINGS, Method.HEAD, "50 labelled rows, no more than 50, and a base that knows"),
        (16, POLES, FEELINGS, Method.HEAD, "labels that the base knows"),
        (16, EMOTIONS, FEELINGS, Method.HEAD, "a base that knows negative, neutral, positive"),
    ],
)
def test_rows_and_base_decide(
    rows: int, labels: Labels, known: Labels | None, method: Method, why: str, tmp_path: Path
) -> None:
    """Many rows: joint. Few: contrastive from a plain base, the head alone from one with labels. Each says why."""
    choice = choose(_data(rows, labels, tmp_path), known, FinetuneOptions())
    assert choice.method is method
    assert why in choice.why


@pytest.mark.parametrize("method", [Method.CONTRASTIVE, Method.HEAD, Method.JOINT])
def test_the_user_has_the_last_word(method: Method, tmp_path: Path) -> None:
    """A method that is asked for is taken, whatever the rows."""
    for rows in (16, FEW_PLAIN + 1):
        choice = choose(_data(rows, POLES, tmp_path), None, FinetuneOptions(method=method, epochs=5))
        assert (choice.method, choice.why) == (method, "as asked")


def test_epochs_do_not_choose_the_method(tmp_path: Path) -> None:
    """A number of epochs is the method's to use or refuse: it does not make few rows many."""
    choice = choose(_data(16, POLES, tmp_path), FEELINGS, FinetuneOptions(epochs=EPOCHS))
    assert choice.method is Method.HEAD


def test_labels_are_known_only_all_together() -> None:
    """The base's numbers of the labels, in the order of those to learn; None where one is new."""
    assert known_labels(FEELINGS, Labels(("positive", "negative"), Scale.NOMINAL)) == [2, 0]
    assert known_labels(FEELINGS, Labels(("positive", "angry"), Scale.NOMINAL)) is None


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("Negative", "POSITIVE"), [0, 2]),
        (("neg", "neu", "pos"), [0, 1, 2]),
        (("bad", "Good"), [0, 2]),
        (("terrible", "good"), None),
        (("Positive", "positive"), None),
        (("0", "1"), None),
    ],
)
def test_labels_are_known_by_what_they_mean(names: tuple[str, ...], found: list[int] | None) -> None:
    """Case does not matter, nor which usual name a feeling has; one label of the base is not two of the data."""
    assert known_labels(FEELINGS, Labels(names, Scale.NOMINAL)) == found


def test_other_names_are_known_without_case() -> None:
    """What is no feeling is compared by its letters."""
    assert known_labels(EMOTIONS, Labels(("Joy", "ANGER"), Scale.NOMINAL)) == [1, 0]


def test_a_method_that_there_is_not_is_refused() -> None:
    """The message names the value and the methods."""
    with pytest.raises(OptionError, match="it must be one of auto, contrastive, head, joint"):
        FinetuneOptions(method="magic")  # type: ignore[arg-type]


def test_defaults_can_be_told_from_what_was_asked() -> None:
    """Unasked, epochs are 3; asked, what was asked."""
    assert (FinetuneOptions().passes, FinetuneOptions(epochs=7).passes) == (3, 7)


def test_nothing_is_held_back_of_whole_data(tmp_path: Path) -> None:
    """All rows are trained on, in order."""
    data = _data(200, POLES, tmp_path)
    assert len(data.held_back) > 0
    whole = data.whole()
    np.testing.assert_array_equal(whole.train, np.arange(201))
    assert len(whole.held_back) == 0
