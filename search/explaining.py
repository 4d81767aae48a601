"""Why a sentence scores as it does: what each word gives to the meaning part, and what each moves the sentiment part.

Meaning is exact (`word_shares`). Sentiment is read by layers that no sum takes apart; there a word (in a long text,
some words in a row) is left out, and what that takes from the agreement is what it moved.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from search.encoder import TokenEncoder
from search.query import aim
from search.records import Hit
from search.similarity import Vectors, unit
from search.word_shares import WORD, Part, averaged, shares

__all__ = ["Explanation", "explain"]

_LEFT_OUT = 48
"""Pieces of a text that are left out in turn, at most."""

_TOGETHER = 256
"""Texts that are encoded together, about: enough for all cores, few enough that others who ask need not wait long."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a hit scores as it does.

    Attributes:
        query: the query's words and their shares of the meaning part; with `query_rest` they add up to it.
        query_rest: what the marks of begin and end, and rounding, give.
        sentence: the hit's words and their shares of the same number.
        sentence_rest: as `query_rest`.
        sentiment: what pieces of the hit's sentence add to (or, below 0, take from) the sentiment part, by leaving
            each out; empty where sentiment does not count.
    """

    query: tuple[Part, ...]
    query_rest: float
    sentence: tuple[Part, ...]
    sentence_rest: float
    sentiment: tuple[Part, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as `--json` prints it."""
        return {
            "query": [part.to_dict() for part in self.query],
            "query_rest": round(self.query_rest, 6),
            "sentence": [part.to_dict() for part in self.sentence],
            "sentence_rest": round(self.sentence_rest, 6),
            "sentiment": [part.to_dict() for part in self.sentiment],
        }


def explain(
    query: str,
    hits: Sequence[Hit],
    encoder: TokenEncoder,
    *,
    sentiment: str | None = None,
    weight: float | None = None,
) -> list[Explanation]:
    """Say why each of a query's hits scores as it does.

    Args:
        query: the text that was asked.
        hits: what `Searcher.search` found.
        encoder: the index's encoder.
        sentiment: as it was asked, like `weight`.
        weight: see `aim`.

    Raises:
        EncoderError: the encoder does not average its tokens, or cannot say where they are.
    """
    if not hits:
        return []
    encoded = encoder.encode([query])
    wanted, used = aim(encoded.rows, encoder.passport, sentiment, weight)
    dim = encoder.passport.meaning_dim
    asked, *found = encoder.tokens([query, *(hit.entry.sentence.text for hit in hits)])
    asked_meaning = averaged(asked, encoded.rows[0, :dim], encoder.passport.name)
    texts = [hit.entry.sentence.text for hit in hits]
    moves = _moves(texts, wanted[0, dim:], encoder) if used else [()] * len(texts)
    explanations = []
    for hit, text, tokens, moved in zip(hits, texts, found, moves, strict=True):
        in_query = shares(query, asked, unit(tokens.vectors.mean(axis=0, keepdims=True))[0])
        in_sentence = shares(text, tokens, asked_meaning)
        explanations.append(
            Explanation(
                in_query,
                hit.meaning - sum(part.value for part in in_query),
                in_sentence,
                hit.meaning - sum(part.value for part in in_sentence),
                moved,
            )
        )
    return explanations


def _moves(texts: Sequence[str], wanted: Vectors, encoder: TokenEncoder) -> list[tuple[Part, ...]]:
    """Return what each piece of each text adds to its agreement with a (s,) sentiment block."""
    pieces = [_pieces(text) for text in texts]
    variants = [[text, *(_without(text, *piece) for piece in some)] for text, some in zip(texts, pieces, strict=True)]
    agreements: list[Vectors] = []
    for together in _grouped(variants):
        rows = encoder.encode([text for some in together for text in some]).rows
        ends = np.cumsum([len(some) for some in together])[:-1]
        agreements += np.split(rows[:, encoder.passport.meaning_dim :] @ wanted, ends)
    return [
        tuple(
            Part(text[start:end], start, end, float(agreement[0] - left))
            for (start, end), left in zip(some, agreement[1:], strict=True)
        )
        for text, some, agreement in zip(texts, pieces, agreements, strict=True)
    ]


def _pieces(text: str) -> list[tuple[int, int]]:
    """Return where each word of a text is; of a long text, some words in a row."""
    words = [word.span() for word in WORD.finditer(text) if any(sign.isalnum() for sign in word.group())]
    together = -(-len(words) // _LEFT_OUT) or 1
    return [(words[at][0], words[min(at + together, len(words)) - 1][1]) for at in range(0, len(words), together)]


def _without(text: str, start: int, end: int) -> str:
    return f"{text[:start].rstrip()} {text[end:].lstrip()}".strip()


def _grouped(variants: Sequence[list[str]]) -> Iterator[list[list[str]]]:
    """Yield neighbours of about `_TOGETHER` texts in all."""
    group: list[list[str]] = []
    for some in variants:
        if group and sum(map(len, group)) + len(some) > _TOGETHER:
            yield group
            group = []
        group.append(some)
    yield group
