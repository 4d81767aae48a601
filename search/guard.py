"""What two texts that score alike must not differ in: feeling, negation, opposites, numbers, dates, names of things.

`cues` looks at one text, `refuse` compares what it found in two. Nothing is learned and no encoder is asked: a refusal
can be read and checked. A number or a date that only one text has is no reason; two that differ are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import product
from typing import Any, Protocol, TypeVar

from search.cue_words import Words, split
from search.dates import Moment, find_moments, may_hold_moments
from search.edits import find_names, find_swap, find_turn
from search.negation import Negation, find_negation
from search.number_words import digits_of, spelled
from search.opposites import Side, find_opposed, find_sides
from search.quantities import Quantity, QuantityKind, find_quantities

__all__ = ["FEELING_BOUND", "KINDS", "Cues", "Kind", "PairGuard", "Refusal", "cues", "refuse"]


class Kind(StrEnum):
    """Why a merge is refused."""

    NEGATION = "negation"
    """One is negated, the other is not."""
    OPPOSITE = "opposite"
    """A word of one stands against a word of the other."""
    DATE = "date"
    """Dates, months, days of the week or times of day differ."""
    NUMBER = "number"
    UNIT = "unit"
    """The same number of something else: 5 km, 5 miles."""
    VERSION = "version"
    IDENTIFIER = "identifier"
    NAME = "name"
    """Near-equal texts have different names in the same place."""
    FEELING = "feeling"
    """The encoder finds opposite feelings, or near-equal texts differ in words of opposite feelings,
    or long ones, equal but for those, in words of one."""


KINDS: frozenset[str] = frozenset(Kind)
"""All reasons; leave some out to switch them off."""

FEELING_BOUND = 0.5
"""A feeling flips where one text's polarity is this or more and the other's is minus this or less."""


_KEPT = 20_000
"""Texts whose cues are kept, some 2 KB each."""

_SHORT = 40
"""Up to so many words an opposite and a "not" are taken to be about one thing, and to cancel out."""


@dataclass(frozen=True, slots=True)
class Cues:
    """What of a text must not differ in its duplicates."""

    text: str
    words: Words
    negation: Negation
    sides: tuple[Side, ...]
    quantities: tuple[Quantity, ...]
    moments: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why two texts are not merged: a `Kind`, and the words of the first and of the second that caused it."""

    reason: Kind
    words: tuple[str, ...]


def cues(text: str) -> Cues:
    """Find what of a text must not differ in its duplicates. Any text will do; an empty one has no cues."""
    plain_text = digits_of(text)
    words = split(plain_text)
    lowered, stood = spelled(plain_text.lower(), words.language)
    moments: list[Moment] = []
    quantities: tuple[Quantity, ...] = ()
    if may_hold_moments(lowered, words.plain):
        moments = find_moments(lowered)
        quantities = find_quantities(_without(lowered, moments), words.language, stood)
    return Cues(text, words, find_negation(plain_text, words), find_sides(words), quantities, tuple(moments))


def _without(text: str, moments: Sequence[Moment]) -> str:
    for one in moments:
        text = text[: one.start] + "\n" * (one.end - one.start) + text[one.end :]
    return text


def refuse(
    first: Cues,
    second: Cues,
    kinds: frozenset[str] = KINDS,
    feelings: tuple[float, float] | None = None,
) -> Refusal | None:
    """Say why two texts must not be merged, or None where they may be.

    Symmetric but for the order of the words; None for a text and itself.

    Args:
        first: the cues of one text.
        second: of the other.
        kinds: the reasons to look for; of several that hold, the first in the order of `Kind` is told.
        feelings: the polarities of both texts in [-1, 1], of an encoder whose labels are ordinal; None: unknown.

    >>> refuse(cues("How do I turn on subtitles?"), cues("How do I turn the subtitles off?"))
    Refusal(reason=<Kind.OPPOSITE: 'opposite'>, words=('turn on', 'turn off'))
    >>> refuse(cues("three of 1,000"), cues("3 of 1000"))
    """
    return (
        _turned(first, second, kinds)
        or _counted(first, second, kinds)
        or _named(first, second, kinds)
        or _felt(first, second, kinds, feelings)
    )


