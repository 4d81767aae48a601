"""Pairs made ready for training: texts in a mapped file, groups that say the same, and which rows are held back."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from search.errors import OptionError
from search.pairs import PairCorpus, PairKind, clusters
from search.records import Source
from search.training_data import write_texts
from search.training_options import VALIDATION

if TYPE_CHECKING:
    from datasets import Dataset

__all__ = ["PairData", "prepare_pairs"]

_MIN_HELD_BACK = 20
_SAME = 0.7
"""A scored pair at or above this share of the highest score counts as one that says the same."""


@dataclass(frozen=True, slots=True)
class PairData:
    """n pairs to train on.

    Attributes:
        texts: a data set of n rows: `sentence1`, `sentence2`, and `label`, which is the row's own number.
        values: (n,) labels, or scores as a share of the range: in [0, 1].
        groups: (n,) numbers of the groups of pairs that are connected by texts that say the same.
        kind: what the values are.
        train: the numbers of the rows that are trained on.
        held_back: the numbers of those that measure; no text of theirs is in a row that is trained on; may be empty.
        sources: the files they came from.
    """

    texts: "Dataset"
    values: npt.NDArray[np.float64]
    groups: npt.NDArray[np.int64]
    kind: PairKind
    train: npt.NDArray[np.int64]
    held_back: npt.NDArray[np.int64]
    sources: tuple[Source, ...]


def prepare_pairs(corpus: PairCorpus, path: Path, *, validation: float | None, seed: int) -> PairData:
    """Write pairs to the file `path`, group them, and hold back a share of them that has no text of the others.

    Raises:
        InputError: a file cannot be used.
        OptionError: there are fewer than two pairs, all have one value, or the share in `validation` cannot be held
            back.
    """
    pairs = list(corpus)
    values = np.array([pair.value for pair in pairs])
    if corpus.kind is not PairKind.POSITIVE:
        if len(set(values.tolist())) == 1:
            raise OptionError(f"All {len(pairs)} pairs have the value {values[0]:g}; fine-tuning needs two or more.")
        values = (values - values.min()) / (values.max() - values.min())
    left, right = [pair.a for pair in pairs], [pair.b for pair in pairs]
    groups = clusters(left, right, (values >= _SAME).tolist())
    if corpus.kind is PairKind.POSITIVE and len(set(groups.tolist())) < 2:  # noqa: PLR2004 - one has no negatives
        raise OptionError("All pairs say one and the same; fine-tuning needs pairs that differ from each other.")
    texts = write_texts(path, [{"sentence1": left, "sentence2": right}])
    held = _held_back(clusters(left, right, [True] * len(pairs)), validation, seed)
    train = np.setdiff1d(np.arange(len(pairs)), held)
    if len(np.unique(groups[train])) < (2 if corpus.kind is PairKind.POSITIVE else 1):
        if validation is not None:
            raise OptionError(
                f"--validation {validation:g} leaves {len(train)} of {len(pairs)} pairs to learn from, too few to tell "
                "from each other. Give less."
            )
        train, held = np.arange(len(pairs)), np.empty(0, dtype=np.int64)
    return PairData(texts, values, groups, corpus.kind, train, held, tuple(corpus.sources))


def _held_back(connected: npt.NDArray[np.int64], validation: float | None, seed: int) -> npt.NDArray[np.int64]:
    """Return the numbers of the pairs that are held back: a share of them, and no text of theirs is in another pair.

    Where no share was asked for, a tenth; none where that would be too few to measure anything.

    Args:
        connected: (n,) numbers of the sets of pairs that share texts, whether or not they say the same.
        validation: the share that was asked for, or None.
        seed: which sets are held back.

    Raises:
        OptionError: so many cannot be held back; says how many can.
    """
    share = VALIDATION if validation is None else validation
    sets, sizes = np.unique(connected, return_counts=True)
    wanted, taken = round(share * len(connected)), 0
    chosen = []
    for number in np.random.default_rng(seed).permutation(len(sets)):
        if taken + sizes[number] <= wanted:
            chosen.append(sets[number])
            taken += int(sizes[number])
    if taken >= _MIN_HELD_BACK:
        return np.flatnonzero(np.isin(connected, chosen))
    if validation:
        raise OptionError(
            f"--validation {validation:g} of {len(connected)} pairs holds back {taken}; {_MIN_HELD_BACK} are needed to "
            f"measure. (Pairs that share a text stay together: there are {len(sets)} sets of such pairs.) Give another "
            "share, or leave it out."
        )
    return np.empty(0, dtype=np.int64)
