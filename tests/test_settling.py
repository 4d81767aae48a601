"""Which options a method uses: others are refused, defaults are its own, and the report names what was used."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search import settling
from search.errors import OptionError
from search.methods import Choice
from search.pair_data import PairData
from search.pairs import PairKind
from search.settling import LEAST_STEPS, few_steps, settle, settle_pairs, used
from search.similarity import Labels, Scale
from search.training_data import TrainingData, from_texts
from search.training_options import FinetuneOptions, Method

POLES = Labels(("negative", "positive"), Scale.ORDINAL)


def _data(rows: int, folder: Path, validation: float | None = None) -> TrainingData:
    texts = [(f"text {number}", POLES.names[number % 2]) for number in range(rows)]
    return from_texts(texts, POLES, folder, validation=validation, seed=0)


def _settled(data: TrainingData, method: Method, **asked: Any) -> FinetuneOptions:
    return settle(FinetuneOptions(**asked), Choice(method, "so"), data)


@pytest.mark.parametrize(
    ("method", "asked", "named"),
    [
        (Method.HEAD, {"epochs": 5}, "--epochs: it fits the logits alone, once, and does not train in epochs"),
        (Method.HEAD, {"learning_rate": 1e-3, "batch_size": 8}, "--batch-size, --learning-rate"),
        (Method.HEAD, {"keep_meaning": 1.0}, "--keep-meaning"),
        (Method.HEAD, {"dropout": 0.1}, "--dropout"),
        (Method.HEAD, {"accumulate": 2}, "--accumulate"),
        (Method.HEAD, {"patience": 2}, "--patience"),
        (Method.HEAD, {"max_minutes": 2.0}, "--max-minutes"),
        (Method.HEAD, {"save_steps": 2}, "--save-steps"),
        (Method.HEAD, {"tensorboard": "logs"}, "--tensorboard"),
        (Method.CONTRASTIVE, {"patience": 2}, "--patience: it measures nothing between epochs"),
    ],
)
def test_what_a_method_does_not_use_is_refused(
    method: Method, asked: dict[str, Any], named: str, tmp_path: Path
) -> None:
    """The message names the method, why it was chosen, the options, and the way out."""
    with pytest.raises(OptionError, match=re.escape(f"Method {method} (so) does not use {named}")) as refused:
        _settled(_data(16, tmp_path), method, **asked)
    assert "--method joint" in str(refused.value)


@pytest.mark.parametrize("method", [Method.HEAD, Method.CONTRASTIVE, Method.JOINT])
def test_what_concerns_labels_suits_every_method(method: Method, tmp_path: Path) -> None:
    """Seed, length, balance and order of labels are taken by all, and stand in the report."""
    asked = {"seed": 3, "max_length": 64, "balance": True, "ordinal": ("negative", "positive")}
    assert asked.items() <= used(_settled(_data(16, tmp_path), method, **asked)).items()


def test_the_report_names_what_was_used(tmp_path: Path) -> None:
    """No epochs, rate or price where only logits are fitted; a patience only where epochs are measured."""
    data = _data(16, tmp_path)
    names = {"base", "method", "max_length", "validation", "balance", "seed", "ordinal", "nominal"}
    assert set(used(_settled(data, Method.HEAD))) == names
    contrast, joint = used(_settled(data, Method.CONTRASTIVE)), used(_settled(data, Method.JOINT))
    assert set(joint) - set(contrast) == {"patience"}
    assert set(contrast) - names == {
        *("epochs", "batch_size", "learning_rate", "dropout", "accumulate", "max_minutes", "save_steps"),
        *("tensorboard", "keep_meaning"),
    }


def test_contrast_has_defaults_of_its_own(tmp_path: Path) -> None:
    """Unasked: larger batches, a lower rate and price, three epochs; asked, exactly what was asked."""
    data = _data(16, tmp_path)
    own = _settled(data, Method.CONTRASTIVE)
    assert (own.batch_size, own.learning_rate, own.keep_meaning, own.epochs) == (64, 5e-5, 0.2, 3)
    asked = {"batch_size": 16, "learning_rate": 1e-3, "keep_meaning": 1.0, "epochs": 7}
    given = _settled(data, Method.CONTRASTIVE, **asked)
    assert asked.items() <= used(given).items()


@pytest.mark.parametrize(("rows", "batch", "epochs"), [(20, 32, 50), (64, 8, 7), (2000, 32, 3)])
def test_joint_training_passes_over_few_rows_more_often(rows: int, batch: int, epochs: int, tmp_path: Path) -> None:
    """Unasked, as often as makes fifty steps, three times at least; asked, exactly as often as asked."""
    data = _data(rows, tmp_path, 0.0)
    assert _settled(data, Method.JOINT, batch_size=batch).epochs == epochs
    assert epochs * -(-rows // batch) >= LEAST_STEPS
    assert _settled(data, Method.JOINT, epochs=2).epochs == 2


@pytest.mark.parametrize(
    ("rows", "asked", "said"),
    [
        (20, {"epochs": 3}, "--epochs 3 of 20 rows is 3 step(s) of training; left out, it is 50."),
        (20, {}, ""),
        (20, {"epochs": 50}, ""),
        (2000, {"epochs": 1}, ""),
    ],
)
def test_epochs_of_few_steps_are_told(rows: int, asked: dict[str, int], said: str, tmp_path: Path) -> None:
    """What was asked for is done; that it is little is said."""
    assert few_steps(_settled(_data(rows, tmp_path, 0.0), Method.JOINT, **asked), rows) == said


def test_rows_that_do_not_fit_memory_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Head and contrast take so many rows at most; joint training takes all."""
    monkeypatch.setattr(settling, "MOST_ROWS", 15)
    data = _data(16, tmp_path)
    for method in (Method.HEAD, Method.CONTRASTIVE):
        with pytest.raises(OptionError, match="15 at most, and there are 16"):
            _settled(data, method)
    assert _settled(data, Method.JOINT).method is Method.JOINT


