"""What a person decided of pairs, the same or not: a file that survives a new index, applied to a job, learned from.

A decision is kept by the content of its two texts, whichever comes first, not by where they stand. The file:

    {"kind": "kindred decisions", "format": 1, "decisions": [
      {"a": {"sha256": "...", "text": "..."}, "b": {"sha256": "...", "text": "..."}, "same": true}]}

with the SHA-256 of each text, normalised as for exact duplicates, the lower of the two first.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from search.errors import InputError
from search.exact import normalised
from search.files import read_json
from search.pairs import TextPair

__all__ = [
    "DECIDED",
    "Decision",
    "Verdict",
    "content_hash",
    "decisions_object",
    "guarded",
    "labelled",
    "read_decisions",
]

DECIDED = "decision"
"""The reason of a pair that is there, or refused, because a person said so."""

_KIND = "kindred decisions"
_FORMAT = 1

_Feelings = tuple[float, float] | None
_Found = TypeVar("_Found")


def content_hash(text: str) -> str:
    """Return the hexadecimal SHA-256 of a text, normalised as for exact duplicates."""
    return hashlib.sha256(normalised(text).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Decision:
    """That two texts say the same, or do not."""

    a: str
    b: str
    same: bool

    @property
    def key(self) -> tuple[str, str]:
        """Return the two hashes, the lower first: equal for the same two texts in any order."""
        first, second = sorted((content_hash(self.a), content_hash(self.b)))
        return first, second


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a guard says of two texts that a person decided are not the same."""

    reason: str = DECIDED
    words: tuple[str, ...] = ()


def read_decisions(path: Path) -> tuple[Decision, ...]:
    """Read a file of decisions.

    Raises:
        InputError: the file is none, or an entry of it cannot be used; names the file and the entry, counted from 1.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file of decisions.")
    value = read_json(path)
    if value.get("kind") != _KIND or not isinstance(value.get("decisions"), list):
        raise InputError(f'{path}: not a file of decisions; one has "kind": "{_KIND}", as a report saves it.')
    if value.get("format") != _FORMAT:
        raise InputError(f"{path}: format {value.get('format')!r}; this version of kindred reads format {_FORMAT}.")
    decisions: dict[tuple[str, str], tuple[int, Decision]] = {}
    for number, entry in enumerate(value["decisions"], start=1):
        decision = _decision(entry, f"{path}: entry {number}")
        first, earlier = decisions.setdefault(decision.key, (number, decision))
        if earlier.same != decision.same:
            raise InputError(f"{path}: entry {number} contradicts entry {first}; keep one of them.")
    return tuple(decision for _, decision in decisions.values())


def _decision(entry: object, where: str) -> Decision:
    if not isinstance(entry, dict):
        raise InputError(f"{where} is a {type(entry).__name__}, expected an object with a, b and same.")
    if not isinstance(entry.get("same"), bool):
        raise InputError(f'{where}: "same" is {entry.get("same")!r}, expected true or false.')
    decision = Decision(_text(entry, "a", where), _text(entry, "b", where), entry["same"])
    if len(set(decision.key)) == 1:
        raise InputError(f"{where} decides on a text and itself; equal texts are always the same.")
    return decision


def _text(entry: Mapping[str, Any], side: str, where: str) -> str:
    told = entry.get(side)
    if not isinstance(told, dict) or not isinstance(told.get("text"), str):
        raise InputError(f'{where}: "{side}" has no text.')
    text: str = told["text"]
    if told.get("sha256") != content_hash(text):
        raise InputError(f'{where}: the text of "{side}" is not that of its sha256; it was changed by hand.')
    return text


def decisions_object(decisions: Iterable[Decision]) -> dict[str, Any]:
    """Return decisions as the file holds them, in the order of their hashes."""
    entries = []
    for decision in sorted(decisions, key=lambda one: one.key):
        first, second = sorted((content_hash(text), text) for text in (decision.a, decision.b))
        sides = [{"sha256": sha256, "text": text} for sha256, text in (first, second)]
        entries.append({"a": sides[0], "b": sides[1], "same": decision.same})
    return {"kind": _KIND, "format": _FORMAT, "decisions": entries}


def guarded(
    decisions: Iterable[Decision], guard: Callable[[str, str, _Feelings], _Found | None] | None
) -> Callable[[str, str, _Feelings], "_Found | Verdict | None"]:
    """Return a guard that decides as a person did, and asks `guard`, if there is one, about other pairs."""
    same = {_both(one.a, one.b): one.same for one in decisions}

    def decide(a: str, b: str, feelings: _Feelings) -> _Found | Verdict | None:
        decided = same.get(_both(a, b))
        if decided is None:
            return guard(a, b, feelings) if guard else None
        return None if decided else Verdict()

    return decide


def _both(a: str, b: str) -> frozenset[str]:
    return frozenset((normalised(a), normalised(b)))


def labelled(decisions: Iterable[Decision], source: str) -> list[TextPair]:
    """Return decisions as labelled pairs, 1 for the same, to learn a threshold from; `source` is their file's name."""
    return [TextPair(one.a, one.b, float(one.same), source, number) for number, one in enumerate(decisions, start=1)]
