"""Sentences that say the same: pairs, clusters, and who survives.

Three levels (`levels`), and a pair is of the first that finds it. Exact: equal after Unicode (NFKC) and white space
normalisation. Near: nearly the same letter for letter. Semantic: a score at or above the threshold. A near or semantic
pair is looked at by a guard, who may refuse it. Clusters hold together (`clusters`): each member, or one that is
exactly equal to it, is paired with the survivor; nothing is chained, and the order of the input does not change who is
put with whom.

In memory are 200 bytes a sentence, 30 a pair while they are searched, a block of rows (50 MiB), and in the end what is
returned: each pair, and the sentences of pairs.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import numpy as np

from search.clusters import Grouped, clusters, nearest_known
from search.compared import Compared
from search.corpus import Corpus
from search.decisions import DECIDED, Decision, guarded
from search.encoder import Encoder, Passport
from search.errors import EncoderError
from search.index import Index
from search.indexing import build_index
from search.keeping import Keeping
from search.levels import DEFAULT_NEAR, LEVELS, Edges, Level, Matches, find_matches
from search.near import check_share, share
from search.nearest import check_threshold
from search.progress import SILENT, Progress
from search.records import Cluster, Entry, Link, Pair, Refused
from search.similarity import Scale, Vectors, block_polarity, check_weight
from search.store_record import FLAT, StoreWish

__all__ = [
    "DEFAULT_THRESHOLD",
    "Duplicates",
    "Guard",
    "Refusal",
    "find_duplicates",
    "index_of_files",
    "polarities",
    "usual_weight",
]

DEFAULT_THRESHOLD = 0.9
"""On quora_dev 80 % of the pairs that score this, at the default weight, say the same; at 0.8 it is 71 %."""

_EQUAL = "equal text"
_MILLION = 1_000_000
_WINDOW = 8192


class Refusal(Protocol):
    """Why a guard refuses a pair: the code of the reason, and the words that caused it."""

    @property
    def reason(self) -> str:
        """Return the code."""

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words."""


Guard = Callable[[str, str, tuple[float, float] | None], Refusal | None]
"""Takes two texts, and their polarities in [-1, 1] where the encoder's labels have an order; None: they may be one."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What `find_duplicates` found among `count` sentences; those that they were compared with are not counted.

    `pairs`: best first, then in row order; of an exact group one sentence stands for all, and each other is paired with
    it. `clusters`: largest first, then tightest. `refused`: what the guard refused, in the order of `pairs`.
    `recall`: the share of the semantic pairs that are expected to be among these, measured on some of the sentences; 1
    where all were compared with all.
    `preference`: how much each of their rows is preferred, 0 most; None where the most central survives. `against`:
    whether the first of each pair is of another index.
    """

    count: int
    threshold: float
    weight: float
    pairs: tuple[Pair, ...]
    clusters: tuple[Cluster, ...]
    refused: tuple[Refused, ...] = ()
    recall: float = 1.0
    preference: Mapping[int, int] | None = None
    against: bool = False

    @property
    def removed(self) -> int:
        """Return the number of sentences that do not survive."""
        return sum(len(cluster.members) for cluster in self.clusters)

    @property
    def digest(self) -> str:
        """Return a hash of what was found: of texts alone, not of where they stand in which file."""
        lines = [f"{pair.level} {_both(pair.a, pair.b)}" for pair in self.pairs]
        lines += [f"{one.level} {one.reason} {_both(one.a, one.b)}" for one in self.refused]
        for cluster in self.clusters:
            members = sorted(member.sentence.text for member in cluster.members)
            lines.append(repr((cluster.survivor.sentence.text, members)))
        return hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "replace")).hexdigest()


def _both(a: Entry, b: Entry) -> str:
    return repr(sorted((a.sentence.text, b.sentence.text)))


