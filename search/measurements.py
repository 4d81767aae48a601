"""What is measured, and what a measurement holds."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from search.metrics import calibration_bins
from search.similarity import Vectors

__all__ = ["Measurement", "Outcomes", "Task"]


class Task(StrEnum):
    """What is measured."""

    SENTIMENT = "sentiment"
    SIMILARITY = "similarity"
    DUPLICATES = "duplicates"
    TOPICS = "topics"
    RETRIEVAL = "retrieval"


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What labels n texts have and were given.

    Attributes:
        names: the C labels.
        gold: (n,) numbers of the true ones.
        probabilities: (n, C) of the labels given.
    """

    names: tuple[str, ...]
    gold: npt.NDArray[np.int64]
    probabilities: Vectors

    def confusion(self) -> npt.NDArray[np.int64]:
        """Return the (C, C) numbers of texts by true label (row) and label given (column)."""
        size = len(self.names)
        cells = self.gold * size + self.probabilities.argmax(axis=1)
        return np.bincount(cells, minlength=size * size).reshape(size, size)

    def calibration(self) -> tuple[list[float], list[float], list[int]]:
        """Return, of each bin of confidence that has texts, mean confidence, share that is right, number of texts."""
        bins = calibration_bins(self.probabilities, self.gold)
        return [one.confidence for one in bins], [one.right for one in bins], [one.count for one in bins]


@dataclass(frozen=True, slots=True)
class Measurement:
    """Figures of one encoder on one file. `asked` is the sentiment asked for, `weight` its weight; None: no matter.

    `outcomes` has the single texts' labels, for pictures; None but for sentiment.
    """

    task: Task
    data: str
    rows: int
    asked: str | None
    weight: float | None
    figures: dict[str, float]
    outcomes: Outcomes | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the measurement as one flat object, as `--json` prints it."""
        return {
            "task": str(self.task),
            "data": self.data,
            "rows": self.rows,
            "sentiment": self.asked,
            "weight": self.weight,
            **{name: round(value, 4) for name, value in self.figures.items()},
        }
