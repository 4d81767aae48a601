"""How well two runs of one encoder agree: their rows, neighbours and labels on the same sentences."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.encoder import Encoded, Passport
from search.similarity import Vectors

__all__ = ["ENOUGH", "LEAST_COSINE", "LEAST_LABELS", "LEAST_OVERLAP", "NEIGHBOURS", "Agreement", "compare"]

LEAST_COSINE = 0.995
"""The mean cosine, of meaning, at which a build still gives its checkpoint's rows."""

LEAST_OVERLAP = 0.93
"""The share of each sentence's nearest others that must be the reference's."""

LEAST_LABELS = 0.96
"""The share of sentences whose most likely label must be the reference's."""

NEIGHBOURS = 10

ENOUGH = 200
"""Sentences from which on neighbours are compared: among few, all are near."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How one run agrees with the reference on some sentences.

    `overlap` is of the 10 nearest others of each, None among fewer than ENOUGH; `labels` is None without labels.
    """

    sentences: int
    cosine_mean: float
    cosine_min: float
    overlap: float | None
    labels: float | None

    @property
    def complaints(self) -> list[str]:
        """Say what falls short, each with its figure and the least it must be; nothing where all is well."""
        measured = [
            ("mean cosine", self.cosine_mean, LEAST_COSINE),
            (f"overlap of the {NEIGHBOURS} nearest", self.overlap, LEAST_OVERLAP),
            ("label agreement", self.labels, LEAST_LABELS),
        ]
        return [
            f"{name} {value:.4f} (at least {least:g})"
            for name, value, least in measured
            if value is not None and not value >= least  # nan falls short too
        ]


def compare(reference: Encoded, other: Encoded, passport: Passport) -> Agreement:
    """Compare n encoded sentences with the reference's."""
    meanings = [encoded.rows[:, : passport.meaning_dim] for encoded in (reference, other)]
    cosines = (meanings[0] * meanings[1]).sum(axis=1)
    overlap = labels = None
    if len(cosines) >= ENOUGH:
        near = [_nearest(one) for one in meanings]
        shared = [len(set(a) & set(b)) for a, b in zip(near[0].tolist(), near[1].tolist(), strict=True)]
        overlap = float(np.mean(shared)) / NEIGHBOURS
    if passport.labels is not None:
        labels = float(np.mean(reference.probabilities.argmax(axis=1) == other.probabilities.argmax(axis=1)))
    return Agreement(len(cosines), float(cosines.mean()), float(cosines.min()), overlap, labels)


def _nearest(meaning: Vectors) -> npt.NDArray[np.int64]:
    """Return the (n, 10) numbers of each row's nearest others, in no order."""
    scores = meaning @ meaning.T
    np.fill_diagonal(scores, -np.inf)
    return np.argpartition(-scores, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
