"""Where one text is an edit of the other that says something else.

"a fine film", "a dull film"; "from York to Hull", "from Hull to York"; "paid by Visa", "paid by Mastercard".

In texts that are alike but for a few words, those words decide, however long the rest is and whatever an encoder makes
of the whole. The words of either feeling are in `cues/feelings.tsv`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache

from search.cue_words import Words, rows

__all__ = ["ALIKE", "Turn", "find_names", "find_swap", "find_turn"]

_LONG = 40
_ALL_BUT_EQUAL = 0.9
"""The words of a long text, and the share of them that two have in common of which one was changed in one place."""

ALIKE = 0.7
"""The least share of words in common, in order, of texts that count as near-equal."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The words of an edit that turn the feeling round, of the one text and of the other."""

    first: tuple[str, ...]
    second: tuple[str, ...]


def find_turn(first: Sequence[str], second: Sequence[str]) -> Turn | None:
    """Return the first edit between the words of two near-equal texts that turns the feeling, or None.

    In long texts that differ in next to nothing, a feeling that only one of them names is one, too: who changes a word
    of hundreds means that word.

    >>> find_turn("a truly fine film".split(), "a truly dull film".split())
    Turn(first=('fine',), second=('dull',))
    """
    words = _feelings()
    if words.keys().isdisjoint(first) and words.keys().isdisjoint(second):
        return None
    if not (words.keys().isdisjoint(first) or words.keys().isdisjoint(second)):
        for mine, others in _edits(first, second):
            one, other = first[mine], second[others]
            if {_feeling(one), _feeling(other)} == {1, -1}:
                return Turn(tuple(w for w in one if w in words), tuple(w for w in other if w in words))
    return _long_turn(first, second) if min(len(first), len(second)) > _LONG else None


def _long_turn(first: Sequence[str], second: Sequence[str]) -> Turn | None:
    """Return the words of feeling that each of two long, all but equal texts has and the other has not.

    None where they sum up to the same feeling, or to none.
    """
    mine, others = Counter(first), Counter(second)
    one, other = (
        tuple(word for word in (a - b).elements() if word in _feelings()) for a, b in ((mine, others), (others, mine))
    )
    here, there = (sum(_feelings()[word] for word in some) for some in (one, other))
    turned = here * there < 0 or (here != 0 and not other) or (there != 0 and not one)
    return Turn(one, other) if turned and _similar(first, second, _ALL_BUT_EQUAL) is not None else None


def find_names(first: Words, second: Words) -> Turn | None:
    """Return the first names that two near-equal texts have in the same place, or None.

    A name is what has a capital letter inside a sentence; in texts that are written in capitals there are none.

    >>> from search.cue_words import split
    >>> find_names(split("Can I pay here with Visa?"), split("Can I pay here with Mastercard?"))
    Turn(first=('Visa',), second=('Mastercard',))
    """
    if not (first.named and second.named):
        return None
    for mine, others in _edits(first.plain, second.plain):
        one, other = _name(first.written[mine]), _name(second.written[others])
        if mine.start and others.start and one and other and not _short_for(one, other):
            return Turn((" ".join(one),), (" ".join(other),))
    return None


_NAME = 3
"""The most words of a name."""


def _name(words: Sequence[str]) -> Sequence[str]:
    """Return the name that some words are, less an article before it; nothing where they are none."""
    if len(words) > 1 and words[0].islower() and len(words[0]) <= _ARTICLE:
        words = words[1:]
    return words if len(words) <= _NAME and all(word[0].isupper() and len(word) > 1 for word in words) else ()


_ARTICLE = 3
_SAME = 4
"""Names that begin with so many equal letters are forms of one: India, Indian."""
_MISSPELT = 0.75
"""So are names that share so many letters: Qaeda, Qaida."""


def _short_for(one: Sequence[str], other: Sequence[str]) -> bool:
    a, b = "".join(one).lower(), "".join(other).lower()
    initials = {"".join(word[0] for word in words).lower() for words in (one, other)}
    return a[:_SAME] == b[:_SAME] or bool({a, b} & initials) or SequenceMatcher(None, a, b).ratio() >= _MISSPELT


def _edits(first: Sequence[str], second: Sequence[str]) -> Iterator[tuple[slice, slice]]:
    """Yield what stands in one of two near-equal texts in place of what stands in the other."""
    matcher = _similar(first, second, ALIKE)
    if matcher is None:
        return
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "replace":
            yield slice(a, b), slice(c, d)


def _similar(first: Sequence[str], second: Sequence[str], least: float) -> SequenceMatcher[str] | None:
    """Return how two texts go over into each other, where they have that share of their words in common; else None."""
    if 2 * min(len(first), len(second)) < least * (len(first) + len(second)):
        return None
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    return None if matcher.quick_ratio() < least or matcher.ratio() < least else matcher


_WAYS = {"from": "to", "von": "nach", "de": "à", "da": "a", "van": "naar", "desde": "hasta"}
_PLACE = 4
"""How many words a place or a thing on the way may have."""


def find_swap(first: Sequence[str], second: Sequence[str]) -> Turn | None:
    """Return the ways of two texts where the one goes from A to B and the other from B to A, or None.

    >>> find_swap("a train from York to Hull".split(), "trains from Hull to York".split())
    Turn(first=('from York to Hull',), second=('from Hull to York',))
    """
    for one, start, end in _ways(first):
        for other, back, forth in _ways(second):
            if start != end and (start, end) == (forth, back):
                return Turn((one,), (other,))
    return None


def _ways(words: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return each way: its words, and the first word of where it starts and of where it ends."""
    found = []
    for at, word in enumerate(words):
        to = _WAYS.get(word)
        between = list(words[at + 2 : at + 2 + _PLACE])
        if to in between:
            place = at + 2 + between.index(to)
            if place + 1 < len(words):
                found.append((" ".join(words[at : place + 2]), words[at + 1], words[place + 1]))
    return found


def _feeling(words: Sequence[str]) -> int:
    """Return 1 or -1 where all words with a feeling have this one, else 0."""
    found = {_feelings()[word] for word in words if word in _feelings()}
    return found.pop() if len(found) == 1 else 0


@cache
def _feelings() -> dict[str, int]:
    return {word: int(sign) for sign, words in rows("feelings") for word in words.split()}
