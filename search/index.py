"""An index, opened to be read: sentences and rows, row i of the vectors being sentence i."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from search.encoder import Passport
from search.errors import IndexFolderError
from search.manifest import Layout, Manifest
from search.nearest import Nearest
from search.records import Entry, Sentence
from search.similarity import Vectors
from search.store_faiss import FaissStore

__all__ = ["INDEXES", "Index", "resolve"]

INDEXES = Path("indexes")
"""Where indexes live that are named and not pathed."""

_COLUMNS = "row, text, source, line, start, end, label, probability, metadata"
_PARAMETERS = 900


def resolve(name: str) -> Path:
    """Return the folder of an index named by its folder, or by its name in `indexes/`.

    A folder of texts may have the name of the index made of it; then the index is meant.
    """
    folder, named = Path(name), INDEXES / name
    if len(folder.parts) > 1 or Layout(folder).manifest.exists():
        return folder
    return folder if folder.exists() and not Layout(named).manifest.exists() else named


class Index:
    """Sentences with their rows. Use as a context manager, or `close` it."""

    def __init__(self, folder: Path) -> None:
        """Open an index folder for reading; it is checked to be whole, not to be undamaged.

        Raises:
            IndexFolderError: the folder is no index, is of a newer format, or lacks a file.
        """
        self.folder = folder
        self.manifest = Manifest.read(folder)
        layout = Layout(folder)
        for record in self.manifest.files:
            path = folder / record.name
            size = path.stat().st_size if path.exists() else None
            if size != record.size:
                state = "missing" if size is None else f"{size} bytes long, the manifest says {record.size}"
                raise IndexFolderError(f"{path} is {state}; build the index again.")
        generation = self.manifest.generation
        shape = (self.manifest.count, self.passport.width)
        self.vectors: Vectors = np.memmap(layout.vectors(generation), dtype=np.float32, mode="r", shape=shape)
        self.nearest = Nearest(self.vectors, self.passport.meaning_dim, FaissStore.open(layout.faiss(generation)))
        uri = f"{layout.sentences(generation).absolute().as_uri()}?mode=ro&immutable=1"
        self._sentences = sqlite3.connect(uri, uri=True, check_same_thread=False)

    @property
    def passport(self) -> Passport:
        """Say which encoder made the rows."""
        return self.manifest.passport

    def __len__(self) -> int:
        """Return the number of sentences."""
        return self.manifest.count

    def __enter__(self) -> Self:
        """Give the index to a with block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the index."""
        self.close()

    def close(self) -> None:
        """Let go of the folder."""
        self._sentences.close()

    def entries(self, rows: Sequence[int]) -> list[Entry]:
        """Return the sentences of the rows, in the order asked for."""
        found: dict[int, Entry] = {}
        for start in range(0, len(rows), _PARAMETERS):
            wanted = [int(row) for row in rows[start : start + _PARAMETERS]]
            marks = ", ".join("?" * len(wanted))
            query = f"SELECT {_COLUMNS} FROM sentences WHERE row IN ({marks})"  # noqa: S608 - marks only
            found.update((values[0], _entry(values)) for values in self._read(query, wanted))
        return [found[int(row)] for row in rows]

    def texts(self) -> Iterator[tuple[int, str]]:
        """Yield every row's number and text, in row order."""
        yield from self._read("SELECT row, text FROM sentences ORDER BY row")

    def _read(self, query: str, values: Sequence[int] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._sentences.execute(query, values)
        except sqlite3.DatabaseError as exc:
            path = Layout(self.folder).sentences(self.manifest.generation)
            raise IndexFolderError(f"{path}: damaged ({exc}); build the index again.") from exc

    def check_encoder(self, passport: Passport) -> None:
        """Refuse an encoder other than the one that made the rows.

        Raises:
            IndexFolderError: naming both, and what to do.
        """
        mine = self.passport
        if passport.fingerprint != mine.fingerprint:
            raise IndexFolderError(
                f"{self.folder} was made by the encoder {mine.name} ({mine.fingerprint[:12]}); {passport.name} "
                f"({passport.fingerprint[:12]}) is another, whose scores would mean nothing here. Name the first with "
                f"--encoder, or index the files again with --encoder {passport.name}."
            )


def _entry(values: tuple[int, str, str, int, int, int, str | None, float | None, str]) -> Entry:
    row, text, source, line, start, end, label, probability, metadata = values
    return Entry(row, Sentence(text, source, line, start, end, json.loads(metadata)), label, probability)
