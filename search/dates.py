"""Dates, months, days of the week and times of day, in digits and in the words of several languages.

A date that can be read two ways (01/02/2024) is kept as both. What is *not* handled: relative dates ("tomorrow").
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from search.cue_words import rows

__all__ = ["Fields", "Moment", "find_moments", "may_hold_moments"]

Fields = tuple[int | None, int | None, int | None, int | None, int | None]
"""Year, month, day, day of the week (Monday is 1) and minute of the day; None where it is not said."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or time as written at `start` to `end`, and the ways to read it."""

    written: str
    start: int
    end: int
    readings: tuple[Fields, ...]

    def agrees(self, other: "Moment") -> bool:
        """Say whether some reading of both says the same where both say something."""
        return any(_shared(a, b) == (True, True) for a in self.readings for b in other.readings)

    def comparable(self, other: "Moment") -> bool:
        """Say whether both tell of the same thing: a year, a month, ..."""
        return any(_shared(a, b)[0] for a in self.readings for b in other.readings)


def _shared(a: Fields, b: Fields) -> tuple[bool, bool]:
    both = [(one, other) for one, other in zip(a, b, strict=True) if one is not None and other is not None]
    return bool(both), all(one == other for one, other in both)


def may_hold_moments(lowered: str, plain: tuple[str, ...]) -> bool:
    """Say, fast, whether a text may hold any."""
    return any(letter.isdigit() for letter in lowered) or not _named().keys().isdisjoint(plain)


def find_moments(lowered: str) -> list[Moment]:
    """Find the dates and times of a text in lower case and ASCII digits, left to right; none overlaps another."""
    found: list[Moment] = []
    free = lowered
    for pattern, read in _patterns():
        for match in pattern.finditer(free):
            readings = tuple(read(match))
            if readings:
                found.append(Moment(lowered[match.start() : match.end()].strip(), match.start(), match.end(), readings))
                free = free[: match.start()] + "\n" * (match.end() - match.start()) + free[match.end() :]
    return sorted(found, key=lambda one: one.start)


@cache
def _named() -> dict[str, tuple[str, int]]:
    return {word: (kind, int(number)) for kind, number, words in rows("calendar") for word in words.split()}


_UNSURE = {"may", "march", "mars", "mar", "mai", "mei", "set", "dec", "dez", "sep", "jan", "jun", "jul", "oct", "okt"}
_UNSURE |= {"nov", "feb", "apr", "aug", "sept", "maart", "juli", "juni"}
_DAY = r"(\d{1,2})(?:st|nd|rd|th|er|º|ª|\.)?"


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Iterator[Fields]]], ...]:
    named = _named()
    months = "|".join(sorted((word for word, (kind, _) in named.items() if kind == "month"), key=len, reverse=True))
    sure = "|".join(sorted((word for word in named if word not in _UNSURE), key=len, reverse=True))
    return (
        (re.compile(r"(?<![\d.])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\d.]*\d)"), _year_first),
        (re.compile(r"(?<![\d.])(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?![\d.]*\d)"), _year_last),
        (re.compile(rf"(?<![\w]){_DAY}\s?(?:of |de |di )?({months})\b\.?(?:,? ?(?:de |of )?(\d{{4}}))?\b"), _day_month),
        (re.compile(rf"\b({months})\.?\s(?:the )?{_DAY}(?![\d:.,]*\d)(?:,?\s(\d{{4}}))?(?!\w)"), _month_day),
        (re.compile(rf"\b({months})\.?,?\s(?:of |de )?(\d{{4}})\b"), _month_year),
        (re.compile(r"(?<![\d:.])(\d{1,2})(?:[:.](\d{2}))?(?::\d{2})?\s?([ap])\.?\s?m\b\.?"), _time),
        (re.compile(r"(?<![\d:.])(\d{1,2}):(\d{2})(?::\d{2})?(?![\d:])"), _time),
        (re.compile(rf"\b({sure})\b"), _name),
        (re.compile(r"\b(?:in|of|since|until|till|by|last|next|this|from|early|late|mid)\s(may|march)\b"), _name),
    )


def _date(year: int | None, month: int, day: int | None) -> Iterator[Fields]:
    if 1 <= month <= 12 and (day is None or 1 <= day <= 31):
        yield year, month, day, None, None


def _year_first(match: re.Match[str]) -> Iterator[Fields]:
    yield from _date(int(match[1]), int(match[3]), int(match[4]))


def _year_last(match: re.Match[str]) -> Iterator[Fields]:
    one, other, year = int(match[1]), int(match[3]), int(match[4])
    year += 0 if len(match[4]) == 4 else 2000 if year < 70 else 1900
    yield from _date(year, one, other)
    if one != other:
        yield from _date(year, other, one)


def _number(text: str | None) -> int | None:
    return int(text) if text else None


def _day_month(match: re.Match[str]) -> Iterator[Fields]:
    yield from _date(_number(match[3]), _named()[match[2]][1], int(match[1]))


def _month_day(match: re.Match[str]) -> Iterator[Fields]:
    yield from _date(_number(match[3]), _named()[match[1]][1], int(match[2]))


def _month_year(match: re.Match[str]) -> Iterator[Fields]:
    yield from _date(int(match[2]), _named()[match[1]][1], None)


def _time(match: re.Match[str]) -> Iterator[Fields]:
    hour, minute = int(match[1]), int(match[2] or 0)
    half = match[3] if match.re.groups == 3 else None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour < 24 and minute < 60:
        yield None, None, None, None, hour * 60 + minute


def _name(match: re.Match[str]) -> Iterator[Fields]:
    kind, number = _named()[match[1]]
    yield (None, number, None, None, None) if kind == "month" else (None, None, None, number, None)
