"""Small changes of a text that leave what it says: those that people make when they write the same again."""

import re
from collections.abc import Sequence

import numpy as np

from search.cue_words import rows as word_list

__all__ = ["changed"]


def changed(text: str, seed: Sequence[int]) -> str:
    """Return the text with one or two changes that leave what it says; the same for the same seed."""
    random = np.random.default_rng(seed)
    words = text.split()
    for kind in random.permutation(len(_CHANGES))[: 1 + int(random.integers(2))]:
        words = _CHANGES[kind](words, random)
    return " ".join(words).strip()


def _case(words: list[str], random: np.random.Generator) -> list[str]:
    upper = random.integers(4) == 0
    return [word.upper() if upper else word.lower() for word in words]


def _typing_error(words: list[str], random: np.random.Generator) -> list[str]:
    long = [place for place, word in enumerate(words) if len(word) >= _LONG and word.isalpha()]
    if not long:
        return words
    place = long[int(random.integers(len(long)))]
    at = 1 + int(random.integers(len(words[place]) - 2))
    word = words[place]
    return [*words[:place], word[:at] + word[at + 1] + word[at] + word[at + 2 :], *words[place + 1 :]]


def _swap(words: list[str], random: np.random.Generator) -> list[str]:
    if len(words) < _MANY:
        return words
    at = int(random.integers(len(words) - 1))
    return [*words[:at], words[at + 1], words[at], *words[at + 2 :]]


def _leave_out(words: list[str], random: np.random.Generator) -> list[str]:
    small = {word for _, listed in word_list("languages") for word in listed.split()} - _TURNING
    places = [place for place, word in enumerate(words) if word.lower() in small]
    if not places or len(words) < _MANY:
        return words
    left_out = places[int(random.integers(len(places)))]
    return [word for place, word in enumerate(words) if place != left_out]


_TURNING = {"not", "no", "nicht", "kein", "keine", "ne", "pas", "non", "não", "niet", "geen", "but", "or", "if"}


def _punctuation(words: list[str], random: np.random.Generator) -> list[str]:
    end = random.choice(["", "!", "?", "..."])
    return [*re.sub(r"[.?!]+$", "", " ".join(words)).split(), end]


_LONG, _MANY = 5, 4
"""The letters of a word, and the words of a text, that bear one less or in another order."""

_CHANGES = (_case, _typing_error, _swap, _leave_out, _punctuation)
