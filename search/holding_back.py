"""Which rows measure and which are learned from; no text is on both sides, however often it is there."""

import hashlib
from array import array

import numpy as np
import numpy.typing as npt

from search.errors import OptionError
from search.similarity import Labels
from search.training_options import VALIDATION

__all__ = ["first_rows", "hold_back", "text_hash"]

_MIN_HELD_BACK = 2
"""With fewer rows of a label than this held back, figures would say nothing."""

_MIN_TRAINED = 2
"""Each label needs so many rows to learn from: figures by cross-validation leave out one of them."""


def text_hash(text: str) -> int:
    """Return 64 bits that tell a text from others, so that a million texts need not be in memory to be compared."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def first_rows(hashes: "array[int]") -> npt.NDArray[np.int64]:
    """Return (n,) numbers of the first row with the same text."""
    _, first, of_row = np.unique(np.frombuffer(hashes, dtype=np.uint64), return_index=True, return_inverse=True)
    return np.asarray(first[of_row], dtype=np.int64)


def hold_back(
    classes: npt.NDArray[np.int64], same: npt.NDArray[np.int64], labels: Labels, validation: float | None, seed: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Hold back the same share of every label, with all rows of the same text.

    Where none was asked for, a tenth; nothing where that would be too few rows of a label to measure anything.

    Raises:
        OptionError: the share that was asked for leaves a label too few rows to measure, or to learn from.
    """
    random = np.random.default_rng(seed)
    share = VALIDATION if validation is None else validation
    labelled = np.flatnonzero(classes >= 0)
    texts, first = np.unique(same[labelled], return_index=True)
    chosen: list[npt.NDArray[np.int64]] = []
    for label in np.unique(classes[labelled]):
        rows = np.flatnonzero(classes[labelled[first]] == label)
        chosen.append(texts[random.permutation(rows)[: round(share * len(rows))]])
    held = labelled[np.isin(same[labelled], np.concatenate(chosen))]
    counts, of_label = (np.bincount(classes[rows], minlength=len(labels.names)) for rows in (held, labelled))
    if validation:
        for name, rows, some in zip(labels.names, of_label.tolist(), counts.tolist(), strict=True):
            _check_share(name, rows, some, validation)
    if counts[of_label > 0].min() < _MIN_HELD_BACK:
        return np.arange(len(classes)), np.empty(0, dtype=np.int64)
    return np.setdiff1d(np.arange(len(classes)), held), held


def _check_share(label: str, rows: int, held: int, validation: float) -> None:
    if held < _MIN_HELD_BACK:
        what, way = f"holds back {held} of the {rows} rows of label {label!r}", "more"
    elif rows - held < _MIN_TRAINED:
        what, way = f"leaves {rows - held} of the {rows} rows of label {label!r} to learn from", "less"
    else:
        return
    raise OptionError(
        f"--validation {validation:g} {what}; each label needs {_MIN_HELD_BACK} to measure and {_MIN_TRAINED} to learn "
        f"from. Give {way}, or leave it out."
    )
