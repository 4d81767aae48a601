"""Indexes that are asked by many at once, from threads: for servers, whatever they speak.

An index is opened once and read by all; when another process has committed to it, the next question opens the new
generation, and the old one is closed when the last who reads it is done. Texts that are to be encoded at the same time
go through the encoder together.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from search.encoder import Encoded, Passport, TokenEncoder, Tokens
from search.encoders import load_encoder
from search.errors import EncoderError, KindredError, OptionError
from search.explaining import Explanation, explain
from search.filters import Filter
from search.guard import PairGuard
from search.index_reader import IndexReader
from search.manifest import Manifest
from search.query import DEFAULT_K, Searcher, usable
from search.records import Entry, Hit
from search.refusals import Refusal, polarities
from search.words import Match

__all__ = ["MOST_CANDIDATES", "Asked", "Candidate", "Service", "TogetherEncoder"]

MOST_CANDIDATES = 1000
"""Sentences that may score like duplicates of one text: of more, a higher threshold is asked for."""

_TOGETHER = 512
"""Texts that are encoded together at most; more wait for the next turn."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a search is asked for; see `Searcher.search`."""

    k: int = DEFAULT_K
    sentiment: str | None = None
    weight: float | None = None
    only: Filter = field(default_factory=Filter)
    match: Match = Match.MEANING


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that scores like a duplicate of a text, and why the guard refuses it; None: it is one."""

    hit: Hit
    refusal: Refusal | None

    @property
    def verdict(self) -> dict[str, Any]:
        """Return what programs read of it: "same", or "refused" with the guard's code and the words that caused it."""
        if self.refusal is None:
            return {"verdict": "same", "reason": None, "words": []}
        return {"verdict": "refused", "reason": str(self.refusal.reason), "words": list(self.refusal.words)}


@dataclass(slots=True)
class _Turn:
    """Texts that wait to be encoded, and what becomes of them."""

    texts: list[str]
    answer: Future[Encoded] = field(default_factory=Future)


class TogetherEncoder:
    """An encoder for many threads: whoever comes while others are encoded waits, and all that wait go together."""

    def __init__(self, encoder: TokenEncoder) -> None:
        """Share an encoder."""
        self._encoder = encoder
        self._waiting: deque[_Turn] = deque()
        self._changed = threading.Condition()
        self._busy = False

    @property
    def passport(self) -> Passport:
        """Say which encoder it is."""
        return self._encoder.passport

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text; see `TokenEncoder`."""
        return self._encoder.tokens(texts)

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode n texts, with those of other threads that wait; see `Encoder`."""
        mine = _Turn(list(texts))
        with self._changed:
            self._waiting.append(mine)
        while not mine.answer.done():
            with self._changed:
                self._changed.wait_for(lambda: mine.answer.done() or not self._busy)
                if mine.answer.done():
                    break
                self._busy = True
                turns = self._next()
            self._run(turns)
            with self._changed:
                self._busy = False
                self._changed.notify_all()
        return mine.answer.result()

    def _next(self) -> list[_Turn]:
        """Take those that wait, in their order, up to the bound; the lock is held."""
        turns = [self._waiting.popleft()]
        count = len(turns[0].texts)
        while self._waiting and count + len(self._waiting[0].texts) <= _TOGETHER:
            turns.append(self._waiting.popleft())
            count += len(turns[-1].texts)
        return turns

    def _run(self, turns: Sequence[_Turn]) -> None:
        try:
            together = self._encoder.encode([text for turn in turns for text in turn.texts])
        except BaseException as exc:  # noqa: BLE001 - each who waits is told, and raises it
            for turn in turns:
                turn.answer.set_exception(exc)
            return
        ends = np.cumsum([len(turn.texts) for turn in turns]).tolist()
        for turn, end in zip(turns, ends, strict=True):
            some = slice(end - len(turn.texts), end)
            turn.answer.set_result(Encoded(together.rows[some], together.probabilities[some]))


@dataclass(slots=True)
class _Generation:
    """An open index, and how many read it now."""

    searcher: Searcher
    readers: int = 0
    replaced: bool = False

    def close_unread(self) -> None:
        """Close what has been replaced once nobody reads it."""
        if self.replaced and not self.readers:
            self.searcher.index.close()


