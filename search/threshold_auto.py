"""A threshold without labels: how many pairs there are above it, and how many of them unlike texts would give alone.

Unlike pairs: all pairs of some of the texts (of different sources, where there are several) are unlike but for a few
that cannot be told. Their scores end at 1, and the tail of such scores is a power of the distance to it,

    P(score >= t) = c * (1 - t)^k        (the generalised Pareto law with its end at 1; Pickands 1975)

with c and k from two quantiles, low enough for the few duplicates among the pairs not to move them. The law says how
many of all pairs of the corpus would be merged wrongly at a threshold.

Merged pairs: some of the texts are compared with all, and the guard is asked about what it would be asked about. The
threshold is the lowest at which the wrong merges that the law expects are not more than a share of those: the false
discovery rate (Benjamini and Hochberg 1995). The more texts there are, the higher it lies, and the more duplicates
there are, the lower. The interval is of texts drawn anew; that the law may not hold so far out is not in it.

Like pairs: texts changed as people change them (case, a typing error, two words swapped, a small word left out) score
against what they were. This is told, and has no part in the choice.

What is *not* handled: texts that are mostly alike, as form letters are; give labelled pairs instead.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.changes import changed
from search.compared import Items
from search.encoder import Encoder, Passport
from search.errors import OptionError
from search.joining import Joined, Scoring, Task, joined
from search.records import Sentence
from search.refusals import Guard, polarities
from search.similarity import SCORE_DECIMALS, weigh
from search.threshold import CONFIDENCE, How, Threshold, check_precision

__all__ = ["FEWEST_TEXTS", "PRECISION", "Texts", "automatic"]

PRECISION = 0.9
"""The share of the merges that are to be right."""

FEWEST_TEXTS = 50
"""The fewest different texts from which a threshold can be found."""

_SAMPLE = 1000
_CHANGED = 300
_RESAMPLES = 60
_BOUNDS = 0.5, 0.99

_LOWEST = 0.5
"""Looked at are scores down to where so many wrong merges a text are expected."""

_ASKED = 4000
"""So many pairs are shown to the guard, of all scores; more of them are counted by these."""

_Floats = npt.NDArray[np.floating]
_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Texts:
    """Different texts, in an order that does not depend on that of the input.

    Attributes:
        count: how many.
        known: where given, the first so many are what the others are compared with, and nothing else is.
        read: gives the sentences at some places.
        scoring: gives their scores.
    """

    count: int
    known: int | None
    read: Callable[[Items], Sequence[Sentence]]
    scoring: Scoring

    @property
    def pairs(self) -> float:
        """Return how many pairs there are to compare."""
        if self.known is None:
            return self.count * (self.count - 1) / 2
        return float(self.known * (self.count - self.known))

    @property
    def others(self) -> int:
        """Return how many texts each is compared with."""
        return self.count if self.known is None else self.known

    @property
    def asking(self) -> int:
        """Return how many texts are compared with others."""
        return self.count - (self.known or 0)

    def sample(self) -> tuple[Items, Items]:
        """Return some places that are compared with others, and some of what they are compared with."""
        mine = (self.known or 0) + _evenly(self.asking)
        return mine, mine if self.known is None else _evenly(self.known)


def automatic(
    texts: Texts,
    passport: Passport,
    *,
    guard: Guard | None = None,
    precision: float = PRECISION,
    encoder: Encoder | None = None,
    seed: int = 0,
) -> Threshold:
    """Find a threshold without labels.

    Args:
        texts: which; the scores' weight is theirs.
        passport: of the encoder that made their rows.
        guard: what refuses merges; None: nothing does.
        precision: the share of the merges that are expected to be right, in (0, 1].
        encoder: encodes slightly changed texts, to say how many of them would be found; None: that is not told.
        seed: of the changes and the interval; the same gives the same.

    Raises:
        OptionError: there are fewer than FEWEST_TEXTS different texts, or `precision` is out of range.
    """
    check_precision(precision)
    fewest = min(texts.asking, texts.others)
    if fewest < FEWEST_TEXTS:
        raise OptionError(
            f"{fewest} different texts are too few for --threshold auto, which needs {FEWEST_TEXTS}. "
            "Give a threshold, or labelled pairs with --calibrate."
        )
    mine, others = texts.sample()
    scoring = texts.scoring
    weighed = weigh(scoring.rows(mine), scoring.weight, scoring.meaning_dim)
    scores = (weighed @ scoring.rows(others).T).round(SCORE_DECIMALS)
    counted = _counted(texts, mine, others)
    law = _law(scores[counted], texts.others)
    value, merges = _lowest(texts, law, _merged(texts, law, mine, guard, passport), 1.0 - precision)
    low, high = _interval(scores, counted, texts, value, seed)
    return Threshold(
        value=value,
        how=How.AUTOMATIC,
        encoder=passport.fingerprint,
        weight=scoring.weight,
        estimate=law.share(value) * texts.pairs,
        low=low * texts.pairs,
        high=high * texts.pairs,
        pairs=int(counted.sum()),
        recall=None if encoder is None else _recall(texts, mine[:_CHANGED], encoder, value, seed),
        merges=merges,
    )


@dataclass(frozen=True, slots=True)
class _Law:
    """P(score >= t) = share * ((1 - t) / (1 - start))^power for t >= start."""

    start: float
    at: float
    power: float

    def share(self, score: float) -> float:
        return float(self.at * ((1.0 - score) / (1.0 - self.start)) ** self.power)

    def threshold(self, share: float) -> float:
        """Return the score from which on this share of the pairs lies."""
        return float(1.0 - (1.0 - self.start) * (share / self.at) ** (1.0 / self.power))


def _law(scores: _Floats, count: int) -> _Law:
    """Fit the law to two quantiles: duplicates are about 1/count of all pairs, and few enough above the upper one."""
    rare = float(np.clip(5.0 / count, 200.0 / len(scores), 0.02))
    common = min(10.0 * rare, 0.2)
    start, end = np.minimum(np.quantile(scores, [1.0 - common, 1.0 - rare]), 1.0 - 1e-6)
    spread = max(math.log((1.0 - start) / (1.0 - end)), 1e-6)
    return _Law(float(start), common, math.log(common / rare) / spread)


@dataclass(frozen=True, slots=True)
class _Merged:
    """The scores of pairs that would be merged, highest first, and how many pairs of all texts each stands for."""

    scores: _Floats
    each: float


def _merged(texts: Texts, law: _Law, mine: Items, guard: Guard | None, passport: Passport) -> _Merged:
    lowest = max(_BOUNDS[0], law.threshold(_LOWEST * texts.asking / texts.pairs))
    found = joined(texts.scoring, Task(mine, np.arange(texts.others), upper=False), lowest)
    each = texts.asking / len(mine) * (0.5 if texts.known is None else 1.0)
    order = np.lexsort((found.b, found.a, -found.score))
    step = max(1, math.ceil(len(order) / _ASKED)) if guard else 1
    some = order[::step]
    shown = Joined(found.a[some], found.b[some], found.score[some])
    if guard is not None:
        shown = _let_through(texts, shown, guard, passport)
    return _Merged(shown.score, each * step)


def _let_through(texts: Texts, pairs: Joined, guard: Guard, passport: Passport) -> Joined:
    """Return the pairs that the guard does not refuse."""
    places = np.unique(np.concatenate((pairs.a, pairs.b)))
    said = [sentence.text for sentence in texts.read(places)]
    feelings = polarities(texts.scoring.rows(places), passport)
    kept = np.ones(len(pairs.a), dtype=np.bool_)
    sides = zip(np.searchsorted(places, pairs.a).tolist(), np.searchsorted(places, pairs.b).tolist(), strict=True)
    for number, (a, b) in enumerate(sides):
        both = None if feelings is None else (feelings[a], feelings[b])
        kept[number] = guard(said[a], said[b], both) is None
    return Joined(pairs.a[kept], pairs.b[kept], pairs.score[kept])


def _lowest(texts: Texts, law: _Law, merged: _Merged, share: float) -> tuple[float, float]:
    """Return the lowest threshold at which no more than a share of the merges are expected wrong, and the merges."""
    shown = merged.each * np.arange(1, len(merged.scores) + 1)
    wrong = np.array([law.share(min(score, 1.0)) for score in merged.scores.tolist()]) * texts.pairs
    fits = np.flatnonzero(wrong <= share * shown)
    value = math.floor(merged.scores[fits[-1]] * 1000) / 1000 if len(fits) else _BOUNDS[1]
    value = min(max(value, _BOUNDS[0]), _BOUNDS[1])
    return value, merged.each * float((merged.scores >= value).sum())


def _evenly(count: int) -> Items:
    """Return some of the numbers below `count`, evenly spread."""
    wanted = min(count, _SAMPLE)
    return np.arange(wanted, dtype=np.int64) * count // wanted


def _counted(texts: Texts, mine: Items, others: Items) -> _Flags:
    """Return a mask of the pairs of the sample that count: each once, across sources where there are some."""
    if texts.known is not None:
        return np.ones((len(mine), len(others)), dtype=np.bool_)
    counted = np.triu(np.ones((len(mine), len(others)), dtype=np.bool_), 1)
    of = np.array([sentence.source for sentence in texts.read(mine)])
    across: _Flags = counted & (of[:, None] != of[None, :])
    return across if across.sum() * 10 >= counted.sum() else counted


def _interval(scores: _Floats, counted: _Flags, texts: Texts, value: float, seed: int) -> tuple[float, float]:
    """Return the 95 % interval of the share of pairs at or above a threshold, over texts drawn anew."""
    random = np.random.default_rng([seed, 1])
    found = []
    for _ in range(_RESAMPLES):
        drawn = [np.unique(random.integers(0, length, length)) for length in scores.shape]
        grid = np.ix_(drawn[0], drawn[0] if texts.known is None else drawn[1])
        found.append(_law(scores[grid][counted[grid]], texts.others).share(value))
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(found, [tail, 1.0 - tail])
    return float(low), float(high)


def _recall(texts: Texts, places: Items, encoder: Encoder, value: float, seed: int) -> float:
    """Return the share of slightly changed texts that score the threshold against what they were."""
    said = [sentence.text for sentence in texts.read(places)]
    encoded = encoder.encode([changed(text, [seed, place]) for place, text in enumerate(said)]).rows
    weighed = weigh(encoded, texts.scoring.weight, texts.scoring.meaning_dim)
    return float(np.mean(np.einsum("ij,ij->i", weighed, texts.scoring.rows(places)) >= value))
