"""The pairs of a duplicates job with their sentences: from numbers to what is returned."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from search.clusters import Grouped, clusters, nearest_known
from search.compared import Compared
from search.decisions import DECIDED
from search.keeping import Keeping
from search.levels import LEVELS, Edges, Level, Matches
from search.near import share
from search.progress import Progress
from search.records import Cluster, Entry, Link, Pair, Refused
from search.refusals import Guard, Refusal, polarities

__all__ = ["Gathered"]

_EQUAL = "equal text"
_MILLION = 1_000_000
_WINDOW = 8192


class Gathered:
    """The matches with their sentences: from numbers to what is returned.

    Nodes are the positions that have a pair or stand for several sentences, numbered in the order of their texts.
    """

    def __init__(self, compared: Compared, matches: Matches, threshold: float, keeping: Keeping) -> None:
        """Load the sentences of the pairs.

        Raises:
            OptionError: a column to keep by is not there or holds something else.
        """
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
        self._keys = keeping.preferences(compared, list(self._entries))

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

    def clusters(self, refused: Collection[int]) -> list[Cluster]:
        """Return the clusters, largest first, then tightest, then by the survivor's text."""
        away = np.zeros(len(self._edges), dtype=np.bool_)
        away[list(refused)] = True
        edges = self._edges.only(~away)
        best: list[tuple[tuple[float, ...], int]] | None = None
        if self._matches.two_sided:
            groups = nearest_known(edges)
        else:
            sizes = np.asarray([len(self._matches.items(one)) for one in self._positions], dtype=np.int64)
            best = self._best()
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

    def preference(self) -> dict[int, int] | None:
        """Return for each row how much it is preferred, 0 most; None where the most central survives."""
        if self._keys is None:
            return None
        ranks = {key: rank for rank, key in enumerate(sorted(set(self._keys)))}
        return {entry.row: ranks[key] for entry, key in zip(self._entries.values(), self._keys, strict=True)}

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

    def _best(self) -> list[tuple[tuple[float, ...], int]] | None:
        """Return the preferred item of each node with its key; None where the most central survives."""
        if self._keys is None:
            return None
        by_item = dict(zip(self._entries, self._keys, strict=True))
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
