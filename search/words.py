"""A query's words: which must be there, which may, and how a ranking by words is put together with one by meaning.

Words are those of SQLite's FTS5 (Unicode letters and digits, without case and accents; _ and + belong to a word). What
is written together is looked for together: `XR-500` finds XR-500 and XR 500, not XR alone. What stands in quotation
marks must be in a sentence, word for word.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Match", "Words", "fused", "words_of"]

_QUOTED = re.compile(r'"([^"]*)"|\u201c([^\u201d]*)\u201d')
_WORD = re.compile(r"\w", re.UNICODE)

_RANK = 60
"""How much less the first ranks count in a fusion; 60 is what Cormack and others (SIGIR 2009) found to do well."""


class Match(StrEnum):
    """What a sentence is found by."""

    MEANING = "meaning"
    WORDS = "words"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Words:
    """What is looked for: `phrases` must all be there, `terms` may; each is one or more words in a row."""

    phrases: tuple[str, ...]
    terms: tuple[str, ...]

    def expression(self) -> str:
        """Return this in FTS5's query language; "" where nothing is looked for."""
        needed = " AND ".join(map(_literal, self.phrases))
        wanted = " OR ".join(map(_literal, (*self.phrases, *self.terms)))
        return f"{needed} AND ({wanted})" if needed else wanted


def words_of(text: str) -> Words:
    """Return the words of a query.

    >>> words_of('the XR-500 "will not start"')
    Words(phrases=('will not start',), terms=('the', 'XR-500'))
    >>> words_of('the XR-500 "will not start"').expression()
    '"will not start" AND ("will not start" OR "the" OR "XR-500")'
    """
    phrases = [first or second for first, second in _QUOTED.findall(text)]
    terms = _QUOTED.sub(" ", text).replace('"', " ").split()
    return Words(
        tuple(phrase for phrase in phrases if _WORD.search(phrase)),
        tuple(dict.fromkeys(term for term in terms if _WORD.search(term))),
    )


def fused(rankings: Sequence[Sequence[int]], k: int) -> list[int]:
    """Return the first k rows of several rankings together, by reciprocal rank fusion; ties in row order.

    >>> fused([[7, 8, 9], [9, 4]], 3)
    [9, 7, 4]
    """
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, row in enumerate(ranking, start=1):
            scores[row] = scores.get(row, 0.0) + 1.0 / (_RANK + rank)
    return sorted(scores, key=lambda row: (-scores[row], row))[:k]


def _literal(words: str) -> str:
    return '"' + words.replace('"', " ").replace("\0", " ") + '"'
