"""The sentences that a duplicates job looks at, numbered through: "items", of one index or of two.

With two, those of the index that is compared with come first. A sentence is loaded when it is asked for; what grows
with their number is 8 bytes each.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from search.encoder import Passport
from search.index_reader import IndexReader
from search.records import Entry
from search.similarity import Vectors
from search.stored_rows import StoredRows

__all__ = ["Compared", "Items"]

Items = npt.NDArray[np.int64]
"""Numbers of items."""


class Compared:
    """The items of an index, those of another before them: `known` is how many these are, None where there is no other.

    `count` is the number of all.
    """

    def __init__(self, index: IndexReader, against: IndexReader | None = None) -> None:
        """Number the sentences of `against`, where there is one, then those of `index`, whose rows are comparable."""
        self._sides = [index] if against is None else [against, index]
        self._rows = [_rows(side) for side in self._sides]
        self.known = None if against is None else len(self._rows[0])
        self.count = sum(map(len, self._rows))

    @property
    def passport(self) -> Passport:
        """Say which encoder made the rows."""
        return self._sides[-1].passport

    def stream(self) -> Iterator[str]:
        """Yield the text of every item, in order."""
        for side in self._sides:
            for _, text in side.texts():
                yield text

    def entries(self, items: Sequence[int] | Items) -> list[Entry]:
        """Return the sentences of some items, in the order asked for.

        Raises:
            IndexFolderError: a sentence or its vector is damaged.
        """
        numbers = np.asarray(items, dtype=np.int64)
        found: dict[int, Entry] = {}
        for side, rows, mine in self._split(numbers):
            found.update(zip(numbers[mine].tolist(), side.entries(rows.tolist()), strict=True))
        return [found[item] for item in numbers.tolist()]

    def texts(self, items: Sequence[int] | Items) -> list[str]:
        """Return the texts of some items, in the order asked for."""
        return [entry.sentence.text for entry in self.entries(items)]

    def vectors(self, items: Items) -> Vectors:
        """Return the (n, d+s) rows of n items."""
        found = np.empty((len(items), self.passport.width), dtype=np.float32)
        for side, rows, mine in self._split(items):
            found[mine] = side.vectors[rows]
        return found

    def stored(self, items: Items) -> StoredRows:
        """Return where the rows of some items lie, which come in the order of their indexes, by their places here."""
        border = 0 if self.known is None else int((items < self.known).sum())
        rows = np.empty(len(items), dtype=np.int64)
        for _, own, mine in self._split(items):
            rows[mine] = own
        return StoredRows(self._sides[0].vectors, self._sides[-1].vectors, rows, border)

    def changed(self, item: int) -> int | None:
        """Return when the item's file was changed, in nanoseconds since 1970; None where there is no such file."""
        (found,) = self._split(np.asarray([item]))
        side, rows, _ = found
        source = next(one for one in side.sources if one.first <= rows[0] < one.first + one.rows)
        if source.modified is not None:
            return source.modified
        try:
            return Path(source.path).stat().st_mtime_ns if source.path else None
        except OSError:
            return None

    def _split(self, items: Items) -> Iterator[tuple[IndexReader, Items, npt.NDArray[np.bool_]]]:
        """Yield each index with the rows of its items, and which of the items they are."""
        first = 0
        for side, rows in zip(self._sides, self._rows, strict=True):
            mine = (items >= first) & (items < first + len(rows))
            if mine.any():
                yield side, rows[items[mine] - first], mine
            first += len(rows)


def _rows(index: IndexReader) -> Items:
    parts = [np.arange(source.first, source.first + source.rows, dtype=np.int64) for source in index.sources]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
