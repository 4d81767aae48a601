"""The one definition of similarity: an inner product of weighed rows.

A row is two unit blocks side by side, [meaning (d) ; sentiment (s)]. For a query q and a row x

    score(q, x) = (1-w) * cosine(meaning) + w * agreement(sentiment)        in [-1, 1], larger is nearer

is the inner product of `weigh(q, w)` and x, so that any index that knows inner products finds the nearest rows
for every weight. A row scores 1 against itself, whatever the weight.

The sentiment block comes from the probabilities p of the encoder's labels:

- ordinal (negative < neutral < positive): polarity r = E[position] in [-1, 1], angle t = (r + 1) * pi/4,
  block (cos t, sin t). Agreement is the cosine of the angle between: same 1, neutral to positive 0.71, opposite 0.
- nominal (joy, anger, fear): block sqrt(p). Agreement is the Bhattacharyya coefficient.

>>> import numpy as np
>>> feelings = Labels(("negative", "neutral", "positive"), Scale.ORDINAL)
>>> p = np.array([[0.9, 0.1, 0.0], [0.0, 0.1, 0.9], [0.0, 1.0, 0.0]])
>>> polarity(p).round(2).tolist()
[-0.9, 0.9, 0.0]
>>> blocks = sentiment_blocks(p, feelings)
>>> (blocks @ blocks.T).astype(float).round(2).tolist()
[[1.0, 0.16, 0.76], [0.16, 1.0, 0.76], [0.76, 0.76, 1.0]]
>>> meaning = unit(np.array([[3.0, 4.0], [4.0, 3.0], [3.0, 4.0]]))
>>> rows = np.hstack([meaning, blocks])
>>> (weigh(rows[:1], 0.3, 2) @ rows.T).astype(float).round(2).tolist()
[[1.0, 0.72, 0.93]]
"""

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from search.errors import EncoderError, OptionError

__all__ = [
    "DEFAULT_WEIGHT",
    "OPPOSITE_WEIGHT",
    "SCORE_DECIMALS",
    "Labels",
    "Scale",
    "Vectors",
    "block_polarity",
    "check_weight",
    "label_block",
    "opposite",
    "parts",
    "polarity",
    "sentiment_blocks",
    "softmax",
    "total",
    "unit",
    "weigh",
]

Vectors = npt.NDArray[np.float32]

DEFAULT_WEIGHT = 0.3
"""How much of the score is sentiment, where the checkpoint does not say otherwise."""

OPPOSITE_WEIGHT = 0.5
"""The same for the opposite view: texts on one topic with opposite feelings are further apart in meaning too."""

SCORE_DECIMALS = 6
"""float32 rows carry no more: rounded so, equal texts tie exactly and a row scores 1.0 against itself."""


class Scale(StrEnum):
    """Whether labels have an order."""

    ORDINAL = "ordinal"
    NOMINAL = "nominal"


@dataclass(frozen=True, slots=True)
class Labels:
    """A checkpoint's labels, in the order of its logits; ordinal ones from lowest to highest."""

    names: tuple[str, ...]
    scale: Scale

    @property
    def width(self) -> int:
        """Return the width s of the sentiment block: 2 for ordinal labels, one a label for nominal ones."""
        return 2 if self.scale is Scale.ORDINAL else len(self.names)


def unit(vectors: npt.ArrayLike) -> Vectors:
    """Return (n, d) float32 rows of length 1; a zero row stays zero."""
    array = np.asarray(vectors, dtype=np.float32)
    norms = np.linalg.norm(array, axis=1, keepdims=True)
    return np.ascontiguousarray(array / np.where(norms == 0, 1, norms), dtype=np.float32)


def softmax(logits: npt.ArrayLike, temperature: float = 1.0) -> Vectors:
    """Return (n, C) probabilities of (n, C) logits divided by the temperature."""
    scaled = np.asarray(logits, dtype=np.float32) / temperature
    if scaled.shape[1] == 0:
        return scaled
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)


