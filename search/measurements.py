"""What is measured, and what a measurement holds."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Measurement", "Task"]


class Task(StrEnum):
    """What is measured."""

    SENTIMENT = "sentiment"
    SIMILARITY = "similarity"
    DUPLICATES = "duplicates"
    TOPICS = "topics"
    RETRIEVAL = "retrieval"


@dataclass(frozen=True, slots=True)
class Measurement:
    """Figures of one encoder on one file. `asked` is the sentiment asked for, `weight` its weight; None: no matter."""

    task: Task
    data: str
    rows: int
    asked: str | None
    weight: float | None
    figures: dict[str, float]

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
