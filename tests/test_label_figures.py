"""The figures of labels given to rows, by hand."""

from pathlib import Path

import numpy as np
import pytest

from search.label_figures import base_figures, label_figures
from search.model_card import model_card, unmeasured
from search.similarity import Labels, Scale
from search.training_data import from_texts

POLES = Labels(("bad", "good"), Scale.ORDINAL)
ROWS = [("a", "bad"), ("b", "bad"), ("c", "good"), ("d | *e*", "good"), ("f", "good")]
LOGITS = np.log([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.7, 0.3]])
"""Of rows a, b, c and d: right, wrong, right, wrong with more confidence."""


def _figures(folder: Path) -> dict[str, object]:
    data = from_texts(ROWS, POLES, folder, validation=0.0, seed=0)
    return label_figures(LOGITS, 1.0, data, np.arange(4))


def test_figures_by_hand(tmp_path: Path) -> None:
    """Half is right, of each label too; the surest mistake comes first, with its text."""
    figures = _figures(tmp_path)
    assert (figures["rows"], figures["accuracy"], figures["macro_f1"]) == (4, 0.5, 0.5)
    assert figures["label_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.8, 0.3]).mean(), abs=1e-4)
    assert figures["calibration_error"] == pytest.approx((0.1 + 0.6 + 0.2 + 0.7) / 4)
    assert figures["f1"] == {"bad": 0.5, "good": 0.5}
    assert figures["confusion"] == {"bad": {"bad": 1, "good": 1}, "good": {"bad": 1, "good": 1}}
    assert figures["worst_mistakes"] == [
        {"text": "d | *e*", "label": "good", "given": "bad", "probability": 0.7},
        {"text": "b", "label": "bad", "given": "good", "probability": 0.6},
    ]


def test_the_rows_named_are_judged(tmp_path: Path) -> None:
    """Logits belong to the rows that are given, in their order."""
    data = from_texts(ROWS, POLES, tmp_path, validation=0.0, seed=0)
    figures = label_figures(LOGITS[:2], 1.0, data, np.array([4, 2]))
    assert figures["accuracy"] == 0.5
    assert [one["text"] for one in figures["worst_mistakes"]] == ["f"]


def test_the_base_is_measured_alike() -> None:
    """Its figures have the same names and values."""
    assert base_figures(LOGITS, 1.0, np.array([0, 0, 1, 1])) == {
        "accuracy": 0.5,
        "macro_f1": 0.5,
        "calibration_error": 0.4,
    }


def test_the_card_shows_them(tmp_path: Path) -> None:
    """Figures beside the base's, the confusion, and the mistakes with their text, in which nothing is markup."""
    crossed = _figures(tmp_path) | {"before": {"accuracy": 0.25, "macro_f1": 0.2}}
    report = {
        "base": {"name": "base"},
        "data": [{"name": "rows.csv", "rows": 5}],
        "validation": None,
        "cross_validation": crossed,
        "epochs": [],
        "stopped": None,
        "options": {"method": "head"},
    }
    told = model_card("out", report, None, 3, at=None)
    assert "| accuracy | 0.5 | 0.25 |" in told
    assert "| calibration error | 0.4 |  |" in told
    assert "| good | 1 | 1 | 0.5 |" in told
    assert "| d \\| \\*e\\* | good | bad | 0.7 |" in told
    assert "Options: method head." in told


@pytest.mark.parametrize(
    ("asked", "said"), [({"validation": 0.0}, "as asked"), ({"validation": None}, "Of 8 rows too few could be held")]
)
def test_why_nothing_was_measured(asked: dict[str, float | None], said: str) -> None:
    """Asked to hold nothing back, it does not say that there were too few rows."""
    assert said in unmeasured({"options": asked, "rows": 8})


@pytest.mark.parametrize(("rows", "said"), [(5, "--validation 0.4 holds some back."), (3, "too few to hold back.")])
def test_the_label_that_is_too_rare_is_named(rows: int, said: str) -> None:
    """With its rows, and the share that would do where one would."""
    told = unmeasured({"options": {"validation": None}, "rows": 305, "labels": {"order": 300, "refund": rows}})
    assert told.startswith(f"Nothing was measured: label 'refund' has {rows} rows, a tenth of which is")
    assert told.endswith(said)
