"""Labelled texts from tables, and the order of their labels."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from search.corpus import TEXT_COLUMNS, expand
from search.errors import InputError, OptionError
from search.records import Source
from search.similarity import Labels, Scale
from search.tables import TableReader, choose_column

__all__ = ["LABEL_COLUMNS", "LabelledCorpus", "LabelledText", "feeling_step", "order_labels"]

LABEL_COLUMNS = (
    "label", "labels", "sentiment", "polarity", "emotion", "emotions", "class", "rating", "stars", "category",
)  # fmt: skip
"""What a label column is usually called, most likely first."""

_FEELINGS = (
    ("very negative", "very_negative", "terrible"),
    ("negative", "neg", "bad", "con", "-"),
    ("neutral", "neu", "mixed", "ok"),
    ("positive", "pos", "good", "pro", "+"),
    ("very positive", "very_positive", "excellent"),
)
"""Names that are known to have an order, lowest first; a row holds the names of one step."""


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text, its label, and the line it came from."""

    text: str
    label: str
    source: str
    line: int


class LabelledCorpus:
    """Iterate over the labelled texts of some tables; after each file its `Source` is appended to `sources`."""

    def __init__(
        self, patterns: Sequence[str], *, text_column: str | None = None, label_column: str | None = None
    ) -> None:
        """Find the files; None for a column means the usual one.

        Raises:
            InputError: a pattern names nothing.
        """
        self.names = expand(patterns)
        self.sources: list[Source] = []
        self._text_column = text_column
        self._label_column = label_column

    def __iter__(self) -> Iterator[LabelledText]:
        """Yield every row.

        Raises:
            InputError: a column is not there, a cell is empty, or a file holds no row; names file and line.
        """
        for name in self.names:
            table = TableReader(name)
            text_column = label_column = None
            count = 0
            for row in table:
                if text_column is None or label_column is None:
                    label_column = choose_column(
                        row, name, asked=self._label_column, usual=LABEL_COLUMNS, option="--label-column"
                    )
                    text_column = choose_column(
                        row,
                        name,
                        asked=self._text_column,
                        usual=TEXT_COLUMNS,
                        option="--text-column",
                        taken=[label_column],
                    )
                text, given = row.cells.get(text_column), row.cells.get(label_column)
                if not isinstance(text, str) or not text.strip():
                    raise InputError(f"{name}:{row.line}: no text in column {text_column!r}.")
                if isinstance(given, list | dict):
                    raise InputError(
                        f"{name}:{row.line}: column {label_column!r} holds {given!r}; a row has one label."
                    )
                label = _label(given)
                if not label:
                    raise InputError(f"{name}:{row.line}: no label in column {label_column!r}.")
                count += 1
                yield LabelledText(text.strip(), label, name, row.line)
            if count == 0:
                raise InputError(f"{name}: no rows in it; a labelled file has a header and a text and a label a row.")
            self.sources.append(Source(name, table.size, table.sha256, count))


def _label(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def order_labels(counts: Mapping[str, int], *, ordinal: Sequence[str] | None = None, nominal: bool = False) -> Labels:
    """Return the labels found, in their order.

    Numbers are ordinal, and so are the usual names of feelings (negative, neutral, positive, ...); others are
    nominal. `ordinal`, lowest first, or `nominal` says otherwise.

    Raises:
        OptionError: there is only one label, or `ordinal` names others than the data's.
    """
    if len(counts) < 2:  # noqa: PLR2004 - one label teaches nothing
        raise OptionError(f"All rows have the label {next(iter(counts))!r}; fine-tuning needs two labels or more.")
    if ordinal is not None:
        if set(ordinal) != set(counts) or len(ordinal) != len(counts):
            raise OptionError(
                f"--ordinal names {', '.join(ordinal)}; the data's labels are {', '.join(sorted(counts))}. "
                "Name each once."
            )
        return Labels(tuple(ordinal), Scale.ORDINAL)
    order = None if nominal else _known_order(counts)
    if order is None:
        return Labels(tuple(sorted(counts)), Scale.NOMINAL)
    return Labels(order, Scale.ORDINAL)


def feeling_step(name: str) -> int | None:
    """Return which step a usual name of a feeling is, without case: 0, very negative, to 4; None for other names."""
    return next((step for step, names in enumerate(_FEELINGS) if name.strip().casefold() in names), None)


def _known_order(counts: Mapping[str, int]) -> tuple[str, ...] | None:
    try:
        positions = {label: float(label) for label in counts}
    except ValueError:
        steps = {label: feeling_step(label) for label in counts}
        positions = {label: math.nan if step is None else step for label, step in steps.items()}
    if not all(map(math.isfinite, positions.values())) or len(set(positions.values())) < len(positions):
        return None
    return tuple(sorted(counts, key=positions.__getitem__))
