"""From which score on two texts say the same: given, or chosen on labelled pairs, and kept beside an index.

A threshold belongs to an encoder and a weight: scores of others mean something else. `threshold_auto` finds one
without labels.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search.encoder import Passport
from search.errors import IndexFolderError, InputError, OptionError
from search.files import read_json, write_json
from search.metrics import f1
from search.pairs import PairCorpus, PairKind, TextPair

__all__ = [
    "CONFIDENCE",
    "FEWEST",
    "FILE",
    "REFUSED",
    "Calibrated",
    "How",
    "Threshold",
    "calibrate",
    "check_precision",
    "exact_interval",
    "labelled_pairs",
]

FILE = "duplicates.json"
"""The name of a threshold's file in an index folder."""

FEWEST = 20
"""The fewest pairs of each label from which a threshold can be chosen."""

CONFIDENCE = 0.95
"""How sure every interval is."""

REFUSED = -2.0
"""The score of a pair that the guard refuses: no threshold merges it."""

_FORMAT = 1
_RESAMPLES = 400

_Floats = npt.NDArray[np.floating]
_Flags = npt.NDArray[np.bool_]
_Draws = npt.NDArray[np.int64]


class How(StrEnum):
    """Where a threshold comes from, and so what its `estimate` is."""

    GIVEN = "given"
    """By the user; nothing is estimated."""
    PRECISION = "precision"
    """The lowest at which the labelled pairs have the precision asked for; the estimate is their precision."""
    F1 = "f1"
    """The one that is best for F1 on labelled pairs, on average over draws of them; the estimate is F1 at it."""
    AUTOMATIC = "automatic"
    """Without labels; the estimate is the expected number of false merges."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A threshold chosen on labelled pairs.

    Attributes:
        value: pairs that score it or more say the same.
        estimate: F1 or precision at it, on the pairs it was chosen on.
        low: the lower end of its 95 % interval.
        high: the upper end.
        precision: of the pairs at or above it.
        recall: the share of the pairs that say the same at or above it.
        pairs: how many were labelled.
    """

    value: float
    estimate: float
    low: float
    high: float
    precision: float
    recall: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold, how it was found, and for which encoder and weight.

    Attributes:
        value: pairs that score it or more say the same, in [-1, 1].
        how: where it comes from.
        encoder: the fingerprint of the encoder's passport.
        weight: how much sentiment counts in the scores.
        estimate: what `how` says; None for a given one.
        low: the lower end of its 95 % interval.
        high: the upper end.
        pairs: on how many pairs it rests.
        recall: the share of labelled duplicates, or of texts slightly changed, that score it or more.
        merges: without labels, about how many pairs are merged at it.
    """

    value: float
    how: How
    encoder: str
    weight: float
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    pairs: int = 0
    recall: float | None = None
    merges: float | None = None

    @classmethod
    def of(cls, found: Calibrated, how: How, passport: Passport, weight: float) -> "Threshold":
        """Keep what `calibrate` chose on scores of this encoder, at this weight."""
        return cls(
            found.value,
            how,
            passport.fingerprint,
            weight,
            found.estimate,
            found.low,
            found.high,
            found.pairs,
            found.recall,
        )

    def check(self, passport: Passport, weight: float) -> None:
        """Refuse to be used on other scores than those it was found on.

        Raises:
            OptionError: the encoder or the weight is another; names both, and what to do.
        """
        if self.encoder != passport.fingerprint:
            raise OptionError(
                f"The threshold {self.value:g} was found for the encoder {self.encoder[:12]}, "
                f"these rows are of {passport.name} ({passport.fingerprint[:12]}). "
                "Give --threshold, or calibrate again."
            )
        if not math.isclose(self.weight, weight, abs_tol=1e-9):
            raise OptionError(
                f"The threshold {self.value:g} was found at weight {self.weight:g}, this job has weight {weight:g}. "
                "Give --threshold, or calibrate again."
            )

    def write(self, folder: Path) -> None:
        """Write the threshold into an index folder, whole or not at all."""
        write_json(folder / FILE, {"format": _FORMAT, **asdict(self)})

    @classmethod
    def read(cls, folder: Path) -> "Threshold | None":
        """Read the threshold of an index folder, or None where it has none.

        Raises:
            IndexFolderError: the file is damaged, or of a newer format.
        """
        path = folder / FILE
        if not path.exists():
            return None
        try:
            value: dict[str, Any] = read_json(path)
        except InputError as exc:
            raise IndexFolderError(f"{path}: damaged ({exc}); remove it, and calibrate again.") from exc
        written = value.pop("format", None)
        if written != _FORMAT:
            raise IndexFolderError(f"{path}: format {written}, this version reads {_FORMAT}. Upgrade kindred.")
        try:
            return cls(**{**value, "value": float(value["value"]), "how": How(value["how"])})
        except (KeyError, TypeError, ValueError) as exc:
            raise IndexFolderError(f"{path}: damaged ({exc!r}); remove it, and calibrate again.") from exc


def labelled_pairs(patterns: Sequence[str]) -> list[TextPair]:
    """Read the pairs of files with the columns sentence1, sentence2 and label (1: they say the same, 0: they do not).

    Raises:
        InputError: a file holds other pairs, or a row cannot be read; names the file and the line.
    """
    corpus = PairCorpus(patterns)
    if corpus.kind is not PairKind.LABELLED:
        raise InputError(
            f"{', '.join(corpus.names)}: to calibrate, pairs need a column label (1: the same, 0: not); "
            f"these are {corpus.kind} pairs."
        )
    return list(corpus)


def calibrate(scores: _Floats, same: _Flags, *, precision: float | None = None, seed: int = 0) -> Calibrated:
    """Choose a threshold on n labelled pairs.

    Args:
        scores: (n,) scores; REFUSED where the guard refuses a pair.
        same: (n,) whether they say the same.
        precision: choose the lowest threshold from which on the pairs at or above it have this precision, in (0, 1];
            its interval is exact (Clopper and Pearson 1934). None: the threshold that is best for F1 on average over
            resampled pairs (bagging: Breiman 1996), which fits other pairs better than the best of these does; the
            interval is that of F1 at it, over pairs resampled in the same way.
        seed: of the resampling.

    Raises:
        OptionError: `precision` is out of range, or no threshold has it; says what is the best.
        InputError: there are fewer than FEWEST pairs of a label.
    """
    same = np.asarray(same, dtype=bool)
    positives = int(same.sum())
    if min(positives, len(same) - positives) < FEWEST:
        raise InputError(
            f"{positives} pairs say the same and {len(same) - positives} do not; to choose a threshold "
            f"{FEWEST} of each are needed. Label more, or use --threshold auto."
        )
    drawn = np.random.default_rng(seed).integers(0, len(same), (_RESAMPLES, len(same)))
    if precision is None:
        value = _best_on_average(scores, same, drawn)
    else:
        value = _between(scores, _lowest_with(scores, same, precision))
    merged = scores >= value
    right, shown = int((merged & same).sum()), int(merged.sum())
    if precision is None:
        estimate = f1(merged, same)
        low, high = _resampled_f1(merged, same, drawn)
    else:
        estimate = right / shown
        low, high = exact_interval(right, shown)
    return Calibrated(value, estimate, low, high, right / max(1, shown), right / positives, len(same))


def check_precision(precision: float) -> None:
    """Refuse a precision that is none.

    Raises:
        OptionError: naming the value and the range.
    """
    if not 0.0 < precision <= 1.0:
        raise OptionError(f"precision is {precision:g}; it must lie above 0 and not above 1.")


def exact_interval(hits: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share by Clopper and Pearson (1934), in [0, 1].

    >>> [round(one, 4) for one in exact_interval(0, 10)]
    [0.0, 0.3085]
    """
    from scipy.special import betaincinv

    tail = (1.0 - CONFIDENCE) / 2.0
    low = float(betaincinv(hits, trials - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, trials - hits, 1.0 - tail)) if hits < trials else 1.0
    return low, high


