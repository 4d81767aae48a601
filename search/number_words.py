"""Digits of any script, and numbers written out, put in plain digits.

Written-out numbers are read by text2num in seven languages. What is *not* handled: sums ("half past five"), Roman
numbers.
"""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from search.cue_words import rows

__all__ = ["digits_of", "multipliers", "spelled"]


def digits_of(text: str) -> str:
    """Return a text with compatibility forms and digits of any script in plain form.

    >>> digits_of("٣ ½ Ｘ１")
    '3 1/2 X1'
    """
    if text.isascii():
        return text
    grouped = re.sub("(?<=\\d)[\u00a0\u202f\u2009](?=\\d{3})", "'", text)
    plain = unicodedata.normalize("NFKC", grouped).translate(_PLAIN)
    return "".join(str(unicodedata.decimal(one)) if one.isdecimal() else one for one in plain)


_PLAIN = str.maketrans({"⁄": "/", "’": "'", "–": "-", "—": "-", "−": "-", "‑": "-"})


@dataclass(frozen=True, slots=True)
class _Token:
    word: str

    def text(self) -> str:
        return self.word

    def nt_separated(self, previous: Any) -> bool:  # noqa: ARG002  the library calls it so
        return False

    def not_a_number_part(self) -> bool:
        return False


_SPELLED = {"en", "fr", "es", "pt", "de", "nl", "it"}
_A_SECOND = re.compile(r"(?:\b(?:a|an|per|every|each|split|this|that|any|last)|\d)\s*$")
_ARTICLES = {"un", "une", "una", "uno", "um", "uma", "ein", "eine", "een"}
_PART = re.compile(r"[^\W\d_]+|[^\s-]")
_YEARS = re.compile(r"\b(19|20)(\d\d)([-/])(\d\d)(?![-/\d])")


def spelled(lowered: str, language: str) -> tuple[str, dict[int, str]]:
    """Return a text in lower case with written-out numbers in digits, and what stood at each place of these.

    >>> spelled("two hundred and fifty euros for twenty-three", "en")
    ('250 euros for 23', {0: 'two hundred and fifty', 14: 'twenty-three'})
    """
    from text_to_num import alpha2digit, find_numbers

    language = language or "en"
    lowered = _YEARS.sub(r"\1\2\3\1\4", lowered)
    if language not in _SPELLED or alpha2digit(lowered.replace("-", " "), language, threshold=0) == lowered.replace(
        "-", " "
    ):
        return lowered, {}
    parts = [match.span() for match in _PART.finditer(lowered)]
    tokens = [_Token(lowered[start:end]) for start, end in parts]
    pieces: list[str] = []
    stood: dict[int, str] = {}
    done = 0
    for found in find_numbers(tokens, language, threshold=0):
        start, end = parts[found.start][0], parts[found.end - 1][1]
        was = lowered[start:end]
        if any(letter.isdigit() for letter in was) or _is_no_number(was, lowered[:start]):
            continue
        pieces.append(lowered[done:start])
        stood[sum(map(len, pieces))] = was
        pieces.append(f"{Decimal(repr(found.value)).normalize():f}")
        done = end
    return "".join(pieces) + lowered[done:], stood


def _is_no_number(word: str, before: str) -> bool:
    """Say whether a word that may be a number is an article, a second of time, or says of what digits count."""
    if word in multipliers():
        return re.search(r"\d\s?$", before) is not None
    return word in _ARTICLES or (word == "second" and _A_SECOND.search(before) is not None)


@cache
def multipliers() -> dict[str, int]:
    """Return the words that multiply the number before them: million, k."""
    return {word: int(factor) for factor, words in rows("multipliers") for word in words.split()}
