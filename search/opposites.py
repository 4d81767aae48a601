"""Words that stand against each other: on and off, buy and sell, before and after.

The lists are `cues/opposites.tsv`, written for this package, and `cues/opposites_wordnet.tsv`, from WordNet's antonyms.
What is *not* handled: which sense a word has. "right" stands against "left" and against "wrong" alike.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache

from search.cue_words import Words, rows

__all__ = ["Side", "find_opposed", "find_sides"]

_WINDOW = 5
"""How many words after its verb a particle may stand: "turn all of the lights off"."""


@dataclass(frozen=True, slots=True)
class Side:
    """A word of a text that has opposites: on side 0 or 1 of a line of the lists."""

    line: int
    side: int
    written: str


@dataclass(frozen=True, slots=True)
class _Lists:
    words: dict[str, tuple[tuple[int, int], ...]]
    phrases: dict[str, tuple[tuple[str, ...], ...]]
    verbs: dict[str, frozenset[str]]


def find_sides(words: Words) -> tuple[Side, ...]:
    """Find the words of a text that have opposites in its language."""
    lists = _lists(words.language)
    plain, written = words.plain, words.written
    taken: set[int] = set()
    found: list[Side] = []
    for place, word in enumerate(plain):
        for length, name in _longer(plain, place, lists):
            span = (place, length) if name.count("~") else range(place, place + length)
            taken.update(span)
            found += [Side(line, side, " ".join(written[at] for at in span)) for line, side in lists.words[name]]
        if place not in taken:
            found += [Side(line, side, written[place]) for line, side in _of(word, words.language)]
    return tuple(found)


def find_opposed(first: tuple[Side, ...], second: tuple[Side, ...]) -> list[tuple[str, str]]:
    """Return the words of two texts that stand against each other.

    They do where one text has more words of a side than the other, and the other more of the side against it.
    """
    more = Counter((side.line, side.side) for side in first)
    more.subtract((side.line, side.side) for side in second)
    opposed: dict[tuple[str, str], None] = {}
    for (line, side), count in more.items():
        if count > 0 > more.get((line, 1 - side), 0):
            opposed[_word(first, line, side), _word(second, line, 1 - side)] = None
    return list(opposed)


def _word(sides: tuple[Side, ...], line: int, side: int) -> str:
    return next(one.written for one in sides if (one.line, one.side) == (line, side))


def _longer(plain: tuple[str, ...], place: int, lists: _Lists) -> list[tuple[int, str]]:
    """Return phrases at a place, (number of words, name), and a verb with its particle, (particle's place, name)."""
    word = plain[place]
    found = [
        (len(phrase), "_".join(phrase))
        for phrase in lists.phrases.get(word, ())
        if plain[place : place + len(phrase)] == phrase
    ]
    for verb in _stems(word):
        if verb in lists.verbs:
            for at in range(place + 1, min(place + 1 + _WINDOW, len(plain))):
                if plain[at] in lists.verbs[verb]:
                    return [*found, (at, f"{verb}~{plain[at]}")]
    return found


def _of(word: str, language: str) -> tuple[tuple[int, int], ...]:
    if language == "en":
        return _stemmed(word)
    return _lists(language).words.get(word, ()) or (() if language else _stemmed(word))


@lru_cache(maxsize=1 << 16)
def _stemmed(word: str) -> tuple[tuple[int, int], ...]:
    lists = _lists("en").words
    for stem in _stems(word):
        if stem in lists:
            return lists[stem]
    return ()


@lru_cache(maxsize=1 << 16)
def _stems(word: str) -> tuple[str, ...]:
    """Return a word and what it may be an English form of."""
    stems = [word]
    for ending, replacements in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending) + 2:
            stem = word[: -len(ending)]
            stems += [stem + replacement for replacement in replacements]
            if len(ending) > 1 and stem[-1] == stem[-2]:
                stems.append(stem[:-1])
    return tuple(stems)


_ENDINGS = (("ies", ("y",)), ("ied", ("y",)), ("s", ("",)), ("es", ("",)), ("ed", ("", "e")), ("ing", ("", "e")))


@cache
def _lists(language: str) -> _Lists:
    """Return the lines of English, of all other languages as one, or ("") of all; a line's number is the same in each.

    Few words stand against each other in two languages.
    """
    lines = [*rows("opposites"), *(("en", one, other) for one, other in rows("opposites_wordnet"))]
    words: dict[str, list[tuple[int, int]]] = {}
    for line, (owner, *sides) in enumerate(lines):
        if language and (owner == "en") != (language == "en"):
            continue
        for side, names in enumerate(sides):
            for name in names.split():
                words.setdefault(name, []).append((line, side))
    verbs: dict[str, set[str]] = {}
    phrases: dict[str, list[tuple[str, ...]]] = {}
    for name in words:
        verb, _, particle = name.partition("~")
        if particle:
            verbs.setdefault(verb, set()).add(particle)
        elif "_" in name:
            phrase = tuple(name.split("_"))
            phrases.setdefault(phrase[0], []).append(phrase)
    return _Lists(
        {name: tuple(sides) for name, sides in words.items()},
        {first: tuple(ones) for first, ones in phrases.items()},
        {verb: frozenset(particles) for verb, particles in verbs.items()},
    )
