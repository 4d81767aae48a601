"""Which options a method uses: what it does not use is refused, and what was not asked for gets the method's value."""

import math
from collections.abc import Set as AbstractSet
from dataclasses import fields, replace
from typing import Any

from search.errors import OptionError
from search.methods import Choice
from search.pair_data import PairData
from search.pairs import PairKind
from search.processes import processes
from search.similarity import Labels
from search.training_data import TrainingData
from search.training_options import EPOCHS, LEARNING_RATE, VALIDATION, FinetuneOptions, Method

__all__ = ["LEAST_STEPS", "MOST_ROWS", "few_steps", "settle", "settle_pairs", "used"]

LEAST_STEPS = 50
"""Joint training passes over few rows until so many steps are done, unless a number of epochs is asked for."""

MOST_ROWS = 20_000
"""Head and contrast hold the features of all rows in memory, in several copies: half a gigabyte for so many rows."""

_ALWAYS = {"base", "max_length", "seed", "validation"}
_LABELS = {"method", "balance", "ordinal", "nominal"}
_RUN = {"epochs", "batch_size", "learning_rate", "dropout", "accumulate", "max_minutes", "save_steps", "tensorboard"}
_PAIRS = _ALWAYS | _RUN | {"keep_meaning", "patience"}
_USED = {
    Method.HEAD: _ALWAYS | _LABELS,
    Method.CONTRASTIVE: _ALWAYS | _LABELS | _RUN | {"keep_meaning"},
    Method.JOINT: _PAIRS | _LABELS,
}
_REASONS = {
    Method.HEAD: "it fits the logits alone, once, and does not train in epochs",
    Method.CONTRASTIVE: "it measures nothing between epochs",
}

_CONTRAST: dict[str, Any] = {"batch_size": 64, "learning_rate": LEARNING_RATE / 2, "keep_meaning": 0.2}
"""What contrast does where nothing else is asked for. The more texts a batch holds, the more pairs it has; and it
compares directions only and hardly moves meaning, so that the price on moving it can be low."""


_POSITIVE: dict[str, Any] = {"learning_rate": LEARNING_RATE / 5}
"""The same for positive pairs, measured in `benchmarks/finetune.md`: all of the meaning moves, and little need move."""


def settle(options: FinetuneOptions, choice: Choice, data: TrainingData) -> FinetuneOptions:
    """Return the options that the method chosen trains with.

    Raises:
        OptionError: an option is asked for that the method does not use, or there are too many rows for it.
    """
    method = choice.method
    _refuse(options, _USED[method], f"Method {method} ({choice.why})", f"{_REASONS.get(method, '')}. Leave it out, or "
            "give --method joint")  # fmt: skip
    if method != Method.JOINT and len(data.classes) > MOST_ROWS:
        raise OptionError(
            f"Method {method} holds all rows in memory: {MOST_ROWS:,} at most, and there are {len(data.classes):,}. "
            "Give --method joint, or fewer rows."
        )
    _check_patience(options, len(data.held_back))
    chosen = replace(options, method=method, validation=_validation(options, len(data.held_back)))
    if method == Method.HEAD:
        return chosen
    if method == Method.JOINT:
        return replace(chosen, epochs=options.epochs or _enough_epochs(options, len(data.train)))
    return replace(chosen, epochs=options.passes, **_own(_CONTRAST, options))


def settle_pairs(options: FinetuneOptions, data: PairData, known: Labels | None) -> FinetuneOptions:
    """Return the options that pairs are trained with, from a base that knows these labels; None: it has none.

    Raises:
        OptionError: an option is asked for that pairs do not use.
    """
    unused = {"keep_meaning"} if known is None else set()
    _refuse(options, _PAIRS, "Training on pairs", "it is for labels. Leave it out")
    _refuse(options, _PAIRS - unused, "Training on pairs from a base without labels", "it is the price on moving what "
            "the base knows of its labels. Leave it out")  # fmt: skip
    _check_patience(options, len(data.held_back))
    kept = 0.0 if known is None else options.keep_meaning
    validation = _validation(options, len(data.held_back))
    own = _own(_POSITIVE, options) if data.kind is PairKind.POSITIVE else {}
    return replace(options, epochs=options.passes, keep_meaning=kept, validation=validation, **own)


def used(options: FinetuneOptions) -> dict[str, Any]:
    """Return what training used of settled options, for the report; those of pairs have no method but AUTO."""
    names = _USED.get(options.method, _PAIRS)
    return {one.name: getattr(options, one.name) for one in fields(options) if one.name in names}


def few_steps(options: FinetuneOptions, rows: int) -> str:
    """Say, of settled options, that the epochs asked for are few steps on so many rows; "" where they are enough."""
    steps = options.passes * _steps(options, rows)
    if options.method != Method.JOINT or steps >= LEAST_STEPS:
        return ""
    return f"--epochs {options.passes} of {rows} rows is {steps} step(s) of training; left out, it is {LEAST_STEPS}."


def _asked(options: FinetuneOptions) -> list[str]:
    """Name the options that are not at their defaults."""
    return [one.name for one in fields(options) if getattr(options, one.name) != one.default]


def _own(values: dict[str, Any], options: FinetuneOptions) -> dict[str, Any]:
    """Return a method's own values of the options that are not asked for."""
    return {name: value for name, value in values.items() if name not in _asked(options)}


def _refuse(options: FinetuneOptions, names: AbstractSet[str], who: str, why: str) -> None:
    unused = [f"--{name.replace('_', '-')}" for name in _asked(options) if name not in names]
    if unused:
        raise OptionError(f"{who} does not use {', '.join(unused)}: {why}.")


def _check_patience(options: FinetuneOptions, held_back: int) -> None:
    if options.patience is not None and not held_back:
        raise OptionError(
            f"--patience {options.patience} waits for epochs that are no better, but no rows are held back to measure "
            "them. Leave it out, or hold some back: --validation 0.2."
        )


def _validation(options: FinetuneOptions, held_back: int) -> float | None:
    """Return the share held back; None: nothing was asked for, and nothing is."""
    return VALIDATION if options.validation is None and held_back else options.validation


def _enough_epochs(options: FinetuneOptions, rows: int) -> int:
    """Return the passes of joint training: as many as few rows need to make a number of steps."""
    return max(EPOCHS, math.ceil(LEAST_STEPS / _steps(options, rows)))


def _steps(options: FinetuneOptions, rows: int) -> int:
    """Return the steps of an epoch."""
    return max(1, math.ceil(rows / (options.batch_size * options.accumulate * processes().count)))