class PairGuard:
    """`refuse` for texts that come in many pairs: the cues of the latest of them are kept."""

    def __init__(self, kinds: frozenset[str] = KINDS) -> None:
        """Look for these kinds of reasons."""
        self._kinds = kinds
        self._cues = lru_cache(_KEPT)(cues)

    def __call__(self, first: str, second: str, feelings: tuple[float, float] | None = None) -> Refusal | None:
        """Say why two texts must not be merged, or None."""
        return refuse(self._cues(first), self._cues(second), self._kinds, feelings)


def _turned(first: Cues, second: Cues, kinds: frozenset[str]) -> Refusal | None:
    """Refuse where a word stands against its opposite, or one text is negated; both at once cancel out."""
    opposed = find_opposed(first.sides, second.sides)
    if opposed:
        short = max(len(first.words.plain), len(second.words.plain)) <= _SHORT
        if Kind.OPPOSITE not in kinds or (short and first.negation.odd(second.negation)):
            return None
        return _refusal(Kind.OPPOSITE, [one for one, _ in opposed], [other for _, other in opposed])
    swapped = find_swap(first.words.plain, second.words.plain) if Kind.OPPOSITE in kinds else None
    if swapped:
        return _refusal(Kind.OPPOSITE, swapped.first, swapped.second)
    if Kind.NEGATION not in kinds or not first.negation.differs(second.negation):
        return None
    return _refusal(Kind.NEGATION, first.negation.sure, second.negation.sure)


def _counted(first: Cues, second: Cues, kinds: frozenset[str]) -> Refusal | None:
    if Kind.DATE in kinds:
        moments = _left(first.moments, second.moments), _left(second.moments, first.moments)
        for moment, another in product(*moments):
            if moment.comparable(another):
                return _refusal(Kind.DATE, [moment.written], [another.written])
    mine, others = (
        [one for one in _left(a.quantities, b.quantities) if one.keys.isdisjoint(_years(b))]
        for a, b in ((first, second), (second, first))
    )
    for one, other in product(mine, others):
        if one.comparable(other) and (kind := _kind_of(one, other)) in kinds:
            return _refusal(kind, [one.written], [other.written])
    return None


def _years(text: Cues) -> set[str]:
    return {str(fields[0]) for one in text.moments for fields in one.readings if fields[0]}


def _kind_of(one: Quantity, other: Quantity) -> Kind:
    for kind in (QuantityKind.IDENTIFIER, QuantityKind.VERSION):
        if kind in {one.kind, other.kind}:
            return Kind(kind)
    same_unit = (one.dimension, one.scale) == (other.dimension, other.scale)
    return Kind.UNIT if not same_unit and one.keys & other.keys else Kind.NUMBER


class _Comparable(Protocol):
    def agrees(self, other: Any, /) -> bool: ...


_Found = TypeVar("_Found", bound=_Comparable)


def _left(mine: Sequence[_Found], others: Sequence[_Found]) -> list[_Found]:
    """Return what agrees with nothing of the other text; each thing there is agreed with once."""
    free = list(others)
    left = []
    for one in mine:
        partner = next((other for other in free if one.agrees(other)), None)
        if partner is None:
            left.append(one)
        else:
            free.remove(partner)
    return left


def _named(first: Cues, second: Cues, kinds: frozenset[str]) -> Refusal | None:
    names = find_names(first.words, second.words) if Kind.NAME in kinds else None
    return _refusal(Kind.NAME, names.first, names.second) if names else None


def _felt(first: Cues, second: Cues, kinds: frozenset[str], feelings: tuple[float, float] | None) -> Refusal | None:
    if Kind.FEELING not in kinds:
        return None
    if feelings is not None and min(feelings) <= -FEELING_BOUND and max(feelings) >= FEELING_BOUND:
        return Refusal(Kind.FEELING, tuple(f"{one:+.2f}" for one in feelings))
    turn = find_turn(first.words.plain, second.words.plain)
    return _refusal(Kind.FEELING, turn.first, turn.second) if turn else None


def _refusal(kind: Kind, first: Sequence[str], second: Sequence[str]) -> Refusal:
    return Refusal(kind, (*dict.fromkeys(first), *dict.fromkeys(second)))
