"""What `find_duplicates` found, as one HTML file to look at, to choose a threshold in and to decide on pairs.

The file holds everything: no server, no network, nothing but plain JavaScript. The parts of the page lie in
`report_page/`.
"""

import hashlib
import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from search.decisions import Decision, content_hash, decisions_object
from search.duplicates import Duplicates
from search.errors import OutputError
from search.explaining_pairs import Explained, PairExplanation
from search.files import check_file
from search.levels import LEVELS, Level
from search.records import Entry, Pair, Refused
from search.single_page import joined, page_json, policy
from search.word_shares import Part

__all__ = ["MODULES", "check_report", "part", "report_data", "report_html", "script"]

MODULES = (
    "dom", "given", "words", "model", "decisions", "clusters", "text", "rows", "histogram", "pages", "keys", "filters",
    "page",
)  # fmt: skip
"""The page's modules; each imports only those before it."""

_TOLD = 6
"""Words of a text whose shares are told one by one: a report may hold 50,000 pairs."""

_Place = tuple[str, int, int]


def check_report(path: Path, *, overwrite: bool) -> None:
    """Refuse a place that a report cannot be written to, before any work is done.

    Raises:
        OutputError: the name is not that of a page, its folder is not there, or it exists and `overwrite` is false.
    """
    if path.suffix.lower() not in {".html", ".htm"} or path.is_dir():
        raise OutputError(f"{path}: a report is a page; name a file that ends in .html with --report.")
    check_file(path, "--report", overwrite=overwrite)


def report_html(
    found: Duplicates, *, encoder: str, decisions: Sequence[Decision] = (), explained: Explained | None = None
) -> str:
    """Return the page.

    Args:
        found: what the job found.
        encoder: the name of the encoder that gave the scores.
        decisions: what has been decided already; the page begins with it.
        explained: why the pairs score as they do; None: the page does not say.
    """
    style, code = part("page.css"), script()
    parts = {
        "policy": html.escape(policy(style, code)),
        "title": "Duplicates: kindred",
        "style": style,
        "script": code,
        "view": part("view.html"),
        "data": report_data(found, encoder=encoder, decisions=decisions, explained=explained),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], part("page.html"))


def report_data(
    found: Duplicates,
    *,
    encoder: str,
    decisions: Sequence[Decision] = (),
    explained: Explained | None = None,
    threshold: float | None = None,
) -> str:
    """Return what the page is about as JSON that may stand in HTML.

    Args:
        found: as in `report_html`.
        encoder: likewise.
        decisions: likewise.
        explained: likewise.
        threshold: where the slider stands at first; None: at the job's threshold, below which there are no pairs.
    """
    shown = found.threshold if threshold is None else threshold
    data = page_json({**_data(found, encoder, decisions, explained or Explained({})), "threshold": _millionths(shown)})
    return data.removesuffix("}") + f',"digest":"{hashlib.sha256(data.encode()).hexdigest()}"}}'


def part(name: str) -> str:
    """Return one of the files that the page is made of."""
    return (files("search") / "report_page" / name).read_text(encoding="utf-8")


def script(names: Sequence[str] = MODULES, others: Mapping[str, str] | None = None) -> str:
    """Return some of the page's modules as one: what they import must be among them.

    Args:
        names: the modules, each after those that it imports.
        others: what stands in the place of some of them, or beside them.
    """
    given = others or {}
    return joined(given[name] if name in given else part(f"{name}.js") for name in names)


def _data(found: Duplicates, encoder: str, decisions: Sequence[Decision], explained: Explained) -> dict[str, Any]:
    entries = dict(_places(found))
    numbers = {place: number for number, place in enumerate(sorted(entries))}
    names = sorted({entry.sentence.source for entry in entries.values()})
    sources = {name: number for number, name in enumerate(names)}
    return {
        "about": f"{found.count:,} sentences, {encoder}, weight {found.weight:g}",
        "count": found.count,
        "levels": LEVELS,
        "against": found.against,
        "preference": found.preference and [found.preference[entries[place].row] for place in numbers],
        "sources": names,
        "sentences": [_sentence(entries[place], sources) for place in numbers],
        "pairs": list(_columns(found.pairs, found.against, numbers, explained)),
        "refused": list(_columns(found.refused, found.against, numbers, explained)),
        "decisions": decisions_object(decisions),
    }


def _places(found: Duplicates) -> Iterator[tuple[_Place, Entry]]:
    pairs: tuple[Pair | Refused, ...] = (*found.pairs, *found.refused)
    for pair in pairs:
        yield _place(pair.a, 0), pair.a
        yield _place(pair.b, int(found.against)), pair.b


def _place(entry: Entry, side: int) -> _Place:
    """Return what tells sentences apart; in the page, the lower number is that of the text sorted first."""
    return entry.sentence.text, side, entry.row


def _sentence(entry: Entry, sources: dict[str, int]) -> tuple[str, int, int, str]:
    sentence = entry.sentence
    return sentence.text, sources[sentence.source], sentence.line, content_hash(sentence.text)


def _columns(
    pairs: Iterable[Pair | Refused],
    against: bool,
    numbers: dict[_Place, int],
    explained: Explained,
) -> Iterator[list[Any]]:
    for pair in pairs:
        row: list[Any] = [numbers[_place(pair.a, 0)], numbers[_place(pair.b, int(against))], _millionths(pair.score)]
        row += [LEVELS.index(Level(pair.level)), pair.reason]
        why = explained.of(pair.a.sentence.text, pair.b.sentence.text)
        if why is not None or isinstance(pair, Refused):
            row.append(pair.words if isinstance(pair, Refused) else ())
        yield row if why is None else [*row, _why(why)]


def _why(explanation: PairExplanation) -> tuple[Any, ...]:
    """Return both parts of the score in millionths, and what the words of either text give to the first of them."""
    meaning, sentiment = explanation.meaning, explanation.sentiment
    parts = _millionths(meaning), None if sentiment is None else _millionths(sentiment)
    return *parts, _told(explanation.a, meaning), _told(explanation.b, meaning)


def _told(parts: Sequence[Part], meaning: float) -> list[tuple[str | None, int]]:
    """Return the words that give most with what they give, in thousandths, then what all else gives."""
    most = sorted(parts, key=lambda part: -abs(part.value))[:_TOLD]
    told: list[tuple[str | None, int]] = [(part.text, round(part.value * 1e3)) for part in most]
    return [*told, (None, round(meaning * 1e3) - sum(value for _, value in told))]


def _millionths(score: float) -> int:
    return round(score * 1e6)
