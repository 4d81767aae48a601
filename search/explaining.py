"""Why a sentence scores as it does: what each word gives to the meaning part, and what each moves the sentiment part.

Meaning is exact (`word_shares`). Sentiment is read by layers that no sum takes apart; there a word (in a long text,
some words in a row) is left out, and what that takes from the agreement is what it moved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from search.encoder import TokenEncoder
from search.query import aim
from search.records import Hit
from search.similarity import Vectors, unit
from search.word_shares import WORD, Part, averaged, shares

__all__ = ["Explanation", "explain"]

_LEFT_OUT = 48
"""Pieces of a text that are left out in turn, at most."""


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
    explanations = []
    for hit, tokens in zip(hits, found, strict=True):
        text = hit.entry.sentence.text
        in_query = shares(query, asked, unit(tokens.vectors.mean(axis=0, keepdims=True))[0])
        in_sentence = shares(text, tokens, asked_meaning)
        explanations.append(
            Explanation(
                in_query,
                hit.meaning - sum(part.value for part in in_query),
                in_sentence,
                hit.meaning - sum(part.value for part in in_sentence),
                _moves(text, wanted[0, dim:], encoder) if used else (),
            )
        )
    return explanations


def _moves(text: str, wanted: Vectors, encoder: TokenEncoder) -> tuple[Part, ...]:
    """Return what each piece of a text adds to its agreement with a (s,) sentiment block."""
    words = [word.span() for word in WORD.finditer(text) if any(sign.isalnum() for sign in word.group())]
    together = -(-len(words) // _LEFT_OUT) or 1
    pieces = [(words[at][0], words[min(at + together, len(words)) - 1][1]) for at in range(0, len(words), together)]
    if not pieces:
        return ()
    without = [f"{text[:start].rstrip()} {text[end:].lstrip()}".strip() for start, end in pieces]
    agreement = encoder.encode([text, *without]).rows[:, encoder.passport.meaning_dim :] @ wanted
    return tuple(
        Part(text[start:end], start, end, float(agreement[0] - left))
        for (start, end), left in zip(pieces, agreement[1:], strict=True)
    )