def test_what_is_held_back_is_reported_as_it_is(tmp_path: Path) -> None:
    """A tenth where rows were held back unasked, nothing where none were, and what was asked where it was."""
    assert _settled(_data(200, tmp_path), Method.JOINT).validation == 0.1
    assert _settled(_data(8, tmp_path), Method.JOINT).validation is None
    assert _settled(_data(8, tmp_path, 0.0), Method.JOINT, validation=0.0).validation == 0.0
    assert _settled(_data(8, tmp_path, 0.5), Method.HEAD, validation=0.5).validation == 0.5


def test_patience_needs_rows_that_measure(tmp_path: Path) -> None:
    """With nothing held back no epoch is better than another."""
    with pytest.raises(OptionError, match="--patience 2 waits for epochs that are no better, but no rows are held"):
        _settled(_data(8, tmp_path), Method.JOINT, patience=2)
    assert _settled(_data(200, tmp_path), Method.JOINT, patience=2).patience == 2


def _pairs(folder: Path) -> PairData:
    data = _data(8, folder)
    groups = np.arange(8)
    return PairData(data.texts, np.ones(8), groups, PairKind.POSITIVE, groups, groups[:0], ())


@pytest.mark.parametrize(
    "asked", [{"ordinal": ("a", "b")}, {"nominal": True}, {"balance": True}], ids=["ordinal", "nominal", "balance"]
)
def test_pairs_refuse_what_is_for_labels(asked: dict[str, Any], tmp_path: Path) -> None:
    """The message names the option."""
    with pytest.raises(OptionError, match=rf"Training on pairs does not use --{next(iter(asked))}: it is for labels"):
        settle_pairs(FinetuneOptions(**asked), _pairs(tmp_path), POLES)


def test_pairs_keep_labels_only_where_there_are_some(tmp_path: Path) -> None:
    """The price on moving labels is refused where the base has none, and reported as 0."""
    pairs, asked = _pairs(tmp_path), FinetuneOptions(keep_meaning=5.0)
    assert settle_pairs(asked, pairs, POLES).keep_meaning == 5.0
    with pytest.raises(OptionError, match="from a base without labels does not use --keep-meaning"):
        settle_pairs(asked, pairs, None)
    reported = used(settle_pairs(replace(asked, keep_meaning=FinetuneOptions().keep_meaning), pairs, None))
    assert (reported["keep_meaning"], reported["epochs"]) == (0.0, 3)
    assert not {"method", "balance", "ordinal", "nominal"} & set(reported)


def test_positive_pairs_have_a_rate_of_their_own(tmp_path: Path) -> None:
    """A fifth of the usual one, for pairs that are all positive, unless one is asked for."""
    pairs = _pairs(tmp_path)
    positive, labelled = (replace(pairs, kind=kind) for kind in (PairKind.POSITIVE, PairKind.LABELLED))
    assert settle_pairs(FinetuneOptions(), positive, None).learning_rate == pytest.approx(2e-5)
    assert settle_pairs(FinetuneOptions(), labelled, None).learning_rate == 1e-4
    assert settle_pairs(FinetuneOptions(learning_rate=3e-5), positive, None).learning_rate == 3e-5
