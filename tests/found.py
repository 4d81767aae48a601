"""What a duplicates job would have found, written by hand."""

from collections.abc import Iterable, Mapping, Sequence

from search.duplicates import Duplicates
from search.exact import normalised
from search.records import Entry, Pair, Refused, Sentence

Rows = tuple[int, int]


def entries(texts: Sequence[str], source: str = "corpora/a.txt") -> list[Entry]:
    """Give each text a row and a line of its own."""
    return [Entry(row, Sentence(text, source, row + 1, 0, len(text)), None, None) for row, text in enumerate(texts)]


def found(
    texts: Sequence[str],
    scores: Mapping[Rows, float],
    *,
    refused: Mapping[Rows, tuple[float, str, tuple[str, ...]]] | None = None,
    threshold: float = 0.9,
    source: str = "corpora/a.txt",
) -> Duplicates:
    """Find semantic pairs with these scores, exact ones where texts are equal, and these refusals; no clusters."""
    rows = entries(texts, source)
    pairs = [Pair(1.0, "exact", rows[a], rows[b], "equal text") for a, b in _exact(texts)]
    pairs += [Pair(score, "semantic", rows[a], rows[b], "score") for (a, b), score in scores.items()]
    refusals = [
        Refused(score, "semantic", rows[a], rows[b], reason, words)
        for (a, b), (score, reason, words) in (refused or {}).items()
    ]
    return Duplicates(len(texts), threshold, 0.3, tuple(pairs), (), tuple(refusals))


def _exact(texts: Sequence[str]) -> Iterable[Rows]:
    """Pair the leader of each exact group, the text that sorts first, with the others."""
    groups: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        groups.setdefault(normalised(text), []).append(row)
    for rows in groups.values():
        leader = min(rows, key=lambda row: (texts[row], row))
        yield from ((min(leader, row), max(leader, row)) for row in rows if row != leader)
