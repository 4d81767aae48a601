"""Numbers, amounts with units, versions and identifiers of a text.

"three", "3" and "third" are equal, and so are 1,000, 1 000 and 1000, 1.5 and 1,5, 500 m and 0.5 km.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from functools import cache

from search.cue_words import rows
from search.number_words import multipliers

__all__ = ["Quantity", "QuantityKind", "find_quantities"]


class QuantityKind(StrEnum):
    """What a `Quantity` is."""

    NUMBER = "number"
    UNIT = "unit"
    VERSION = "version"
    IDENTIFIER = "identifier"


_CLOSE = 0.05
"""Amounts in different units are equal within this share, for people round: 5 miles and 8 km."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, amount, version or identifier.

    Attributes:
        kind: which of them.
        written: as it stands in the text.
        keys: what it may read as; two that share one are equal, but for their units.
        dimension: what its unit measures; "" without a unit.
        amount: in the dimension's first unit.
        scale: its own unit in that one.
        weak: says little alone: "one".
    """

    kind: QuantityKind
    written: str
    keys: frozenset[str]
    dimension: str = ""
    amount: float = 0.0
    scale: float = 1.0
    weak: bool = False

    def agrees(self, other: "Quantity") -> bool:
        """Say whether both may be the same."""
        if self.kind is not other.kind and QuantityKind.IDENTIFIER in {self.kind, other.kind}:
            return not _digits(self.keys).isdisjoint(_digits(other.keys))
        if self.dimension and other.dimension:
            if self.dimension != other.dimension:
                return False
            share = 0.0 if self.scale == other.scale else _CLOSE
            return abs(self.amount - other.amount) <= share * max(abs(self.amount), abs(other.amount))
        return not self.keys.isdisjoint(other.keys)

    def comparable(self, other: "Quantity") -> bool:
        """Say whether both measure the same kind of thing, as far as can be told."""
        if self.weak and other.weak:
            return False
        return not self.dimension or not other.dimension or _family(self.dimension) == _family(other.dimension)


def _digits(keys: frozenset[str]) -> set[str]:
    return {digits for key in keys for digits in re.findall(r"\d+", key)}


_FAMILIES = {"usd": "money", "eur": "money", "gbp": "money", "jpy": "money", "inr": "money", "cny": "money"}
_FAMILIES |= {"chf": "money", "months": "time", "bits": "data", "temperature-c": "angle", "temperature-f": "angle"}


def _family(dimension: str) -> str:
    return _FAMILIES.get(dimension, dimension)


_WHOLE = (
    r"\d{1,3}(?:,\d{2,3})*,\d{3}(?!\d)(?:\.\d+)?|\d{1,3}(?:\.\d{3})+(?!\d)(?:,\d+)?"
    r"|\d{1,3}(?:'\d{3})+(?!\d)(?:[.,]\d+)?"
)
_AMOUNT = re.compile(
    r"(?P<before>[$€£¥₹]|\b(?:us\$|usd|eur|gbp|inr|rs\.?|chf))?\s?(?P<sign>(?<![\w)])-)?(?<![\w.])"
    rf"(?P<number>{_WHOLE}|\d{{1,3}}(?: \d{{3}})* 000(?!\d)|(?:\d+ )?\d+/\d+|\d+(?:[.,]\d+)?)"
    r"(?:[ -]?(?P<word>[^\W\d_]+|[%$€£¥₹¢]|°\s?[cf]?\b|km/h)(?:[ -]?(?P<next>[^\W\d_]+|[%$€£¥₹¢]))?)?"
)
_VERSION = re.compile(
    r"(?:\b(?:v\.?|ver\.?|version|release|python|java|php|node|ios|android|macos|ubuntu|firmware)\s?)"
    r"(\d+(?:\.\d+)*)(?![\w.]*\d)|(?<![\w.])(\d+(?:\.\d+){2,})(?![\w]|\.\d)"
)
_IDENTIFIER = re.compile(r"(?<!\w)(?<!\d[.,])(?=[\w-]*[a-z])(?=[\w-]*\d)[^\W_]+(?:[-_/][^\W_]+)*(?!\w)")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th|er|ère|e|ème|º|ª|(?<=\d0)s)")
_ATTACHED = re.compile(r"(\d+(?:[.,]\d+)?)-?([^\W\d_]+)(?:[-/].*)?|\d+(?:-\d+)*-[^\W\d_]{2,}.*")
_GENERATION = re.compile(r"[2-6]g|\ds")


def find_quantities(text: str, language: str, stood: Mapping[int, str]) -> tuple[Quantity, ...]:
    """Find what a text in lower case and plain digits holds, dates aside.

    Args:
        text: the text that `spelled` returns.
        language: decides what 1.500 is.
        stood: the other that it returns.

    >>> [(str(one.kind), one.written, one.amount) for one in find_quantities("mw-2 for 5 km, v1.2", "en", {})]
    [('version', 'v1.2', 0.0), ('identifier', 'mw-2', 0.0), ('unit', '5 km', 5000.0)]
    """
    found: list[Quantity] = []
    free = text
    for pattern, read in ((_VERSION, _version), (_IDENTIFIER, _identifier), (_AMOUNT, _amount)):
        for match in pattern.finditer(free):
            one = read(match, language)
            if one is not None:
                found.append(_as_it_stood(one, match, stood))
                free = free[: match.start()] + "\n" * len(match[0]) + free[match.end() :]
    return tuple(found)


def _as_it_stood(one: Quantity, match: re.Match[str], stood: Mapping[int, str]) -> Quantity:
    """Put written-out numbers back; one and zero that are written out say little alone ("which one")."""
    was = next((stood[place] for place in range(match.start(), match.end()) if place in stood), None) if stood else None
    if was is None:
        return one
    written = re.sub(r"\d+(?:\.\d+)?", was, one.written, count=1)
    return replace(one, written=written, weak=one.kind is QuantityKind.NUMBER and one.keys <= {"0", "1"})


def _version(match: re.Match[str], language: str) -> Quantity | None:  # noqa: ARG001  all readers are called alike
    number = match[1] or match[2]
    if re.fullmatch(r"\d{1,3}(?:\.\d{3}){2,}", number):
        return None
    short = re.sub(r"(?:\.0)+$", "", number)
    return Quantity(QuantityKind.VERSION, match[0], frozenset({number, short}))


def _identifier(match: re.Match[str], language: str) -> Quantity | None:  # noqa: ARG001
    word = match[0]
    ordinal = _ORDINAL.fullmatch(word)
    if ordinal:
        return Quantity(QuantityKind.NUMBER, word, frozenset({_plain(ordinal[1])}))
    attached = _ATTACHED.fullmatch(word)
    if attached and not _GENERATION.fullmatch(word) and (attached[2] is None or _known(attached[2]) or "-" in word):
        return None
    return Quantity(QuantityKind.IDENTIFIER, word, frozenset({re.sub(r"[-_/]", "", word)}))


def _known(word: str) -> bool:
    return word in _units() or word in multipliers()


def _amount(match: re.Match[str], language: str) -> Quantity | None:
    before, word, following = (match[name] and match[name].strip(" .") for name in ("before", "word", "next"))
    times = Fraction(1)
    end = match.end("number")
    if word in multipliers() or (before and word == "m"):
        times = Fraction(multipliers().get(word or "", 1_000_000))
        end = match.end("word")
        word = following
        last = match.end("next")
    else:
        last = match.end("word")
    unit = _units().get((word or "").replace(" ", ""))
    if unit:
        end = last
    elif before:
        unit = _units()[before]
    readings = [reading * times for reading in _readings(match["number"], language)]
    if match["sign"]:
        readings = [-reading for reading in readings]
    keys = {_text(reading) for reading in readings}
    written = match.string[match.start() : end].strip()
    if unit is None and times == 1:
        if "," not in match["number"] and "'" not in match["number"] and match["number"].count(".") == 1:
            keys = {match["number"]} if len(readings) == 1 else keys
        return Quantity(QuantityKind.NUMBER, written, frozenset(keys))
    if unit is None:
        return Quantity(QuantityKind.NUMBER, written, frozenset(keys))
    dimension, factor = unit
    return Quantity(
        QuantityKind.UNIT, written, frozenset(keys), dimension, float(readings[0] * factor), float(factor * times)
    )


def _readings(number: str, language: str) -> list[Fraction]:
    """Return what a number may be; 1.500 is one and a half in English and may be more in other languages."""
    if "/" in number:
        *whole, one, other = re.split("[ /]", number)
        return [Fraction(int(one), int(other)) + sum(map(int, whole))] if int(other) else [Fraction(int(one))]
    bare = number.replace(" ", "").replace("'", "")
    if re.fullmatch(r"\d{1,3}\.\d{3}", bare):
        return [Fraction(bare)] if language in {"en", ""} else [Fraction(bare.replace(".", "")), Fraction(bare)]
    if re.fullmatch(r"\d{1,3},\d{3}", bare) and language not in {"en", ""}:
        return [Fraction(bare.replace(",", ".")), Fraction(bare.replace(",", ""))]
    if re.fullmatch(r"\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d+)?", bare):
        return [Fraction(bare.replace(",", ""))]
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?", bare):
        return [Fraction(bare.replace(".", "").replace(",", "."))]
    return [Fraction(bare.replace(",", "."))]


def _text(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else str(float(value))


def _plain(digits: str) -> str:
    return str(int(digits))


@cache
def _units() -> dict[str, tuple[str, Fraction]]:
    return {word: (dimension, Fraction(factor)) for dimension, factor, words in rows("units") for word in words.split()}