def polarity(probabilities: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return (n,) expected positions in [-1, 1] of (n, C) probabilities of ordinal labels, lowest first."""
    array = np.asarray(probabilities, dtype=np.float64)
    return array @ np.linspace(-1.0, 1.0, array.shape[1])


def sentiment_blocks(probabilities: npt.ArrayLike, labels: Labels) -> Vectors:
    """Return the (n, s) unit sentiment blocks of (n, C) probabilities."""
    array = np.asarray(probabilities, dtype=np.float64)
    if labels.scale is Scale.NOMINAL:
        return unit(np.sqrt(array))
    angle = (polarity(array) + 1.0) * (np.pi / 4.0)
    return unit(np.stack([np.cos(angle), np.sin(angle)], axis=1))


def block_polarity(blocks: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the (n,) polarities in [-1, 1] that (n, 2) sentiment blocks of ordinal labels were made of.

    >>> feelings = Labels(("negative", "neutral", "positive"), Scale.ORDINAL)
    >>> block_polarity(sentiment_blocks([[0.9, 0.1, 0.0], [0.0, 1.0, 0.0]], feelings)).round(6).tolist()
    [-0.9, 0.0]
    """
    array = np.asarray(blocks, dtype=np.float64)
    return np.arctan2(array[:, 1], array[:, 0]) * (4.0 / np.pi) - 1.0


def label_block(labels: Labels, name: str) -> Vectors:
    """Return the (s,) block of a sentence that certainly has the label.

    Raises:
        OptionError: the encoder has no such label.
    """
    if name not in labels.names:
        close = get_close_matches(name, labels.names, n=1)
        meant = f" Did you mean {close[0]!r}?" if close else ""
        raise OptionError(f"No label {name!r}; this encoder knows {', '.join(labels.names)}.{meant}")
    certain = np.zeros((1, len(labels.names)))
    certain[0, labels.names.index(name)] = 1.0
    block: Vectors = sentiment_blocks(certain, labels)[0]
    return block


def opposite(blocks: Vectors, labels: Labels) -> Vectors:
    """Return the (n, s) blocks of the mirrored polarity: cosine and sine swapped.

    Raises:
        EncoderError: the labels have no order, so that none has an opposite.
    """
    if labels.scale is Scale.NOMINAL:
        raise EncoderError(
            f"'opposite' needs labels with an order; this encoder's are nominal ({', '.join(labels.names)}). "
            "Ask for a label by name instead."
        )
    return np.ascontiguousarray(blocks[:, ::-1])


def check_weight(weight: float) -> None:
    """Refuse a weight outside [0, 1].

    Raises:
        OptionError: naming the value and the range.
    """
    if not 0.0 <= weight <= 1.0:
        raise OptionError(f"weight is {weight:g}; it must lie between 0 (meaning only) and 1 (sentiment only).")


def weigh(rows: Vectors, weight: float, meaning_dim: int) -> Vectors:
    """Return (n, d+s) queries: the meaning block scaled by 1-weight, the sentiment block by weight."""
    check_weight(weight)
    queries = rows.copy()
    queries[:, :meaning_dim] *= np.float32(1.0 - weight)
    queries[:, meaning_dim:] *= np.float32(weight)
    return queries


def parts(a: Vectors, b: Vectors, meaning_dim: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the (n,) meaning and sentiment parts of the scores of n pairs of rows, to SCORE_DECIMALS.

    Summed in float64 and always in the same order, so that a pair's score never depends on what else is searched.
    """
    products = a.astype(np.float64) * b
    meaning = products[:, :meaning_dim].sum(axis=1)
    sentiment = products[:, meaning_dim:].sum(axis=1)
    return meaning.round(SCORE_DECIMALS), sentiment.round(SCORE_DECIMALS)


def total(
    meaning: npt.NDArray[np.float64], sentiment: npt.NDArray[np.float64], weight: float
) -> npt.NDArray[np.float64]:
    """Return the (n,) scores of the parts, to SCORE_DECIMALS."""
    return ((1.0 - weight) * meaning + weight * sentiment).round(SCORE_DECIMALS)
