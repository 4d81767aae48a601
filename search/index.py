"""An index as a program uses it: made, added to, asked, and deleted from, without a file of text.

>>> import tempfile
>>> from search.index import Index
>>> rows = [{"text": "The room was cold.", "city": "Lisbon"}, {"text": "Breakfast was lovely.", "city": "Porto"}]
>>> with tempfile.TemporaryDirectory() as folder, Index.create(folder + "/hotels") as index:  # doctest: +SKIP
...     index.add(rows)
...     [[hit]] = index.search(["we were freezing"], k=1)
...     print(hit.entry.sentence.text, hit.entry.sentence.metadata)
2
The room was cold. {'city': 'Lisbon'}
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from search.data_records import Records
from search.encoder import Encoder
from search.encoders import load_encoder
from search.errors import OptionError, OutputError
from search.filters import Filter, matching_rows
from search.index_reader import IndexReader
from search.index_writer import IndexWriter
from search.indexing import build_index
from search.manifest import Layout
from search.query import DEFAULT_K, Searcher
from search.records import Hit, IndexedSource, Source
from search.words import Match

__all__ = ["INDEXES", "Index", "resolve"]

INDEXES = Path("indexes")
"""Where indexes live that are named and not pathed."""

_BATCH = 4096

_ANY: Mapping[str, Collection[object]] = MappingProxyType({})


def resolve(name: str) -> Path:
    """Return the folder of an index named by its folder, or by its name in `indexes/`.

    A folder of texts may have the name of the index made of it; then the index is meant.
    """
    folder, named = Path(name), INDEXES / name
    if len(folder.parts) > 1 or Layout(folder).manifest.exists():
        return folder
    return folder if folder.exists() and not Layout(named).manifest.exists() else named


class Index(IndexReader):
    """An index and, once it is needed, its encoder. Use as a context manager, or `close` it.

    What `add` and `delete` have committed is seen by this object at once, and by others when they `refresh`.
    """

    def __init__(self, folder: Path, encoder: Encoder | None = None) -> None:
        """Open an index folder; `encoder` is the one that made it, None: it is loaded when it is needed.

        Raises:
            IndexFolderError: the folder is no index, is damaged, or was made by another encoder.
        """
        super().__init__(folder)
        self._encoder = encoder
        if encoder is not None:
            self.check_encoder(encoder)

    @classmethod
    def open(cls, name: str | Path, *, encoder: Encoder | str | None = None) -> Self:
        """Open an index by its folder, or by its name in `indexes/`.

        Args:
            name: which.
            encoder: the one that made it, or where it is now; None: where it was when the index was made.

        Raises:
            IndexFolderError: there is no such index, it is damaged, or was made by another encoder.
            EncoderError: the encoder cannot be found or loaded.
        """
        return cls(resolve(str(name)), load_encoder(encoder) if isinstance(encoder, str) else encoder)

    @classmethod
    def create(cls, name: str | Path, *, encoder: Encoder | str | None = None) -> Self:
        """Make an empty index and open it.

        Args:
            name: its folder, or a name in `indexes/`.
            encoder: what makes its rows: an encoder, a checkpoint's folder or a model's name; None: kindred-mini.

        Raises:
            OutputError: there is something already.
            EncoderError: the encoder cannot be found or loaded.
        """
        folder = resolve(str(name))
        if Layout(folder).manifest.exists():
            raise OutputError(f"{folder} is an index already; open it with Index.open, or remove it.")
        loaded = load_encoder(encoder) if encoder is None or isinstance(encoder, str) else encoder
        with IndexWriter(folder, loaded) as writer:
            writer.commit(finished=True)
        return cls(folder, loaded)

    @property
    def encoder(self) -> Encoder:
        """Return the encoder that made the index; it is loaded when first asked for.

        Raises:
            EncoderError: it cannot be found or loaded.
            IndexFolderError: what is found under its name is another.
        """
        if self._encoder is None:
            self._encoder = load_encoder(self.passport.name)
            self.check_encoder(self._encoder)
        return self._encoder

    def add(
        self,
        records: Iterable[Any],
        *,
        source: str | None = None,
        text_column: str | None = None,
        wait: float = 0.0,
    ) -> int:
        """Add records and commit them; return how many sentences they are.

        Args:
            records: mappings, each with a text and other fields, which become metadata; or texts alone; or a pandas
                DataFrame or Series. They are read a window at a time.
            source: a name for where they come from; what was added under it before is replaced. None: a new name.
            text_column: the field of the text; None: the usual one ("text", "sentence", "review", ...).
            wait: how many seconds to wait for another process that writes to the index.

        Raises:
            OptionError: it is one record, not several.
            InputError: a record cannot be used; names it by its number.
            OutputError: the index cannot be written to.
        """
        if isinstance(records, str | Mapping):
            raise OptionError("add takes a list of records; for one, give a list of one.")
        name = self._new_name() if source is None else source
        build_index(Records(records, name, text_column=text_column), self.folder, self.encoder, wait=wait)
        self.refresh()
        return sum(one.rows for one in self.sources if one.key == name)

    def search(
        self,
        texts: Sequence[str],
        *,
        k: int = DEFAULT_K,
        sentiment: str | None = None,
        weight: float | None = None,
        where: str | None = None,
        sources: Sequence[str] = (),
        labels: Sequence[str] = (),
        fields: Mapping[str, Collection[object]] = _ANY,
        match: str = Match.MEANING,
        exact: bool = False,
    ) -> list[list[Hit]]:
        """Return the nearest sentences of each text, best first.

        Args:
            texts: the queries.
            k: how many hits each, 1 or more.
            sentiment: "same", "opposite", "any", or a label; None: "same" where the encoder has labels.
            weight: how much sentiment counts, in [0, 1]; None: the encoder's default.
            where: a condition on metadata, as `rating >= 4 and city = 'Lisbon'`; None: none.
            sources: patterns, one of which a sentence's source must fit; none: any source.
            labels: labels, one of which a sentence must have; none: any.
            fields: metadata columns, each of which must hold one of some values.
            match: "meaning", "words", or "both"; see `Searcher.search`.
            exact: search every row, also where the index has a search structure.

        Raises:
            EncoderError: the encoder cannot do what is asked.
            OptionError: an option is out of range, or fits nothing that there is.
        """
        if isinstance(texts, str):
            raise OptionError("search takes a list of texts; for one, give a list of one.")
        only = Filter(where, _several(sources), _several(labels), fields)
        if match not in set(Match):
            raise OptionError(f"match is {match!r}; it is one of {', '.join(Match)}.")
        searcher = Searcher(self, self.encoder)
        return searcher.search(
            texts, k=k, sentiment=sentiment, weight=weight, only=only, match=Match(match), exact=exact
        )

    def delete(
        self,
        *,
        where: str | None = None,
        sources: Sequence[str] = (),
        labels: Sequence[str] = (),
        fields: Mapping[str, Collection[object]] = _ANY,
        wait: float = 0.0,
    ) -> int:
        """Delete the sentences that fit, as in `search`, and commit; return how many they were.

        A file stays a source of the index if it has other sentences, and is not read again unless it changes.

        Raises:
            OptionError: nothing is said of what to delete, or it fits nothing that there is.
            OutputError: the index cannot be written to.
        """
        only = Filter(where, _several(sources), _several(labels), fields)
        if not only:
            raise OptionError("Say which sentences to delete: where, sources, labels or fields.")
        with IndexWriter(self.folder, None, wait=wait) as writer:
            self.refresh()
            before = len(self)
            among = matching_rows(self, only)
            for source in self.sources:
                mine = among[source.first : source.first + source.rows]
                if mine.all():
                    writer.remove(source)
                elif mine.any():
                    self._rewrite(source, np.flatnonzero(~mine) + source.first, writer)
            manifest = writer.commit(finished=self.manifest.finished)
        self.refresh()
        return before - manifest.count

    def _rewrite(self, source: IndexedSource, rows: Any, writer: IndexWriter) -> None:
        """Write those rows of a source anew, in the place of all."""
        writer.remove(source)
        writer.begin(source.name, source.path, source.reading)
        for start in range(0, len(rows), _BATCH):
            some = rows[start : start + _BATCH]
            entries = self.entries(some.tolist())
            labels = [(entry.label, entry.probability) for entry in entries]
            writer.append([entry.sentence for entry in entries], self.vectors[some], labels)
        if source.size is not None and source.sha256 is not None:
            writer.complete(Source(source.name, source.size, source.sha256, source.rows), source.modified)

    def _new_name(self) -> str:
        taken = {source.key for source in self.sources}
        return next(name for number in range(1, len(taken) + 2) if (name := f"records-{number}") not in taken)


def _several(names: Sequence[str]) -> tuple[str, ...]:
    """Return names as they are, and one alone as one, not as its letters."""
    return (names,) if isinstance(names, str) else tuple(names)
