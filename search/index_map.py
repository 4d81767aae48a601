"""An index as a map: its sentences as points, those alike near each other, each with its label."""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from search.errors import EncoderError, OptionError
from search.filters import Filter, matching_rows
from search.index_reader import IndexReader
from search.marks import Mark, marks_of
from search.progress import SILENT, Progress
from search.projection import Projected, project
from search.similarity import Vectors, check_weight

__all__ = ["IndexMap", "check_map", "map_of"]

_STEPS = 65535
"""A point's place is told as two whole numbers up to this."""


@dataclass(frozen=True, slots=True)
class IndexMap:
    """The n sentences of a map.

    Attributes:
        rows: (n,) their rows in the index, ascending.
        points: (n, 2) float32 in [-1, 1].
        codes: (n,) which of the marks each has.
        marks: how each label looks.
        weight: how far feelings took part in where the points are.
        fitted: how many points the projection was fitted on; the others stand among their nearest of these.
        trustworthiness: how far neighbours on the map are neighbours, up to 1; see `Projected`.
    """

    rows: npt.NDArray[np.int64]
    points: Vectors
    codes: npt.NDArray[np.uint16]
    marks: tuple[Mark, ...]
    weight: float
    fitted: int
    trustworthiness: float | None

    def __len__(self) -> int:
        """Return the number of sentences."""
        return len(self.rows)

    @property
    def counts(self) -> list[int]:
        """Return how many sentences each mark has."""
        counts: list[int] = np.bincount(self.codes, minlength=len(self.marks)).tolist()
        return counts

    def about(self) -> str:
        """Say in a line how the points came to be where they are."""
        parts = ["meaning alone" if not self.weight else f"weight of feeling {self.weight:g}"]
        if self.fitted < len(self):
            parts.append(f"t-SNE of {self.fitted:,} sentences, the others placed by their nearest")
        elif self.fitted:
            parts.append("t-SNE")
        if self.trustworthiness is not None:
            parts.append(f"trustworthiness {self.trustworthiness:.2f}")
        return "; ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the map as pages read it: arrays in base64, little endian, x and y of each point from 0 to 65535."""
        places = np.clip((self.points + 1) * (_STEPS / 2), 0, _STEPS).round()
        marks = [
            {"name": one.name, "shape": one.shape, "light": one.light, "dark": one.dark, "count": count}
            for one, count in zip(self.marks, self.counts, strict=True)
        ]
        return {
            "count": len(self),
            "about": self.about(),
            "weight": self.weight,
            "marks": marks,
            "places": _base64(places.astype("<u2")),
            "codes": _base64(self.codes.astype("<u2")),
            "rows": _base64(self.rows.astype("<u4")),
        }


def check_map(index: IndexReader, weight: float) -> None:
    """Refuse a map that cannot be made, before any work is done.

    Raises:
        OptionError: the weight is out of range, or the index has no sentence.
        EncoderError: feelings are to take part, and the encoder knows none.
    """
    check_weight(weight)
    if weight and index.passport.labels is None:
        raise EncoderError(f"The encoder {index.passport.name} knows meaning only; leave --weight out.")
    if not len(index):
        raise OptionError(f"{index.folder} has no sentence to draw.")


def map_of(
    index: IndexReader, *, weight: float = 0.0, only: Filter | None = None, progress: Progress = SILENT
) -> IndexMap:
    """Make the map of an index, the same each time.

    Args:
        index: the index.
        weight: how far feelings take part in where points are, in [0, 1]; 0: meaning alone.
        only: which sentences are drawn; None: all.
        progress: is told the steps.

    Raises:
        OptionError: the weight is out of range, or there is no sentence, or none that fits.
        EncoderError: feelings are to take part, and the encoder knows none.
    """
    check_map(index, weight)
    among = matching_rows(index, only) if only else np.ones(index.manifest.rows, dtype=np.bool_)
    rows = np.array(index.counting(among), dtype=np.int64)
    if not len(rows):
        raise OptionError("No sentence is as asked; leave out some of --where, --source and --label.")
    found: Projected = project(
        index.vectors, rows, weight=weight, meaning_dim=index.passport.meaning_dim, progress=progress
    )
    return IndexMap(
        rows=rows,
        points=found.points,
        codes=_codes(index, rows),
        marks=marks_of(index.passport.labels),
        weight=weight,
        fitted=found.fitted,
        trustworthiness=found.trustworthiness,
    )


def _codes(index: IndexReader, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint16]:
    """Return the number of each row's label."""
    codes = np.zeros(index.manifest.rows, dtype=np.uint16)
    names = index.passport.labels.names if index.passport.labels else ()
    for number, name in enumerate(names[1:], start=1):
        codes[index.matching("label = ?", [name])] = number
    return codes[rows]


def _base64(array: npt.NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
