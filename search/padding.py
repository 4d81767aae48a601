"""Texts as token numbers to batches of few shapes, for every new shape costs: padded in length and in number.

A text's row has the same bits whatever stands beside it, and up to 32 tokens however far it is padded, up to there.
Beyond, a sum over the tokens may be made in another order, so that the length depends on the text alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["ANY", "FEW", "MANY", "Batch", "Padder", "Shapes"]

ANY = 32
"""Tokens up to which padding changes no bit."""

_TOKENS = 1024
"""Tokens of a batch, padding included."""

_PAIRS = 1 << 16
"""Pairs of tokens of a batch, at most: attention scores them all, and of long texts these are what takes memory."""

_Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shapes:
    """The shapes of batches: in which steps lengths are, and how many sizes the last batch of a length may have."""

    step: int
    sizes: int


FEW, MANY = Shapes(step=8, sizes=8), Shapes(step=4, sizes=2)
"""Of few texts, more padding costs less than more batches do; of many, what is kept for each shape takes memory."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts of one padded length: which they are, and the (n, length) token numbers and mask."""

    texts: list[int]
    numbers: _Numbers
    mask: _Numbers


class Padder:
    """Pads with an encoder's token up to the length that it reads."""

    def __init__(self, pad: int, max_length: int) -> None:
        """Pad with the token of that number, to so many tokens at most."""
        self._pad, self._max_length = pad, max_length

    def batches(self, tokens: Sequence[list[int]], shapes: Shapes) -> Iterator[Batch]:
        """Yield batches of texts, given by their token numbers, of one padded length, longest first."""
        by_length: dict[int, list[int]] = {}
        for text, numbers in enumerate(tokens):
            by_length.setdefault(self.length(len(numbers), shapes.step), []).append(text)
        for length in sorted(by_length, reverse=True):
            members = by_length[length]
            most = max(1, min(_TOKENS // length, _PAIRS // length**2))
            for begin in range(0, len(members), most):
                texts = members[begin : begin + most]
                step = max(1, most // shapes.sizes) if len(texts) > 1 else 1  # a text alone is a query
                size = min(most, -(-len(texts) // step) * step)
                yield self._batch([tokens[text] for text in texts], texts, length, size)

    def alone(self, tokens: list[int], length: int) -> Batch:
        """Return one text as a batch, padded to the length."""
        return self._batch([tokens], [0], length, 1)

    def length(self, tokens: int, step: int = MANY.step) -> int:
        """Return the length to pad to: multiples of the step; beyond 64 of a sixteenth to an eighth of the length."""
        if tokens > ANY:
            step = max(MANY.step, 1 << max(0, (tokens - 1).bit_length() - 4))
        return max(1, min(self._max_length, -(-tokens // step) * step))

    def _batch(self, tokens: Sequence[list[int]], texts: list[int], length: int, size: int) -> Batch:
        """Pad texts to the length, and add rows of nothing up to the size."""
        numbers = np.full((size, length), self._pad, dtype=np.int64)
        mask = np.zeros((size, length), dtype=np.int64)
        mask[:, 0] = 1  # no row is all padding: that has no mean
        for row, one in enumerate(tokens):
            numbers[row, : len(one)] = one
            mask[row, : len(one)] = 1
        return Batch(texts, numbers, mask)
