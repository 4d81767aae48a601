"""Why two texts score as they do: what each word of either gives to the meaning part, and which words differ."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from re import Match
from typing import Any

import numpy as np

from search.encoder import TokenEncoder
from search.progress import SILENT, Progress
from search.similarity import parts
from search.word_shares import WORD, Part, averaged, shares

__all__ = ["Explained", "PairExplanation", "differing", "explain_pairs"]

_TOGETHER = 64
"""Pairs whose tokens are in memory at once; of the shipped encoder, 50 MiB at most."""


@dataclass(frozen=True, slots=True)
class PairExplanation:
    """Why two texts score as they do.

    Attributes:
        meaning: the meaning part of the score.
        sentiment: the sentiment part; None where the encoder has no labels.
        a: the first text's words and their shares of `meaning`; with `a_rest` they add up to it.
        a_rest: what the marks of begin and end, and rounding, give.
        b: the second text's words and their shares of the same number.
        b_rest: as `a_rest`.
        differing: see `differing`.
    """

    meaning: float
    sentiment: float | None
    a: tuple[Part, ...]
    a_rest: float
    b: tuple[Part, ...]
    b_rest: float
    differing: tuple[tuple[str, str], ...]

    def turned(self) -> "PairExplanation":
        """Return it with the second text first."""
        differing = tuple((there, here) for here, there in self.differing)
        return PairExplanation(self.meaning, self.sentiment, self.b, self.b_rest, self.a, self.a_rest, differing)

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as `--json` prints it."""
        return {
            "meaning": self.meaning,
            "sentiment": self.sentiment,
            "a": [part.to_dict() for part in self.a],
            "a_rest": round(self.a_rest, 6),
            "b": [part.to_dict() for part in self.b],
            "b_rest": round(self.b_rest, 6),
            "differing": [list(both) for both in self.differing],
        }


class Explained:
    """Explanations of pairs of texts; which text comes first makes no difference."""

    def __init__(self, found: Mapping[tuple[str, str], PairExplanation]) -> None:
        """Take explanations, each by its two texts."""
        self._found = found

    def of(self, a: str, b: str) -> PairExplanation | None:
        """Return the explanation of a pair, its `a` that of the first text; None where there is none."""
        if (a, b) in self._found:
            return self._found[a, b]
        other = self._found.get((b, a))
        return other and other.turned()


def explain_pairs(pairs: Iterable[tuple[str, str]], encoder: TokenEncoder, *, progress: Progress = SILENT) -> Explained:
    """Say why pairs of texts score as they do. Their texts are encoded anew, a few pairs at a time.

    Raises:
        EncoderError: the encoder does not average its tokens, or cannot say where they are.
    """
    wanted = sorted({(min(pair), max(pair)) for pair in pairs})
    found: dict[tuple[str, str], PairExplanation] = {}
    progress.start("explaining", len(wanted), "pairs")
    for start in range(0, len(wanted), _TOGETHER):
        some = wanted[start : start + _TOGETHER]
        found.update(zip(some, _explained(some, encoder), strict=True))
        progress.advance(len(found))
    progress.finish()
    return Explained(found)


def differing(a: str, b: str) -> tuple[tuple[str, str], ...]:
    """Return what stands in one text and, in its place, in the other; "" where there is nothing.

    >>> differing("Can I pay by card?", "May I pay?")
    (('Can', 'May'), ('by card', ''))
    """
    first, second = list(WORD.finditer(a)), list(WORD.finditer(b))
    matcher = SequenceMatcher(None, [word.group() for word in first], [word.group() for word in second], autojunk=False)
    return tuple(
        (_between(a, first[start:end]), _between(b, second[begin:stop]))
        for tag, start, end, begin, stop in matcher.get_opcodes()
        if tag != "equal"
    )


def _between(text: str, words: Sequence[Match[str]]) -> str:
    return text[words[0].start() : words[-1].end()] if words else ""


def _explained(pairs: Sequence[tuple[str, str]], encoder: TokenEncoder) -> list[PairExplanation]:
    texts = sorted({text for pair in pairs for text in pair})
    number = {text: place for place, text in enumerate(texts)}
    rows = encoder.encode(texts).rows
    tokens = encoder.tokens(texts)
    passport = encoder.passport
    dim = passport.meaning_dim
    means = [averaged(one, row[:dim], passport.name) for one, row in zip(tokens, rows, strict=True)]
    first, second = (np.array([number[pair[side]] for pair in pairs]) for side in (0, 1))
    scored = zip(*parts(rows[first], rows[second], dim), strict=True)
    explanations = []
    for (a, b), (meaning, sentiment) in zip(pairs, scored, strict=True):
        in_a = shares(a, tokens[number[a]], means[number[b]])
        in_b = shares(b, tokens[number[b]], means[number[a]])
        explanations.append(
            PairExplanation(
                float(meaning),
                float(sentiment) if passport.labels else None,
                in_a,
                float(meaning) - sum(part.value for part in in_a),
                in_b,
                float(meaning) - sum(part.value for part in in_b),
                differing(a, b),
            )
        )
    return explanations
