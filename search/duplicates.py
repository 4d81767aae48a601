"""Sentences that say the same: pairs, clusters, and who survives.

Exact: equal after Unicode (NFKC) and white space normalisation. Semantic: a score at or above the threshold.
Clusters hold together: every member, or one that is exactly equal to it, is exactly equal to the survivor or scores the
threshold against it; there is no chaining, and the order of the input does not change who is put with whom.
"""

import tempfile
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from search.corpus import Corpus
from search.encoder import Encoder, Passport
from search.errors import EncoderError
from search.index import Index
from search.indexing import build_index
from search.nearest import check_threshold
from search.progress import SILENT, Progress
from search.records import Cluster, Link, Pair, Refused
from search.similarity import check_weight

__all__ = ["DEFAULT_THRESHOLD", "EXACT", "SEMANTIC", "Duplicates", "find_duplicates", "index_of_files", "normalised"]

EXACT, SEMANTIC = "exact", "semantic"

DEFAULT_THRESHOLD = 0.9
"""On quora_dev 80 % of the pairs that score this, at the default weight, say the same; at 0.8 it is 71 %."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What `find_duplicates` found among `count` sentences.

    `pairs`: best first, then in row order; a sentence of an exact group is paired with one of the group only.
    `clusters`: largest first.
    """

    count: int
    threshold: float
    weight: float
    pairs: tuple[Pair, ...]
    clusters: tuple[Cluster, ...]
    refused: tuple[Refused, ...] = ()

    @property
    def removed(self) -> int:
        """Return the number of sentences that do not survive."""
        return sum(len(cluster.members) for cluster in self.clusters)


def normalised(text: str) -> str:
    """Return the text in Unicode's NFKC form, with each run of white space as one space.

    >>> normalised("cafe\\u0301\\u00a0 bar ")
    'café bar'
    """
    return " ".join(unicodedata.normalize("NFKC", text).split())


def find_duplicates(
    index: Index, *, threshold: float = DEFAULT_THRESHOLD, weight: float | None = None, progress: Progress = SILENT
) -> Duplicates:
    """Find all pairs of sentences that say the same, and group them.

    Args:
        index: where to look.
        threshold: the lowest score of a semantic pair, in [-1, 1].
        weight: how much sentiment counts in it, in [0, 1]; None: the encoder's default.
        progress: is told how far it is.

    Raises:
        OptionError: threshold or weight is out of range.
        EncoderError: a weight is given for an encoder without labels.
    """
    check_threshold(threshold)
    weight = _weight(index.passport, weight)
    texts = dict(index.texts())
    groups = _exact_groups(texts)
    leaders = sorted(groups)
    neighbours = _semantic_pairs(index, leaders, threshold, weight, progress)
    clusters = _clusters(groups, neighbours, texts)
    exact = [(min(leader, row), max(leader, row)) for leader in leaders for row in groups[leader] if row != leader]
    involved = sorted({row for pair in (*exact, *neighbours) for row in pair})
    entries = {entry.row: entry for entry in index.entries(involved)}
    pairs = [Pair(1.0, EXACT, entries[a], entries[b], "equal text") for a, b in exact]
    pairs += [
        Pair(score, SEMANTIC, entries[a], entries[b], f"score at or above {threshold:g}")
        for (a, b), score in neighbours.items()
    ]
    pairs.sort(key=lambda pair: (-pair.score, pair.level, pair.a.row, pair.b.row))
    return Duplicates(
        count=len(index),
        threshold=threshold,
        weight=weight,
        pairs=tuple(pairs),
        clusters=tuple(
            Cluster(entries[survivor], tuple(entries[row] for row in members), tuple(Link(1.0, EXACT) for _ in members)) for survivor, members in clusters
        ),
    )


@contextmanager
def index_of_files(corpus: Corpus, encoder: Encoder, *, progress: Progress = SILENT) -> Iterator[Index]:
    """Index files for one job, in a temporary folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="kindred-") as folder:
        build_index(corpus, Path(folder) / "index", encoder, progress=progress)
        with Index(Path(folder) / "index") as index:
            yield index


def _weight(passport: Passport, weight: float | None) -> float:
    if weight is not None:
        check_weight(weight)
    if passport.labels is None:
        if weight:
            raise EncoderError(f"The encoder {passport.name} knows meaning only; leave --weight out.")
        return 0.0
    return passport.default_weight if weight is None else weight


def _exact_groups(texts: Mapping[int, str]) -> dict[int, list[int]]:
    """Return the rows of each distinct normalised text, by the one of them that leads.

    The text that sorts first leads, not the first in row order: their rows may differ a little. Of equal texts, whose
    rows are equal, the first leads.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for row, text in texts.items():
        groups[normalised(text)].append(row)
    return {min(rows, key=texts.__getitem__): rows for rows in groups.values()}


def _semantic_pairs(
    index: Index, leaders: Sequence[int], threshold: float, weight: float, progress: Progress
) -> dict[tuple[int, int], float]:
    """Return the scores of all pairs (a, b), a < b, of leaders at or above the threshold."""
    among = set(leaders)
    pairs: dict[tuple[int, int], float] = {}
    progress.start("comparing", len(leaders), "sentences")
    for number, (row, found) in enumerate(
        zip(leaders, index.nearest.above(index.vectors[leaders], threshold, weight), strict=True)
    ):
        for other, score in zip(found.rows.tolist(), found.scores.tolist(), strict=True):
            if other > row and other in among:
                pairs[row, other] = score
        progress.advance(number + 1, f"{len(pairs):,} pairs")
    progress.finish()
    return pairs


def _clusters(
    groups: dict[int, list[int]], pairs: dict[tuple[int, int], float], texts: dict[int, str]
) -> list[tuple[int, list[int]]]:
    """Return (survivor, members) of every cluster of two or more, largest first.

    The leader with most sentences around it takes them all, then the next among those left; ties go to the higher sum
    of scores, then to the text that sorts first, so that row order decides nothing.
    """
    around: dict[int, dict[int, float]] = defaultdict(dict)
    for (a, b), score in pairs.items():
        around[a][b] = around[b][a] = score

    def rank(leader: int) -> tuple[int, float, str]:
        near = around.get(leader, {})
        return -sum(len(groups[one]) for one in (leader, *near)), -round(sum(sorted(near.values())), 4), texts[leader]

    taken: set[int] = set()
    clusters: list[tuple[int, list[int]]] = []
    for leader in sorted((one for one in groups if one in around or len(groups[one]) > 1), key=rank):
        if leader in taken:
            continue
        near = [one for one in around.get(leader, {}) if one not in taken]
        taken.update((leader, *near))
        members = sorted(row for one in (leader, *near) for row in groups[one] if row != leader)
        if members:
            clusters.append((leader, members))
    return sorted(clusters, key=lambda cluster: (-len(cluster[1]), texts[cluster[0]]))
