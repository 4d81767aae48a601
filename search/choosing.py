"""Which search structure an index gets: candidates are built of its own rows and measured against exact search.

What is asked is rows of the index, each looking for its ten nearest others, as themselves at several weights and with
the opposite sentiment. A row found in place of another counts where it scores as much. Each weight gets the least
effort that reaches the recall. Candidates are built until one that does is several times as quick as exact search; of
those built that reach it, the fastest is taken, or exact search where that is faster.

Not handled: queries that are unlike the rows of the index; `benchmarks/approximate.py` measures such, too.
"""

import math
import re
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from search.approximate import ApproximateStore
from search.encoder import Passport
from search.nearest import Nearest, Scored
from search.similarity import Scale, Vectors, opposite
from search.store import Among, Store
from search.store_faiss import FaissStore
from search.structure_faiss import Division, Rows, Structure, build, check_spec, codes, divide, extend, write

__all__ = [
    "Bench",
    "Candidate",
    "Question",
    "Scores",
    "Trial",
    "best",
    "candidates",
    "milliseconds",
    "named",
    "questions",
    "quick",
    "recall_of",
]

Scores = npt.NDArray[np.float64]

_LISTS = re.compile(r"IVF(\d+)")

_ASKED, _TIMED = 200, 20
_K = 10
_SEED = 11
_IN_SIGHT = 2048
"""So many rows are kept in sight of a graph at most."""

_SPARES = (12, 32)
"""Candidates that are scored for each row wanted: the codes are rough. With 8 a weight of 0.7 misses 0.98 of a million
rows on queries that are none of them."""

_QUICK = 0.25
"""A structure that needs less than this share of the time of exact search is good enough: no other is built."""

_GRAPH_ROWS = 2_500_000
"""A graph of more rows takes over 2 GB of memory to build, and half an hour."""

