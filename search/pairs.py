"""Pairs of sentences that say the same, or how much: read, and grouped so that none is taken for a difference."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

import numpy as np
import numpy.typing as npt

from search.corpus import expand
from search.errors import InputError
from search.records import Source
from search.tables import TableReader, first_row, number_cell, text_cell

__all__ = ["PairCorpus", "PairKind", "TextPair", "clusters", "holds_pairs"]

_SCORE_COLUMNS = ("score", "relatedness", "similarity")

_LOOKED_AT = 1000
"""Rows that tell what an unread column holds."""

_MOST_STEPS = 11
"""A scale of whole numbers has so many steps at most: 0 to 10."""

_WORDS = {"true": "1", "yes": "1", "false": "0", "no": "0"}


class PairKind(StrEnum):
    """What pairs say of themselves."""

    POSITIVE = "positive"
    """Every pair says the same; nothing is known of others."""
    LABELLED = "labelled"
    """1: says the same, 0: does not."""
    SCORED = "scored"
    """How much a pair says the same, on any scale."""


@dataclass(frozen=True, slots=True)
class TextPair:
    """Two sentences, the label or score of their pair (1 where all are positive), and where they came from."""

    a: str
    b: str
    value: float
    source: str
    line: int


def holds_pairs(name: str) -> bool:
    """Say whether a table's columns are those of pairs: sentence1 and sentence2."""
    return {"sentence1", "sentence2"} <= set(first_row(name).cells)


class PairCorpus:
    """Iterate over the pairs of some tables; after each file its `Source` is appended to `sources`."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Find the files, and say which kind of pairs they hold: all of one kind.

        Raises:
            InputError: a pattern names nothing, a file holds no pairs, the files are of different kinds, or a column
                that is not read looks like the pairs' label.
        """
        self.names = expand(patterns)
        self.sources: list[Source] = []
        kinds = {name: _kind(name) for name in self.names}
        self._columns = {name: column for name, (_, column) in kinds.items()}
        found = {kind for kind, _ in kinds.values()}
        if len(found) > 1:
            told = ", ".join(f"{name} ({kind})" for name, (kind, _) in kinds.items())
            raise InputError(f"Files of different kinds of pairs: {told}. Give those of one kind.")
        self.kind = found.pop()
        if self.kind is PairKind.POSITIVE:
            for name in self.names:
                _check_unread(name)

    @property
    def told(self) -> str:
        """Say which kind of pairs was recognised, and by what."""
        if self.kind is PairKind.POSITIVE:
            return "positive, all say the same (no column called label, " + f"{', '.join(_SCORE_COLUMNS)})"
        how = "1 says the same, 0 does not" if self.kind is PairKind.LABELLED else "the higher, the more the same"
        return f"{self.kind}, by the column {' or '.join(dict.fromkeys(self._columns.values()))}: {how}"

    def __iter__(self) -> Iterator[TextPair]:
        """Yield every pair.

        Raises:
            InputError: a cell is empty or no number, or a file holds no row; names file and line.
        """
        for name in self.names:
            table = TableReader(name)
            count = 0
            for row in table:
                count += 1
                value = 1.0 if self.kind is PairKind.POSITIVE else number_cell(row, self._columns[name], name)
                if self.kind is PairKind.LABELLED and value not in {0.0, 1.0}:
                    raise InputError(f"{name}:{row.line}: label is {value:g}, expected 0 or 1.")
                a, b = text_cell(row, "sentence1", name), text_cell(row, "sentence2", name)
                yield TextPair(a, b, value, name, row.line)
            self.sources.append(Source(name, table.size, table.sha256, count))


def _kind(name: str) -> tuple[PairKind, str]:
    columns = first_row(name).cells
    if not {"sentence1", "sentence2"} <= set(columns):
        raise InputError(f"{name}: pairs need the columns sentence1 and sentence2; there are {', '.join(columns)}.")
    for column in _SCORE_COLUMNS:
        if column in columns:
            return PairKind.SCORED, column
    return (PairKind.LABELLED, "label") if "label" in columns else (PairKind.POSITIVE, "")


def _check_unread(name: str) -> None:
    """Refuse pairs that would all be taken to say the same, though a column looks like their label or score.

    That is a column of yes and no, of a few whole numbers, or of fractions; more whole numbers, or another in each
    row, are ids.

    Raises:
        InputError: names the column and what to call it.
    """
    rows = [row.cells for row in islice(TableReader(name), _LOOKED_AT)]
    for column in rows[0]:
        if column in {"sentence1", "sentence2"}:
            continue
        values = [_number(row.get(column)) for row in rows]
        numbers = {value for value in values if value is not None}
        ids = all(number.is_integer() for number in numbers) and not numbers <= {0.0, 1.0}
        if None in values or (ids and (len(numbers) > _MOST_STEPS or len(numbers) == len(rows))):
            continue
        to, what = ("label", "label (1 or 0)") if numbers <= {0.0, 1.0} else ("score", "score")
        raise InputError(
            f"{name}: the column {column!r} looks like the {what} of the pairs, but is not read by that name, and all "
            f"pairs would be taken to say the same. Call it {to}; or, if they do, take it out."
        )


def _number(value: object) -> float | None:
    """Return a cell's number, yes and true being 1; None where it is none."""
    if isinstance(value, str):
        value = _WORDS.get(value.strip().lower(), value)
    try:
        number = float(value)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def clusters(a: Sequence[str], b: Sequence[str], same: Sequence[bool]) -> npt.NDArray[np.int64]:
    """Return (n,) group numbers of n pairs: pairs that share a text, directly or through others that say the same.

    Two pairs of one group never serve as each other's negatives.

    >>> clusters(["a", "c", "b"], ["b", "d", "e"], [True, True, True]).tolist()
    [0, 1, 0]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    numbers: dict[str, int] = {}
    left = [numbers.setdefault(text, len(numbers)) for text in a]
    right = [numbers.setdefault(text, len(numbers)) for text in b]
    joined = np.array(same, dtype=bool)
    edges = coo_array(
        (np.ones(joined.sum()), (np.array(left)[joined], np.array(right)[joined])), shape=(len(numbers), len(numbers))
    )
    _, group = connected_components(edges, directed=False)
    return np.asarray(group[left], dtype=np.int64)
