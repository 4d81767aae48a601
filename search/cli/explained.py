"""Texts for tables with why they score as they do: the words that give most are marked, and told below."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from search.explaining import Explanation
    from search.explaining_pairs import PairExplanation
    from search.word_shares import Part

__all__ = ["explained_hit", "explained_pair"]

_MOST_TOLD, _LEAST_TOLD = 4, 0.03
"""Words of an explanation that are told, and the least that one must give."""


def explained_hit(shown: str, explanation: "Explanation") -> Text:
    """Return a hit's text; coloured are the words that move the sentiment part."""
    text = _marked(shown, explanation.sentence)
    for part in _largest(explanation.sentiment):
        text.stylize("green" if part.value > 0 else "red", part.start, part.end)
    _tell_parts(text, "meaning", explanation.sentence)
    _tell_parts(text, "query", explanation.query)
    _tell_parts(text, "sentiment", explanation.sentiment)
    return text


def explained_pair(shown: str, explanation: "PairExplanation | None", other: str, cause: Sequence[str] = ()) -> Text:
    """Return the second text of a pair.

    Args:
        shown: the text.
        explanation: of the pair; None: there is nothing to say but the cause.
        other: what the first text is called.
        cause: the words for which the pair was refused.
    """
    if explanation is None:
        text = Text(shown)
    else:
        text = _marked(shown, explanation.b)
        _tell_parts(text, "meaning", explanation.b)
        _tell_parts(text, other, explanation.a)
        _tell(text, "differs", "; ".join(f"{one or '-'} / {another or '-'}" for one, another in explanation.differing))
    _tell(text, "refused for", " / ".join(cause))
    return text


def _marked(shown: str, parts: "Sequence[Part]") -> Text:
    text = Text(shown)
    for part in _largest(parts):
        text.stylize("bold underline", part.start, part.end)
    return text


def _tell_parts(text: Text, name: str, parts: "Sequence[Part]") -> None:
    _tell(text, name, ", ".join(f"{part.text} {part.value:+.2f}" for part in _largest(parts)))


def _tell(text: Text, name: str, told: str) -> None:
    """Add a line below a text, if there is something to tell."""
    if told:
        text.append(f"\n  {name}: {' '.join(told.split())}", style="dim")


def _largest(parts: "Sequence[Part]") -> "list[Part]":
    """Return the few pieces with the largest values, up or down, of those that are worth telling."""
    told = [part for part in parts if abs(part.value) >= _LEAST_TOLD and any(sign.isalnum() for sign in part.text)]
    return sorted(told, key=lambda part: -abs(part.value))[:_MOST_TOLD]
