"""The three levels at which two sentences are found to say the same, and the pairs that each finds.

Texts are compared, not sentences: of sentences with equal texts one leads. The texts stand in the order of their
digests, so that nothing here depends on the order of the input; a place in it is a position.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

import numpy as np
import numpy.typing as npt

from search.committed import Committed, work_folder
from search.compared import Compared, Items
from search.errors import OptionError
from search.exact import Distinct, TextKeys, distinct, text_keys
from search.joining import Joined, Scoring, Task, every_pair, joined
from search.lists import sorted_into_lists
from search.near import BandKeys, band_keys, near_candidates, share
from search.progress import Progress
from search.workers import spread

__all__ = ["ALL_WITH_ALL", "DEFAULT_NEAR", "LEVELS", "Edges", "Level", "Matches", "find_matches"]

DEFAULT_NEAR = 0.9
"""The least share of common pieces of a near pair: a letter or two of a line of text differ."""

ALL_WITH_ALL = 1_000_000_000
"""So many pairs of texts are all compared (45,000 sentences in some 10 s); of more, those in lists of like ones."""

_WORK = 1
"""The format of what a stopped job leaves."""

_WINDOW = 8192
_MILLION = 1_000_000


class Level(StrEnum):
    """What found a pair."""

    EXACT = "exact"
    NEAR = "near"
    SEMANTIC = "semantic"


LEVELS = tuple(Level)
"""In the order in which they are looked at; an `Edges` names a level by its number here."""


@dataclass(frozen=True, slots=True)
class Edges:
    """p pairs of positions: lower, higher, score (in millionths, so that sums are exact), and level's number."""

    a: Items
    b: Items
    score: Items
    level: npt.NDArray[np.int8]

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.a)

    def only(self, chosen: npt.NDArray[np.bool_]) -> "Edges":
        """Return the pairs that are chosen."""
        return Edges(self.a[chosen], self.b[chosen], self.score[chosen], self.level[chosen])


@dataclass(frozen=True, slots=True)
class Matches:
    """The pairs of distinct texts, those of the index that is compared with standing before the others.

    Where there is no such index `known` is empty, and texts that are there more than once are no pairs of positions:
    see `Distinct.equal`. `recall` is the share of the semantic pairs that are expected to be found: 1 where all texts
    were compared with all.
    """

    known: Distinct
    new: Distinct
    edges: Edges
    two_sided: bool
    recall: float

    def leader(self, position: int) -> int:
        """Return the item that leads those with the text at a position."""
        return self.items(position)[0]

    def items(self, position: int) -> list[int]:
        """Return the items with the text at a position, the leader first."""
        count = len(self.known.leaders)
        return self.known.items(position) if position < count else self.new.items(position - count)

    def leaders(self) -> Items:
        """Return the leader of every position."""
        return np.concatenate((self.known.leaders, self.new.leaders))

    def involved(self) -> list[int]:
        """Return the positions of pairs, and those of texts that are there more than once."""
        positions = set(self.edges.a.tolist()) | set(self.edges.b.tolist())
        return sorted(positions if self.two_sided else positions | set(self.new.equal))


def find_matches(
    compared: Compared,
    *,
    threshold: float,
    near: float | None,
    weight: float,
    asked: Iterable[tuple[str, str]] = (),
    processes: int = 1,
    most: int | None = None,
    progress: Progress,
) -> Matches:
    """Find all pairs of distinct texts, each at the first level that finds it.

    Args:
        compared: the sentences.
        threshold: the lowest score of a semantic pair.
        near: the least share of common pieces of a near pair; None: no such level.
        weight: how much sentiment counts in the score.
        asked: pairs of texts that are semantic pairs, whatever they score, where the sentences have them.
        processes: how many read texts and compare rows; the pairs are the same.
        most: how many pairs at the threshold are too many; None: none are.
        progress: is told how far it is.

    Raises:
        OptionError: there are too many pairs.
    """
    keys, bands = _read(compared, near is not None, processes, progress)
    first = compared.known or 0
    known = distinct(keys[:first], 0, compared.texts)
    new = distinct(keys[first:], first, compared.texts)
    leaders = np.concatenate((known.leaders, new.leaders))
    border = None if compared.known is None else len(known.leaders)
    scoring = Scoring(compared.stored(leaders), compared.passport.meaning_dim, weight)
    found = [_exact(known, new)]
    if near is not None:
        found.append(_near(compared, leaders, bands[leaders], near, scoring, border))
    semantic = _Semantic(scoring, len(leaders), border, threshold, most)
    progress.start("sorting into lists", None, "sentences")
    tasks, recall = semantic.plan()
    progress.finish()
    given = (compared.passport.fingerprint, threshold, weight, border, len(tasks), _WORK)
    key = hashlib.sha256(repr(given).encode() + known.keys.tobytes() + new.keys.tobytes()).hexdigest()[:24]
    found += semantic.run(tasks, key, processes, progress)
    found.append(_asked(asked, known, new, scoring, border))
    return Matches(known, new, _first_of_each(found, len(leaders)), compared.known is not None, recall)


def _read(compared: Compared, with_bands: bool, processes: int, progress: Progress) -> tuple[TextKeys, BandKeys]:
    """Return the digest of every item's text, and its keys for the near level."""
    keys: list[TextKeys] = [np.empty((0, 2), np.uint64)]
    bands: list[BandKeys] = [band_keys([])]
    progress.start("reading", compared.count, "sentences")
    done = 0
    for some, own in spread(_all_keys if with_bands else _text_keys, _windows(compared.stream()), processes):
        keys.append(some)
        bands.append(own)
        done += len(some)
        progress.advance(done)
    progress.finish()
    return np.concatenate(keys), np.concatenate(bands)