_MARGIN = 0.8
"""A later candidate is taken in place of an earlier one where it needs less than this share of its time."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A structure in FAISS's words, and how many candidates it is asked for each row wanted."""

    spec: str
    spare: int


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked at one weight: (m, d+s) rows, which of the index they are, and the truth.

    `floor` is the (m,) least scores among the ten nearest others of each.
    """

    name: str
    weight: float
    queries: Vectors
    own: Rows
    floor: Scores


@dataclass(frozen=True, slots=True)
class Trial:
    """A candidate, built in a file and measured.

    `efforts` are those that each weight needs, the most there is where even that misses the recall; `reached` says
    whether all reach it. `milliseconds` is the median of single queries.
    """

    spec: str
    spare: int
    path: Path
    build_seconds: float
    efforts: dict[float, int]
    reached: bool
    recalls: dict[str, float]
    milliseconds: float


def candidates(count: int, width: int) -> list[Candidate]:
    """Return the structures to try for so many rows, the quickest built first.

    The graph takes 20 times as long to build as the lists, and a query of it twice as long (benchmarks/approximate.md).
    """
    lists = 1 << round(math.log2(2 * math.sqrt(max(1, count))))
    graph = [Candidate("HNSW32,SQ8", 1)] if count <= _GRAPH_ROWS else []
    return [*(Candidate(f"IVF{lists},{codes(width)}", spare) for spare in _SPARES), *graph]


def named(spec: str) -> Candidate:
    """Return the structure of a name, with as many candidates as its codes need."""
    return Candidate(spec, _SPARES[0] if "x4" in spec else 1)


def questions(vectors: Vectors, passport: Passport, alive: Among | None = None) -> list[Question]:
    """Ask some rows of an index exactly for their nearest others, at every weight and sentiment that is measured."""
    pool = np.arange(len(vectors)) if alive is None else np.flatnonzero(alive)
    own = np.sort(np.random.default_rng(_SEED).permutation(pool)[:_ASKED])
    exact = Nearest(vectors, passport.meaning_dim, FaissStore(vectors), alive)
    asked: list[Question] = []
    for name, queries, weight in _asked(np.ascontiguousarray(vectors[own]), passport):
        answers = exact.top(queries, _K + 1, weight)
        floor = np.array([_others(one, row)[-1] for one, row in zip(answers, own.tolist(), strict=True)])
        asked.append(Question(f"{name} {weight:g}", weight, queries, own, floor))
    return asked


class Bench:
    """The rows of an index, of which candidates are built, and the questions that they are measured by."""

    def __init__(self, vectors: Vectors, passport: Passport, alive: Among | None = None) -> None:
        """Take (n, d+s) rows, which may be a memory map, and ask some of them exactly; those not alive do not count."""
        self._vectors, self._passport, self._alive = vectors, passport, alive
        self._built: dict[str, tuple[str, Path]] = {}
        self.asked = questions(vectors, passport, alive)
        self.exact_milliseconds = milliseconds(self._nearest(FaissStore(vectors)), self.asked)

    def try_out(self, candidate: Candidate, recall: float, path: Path) -> Trial:
        """Build a candidate in a file, and find the least effort with which it reaches the recall at every question.

        One that was built before, for fewer candidates, is measured where it lies.

        Raises:
            OSError: the file cannot be written.
            OptionError: the candidate is no structure.
        """
        check_spec(candidate.spec, self._passport.width)
        began = time.perf_counter()
        if candidate.spec not in self._built:
            spec, division = self._divided(candidate.spec)
            write(build(spec, self._vectors, division), path)
            self._built[candidate.spec] = spec, path
        seconds = time.perf_counter() - began
        spec, path = self._built[candidate.spec]
        return self._measured(Candidate(spec, candidate.spare), recall, path, seconds)

    def try_extended(self, candidate: Candidate, old: Path, recall: float, path: Path) -> Trial:
        """Add the last of the rows to the structure of the first that is in a file, and find the effort as `try_out`.

        Raises:
            OSError: the new file cannot be written.
            IndexFolderError: the old one is damaged.
        """
        began = time.perf_counter()
        write(extend(old, self._vectors), path)
        return self._measured(candidate, recall, path, time.perf_counter() - began)

    def _measured(self, candidate: Candidate, recall: float, path: Path, build_seconds: float) -> Trial:
        structure = Structure(path, width=self._passport.width, count=len(self._vectors))

        def asked_with(efforts: Mapping[float, int]) -> Nearest:
            store = ApproximateStore(self._vectors, structure, efforts=efforts, spare=candidate.spare, few=0)
            return self._nearest(store)

        steps = _steps(structure.lists or _IN_SIGHT)
        efforts: dict[float, int] = {}
        for question in self.asked:

            def suffices(effort: int, question: Question = question) -> bool:
                return recall_of(asked_with({question.weight: effort}), question) >= recall

            place = bisect_left(steps, 1, hi=len(steps) - 1, key=suffices)
            efforts[question.weight] = max(steps[place], efforts.get(question.weight, 0))
        used = asked_with(efforts)
        recalls = {one.name: recall_of(used, one) for one in self.asked}
        return Trial(
            spec=candidate.spec,
            spare=candidate.spare,
            path=path,
            build_seconds=build_seconds,
            efforts=efforts,
            reached=all(one >= recall for one in recalls.values()),
            recalls=recalls,
            milliseconds=milliseconds(used, self.asked),
        )

    def _nearest(self, store: Store) -> Nearest:
        return Nearest(self._vectors, self._passport.meaning_dim, store, self._alive)

    def _divided(self, spec: str) -> tuple[str, Division | None]:
        """Return the lists that a structure needs, and its name with their number."""
        found = _LISTS.match(spec)
        if not found:
            return spec, None
        division = divide(self._vectors, int(found[1]), self._passport.meaning_dim)
        return f"IVF{len(division.middles)}{spec[found.end() :]}", division


def quick(trial: Trial, exact_milliseconds: float) -> bool:
    """Say whether a trial is so good that no other candidate needs to be built."""
    return trial.reached and trial.milliseconds < _QUICK * exact_milliseconds


def best(tried: Sequence[Trial], exact_milliseconds: float) -> Trial | None:
    """Return the fastest trial that reached the recall, an earlier before one hardly faster; None: exact search is."""
    chosen: Trial | None = None
    for trial in tried:
        limit = exact_milliseconds if chosen is None else _MARGIN * chosen.milliseconds
        if trial.reached and trial.milliseconds < limit:
            chosen = trial
    return chosen


def recall_of(nearest: Nearest, question: Question) -> float:
    """Return which share of the nearest others of the rows asked is found."""
    found = nearest.top(question.queries, _K + 1, question.weight)
    shares = [
        np.count_nonzero(_others(one, row) >= floor) / _K
        for one, row, floor in zip(found, question.own.tolist(), question.floor.tolist(), strict=True)
    ]
    return round(float(np.mean(shares)), 4) if shares else 1.0


def milliseconds(nearest: Nearest, asked: Sequence[Question]) -> float:
    """Return the median time of questions asked one at a time."""
    taken = []
    for question in asked:
        for query in question.queries[:_TIMED]:
            began = time.perf_counter()
            nearest.top(query[None, :], _K, question.weight)
            taken.append(time.perf_counter() - began)
    return round(1000 * float(np.median(taken)), 3) if taken else 0.0


def _asked(rows: Vectors, passport: Passport) -> Iterator[tuple[str, Vectors, float]]:
    """Yield what is measured: the sentiment, the rows asked, and the weight."""
    if passport.labels is None:
        yield "any", rows, 0.0
        return
    if passport.labels.scale is Scale.ORDINAL:  # what is furthest from the rows there are comes first
        mirrored = rows.copy()
        mirrored[:, passport.meaning_dim :] = opposite(rows[:, passport.meaning_dim :], passport.labels)
        yield from (("opposite", mirrored, weight) for weight in (0.7, 0.3))
    yield from (("same", rows, weight) for weight in (0.7, 0.3, 0.0))


def _others(found: Scored, row: int) -> Scores:
    """Return the scores of the ten nearest other than the row itself."""
    scores: Scores = found.scores[found.rows != row][:_K]
    return scores


def _steps(most: int) -> list[int]:
    """Return the efforts that are tried: 1, 2, 3, 4, 6, 8, 11, 16, ... and the most there is."""
    return sorted({most, *(min(most, round(2 ** (step / 2))) for step in range(2 * most.bit_length()))})