class Service:
    """Named indexes with their encoders, for many threads. Use as a context manager, or `close` it."""

    def __init__(self, folders: Mapping[str, Path], load: Callable[[str], TokenEncoder] = load_encoder) -> None:
        """Open indexes, and load each of their encoders once.

        Args:
            folders: the index folders by the names that they are asked by.
            load: gives an encoder by its name.

        Raises:
            IndexFolderError: a folder is no index, is damaged, or its encoder is another now.
            EncoderError: an encoder cannot be found or loaded.
        """
        self._folders = dict(folders)
        self._load = load
        self._encoders: dict[str, TogetherEncoder] = {}
        self.guard = PairGuard()
        self._lock = threading.Lock()
        self._open: dict[str, _Generation] = {}
        with ExitStack() as undo:
            for name, folder in self._folders.items():
                self._open[name] = self._opened(folder)
                undo.callback(self._open[name].searcher.index.close)
            undo.pop_all()

    def __enter__(self) -> Self:
        """Give the service to a with block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the service."""
        self.close()

    def close(self) -> None:
        """Let go of the folders, each as soon as nobody reads it."""
        with self._lock:
            for one in self._open.values():
                one.replaced = True
                one.close_unread()

    def prepare(self) -> None:
        """Load what the first explanation would have to wait for."""
        for encoder in list(self._encoders.values()):
            with suppress(EncoderError, OSError):  # one that cannot explain says so to who asks
                encoder.tokens([])

    @property
    def names(self) -> list[str]:
        """Name the indexes."""
        return list(self._folders)

    def folder(self, name: str) -> Path:
        """Return where an index is.

        Raises:
            OptionError: there is no such index.
        """
        if name not in self._folders:
            raise OptionError(f"No index {name!r}; there are {', '.join(self._folders)}.")
        return self._folders[name]

    def search(self, name: str, texts: Sequence[str], asked: Asked) -> list[list[Hit]]:
        """Return the nearest sentences of each text; see `Searcher.search`.

        Raises:
            OptionError: there is no such index, or what is asked for is out of range.
            EncoderError: the encoder cannot do what is asked.
        """
        with self.reading(name) as searcher:
            return _search(searcher, texts, asked)

    def similar(self, name: str, row: int, asked: Asked) -> list[Hit]:
        """Return the sentences nearest to one of the index, without itself.

        Raises:
            OptionError: there is no such index or row, or what is asked for is out of range.
            EncoderError: the encoder cannot do what is asked.
        """
        with self.reading(name) as searcher:
            text = _entry(searcher, row).sentence.text
            (hits,) = _search(searcher, [text], replace(asked, k=asked.k + 1, match=Match.MEANING))
        others = [hit for hit in hits if hit.entry.row != row][: asked.k]
        return [replace(hit, rank=rank) for rank, hit in enumerate(others, start=1)]

    def explained(self, name: str, text: str, asked: Asked) -> tuple[list[Hit], list[Explanation]]:
        """Return the hits of a text, and why each scores as it does; raises what `search` and `explain` raise."""
        with self.reading(name) as searcher:
            (hits,) = _search(searcher, [text], asked)
            encoder = self._encoders[searcher.passport.fingerprint]
            return hits, explain(text, hits, encoder, sentiment=asked.sentiment, weight=asked.weight)

    def why(
        self, name: str, text: str, rows: Sequence[int], sentiment: str | None, weight: float | None
    ) -> list[tuple[int, Explanation]]:
        """Return why rows score as they do for a text, in the order given; rows that are gone are left out.

        Raises:
            OptionError: there is no such index, or what is asked for is out of range.
            EncoderError: the encoder cannot do what is asked.
        """
        with self.reading(name) as searcher:
            there = [row for row in rows if searcher.index.counts(row)]
            hits = searcher.scored(text, there, sentiment=sentiment, weight=weight)
            encoder = self._encoders[searcher.passport.fingerprint]
            why = explain(text, hits, encoder, sentiment=sentiment, weight=weight)
            return list(zip(there, why, strict=True))

    def duplicates(self, name: str, text: str, threshold: float, weight: float | None) -> list[Candidate]:
        """Return the sentences that score the threshold or more for a text, best first, each with the guard's verdict.

        Raises:
            OptionError: there is no such index, a number is out of range, the text is blank, or there are more
                than `MOST_CANDIDATES`.
            EncoderError: a weight is given for an encoder without labels.
        """
        with self.reading(name) as searcher:
            row = searcher.encode(usable([text]))
            hits = searcher.above(row, threshold, weight, most=MOST_CANDIDATES)
            rows = np.concatenate((row, searcher.index.vectors[[hit.entry.row for hit in hits]]))
            feelings = polarities(rows, searcher.passport)
        found = []
        for number, hit in enumerate(hits, start=1):
            both = None if feelings is None else (feelings[0], feelings[number])
            found.append(Candidate(hit, self.guard(text, hit.entry.sentence.text, both)))
        return found

    def around(self, name: str, row: int, reach: int) -> list[Entry]:
        """Return a sentence with those up to `reach` before and after it in its source.

        Raises:
            OptionError: there is no such index or row.
        """
        with self.reading(name) as searcher:
            source = searcher.index.source_of(_entry(searcher, row).row)
            first, last = max(source.first, row - reach), min(source.first + source.rows, row + reach + 1)
            return searcher.index.entries(range(first, last))

    @contextmanager
    def reading(self, name: str) -> Iterator[Searcher]:
        """Give the newest generation of an index, which stays open as long as it is read.

        Raises:
            OptionError: there is no such index.
            IndexFolderError: it is gone, damaged, or of an encoder that cannot be used.
        """
        with self._lock:
            generation = self._newest(name)
            generation.readers += 1
        try:
            yield generation.searcher
        finally:
            with self._lock:
                generation.readers -= 1
                generation.close_unread()

    def _newest(self, name: str) -> _Generation:
        """Return an index as it is now; the lock is held."""
        folder = self.folder(name)
        current = self._open[name]
        if Manifest.read(folder) != current.searcher.index.manifest:
            self._open[name] = self._opened(folder)
            current.replaced = True
            current.close_unread()
        return self._open[name]

    def _opened(self, folder: Path) -> _Generation:
        index = IndexReader(folder)
        try:
            passport = index.passport
            if passport.fingerprint not in self._encoders:
                self._encoders[passport.fingerprint] = TogetherEncoder(self._load(passport.name))
            return _Generation(Searcher(index, self._encoders[passport.fingerprint]))
        except KindredError:
            index.close()
            raise


def _search(searcher: Searcher, texts: Sequence[str], asked: Asked) -> list[list[Hit]]:
    return searcher.search(
        texts, k=asked.k, sentiment=asked.sentiment, weight=asked.weight, only=asked.only or None, match=asked.match
    )


def _entry(searcher: Searcher, row: int) -> Entry:
    if not searcher.index.counts(row):
        raise OptionError(f"No row {row} in this index.")
    return searcher.index.entries([row])[0]