def find_duplicates(
    index: Index,
    *,
    against: Index | None = None,
    threshold: float = DEFAULT_THRESHOLD,
    near: float | None = DEFAULT_NEAR,
    weight: float | None = None,
    guard: Guard | None = None,
    keeping: Keeping | None = None,
    decisions: Sequence[Decision] = (),
    progress: Progress = SILENT,
) -> Duplicates:
    """Find all pairs of sentences that say the same, and group them.

    Args:
        index: where to look.
        against: another index, of the same encoder. Then pairs are of one of its sentences (`a`) and one of `index`
            (`b`) only, and the former survives: what of `index` is there already.
        threshold: the lowest score of a semantic pair, in [-1, 1].
        near: the least share of common pieces of a near pair, in [0.8, 1]; None: no such level.
        weight: how much sentiment counts in the score, in [0, 1]; None: the encoder's default.
        guard: refuses near and semantic pairs that differ in what counts; None: none is refused.
        keeping: which sentence of a cluster survives; None: the most central. Not with `against`.
        decisions: which texts are a pair whatever they score and the guard says, and which are refused.
        progress: is told how far it is.

    Raises:
        OptionError: an option is out of range, or a column to keep by is not there or holds something else.
        EncoderError: a weight is given for an encoder without labels.
        IndexFolderError: an index is damaged, or the two are of different encoders.
    """
    check_threshold(threshold)
    if near is not None:
        check_share(near)
    if against is not None and not against.manifest.origin.knows(index.passport):
        against.check_encoder(index.encoder)
    compared = Compared(index, against)
    weight = usual_weight(compared.passport, weight)
    keeping = keeping or Keeping()
    guard = guarded(decisions, guard) if decisions else guard
    asked = [(one.a, one.b) for one in decisions]
    matches = find_matches(compared, threshold=threshold, near=near, weight=weight, asked=asked, progress=progress)
    found = _Found(compared, matches, threshold)
    refusals = found.refusals(guard, progress) if guard else {}
    return Duplicates(
        count=len(index),
        threshold=threshold,
        weight=weight,
        pairs=tuple(found.pairs(refusals)),
        clusters=tuple(found.clusters(refusals, keeping)),
        refused=tuple(found.refused(refusals)),
        recall=matches.recall,
        preference=found.preference(keeping),
        against=against is not None,
    )


@contextmanager
def index_of_files(corpus: Corpus, encoder: Encoder, *, progress: Progress = SILENT) -> Iterator[Index]:
    """Index files for one job, in a temporary folder that is removed afterwards."""
    with TemporaryDirectory(prefix="kindred-") as folder:
        build_index(corpus, Path(folder) / "index", encoder, store=StoreWish(FLAT), progress=progress)
        with Index(Path(folder) / "index") as index:
            yield index


def polarities(rows: Vectors, passport: Passport) -> list[float] | None:
    """Return the polarity of (n, d+s) rows, in [-1, 1]; None where the encoder's labels have no order."""
    if passport.labels is None or passport.labels.scale is not Scale.ORDINAL:
        return None
    found: list[float] = block_polarity(rows[:, passport.meaning_dim :]).tolist()
    return found


def usual_weight(passport: Passport, weight: float | None) -> float:
    """Return the weight of a job: the one asked for, or the encoder's default.

    Raises:
        OptionError: it is out of range.
        EncoderError: a weight is given for an encoder without labels.
    """
    if weight is not None:
        check_weight(weight)
    if passport.labels is None:
        if weight:
            raise EncoderError(f"The encoder {passport.name} knows meaning only; leave --weight out.")
        return 0.0
    return passport.default_weight if weight is None else weight