def _all_keys(texts: Sequence[str]) -> tuple[TextKeys, BandKeys]:
    return text_keys(texts), band_keys(texts)


def _text_keys(texts: Sequence[str]) -> tuple[TextKeys, BandKeys]:
    return text_keys(texts), band_keys([])


def _windows(texts: Iterable[str]) -> Iterator[list[str]]:
    texts = iter(texts)
    while window := list(islice(texts, _WINDOW)):
        yield window


def _edges(a: Items, b: Items, scores: npt.NDArray[np.float64], level: Level) -> Edges:
    millionths = np.rint(scores * _MILLION).astype(np.int64)
    return Edges(a, b, millionths, np.full(len(a), LEVELS.index(level), dtype=np.int8))


def _exact(known: Distinct, new: Distinct) -> Edges:
    """Pair equal texts of the two sides; both are in the order of their keys."""
    places = {key.tobytes(): place for place, key in enumerate(known.keys)} if len(known.leaders) else {}
    pairs = [
        (places[key.tobytes()], place + len(places)) for place, key in enumerate(new.keys) if key.tobytes() in places
    ]
    a, b = np.asarray(pairs, dtype=np.int64).reshape(-1, 2).T
    return _edges(a, b, np.ones(len(pairs)), Level.EXACT)


def _near(
    compared: Compared, leaders: Items, bands: BandKeys, least: float, scoring: Scoring, border: int | None
) -> Edges:
    """Pair the texts that have the share of pieces in common; their score is that of their rows."""
    candidates = near_candidates(bands, border)
    near = np.zeros(len(candidates), dtype=np.bool_)
    for start in range(0, len(candidates), _WINDOW):
        some = candidates[start : start + _WINDOW]
        positions = np.unique(some)
        texts = dict(zip(positions.tolist(), compared.texts(leaders[positions]), strict=True))
        near[start : start + len(some)] = [share(texts[a], texts[b]) >= least for a, b in some.tolist()]
    a, b = candidates[near].T
    return _edges(a, b, scoring.scores(a, b), Level.NEAR)


@dataclass(frozen=True, slots=True)
class _Semantic:
    """The search for pairs at the threshold among distinct texts, and how it is done."""

    scoring: Scoring
    count: int
    known: int | None
    threshold: float
    most: int | None

    def plan(self) -> tuple[Sequence[Task], float]:
        """Return what is to be compared, and the share of the pairs that are expected to be found."""
        products = self.count**2 / 2 if self.known is None else self.known * (self.count - self.known)
        if products > ALL_WITH_ALL:
            lists = sorted_into_lists(self.scoring, self.count, self.known, self.threshold)
            if lists is not None:
                return list(lists.tasks()), lists.recall
        return list(every_pair(self.count, self.known)), 1.0

    def run(self, tasks: Sequence[Task], key: str, processes: int, progress: Progress) -> Iterator[Edges]:
        """Yield the pairs, block by block; a long job is committed as it goes, under the key."""
        total = 0
        progress.start("comparing", len(tasks), "blocks")
        with work_folder(key) as folder:
            for done, pairs in Committed(folder).run(tasks, self._joined, processes):
                total += len(pairs.a)
                if self.most is not None and total > self.most:
                    raise OptionError(
                        f"More than {self.most:,} pairs score {self.threshold:g} or more; choose a higher threshold."
                    )
                progress.advance(done, f"{total:,} pairs")
                yield _edges(pairs.a, pairs.b, pairs.score, Level.SEMANTIC)
        progress.finish()

    def _joined(self, task: Task) -> Joined:
        return joined(self.scoring, task, self.threshold)


def _asked(
    asked: Iterable[tuple[str, str]], known: Distinct, new: Distinct, scoring: Scoring, border: int | None
) -> Edges:
    """Pair texts that are asked for; of two sides, one of each."""
    both = list(asked)
    first, second = text_keys(a for a, _ in both), text_keys(b for _, b in both)
    pairs: set[tuple[int, int]] = set()
    for one, other in ((first, second), (second, first)):
        left, right = (new if border is None else known).places(one), new.places(other)
        there = (left >= 0) & (right >= 0)
        ends = np.stack((left[there], right[there] + (border or 0)), axis=1)
        pairs.update((min(a, b), max(a, b)) for a, b in ends.tolist())
    a, b = np.asarray(sorted(pairs), dtype=np.int64).reshape(-1, 2).T
    return _edges(a, b, scoring.scores(a, b), Level.SEMANTIC)


def _first_of_each(found: Iterable[Edges], count: int) -> Edges:
    """Return every pair once, of the first level that found it, in the order of positions."""
    parts = list(found)
    every = Edges(
        np.concatenate([one.a for one in parts]),
        np.concatenate([one.b for one in parts]),
        np.concatenate([one.score for one in parts]),
        np.concatenate([one.level for one in parts]),
    )
    codes = every.a * count + every.b
    order = np.lexsort((every.level, codes))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = np.diff(codes[order]) > 0
    chosen = order[first]
    return Edges(every.a[chosen], every.b[chosen], every.score[chosen], every.level[chosen])
