"""Where two near-equal texts were edited from one feeling to the other: "a fine film", "a dull film".

In texts that are alike but for a few words, those words decide, however long the rest is and whatever an encoder makes
of the whole. The words of either feeling are in `cues/feelings.tsv`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache

from search.cue_words import rows

__all__ = ["ALIKE", "Turn", "find_turn"]

ALIKE = 0.7
"""The least share of words in common, in order, of texts that count as near-equal."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The words of an edit that turn the feeling round, of the one text and of the other."""

    first: tuple[str, ...]
    second: tuple[str, ...]


def find_turn(first: Sequence[str], second: Sequence[str]) -> Turn | None:
    """Return the first edit between the words of two near-equal texts that turns the feeling, or None.

    >>> find_turn("a truly fine film".split(), "a truly dull film".split())
    Turn(first=('fine',), second=('dull',))
    """
    words = _feelings()
    if words.keys().isdisjoint(first) or words.keys().isdisjoint(second):
        return None
    if 2 * min(len(first), len(second)) < ALIKE * (len(first) + len(second)):
        return None
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    if matcher.quick_ratio() < ALIKE or matcher.ratio() < ALIKE:
        return None
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "replace":
            one, other = first[a:b], second[c:d]
            if {_feeling(one), _feeling(other)} == {1, -1}:
                return Turn(tuple(w for w in one if w in words), tuple(w for w in other if w in words))
    return None


def _feeling(words: Sequence[str]) -> int:
    """Return 1 or -1 where all words with a feeling have this one, else 0."""
    found = {_feelings()[word] for word in words if word in _feelings()}
    return found.pop() if len(found) == 1 else 0


@cache
def _feelings() -> dict[str, int]:
    return {word: int(sign) for sign, words in rows("feelings") for word in words.split()}
