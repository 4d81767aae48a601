"""What each word of a text gives to the cosine of its meaning and another's: shares that add up to it.

An encoder that averages the vectors h of a text's n tokens has the meaning x = mean(h), and with the other text's
meaning y

    cosine(x, y) = sum over tokens of (h . y) / (n |x| |y|)

so every token has its share, a word the sum of its tokens', and what the marks of begin and end give is the rest.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from search.encoder import Tokens
from search.errors import EncoderError
from search.similarity import Vectors, unit

__all__ = ["WORD", "Part", "averaged", "shares"]

_SIGNS = r"\u3040-\u30ff\u3400-\u9fff"
WORD = re.compile(rf"[{_SIGNS}]|[^\W{_SIGNS}]+(?:['\u2019][^\W{_SIGNS}]+)*|[^\w\s]+")
"""Words of scripts with spaces, each sign of those without, and punctuation."""

_AVERAGED = 0.99
"""The least cosine of the mean of the tokens' vectors and the meaning; rounding alone keeps it above 0.9999."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a text, `start` to `end` in characters, and what it gives to the score's part in question."""

    text: str
    start: int
    end: int
    value: float

    def to_dict(self) -> dict[str, Any]:
        """Return the piece as `--json` prints it."""
        return {"text": self.text, "start": self.start, "end": self.end, "value": round(self.value, 6)}


def averaged(tokens: Tokens, meaning: Vectors, name: str) -> Vectors:
    """Return the (d,) meaning of a text from its tokens.

    Args:
        tokens: the text's.
        meaning: (d,) what the encoder makes of the text.
        name: the encoder's.

    Raises:
        EncoderError: the two are not the same, so that no word has a share.
    """
    mean: Vectors = unit(tokens.vectors.mean(axis=0, keepdims=True))[0]
    if mean.shape != meaning.shape or float(mean @ meaning) < _AVERAGED * float(meaning @ meaning):
        raise EncoderError(
            f"{name} does not make a text's meaning of the mean of its tokens, so that no word has a share of it; "
            "it cannot explain."
        )
    return mean


def shares(text: str, tokens: Tokens, other: Vectors) -> tuple[Part, ...]:
    """Return each word's share of the cosine of a text with another's (d,) meaning."""
    length = float(np.linalg.norm(tokens.vectors.mean(axis=0)))
    given = tokens.vectors @ other / (len(tokens.vectors) * (length or 1.0))
    words = list(WORD.finditer(text))
    starts = np.array([word.start() for word in words])
    values = np.zeros(len(words))
    for (start, end), share in zip(tokens.spans.tolist(), given.tolist(), strict=True):
        if end > start and words:
            values[max(0, int(np.searchsorted(starts, start, side="right")) - 1)] += share
    return tuple(
        Part(word.group(), word.start(), word.end(), float(value)) for word, value in zip(words, values, strict=True)
    )
