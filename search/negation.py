"""How often a text turns its own meaning round: "not", "never", "without" and their like in many languages.

Counted are cues, less the phrases in which a cue turns nothing round ("not only", "why not?", "no problem", ", isn't
it?"). Words that may stand for a cue ("unable" for "not able") are told apart: they match one, and alone say nothing.
What is *not* handled: scope. A text with one "not" is taken to differ from none by it, wherever it stands.
"""

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

from search.cue_words import Words, rows, split

__all__ = ["Negation", "find_negation"]

_TAG = re.compile(
    r",\s*(?:[a-z]+\s?n['’]t\s+(?:i|you|he|she|it|we|they|there)|no|non|né|não|não é|nicht|nicht wahr|niet|niet waar"
    r"|n['’]est[- ]ce pas)\s*[?.!]*\s*$",
    re.IGNORECASE,
)
_ANSWER = re.compile(r"^\s*no\s*[,.!]\s+(?=\w)", re.IGNORECASE)
_NUMBER = re.compile(r"\bno\.?\s*(?=\d)|\bn[o°º]\s*(?=\d)", re.IGNORECASE)
_FIRST_END = re.compile(r"^[^.!?]*\?")
_CAN = {"ca", "can", "could"}
_ASKS = {"is", "are", "was", "were", "do", "does", "did", "has", "have", "had", "wo", "would", "should", "could", "ca"}


@dataclass(frozen=True, slots=True)
class Negation:
    """The cues of a text as written, and the words that may stand for one."""

    sure: tuple[str, ...] = ()
    implied: tuple[str, ...] = ()

    def odd(self, other: "Negation") -> bool:
        """Say whether one text is turned round once more, or three times, than the other."""
        return (len(self.sure) - len(other.sure)) % 2 == 1

    def differs(self, other: "Negation") -> bool:
        """Say whether one text has more cues, and the other no word that may stand for them and is its own."""
        more = len(self.sure) - len(other.sure)
        fewer, longer = (self, other) if more < 0 else (other, self)
        return abs(more) > (Counter(fewer.implied) - Counter(longer.implied)).total()


@dataclass(frozen=True, slots=True)
class _Lists:
    cues: frozenset[str]
    concord: frozenset[str]
    implied: frozenset[str]
    traps: dict[str, tuple[tuple[str, ...], ...]]


def find_negation(text: str, words: Words) -> Negation:
    """Find the cues of a text whose words are `words`.

    >>> find_negation("It was not only cheap, it never broke.", split("It was not only cheap, it never broke.")).sure
    ('never',)
    """
    shorter = _NUMBER.sub(" ", _ANSWER.sub(" ", _TAG.sub(" ", text)))
    if shorter != text:
        words = replace(split(shorter), language=words.language)
    lists = _lists(words.language)
    plain = words.plain
    free = _trapped(plain, lists.traps)
    sure = [place for place, word in enumerate(plain) if word in lists.cues and place not in free]
    implied = [words.written[place] for place, word in enumerate(plain) if word in lists.implied]
    if len(sure) == 0:
        sure = [place for place, word in enumerate(plain) if word in lists.concord and place not in free][:1]
    elif lists.concord:
        sure = _without_concord(sure, plain, words.language)
    for place in [place for place in sure if words.language == "en" and _asks(plain, place, text)]:
        sure.remove(place)
        implied.append(words.written[place])
    return Negation(tuple(words.written[place] for place in sure) + _inside(text), tuple(implied))


def _asks(plain: tuple[str, ...], place: int, text: str) -> bool:
    """Say whether an English cue only asks: "Isn't it late?", and "I can't leave, how do I?" for "How do I leave?"."""
    if place == 1 and plain[1] == "n't" and plain[0] in _ASKS:
        return _FIRST_END.search(text) is not None
    able = place > 1 and plain[place - 1] in _CAN and plain[place - 2] in {"i", "we"}
    return (
        able
        and ("how" in plain or "what" in plain[place:])
        and "why" not in plain
        and ("how", "come") not in pairwise(plain)
    )


def _without_concord(sure: list[int], plain: tuple[str, ...], language: str) -> list[int]:
    """In French "ne" needs a second word, and what is written without is no second one."""
    return [place for place in sure if not (language == "fr" and plain[place] == "non" and len(sure) > 1)]


def _trapped(plain: tuple[str, ...], traps: dict[str, tuple[tuple[str, ...], ...]]) -> set[int]:
    free: set[int] = set()
    for place, word in enumerate(plain):
        for phrase in traps.get(word, ()):
            if plain[place : place + len(phrase)] == phrase:
                free.update(range(place, place + len(phrase)))
    return free


@cache
def _lists(language: str) -> _Lists:
    of: dict[str, list[str]] = {"cue": [], "concord": [], "implied": [], "trap": []}
    for owner, kind, words in rows("negation"):
        if owner in {language or "en", "*"} and kind in of:
            of[kind] += [word.strip() for word in words.split(",")]
    traps: dict[str, list[tuple[str, ...]]] = {}
    for phrase in of["trap"]:
        parts = split(phrase).plain
        traps.setdefault(parts[0], []).append(parts)
    return _Lists(
        frozenset(of["cue"]),
        frozenset(of["concord"]),
        frozenset(of["implied"]),
        {first: tuple(phrases) for first, phrases in traps.items()},
    )


_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_KANA, _HANGUL = re.compile(r"[\u3040-\u30ff]"), re.compile(r"[\uac00-\ud7af]")


def _inside(text: str) -> tuple[str, ...]:
    """Return the first cue of a text whose words are not spaced, or whose cues are parts of words."""
    if text.isascii() or not _UNSPACED.search(text):
        return ()
    language = "ja" if _KANA.search(text) else "ko" if _HANGUL.search(text) else "zh"
    cues, traps = _inside_patterns(language)
    found = cues.search(traps.sub("\n", text))
    return (found[0].strip(),) if found else ()


@cache
def _inside_patterns(language: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    of = {kind: words for owner, kind, words in rows("negation") if owner == language}
    cues, traps = (
        "|".join(re.escape(word) for word in sorted(of[kind].split(", "), key=len, reverse=True))
        for kind in ("inside", "inside trap")
    )
    return re.compile(cues), re.compile(traps)
