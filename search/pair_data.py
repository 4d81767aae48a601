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
        held_back: the numbers of those that measure, whole groups of them; may be empty.
        sources: the files they came from.
    """

    texts: "Dataset"
    values: npt.NDArray[np.float64]
    groups: npt.NDArray[np.int64]
    kind: PairKind
    train: npt.NDArray[np.int64]
    held_back: npt.NDArray[np.int64]
    sources: tuple[Source, ...]


def prepare_pairs(corpus: PairCorpus, path: Path, *, validation: float, seed: int) -> PairData:
    """Write pairs to the file `path`, group them, and hold back a share of the groups.

    Raises:
        InputError: a file cannot be used.
        OptionError: there are fewer than two pairs, or all have one value.
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
    chosen = np.random.default_rng(seed).permutation(np.unique(groups))
    held = np.flatnonzero(np.isin(groups, chosen[: round(validation * len(chosen))]))
    if len(held) < _MIN_HELD_BACK:
        held = np.empty(0, dtype=np.int64)
    train = np.setdiff1d(np.arange(len(pairs)), held)
    return PairData(texts, values, groups, corpus.kind, train, held, tuple(corpus.sources))
