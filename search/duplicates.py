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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search.compared import Compared
from search.decisions import Decision, guarded
from search.encoder import Passport
from search.errors import EncoderError
from search.gathered import Gathered
from search.index import Index
from search.keeping import Keeping
from search.levels import DEFAULT_NEAR, Level, find_matches
from search.near import check_share
from search.nearest import check_threshold
from search.progress import SILENT, Progress
from search.records import Cluster, Entry, Pair, Refused
from search.refusals import Guard
from search.similarity import check_weight
from search.workers import check_processes

__all__ = [
    "DEFAULT_THRESHOLD",
    "Duplicates",
    "find_duplicates",
    "usual_weight",
]

DEFAULT_THRESHOLD = 0.9
"""On quora_dev 80 % of the pairs that score this, at the default weight, say the same; at 0.8 it is 71 %."""


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

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield the two texts of every pair, refused ones too, and of every survivor and member, that are not equal."""
        pairs: tuple[Pair | Refused, ...] = (*self.pairs, *self.refused)
        yield from ((one.a.sentence.text, one.b.sentence.text) for one in pairs if one.level != Level.EXACT)
        for cluster in self.clusters:
            for member, link in zip(cluster.members, cluster.links, strict=True):
                if link.level != Level.EXACT:
                    yield cluster.survivor.sentence.text, member.sentence.text

    def summary(self) -> dict[str, Any]:
        """Return the sum of it all, as `--json` prints it."""
        return {
            "sentences": self.count,
            "survive": self.count - self.removed,
            "pairs": len(self.pairs),
            "refused": len(self.refused),
            "clusters": len(self.clusters),
            "threshold": self.threshold,
            "weight": self.weight,
            "recall": self.recall,
            "digest": self.digest,
        }

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
    processes: int = 1,
    most_pairs: int | None = None,
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
        processes: how many read and compare; what is found is the same.
        most_pairs: how many semantic pairs are too many, at which the job stops; None: none are.
        progress: is told how far it is.

    Raises:
        OptionError: an option is out of range, a column to keep by is not there or holds something else, or there are
            too many pairs.
        EncoderError: a weight is given for an encoder without labels.
        IndexFolderError: an index is damaged, or the two are of different encoders.
    """
    check_threshold(threshold)
    check_processes(processes)
    if near is not None:
        check_share(near)
    if against is not None and not against.manifest.origin.knows(index.passport):
        against.check_encoder(index.encoder)
    compared = Compared(index, against)
    weight = usual_weight(compared.passport, weight)
    guard = guarded(decisions, guard) if decisions else guard
    asked = [(one.a, one.b) for one in decisions]
    matches = find_matches(
        compared,
        threshold=threshold,
        near=near,
        weight=weight,
        asked=asked,
        processes=processes,
        most=most_pairs,
        progress=progress,
    )
    found = Gathered(compared, matches, threshold, keeping or Keeping())
    refusals = found.refusals(guard, progress) if guard else {}
    return Duplicates(
        count=len(index),
        threshold=threshold,
        weight=weight,
        pairs=tuple(found.pairs(refusals)),
        clusters=tuple(found.clusters(refusals)),
        refused=tuple(found.refused(refusals)),
        recall=matches.recall,
        preference=found.preference(),
        against=against is not None,
    )


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