def _lowest_with(scores: _Floats, same: _Flags, precision: float) -> float:
    """Return the lowest score at and above which pairs, at least FEWEST of them, have the precision."""
    check_precision(precision)
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.append(np.diff(ordered) != 0, True)
    shown = np.arange(1, len(ordered) + 1)
    shares = np.cumsum(same[order]) / shown
    usable = last & (shown >= FEWEST) & (ordered > REFUSED)
    fits = np.flatnonzero(usable & (shares >= precision))
    if not len(fits):
        best = shares[usable].max() if usable.any() else 0.0
        raise OptionError(
            f"No threshold has precision {precision:g} on these pairs; the best that {FEWEST} pairs or more have is "
            f"{best:.3f}. Ask for less, or label more pairs."
        )
    return float(ordered[fits[-1]])


def _between(scores: _Floats, lowest: float) -> float:
    """Return the middle between a score and the next lower one, in [-1, 1]: other pairs fall on either side of it."""
    lower = scores[scores < lowest]
    below = max(-1.0, float(lower.max())) if len(lower) else lowest
    return max(-1.0, round((lowest + below) / 2.0, 6) if lowest > below else lowest)


def _best_on_average(scores: _Floats, same: _Flags, drawn: _Draws) -> float:
    """Return the mean of the thresholds that are best for F1 on each draw of the pairs."""
    order = np.argsort(-scores, kind="stable")
    ordered, right = scores[order], same[order]
    possible = np.append(np.diff(ordered) != 0, True) & (ordered > REFUSED)
    if not possible.any():
        return 1.0  # the guard refuses all
    best = []
    for rows in drawn:
        times = np.bincount(rows, minlength=len(same))[order]
        found = np.cumsum(times * right)
        shares = 2.0 * found / np.maximum(1, np.cumsum(times) + found[-1])
        best.append(_between(scores, float(ordered[np.argmax(np.where(possible, shares, -1.0))])))
    return round(float(np.mean(best)), 6)


def _resampled_f1(merged: _Flags, same: _Flags, drawn: _Draws) -> tuple[float, float]:
    found = [f1(merged[rows], same[rows]) for rows in drawn]
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(found, [tail, 1.0 - tail])
    return float(low), float(high)
