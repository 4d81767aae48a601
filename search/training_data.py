"""Labelled rows made ready for training: texts in a mapped file, label numbers, and which rows are held back."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from search.errors import OptionError
from search.labelled import LabelledCorpus, order_labels
from search.records import Source
from search.similarity import Labels
from search.training_options import VALIDATION

if TYPE_CHECKING:
    from datasets import Dataset

__all__ = ["TrainingData", "from_texts", "prepare", "write_texts"]

_BATCH = 8192
_MIN_HELD_BACK = 2
"""With fewer rows of a label than this held back, figures would say nothing."""

_MIN_TRAINED = 2
"""Each label needs so many rows to learn from: figures by cross-validation leave out one of them."""


@dataclass(frozen=True, slots=True)
class TrainingData:
    """n rows to train on.

    Attributes:
        texts: a data set of n rows: `text`, and `label`, which is the row's own number.
        classes: (n,) positions in `labels`; -1 for a row without a label, which only keeps its meaning.
        labels: what is to be learned.
        train: the numbers of the rows that are trained on.
        held_back: the numbers of those that measure; may be empty.
        sources: the files they came from.
    """

    texts: "Dataset"
    classes: npt.NDArray[np.int64]
    labels: Labels
    train: npt.NDArray[np.int64]
    held_back: npt.NDArray[np.int64]
    sources: tuple[Source, ...]

    def blocks(self, rows: npt.NDArray[np.int64]) -> Iterator[list[str]]:
        """Yield the texts of the rows in blocks, in order."""
        for start in range(0, len(rows), _BATCH):
            yield list(self.texts[rows[start : start + _BATCH]]["text"])

    def whole(self) -> "TrainingData":
        """Return the same rows, all of them to be trained on."""
        return replace(self, train=np.arange(len(self.classes)), held_back=np.empty(0, dtype=np.int64))

    def counts(self) -> dict[str, int]:
        """Return how many rows each label has."""
        counted = np.bincount(self.classes[self.classes >= 0], minlength=len(self.labels.names))
        return dict(zip(self.labels.names, counted.tolist(), strict=True))


def prepare(
    corpus: LabelledCorpus,
    path: Path,
    *,
    validation: float | None,
    seed: int,
    ordinal: Sequence[str] | None,
    nominal: bool,
) -> TrainingData:
    """Stream labelled texts to the file `path`, and hold back a share of each label's rows.

    Without a share in `validation` a tenth is held back, or nothing where that would be too few rows to measure.

    Raises:
        InputError: a file cannot be used.
        OptionError: there is one label only, a label has one row, `ordinal` names other labels, or the share in
            `validation` leaves a label too few rows to measure or to learn from.
    """
    found = _Labels({}, [])
    texts = write_texts(path, _read(corpus, found))
    counts = Counter(found.of_row)
    labels = order_labels(
        {name: counts[number] for number, name in enumerate(found.first_seen)}, ordinal=ordinal, nominal=nominal
    )
    for number, (name, place) in enumerate(found.first_seen.items()):
        if counts[number] == 1:
            raise OptionError(
                f"Label {name!r} has one row ({place}) of {len(found.of_row)}; give it two or more, or take it out."
            )
    position = np.array([labels.names.index(name) for name in found.first_seen])
    classes = position[found.of_row]
    train, held_back = _split(classes, labels, validation, seed)
    return TrainingData(texts, classes, labels, train, held_back, tuple(corpus.sources))


def from_texts(
    rows: Sequence[tuple[str, str]], labels: Labels, work: Path, *, validation: float | None, seed: int
) -> TrainingData:
    """Make texts with labels ready that are in memory; a label of "" leaves the text without one.

    `validation` is as in `prepare`.

    Raises:
        OptionError: as in `prepare`.
        ValueError: a label is not among `labels`.
    """
    texts = write_texts(work / "texts.arrow", [{"text": [text for text, _ in rows]}])
    classes = np.array([labels.names.index(label) if label else -1 for _, label in rows])
    train, held_back = _split(classes, labels, validation, seed)
    return TrainingData(texts, classes, labels, train, held_back, ())


def write_texts(path: Path, columns: Iterable[dict[str, list[str]]]) -> "Dataset":
    """Write batches of texts, by column, to an Arrow file, and map it; `label` is each row's own number, from 0."""
    import pyarrow as pa
    from datasets import Dataset

    batches = iter(columns)
    first = next(batches)
    schema = pa.schema([*((name, pa.string()) for name in first), ("label", pa.int64())])
    count = 0
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, schema) as stream:
        for batch in chain([first], batches):
            arrays = [pa.array(texts, pa.string()) for texts in batch.values()]
            begin, count = count, count + len(arrays[0])
            numbers = pa.array(range(begin, count), pa.int64())
            stream.write_batch(pa.record_batch([*arrays, numbers], schema=schema))
    return Dataset.from_file(str(path))


@dataclass(frozen=True, slots=True)
class _Labels:
    """The labels in the order they were met, with the place of the first, and the number of each row's."""

    first_seen: dict[str, str]
    of_row: list[int]


def _read(corpus: LabelledCorpus, found: _Labels) -> Iterator[dict[str, list[str]]]:
    """Yield the texts in batches, noting their labels on the way."""
    numbers: dict[str, int] = {}
    rows = iter(corpus)
    while batch := list(islice(rows, _BATCH)):
        for row in batch:
            found.first_seen.setdefault(row.label, f"{row.source}:{row.line}")
            found.of_row.append(numbers.setdefault(row.label, len(numbers)))
        yield {"text": [row.text for row in batch]}


def _split(
    classes: npt.NDArray[np.int64], labels: Labels, validation: float | None, seed: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Hold back the same share of every label.

    Where none was asked for, a tenth; nothing where that would be too few rows of a label to measure anything.

    Raises:
        OptionError: the share that was asked for leaves a label too few rows to measure, or to learn from.
    """
    random = np.random.default_rng(seed)
    share = VALIDATION if validation is None else validation
    held_back: list[npt.NDArray[np.int64]] = []
    for label in np.unique(classes[classes >= 0]):
        rows = np.flatnonzero(classes == label)
        held_back.append(random.permutation(rows)[: round(share * len(rows))])
        if validation:
            _check_share(labels.names[label], len(rows), len(held_back[-1]), validation)
    if min(len(rows) for rows in held_back) < _MIN_HELD_BACK:
        return np.arange(len(classes)), np.empty(0, dtype=np.int64)
    held = np.sort(np.concatenate(held_back))
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
