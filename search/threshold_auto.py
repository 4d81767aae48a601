"""A threshold without labels: how high unlike texts reach, and what slightly changed texts still score.

Unlike pairs: all pairs of some of the texts (of different sources, where there are several) are unlike but for a few
that cannot be told. Their scores end at 1, and the tail of such scores is a power of the distance to it,

    P(score >= t) = c * (1 - t)^k        (the generalised Pareto law with its end at 1; Pickands 1975)

with c and k from two quantiles, low enough for the few duplicates among the pairs not to move them. The law says how
many of all pairs of the corpus would be merged wrongly at a threshold. The interval is of texts drawn anew; that the
law may not hold so far out is not in it.

Like pairs: texts changed as people change them (case, a typing error, two words swapped, a small word left out) score
against what they were.

What is *not* handled: texts that are mostly alike, as form letters are; give labelled pairs instead.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.changes import changed
from search.encoder import Encoder
from search.errors import OptionError
from search.similarity import SCORE_DECIMALS, Vectors, weigh
from search.threshold import CONFIDENCE, How, Threshold

__all__ = ["FALSE_SHARE", "FEWEST_TEXTS", "Automatic", "automatic"]

FALSE_SHARE = 0.01
"""How many wrong merges are borne, as a share of the number of texts."""

FEWEST_TEXTS = 50
"""The fewest different texts from which a threshold can be found."""

_SAMPLE = 1000
_CHANGED = 300
_RESAMPLES = 60
_BORDERLINE = 5
_BOUNDS = 0.5, 0.99

_Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Automatic:
    """A threshold, and the pairs of the sample that score next to it, nearest first: (score, one text, the other)."""

    threshold: Threshold
    borderline: tuple[tuple[float, str, str], ...]


def automatic(
    rows: Vectors,
    texts: Sequence[str],
    encoder: Encoder,
    *,
    weight: float,
    sources: Sequence[str] | None = None,
    false_share: float = FALSE_SHARE,
    seed: int = 0,
) -> Automatic:
    """Find a threshold for n texts without labels.

    Args:
        rows: their (n, d+s) rows.
        texts: the texts.
        encoder: that made the rows; it also encodes the changed texts.
        weight: how much sentiment counts, in [0, 1].
        sources: where each text comes from; with two or more only pairs of different sources are looked at.
        false_share: how many wrong merges are borne, as a share of n.
        seed: of the sample and the changes; the same gives the same.

    Raises:
        OptionError: there are fewer than FEWEST_TEXTS different texts, or `false_share` is out of range.
    """
    if not 0.0 < false_share < 1.0:
        raise OptionError(f"false_share is {false_share:g}; it must lie between 0 and 1.")
    chosen = _sample(texts, seed)
    if len(chosen) < FEWEST_TEXTS:
        raise OptionError(
            f"{len(chosen)} different texts are too few for --threshold auto, which needs {FEWEST_TEXTS}. "
            "Give a threshold, or labelled pairs with --calibrate."
        )
    dim = encoder.passport.meaning_dim
    scores = (weigh(rows[chosen], weight, dim) @ rows[chosen].T).round(SCORE_DECIMALS)
    counted = _counted(chosen, sources)
    pairs = len(texts) * (len(texts) - 1) / 2
    law = _law(scores[counted], len(texts))
    value = float(np.clip(law.threshold(false_share * len(texts) / pairs), *_BOUNDS))
    value = round(value, 3)
    low, high = _interval(scores, counted, len(texts), value, seed)
    threshold = Threshold(
        value=value,
        how=How.AUTOMATIC,
        encoder=encoder.passport.fingerprint,
        weight=weight,
        estimate=law.share(value) * pairs,
        low=low * pairs,
        high=high * pairs,
        pairs=int(counted.sum()),
        recall=_recall(
            [texts[one] for one in chosen[:_CHANGED]], rows[chosen[:_CHANGED]], encoder, weight, value, seed
        ),
    )
    return Automatic(threshold, _borderline(scores, counted, [texts[one] for one in chosen], value))


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


def _sample(texts: Sequence[str], seed: int) -> list[int]:
    """Return the places of some different texts, in an order that does not depend on theirs."""
    first: dict[str, int] = {}
    for place, text in enumerate(texts):
        first.setdefault(" ".join(text.casefold().split()), place)
    names = sorted(first)
    order = np.random.default_rng(seed).permutation(len(names))[:_SAMPLE]
    return [first[names[one]] for one in order]


def _counted(chosen: Sequence[int], sources: Sequence[str] | None) -> npt.NDArray[np.bool_]:
    """Return an (m, m) mask of the pairs of the sample that count: each once, across sources where there are some."""
    counted = np.triu(np.ones((len(chosen), len(chosen)), dtype=bool), 1)
    if sources is not None:
        of = np.array([sources[one] for one in chosen])
        across: npt.NDArray[np.bool_] = counted & (of[:, None] != of[None, :])
        if across.sum() * 10 >= counted.sum():
            return across
    return counted


def _interval(
    scores: _Floats, counted: npt.NDArray[np.bool_], count: int, value: float, seed: int
) -> tuple[float, float]:
    """Return the 95 % interval of the share of pairs at or above a threshold, over texts drawn anew."""
    random = np.random.default_rng([seed, 1])
    found = []
    for _ in range(_RESAMPLES):
        drawn = np.unique(random.integers(0, len(scores), len(scores)))
        grid = np.ix_(drawn, drawn)
        found.append(_law(scores[grid][counted[grid]], count).share(value))
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(found, [tail, 1.0 - tail])
    return float(low), float(high)


def _borderline(
    scores: _Floats, counted: npt.NDArray[np.bool_], texts: Sequence[str], value: float
) -> tuple[tuple[float, str, str], ...]:
    one, other = np.nonzero(counted & (scores >= value - 0.1))
    near = np.argsort(np.abs(scores[one, other] - value), kind="stable")[:_BORDERLINE]
    return tuple((float(scores[one[at], other[at]]), texts[one[at]], texts[other[at]]) for at in near)


def _recall(texts: Sequence[str], rows: Vectors, encoder: Encoder, weight: float, value: float, seed: int) -> float:
    encoded = encoder.encode([changed(text, [seed, place]) for place, text in enumerate(texts)]).rows
    scores = np.einsum("ij,ij->i", weigh(encoded, weight, encoder.passport.meaning_dim), rows)
    return float(np.mean(scores >= value))
