"""The word lists of `search/cues/`, the words of a text, and the language that they are most likely of."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Words", "guess", "rows", "split"]

_FOLDER = Path(__file__).with_name("cues")
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0970-\u0de5\u0e00-\u0e4f\u0e80-\u109f\u1780-\u17dd"
"""Marks that are parts of words, in scripts that write vowels so."""
_LETTERS = rf"(?:[^\W\d_]|[{_MARKS}])+"
_WORD = re.compile(rf"{_LETTERS}(?:['’]{_LETTERS})?['’]?|\d+")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text in order: `plain` in lower case, contractions taken apart; `written` as they stand.

    Where a contraction was taken apart, both its parts have the whole as `written`.
    """

    plain: tuple[str, ...]
    written: tuple[str, ...]
    language: str

    @property
    def named(self) -> bool:
        """Say whether a capital letter tells a name: some words have one, and most have none."""
        capitals = sum(word[0].isupper() and len(word) > 1 for word in self.written[1:])
        return 0 < capitals <= len(self.written) // 2


@cache
def rows(name: str) -> tuple[tuple[str, ...], ...]:
    """Return the cells of a list's rows, without its header and its comments."""
    lines = (_FOLDER / f"{name}.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return tuple(tuple(line.split("\t")) for line in lines if line and not line.startswith("#"))


def split(text: str) -> Words:
    """Return the words of a text.

    >>> split("I can't, l'eau 3").plain
    ('i', 'ca', "n't", "l'", 'eau', '3')
    """
    plain: list[str] = []
    written: list[str] = []
    for match in _WORD.finditer(text):
        parts = _parts(match[0].lower().replace("’", "'"))
        plain += parts
        written += [match[0]] * len(parts)
    return Words(tuple(plain), tuple(written), guess(plain))


def _parts(word: str) -> list[str]:
    if word == "cannot":
        return ["can", "not"]
    if "'" not in word or word == "n't":
        return [word]
    if word.endswith("n't"):
        return [word[:-3], "n't"]
    before, _, after = word.partition("'")
    return [f"{before}'", after] if after else [before]


def guess(words: Sequence[str]) -> str:
    """Return the language most of whose frequent words are among the words of a text; "" where none are.

    Of several, the first in the list of languages.
    """
    known = _frequent()
    found = Counter(language for word in words for language in known.get(word, ()))
    return max(rows("languages"), key=lambda row: found[row[0]])[0] if found else ""


@cache
def _frequent() -> dict[str, tuple[str, ...]]:
    of: dict[str, list[str]] = {}
    for language, words in rows("languages"):
        for word in words.split():
            of.setdefault(word, []).append(language)
    return {word: tuple(languages) for word, languages in of.items()}