class _Found:
    """The matches with their sentences: from numbers to what is returned.

    Nodes are the positions that have a pair or stand for several sentences, numbered in the order of their texts.
    """

    def __init__(self, compared: Compared, matches: Matches, threshold: float) -> None:
        self._compared = compared
        self._matches = matches
        self._threshold = threshold
        positions = matches.involved()
        items = [item for position in positions for item in matches.items(position)]
        self._entries = dict(zip(items, compared.entries(items), strict=True))
        self._positions = sorted(positions, key=lambda one: (self._entries[matches.leader(one)].sentence.text, one))
        nodes = {position: node for node, position in enumerate(self._positions)}
        edges = matches.edges
        self._edges = Edges(
            np.asarray([nodes[one] for one in edges.a.tolist()], dtype=np.int64),
            np.asarray([nodes[one] for one in edges.b.tolist()], dtype=np.int64),
            edges.score,
            edges.level,
        )

    def refusals(self, guard: Guard, progress: Progress) -> dict[int, Refusal]:
        """Ask the guard about every pair that is not exact; return its refusals, by the pair's number."""
        found: dict[int, Refusal] = {}
        feelings = self._feelings()
        asked = np.flatnonzero(self._edges.level != LEVELS.index(Level.EXACT)).tolist()
        progress.start("guarding", len(asked), "pairs")
        for done, number in enumerate(asked):
            a, b = int(self._edges.a[number]), int(self._edges.b[number])
            both = None if feelings is None else (feelings[a], feelings[b])
            refusal = guard(self._leader(a).sentence.text, self._leader(b).sentence.text, both)
            if refusal is not None:
                found[number] = refusal
            progress.advance(done + 1, f"{len(found):,} refused")
        progress.finish()
        return found

    def clusters(self, refused: Collection[int], keeping: Keeping) -> list[Cluster]:
        """Return the clusters, largest first, then tightest, then by the survivor's text."""
        away = np.zeros(len(self._edges), dtype=np.bool_)
        away[list(refused)] = True
        edges = self._edges.only(~away)
        best: list[tuple[tuple[float, ...], int]] | None = None
        if self._matches.two_sided:
            groups = nearest_known(edges)
        else:
            sizes = np.asarray([len(self._matches.items(one)) for one in self._positions], dtype=np.int64)
            best = self._best(keeping)
            preference = None if best is None else [key for key, _ in best]
            groups = clusters(edges, self._edges.only(away), sizes, preference)
        found = [self._cluster(group, edges, best) for group in groups]
        return sorted(found, key=_largest_first)

    def pairs(self, refused: Collection[int]) -> list[Pair]:
        """Return every pair that is not refused, best first."""
        found = [
            Pair(score, level, a, b, self._reason(score, level, a, b))
            for number in range(len(self._edges))
            if number not in refused
            for score, level, a, b in self._expanded(number)
        ]
        if not self._matches.two_sided:
            for position in self._matches.new.equal:
                leader, *others = (self._entries[item] for item in self._matches.items(position))
                found += [Pair(1.0, str(Level.EXACT), *_in_order(leader, other), _EQUAL) for other in others]
        return sorted(found, key=_best_first)

    def refused(self, refusals: Mapping[int, Refusal]) -> list[Refused]:
        """Return what was refused, best first."""
        found = [
            Refused(score, level, a, b, str(refusal.reason), tuple(refusal.words))
            for number, refusal in refusals.items()
            for score, level, a, b in self._expanded(number)
        ]
        return sorted(found, key=_best_first)

    def preference(self, keeping: Keeping) -> dict[int, int] | None:
        """Return for each row how much it is preferred, 0 most; None where the most central survives."""
        keys = keeping.preferences(self._compared, list(self._entries))
        if keys is None:
            return None
        ranks = {key: rank for rank, key in enumerate(sorted(set(keys)))}
        return {entry.row: ranks[key] for entry, key in zip(self._entries.values(), keys, strict=True)}

    def _leader(self, node: int) -> Entry:
        return self._entries[self._matches.leader(self._positions[node])]

    def _expanded(self, number: int) -> Iterator[tuple[float, str, Entry, Entry]]:
        """Yield what one pair of texts says of sentences; what is looked up elsewhere is told of each."""
        edges = self._edges
        a, b = self._leader(int(edges.a[number])), int(edges.b[number])
        score, level = _score(edges, number)
        if self._matches.two_sided:
            for item in self._matches.items(self._positions[b]):
                yield score, level, a, self._entries[item]
        else:
            yield score, level, *_in_order(a, self._leader(b))

    def _reason(self, score: float, level: str, a: Entry, b: Entry) -> str:
        if level == Level.NEAR:
            return f"{share(a.sentence.text, b.sentence.text):.0%} of their pieces of text in common"
        if level == Level.SEMANTIC and score < self._threshold:
            return DECIDED
        return _EQUAL if level == Level.EXACT else f"score at or above {self._threshold:g}"

    def _feelings(self) -> list[float] | None:
        """Return the polarity of every node; None where the encoder's labels have no order."""
        leaders = np.asarray([self._matches.leader(position) for position in self._positions], dtype=np.int64)
        found: list[float] = []
        for start in range(0, len(leaders), _WINDOW):
            some = polarities(self._compared.vectors(leaders[start : start + _WINDOW]), self._compared.passport)
            if some is None:
                return None
            found += some
        return found

    def _best(self, keeping: Keeping) -> list[tuple[tuple[float, ...], int]] | None:
        """Return the preferred item of each node with its key; None where the most central survives."""
        items = list(self._entries)
        keys = keeping.preferences(self._compared, items)
        if keys is None:
            return None
        by_item = dict(zip(items, keys, strict=True))
        return [
            min(
                ((by_item[item], item) for item in self._matches.items(position)),
                key=lambda one: (one[0], self._entries[one[1]].sentence.text, one[1]),
            )
            for position in self._positions
        ]

    def _cluster(self, group: Grouped, edges: Edges, best: Sequence[tuple[tuple[float, ...], int]] | None) -> Cluster:
        own = self._matches.items(self._positions[group.survivor])
        survivor = best[group.survivor][1] if best else own[0]
        equal = [] if self._matches.two_sided else own
        links = {item: Link(1.0, str(Level.EXACT)) for item in equal if item != survivor}
        for node, number in zip(group.members, group.edges, strict=True):
            link = Link(*_score(edges, number))
            links.update(dict.fromkeys(self._matches.items(self._positions[node]), link))
        members = sorted(links)
        entries = tuple(self._entries[item] for item in members)
        return Cluster(self._entries[survivor], entries, tuple(links[item] for item in members))


def _score(edges: Edges, number: int) -> tuple[float, str]:
    return int(edges.score[number]) / _MILLION, str(LEVELS[edges.level[number]])


def _in_order(a: Entry, b: Entry) -> tuple[Entry, Entry]:
    return (a, b) if a.row < b.row else (b, a)


def _best_first(pair: Pair | Refused) -> tuple[float, str, int, int]:
    return -pair.score, pair.level, pair.a.row, pair.b.row


def _largest_first(cluster: Cluster) -> tuple[int, float, str]:
    return -cluster.size, -round(sum(sorted(link.score for link in cluster.links)), 4), cluster.survivor.sentence.text
