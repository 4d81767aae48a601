"""Labelled rows made ready for training: texts in a mapped file, label numbers, and which rows are held back."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from search.errors import InputError, OptionError
from search.holding_back import first_rows, hold_back, text_hash
from search.labelled import LabelledCorpus, order_labels
from search.records import Source
from search.similarity import Labels

if TYPE_CHECKING:
    from datasets import Dataset

__all__ = ["TrainingData", "from_texts", "prepare", "write_texts"]

_BATCH = 8192


@dataclass(frozen=True, slots=True)
class TrainingData:
    """n rows to train on.

    Attributes:
        texts: a data set of n rows: `text`, and `label`, which is the row's own number.
        classes: (n,) positions in `labels`; -1 for a row without a label, which only keeps its meaning.
        same: (n,) numbers of the first row with the same text; a row's own where no other before it has it.
        labels: what is to be learned.
        train: the numbers of the rows that are trained on.
        held_back: the numbers of those that measure; no text of theirs is trained on with a label; may be empty.
        sources: the files they came from.
    """

    texts: "Dataset"
    classes: npt.NDArray[np.int64]
    same: npt.NDArray[np.int64]
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

    def contradicted(self) -> dict[int, tuple[str, ...]]:
        """Return the labels of each text that has more than one, by the number of the first row it is in."""
        count = len(self.labels.names)
        labelled = self.classes >= 0
        pairs = np.unique(self.same[labelled] * count + self.classes[labelled])
        texts, given = np.unique(pairs // count, return_counts=True)
        rows = texts[given > 1].tolist()
        found: dict[int, list[str]] = {row: [] for row in rows}
        for pair in pairs[np.isin(pairs // count, rows)].tolist():
            found[pair // count].append(self.labels.names[pair % count])
        return {row: tuple(names) for row, names in found.items()}


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
        InputError: a file cannot be used, or one label is spelled in two ways.
        OptionError: there is one label only, a label has one text, `ordinal` names other labels, or the share in
            `validation` leaves a label too few rows to measure or to learn from.
    """
    found = _Found()
    texts = write_texts(path, _read(corpus, found))
    _check_spelling(found.first_seen)
    counts = Counter(found.of_row)
    labels = order_labels(
        {name: counts[number] for number, name in enumerate(found.first_seen)}, ordinal=ordinal, nominal=nominal
    )
    of_row, same = np.frombuffer(found.of_row, dtype=np.int64), first_rows(found.hashes)
    _check_texts(found.first_seen, of_row, same)
    classes = np.array([labels.names.index(name) for name in found.first_seen])[of_row]
    train, held_back = hold_back(classes, same, labels, validation, seed)
    return TrainingData(texts, classes, same, labels, train, held_back, tuple(corpus.sources))


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
    same = first_rows(array("Q", [text_hash(text) for text, _ in rows]))
    train, held_back = hold_back(classes, same, labels, validation, seed)
    return TrainingData(texts, classes, same, labels, train, held_back, ())


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
class _Found:
    """The labels as they were met, with the place of the first; of each row, which label, and its text's hash."""

    first_seen: dict[str, str] = field(default_factory=dict)
    of_row: "array[int]" = field(default_factory=lambda: array("q"))
    hashes: "array[int]" = field(default_factory=lambda: array("Q"))


def _read(corpus: LabelledCorpus, found: _Found) -> Iterator[dict[str, list[str]]]:
    """Yield the texts in batches, noting their labels on the way."""
    numbers: dict[str, int] = {}
    rows = iter(corpus)
    while batch := list(islice(rows, _BATCH)):
        for row in batch:
            found.first_seen.setdefault(row.label, f"{row.source}:{row.line}")
            found.of_row.append(numbers.setdefault(row.label, len(numbers)))
            found.hashes.append(text_hash(row.text))
        yield {"text": [row.text for row in batch]}


def _check_spelling(first_seen: Mapping[str, str]) -> None:
    """Refuse labels that differ in case alone, or as 1 and 1.0 do: each half of the rows would speak for another.

    Raises:
        InputError: names both, with their places.
    """
    spelled: dict[str | float, str] = {}
    for name, place in first_seen.items():
        other = spelled.setdefault(_meant(name), name)
        if other != name:
            raise InputError(
                f"Labels {other!r} ({first_seen[other]}) and {name!r} ({place}) are one label in two spellings; spell "
                "them alike."
            )


def _check_texts(first_seen: Mapping[str, str], of_row: npt.NDArray[np.int64], same: npt.NDArray[np.int64]) -> None:
    """Refuse a label of one text, of which nothing is left to learn from when it measures.

    Raises:
        OptionError: names the label and its place.
    """
    rows = np.bincount(of_row).tolist()
    texts = np.bincount(np.unique(same * len(rows) + of_row) % len(rows)).tolist()
    for number, (name, place) in enumerate(first_seen.items()):
        if rows[number] == 1:
            raise OptionError(
                f"Label {name!r} has one row ({place}) of {len(of_row)}; give it two or more, or take it out."
            )
        if texts[number] == 1:
            raise OptionError(
                f"All {rows[number]} rows of label {name!r} are one text ({place}); give it two or more, or take it "
                "out."
            )


def _meant(name: str) -> str | float:
    try:
        return float(name)
    except ValueError:
        return name.casefold()
