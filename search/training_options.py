"""How to fine-tune."""

import math
from dataclasses import dataclass
from enum import StrEnum

from search.checkpoint import DEFAULT_ENCODER
from search.errors import OptionError

__all__ = ["EPOCHS", "LEARNING_RATE", "VALIDATION", "FinetuneOptions", "Method"]

EPOCHS = 3
"""Passes over the data, where nothing else is asked for."""

LEARNING_RATE = 1e-4
"""The highest learning rate, where nothing else is asked for."""

VALIDATION = 0.1
"""The share of rows held back where there are enough to spare some."""


class Method(StrEnum):
    """How labels are learned.

    AUTO chooses by the number of rows and by what the base knows. HEAD leaves the encoder as it is and fits the logits.
    CONTRASTIVE first draws texts of one label together, then fits the logits. JOINT trains both at once.
    """

    AUTO = "auto"
    CONTRASTIVE = "contrastive"
    HEAD = "head"
    JOINT = "joint"


@dataclass(frozen=True, slots=True)
class FinetuneOptions:
    """How to fine-tune.

    An option at its default counts as not asked for: a method that does not use it says nothing, and one that has a
    value of its own takes that (`settling`).

    Attributes:
        base: the encoder to start from.
        method: how labels are learned. Few rows need another way than many; AUTO chooses.
        keep_meaning: how much it costs to move a text's meaning; 0 is textbook classification fine-tuning.
        epochs: passes over the data; the best one by validation is kept. None: 3, or more where joint training would
            end after a few steps. An epoch of contrast has eight batches at least; HEAD has none, and refuses it.
        batch_size: texts a step.
        learning_rate: the highest one; it rises over the first tenth of the steps and falls to 0 at the end.
        dropout: share of activations dropped in training. 0 is the default: keep_meaning already holds the encoder
            back, and without noise it can hold exactly; on a CPU dropout takes a fifth of the time.
        max_length: tokens of a text that are read.
        validation: share of the rows, of each label alike, held back to choose the epoch and measure; None: a tenth,
            or nothing where rows are so few that each is needed.
        accumulate: batches whose gradients are added up before a step.
        patience: stop after this many epochs without a better one; None: never.
        max_minutes: stop after this time and keep what is there; None: never.
        save_steps: steps between two states saved; a run that was killed goes on from the last.
        balance: weigh each label's rows so that all labels count alike.
        tensorboard: a folder for TensorBoard's logs; None: none are written.
        seed: two runs with one seed agree; 0 to 2**32 - 1.
        ordinal: the labels from lowest to highest, where kindred would not guess it.
        nominal: the labels have no order, where kindred would guess one.
    """

    base: str = DEFAULT_ENCODER
    method: Method = Method.AUTO
    keep_meaning: float = 2.0
    epochs: int | None = None
    batch_size: int = 32
    learning_rate: float = LEARNING_RATE
    dropout: float = 0.0
    max_length: int = 128
    validation: float | None = None
    accumulate: int = 1
    patience: int | None = None
    max_minutes: float | None = None
    save_steps: int = 500
    balance: bool = False
    tensorboard: str | None = None
    seed: int = 0
    ordinal: tuple[str, ...] | None = None
    nominal: bool = False

    @property
    def passes(self) -> int:
        """Return the passes over the data."""
        return EPOCHS if self.epochs is None else self.epochs

    def __post_init__(self) -> None:
        """Refuse values out of range.

        Raises:
            OptionError: naming the value and the range.
        """
        self._check_whole_numbers()
        if self.max_minutes is not None and not self.max_minutes > 0.0:
            raise OptionError(f"max_minutes is {self.max_minutes:g}; it must be above 0.")
        if self.method not in set(Method):
            raise OptionError(f"method is {self.method!r}; it must be one of {', '.join(Method)}.")
        if self.validation is not None and not 0.0 <= self.validation < 1.0:
            raise OptionError(f"validation is {self.validation:g}; it must lie between 0 and 1 (1 excluded).")
        if not 0.0 <= self.dropout < 1.0:
            raise OptionError(f"dropout is {self.dropout:g}; it must lie between 0 and 1 (1 excluded).")
        if not 0.0 < self.learning_rate < math.inf:
            raise OptionError(f"learning_rate is {self.learning_rate:g}; it must be above 0.")
        if not 0.0 <= self.keep_meaning < math.inf:
            raise OptionError(f"keep_meaning is {self.keep_meaning:g}; it must be 0 or more.")
        if self.ordinal is not None and self.nominal:
            raise OptionError("--ordinal and --nominal contradict each other; give one.")

    def _check_whole_numbers(self) -> None:
        for name in ("epochs", "batch_size", "max_length", "accumulate", "save_steps", "patience"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise OptionError(f"{name} is {value}; it must be 1 or more.")
        if not 0 <= self.seed < 2**32:
            raise OptionError(f"seed is {self.seed}; it must lie between 0 and {2**32 - 1}.")
