"""An index, opened to be read: sentences and rows, row i of the vectors being sentence i.

A reader sees one generation, that of the manifest it opened, whatever a writer commits meanwhile.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from search.approximate import open_store
from search.encoder import Encoder, Passport
from search.errors import IndexFolderError
from search.manifest import Layout, Manifest
from search.nearest import Nearest
from search.records import Entry, IndexedSource
from search.sentence_file import SentenceFile
from search.similarity import Vectors
from search.store import Among
from search.stored import StoredSentence

__all__ = ["IndexReader"]

_ATTEMPTS = 5
"""How often an index is opened that is being replaced just then."""


class IndexReader:
    """Sentences with their rows. Use as a context manager, or `close` it."""

    def __init__(self, folder: Path) -> None:
        """Open an index folder for reading; it is checked to be whole, and every sentence when it is read.

        Raises:
            IndexFolderError: the folder is no index, is of another format, lacks a file, or is damaged.
        """
        self.folder = folder
        self._open()

    def _open(self) -> None:
        for attempt in range(_ATTEMPTS):
            manifest = Manifest.read(self.folder)
            last = attempt + 1 == _ATTEMPTS
            try:
                self._open_generation(manifest)
            except (IndexFolderError, FileNotFoundError):  # perhaps it has just been replaced
                if last or Manifest.read(self.folder) == manifest:
                    raise
            else:
                if not self.notice or last or Manifest.read(self.folder) == manifest:
                    return
                self._sentences.close()

    def _open_generation(self, manifest: Manifest) -> None:
        layout = Layout(self.folder)
        sentences, rows = layout.sentences(manifest.build), layout.vectors(manifest.build)
        expected = manifest.rows * manifest.passport.width * 4
        for path, least in ((sentences, 1), (rows, expected)):
            size = _size(path)
            if size is None:
                raise IndexFolderError(f"{path} is missing. Try: kindred repair {self.folder}")
            if size < least:
                raise IndexFolderError(
                    f"{path} is {size} bytes long, the manifest says {least}. Try: kindred repair {self.folder}"
                )
        shape = (manifest.rows, manifest.passport.width)
        with ExitStack() as undo:
            file = undo.enter_context(SentenceFile(sentences))
            sources = file.sources(manifest.generation, manifest.rows)
            found = sum(source.rows for source in sources)
            if found != manifest.count:
                raise IndexFolderError(
                    f"{sentences}: {found:,} sentences, the manifest says {manifest.count:,}. "
                    f"Try: kindred repair {self.folder}"
                )
            vectors: Vectors = np.empty(shape, dtype=np.float32)
            if manifest.rows:  # nothing cannot be mapped
                vectors = np.memmap(rows, dtype=np.float32, mode="r", shape=shape)
            undo.pop_all()
        self.manifest = manifest
        self.sources = sources
        self.vectors = vectors
        self._sentences = file
        self._firsts = [source.first for source in sources]
        self._alive = self._counted()
        store, self.notice = open_store(vectors, layout.structures, manifest.store)
        self.nearest = Nearest(vectors, manifest.passport.meaning_dim, store, self._alive)
        self.exact = Nearest(vectors, manifest.passport.meaning_dim, store.flat, self._alive)

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

    def refresh(self) -> bool:
        """See what has been committed since; say whether there was anything.

        Raises:
            IndexFolderError: the index is gone, or damaged.
        """
        if Manifest.read(self.folder) == self.manifest:
            return False
        old = self._sentences
        self._open()
        old.close()
        return True

    def entries(self, rows: Sequence[int]) -> list[Entry]:
        """Return the sentences of the rows, in the order asked for.

        Raises:
            IndexFolderError: a sentence or its vector is damaged.
        """
        wanted = [int(row) for row in rows]
        found = {stored.row: self._entry(stored, proof) for stored, proof in self._sentences.sentences(wanted)}
        for row in wanted:
            if row not in found:
                raise self._damaged(row)
        return [found[row] for row in wanted]

    def texts(self) -> Iterator[tuple[int, str]]:
        """Yield every row's number and text, in row order."""
        for source in self.sources:
            yield from self._sentences.texts(source.first, source.rows)

    def matching(self, condition: str, values: Sequence[object]) -> Among:
        """Return which rows meet a condition on the columns of the table of sentences; see `filters`."""
        among = np.zeros(self.manifest.rows, dtype=np.bool_)
        rows = list(self._sentences.matching(condition, values, self.manifest.rows))
        among[rows] = True
        return among

    def matching_any(self, condition: str, values: Sequence[object]) -> bool:
        """Say whether any row meets a condition; looks no further than the first."""
        return any(True for _ in self._sentences.matching(condition, values, self.manifest.rows))

    def counting(self, among: Among) -> list[int]:
        """Return the numbers of those rows among some that count: of sources as they are now."""
        rows: list[int] = np.flatnonzero(among if self._alive is None else among & self._alive).tolist()
        return rows

    def counts(self, row: int) -> bool:
        """Say whether there is such a row, and it counts."""
        return 0 <= row < self.manifest.rows and (self._alive is None or bool(self._alive[row]))

    def with_words(self, expression: str, k: int, among: Among | None = None) -> list[int]:
        """Return the first k rows (of those `among`) by how well they have the words of an FTS5 expression."""
        if not expression:
            return []
        mine = self._alive if among is None else among if self._alive is None else among & self._alive
        found = self._sentences.with_words(expression, self.manifest.rows)
        return list(islice((row for row in found if mine is None or mine[row]), k))

    def columns(self) -> set[str]:
        """Return the names of the metadata that sentences have."""
        return self._sentences.columns(self.manifest.rows)

    def check_encoder(self, encoder: Encoder) -> None:
        """Refuse an encoder that makes other rows than the one that made these; see `Origin.check`.

        Raises:
            IndexFolderError: naming both, and what to do.
        """
        self.manifest.origin.check(self.folder, encoder)

    def _counted(self) -> Among | None:
        """Return which rows count, or None where all do."""
        alive = np.zeros(self.manifest.rows, dtype=np.bool_)
        for source in self.sources:
            alive[source.first : source.first + source.rows] = True
        return None if alive.all() else alive

    def source_of(self, row: int) -> IndexedSource:
        """Return the source of a row that counts.

        Raises:
            IndexFolderError: the row has none.
        """
        number = bisect_right(self._firsts, row) - 1
        if number < 0 or row >= self.sources[number].first + self.sources[number].rows:
            raise self._damaged(row)
        return self.sources[number]

    def _entry(self, stored: StoredSentence, proof: bytes) -> Entry:
        if not stored.is_whole(proof, self.vectors[stored.row]):
            raise self._damaged(stored.row)
        source = self.source_of(stored.row)
        return Entry(stored.row, stored.sentence(source.name), stored.label, stored.probability)

    def _damaged(self, row: int) -> IndexFolderError:
        return IndexFolderError(
            f"{self.folder}: row {row} is damaged (its sentence or its vector). Try: kindred repair {self.folder}"
        )


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
