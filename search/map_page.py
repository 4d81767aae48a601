"""A map as one HTML file: zoom, what a point says, search. No server, no network; the parts lie in `map_files/`."""

import html
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from search.index_map import IndexMap
from search.index_reader import IndexReader
from search.records import Entry
from search.single_page import joined, page_json, policy

__all__ = ["MAP_MODULES", "map_file", "map_html"]

MAP_MODULES = ("dom", "shapes", "points", "picture", "plot", "hands", "buttons")
"""The modules that draw a map wherever it stands; each imports only those before it."""

_LONGEST = 600
"""Characters of a sentence that a page holds; the rest is cut, and "…" says so."""

_TOGETHER = 4096


def map_file(name: str) -> str:
    """Return one of the parts of a page with a map."""
    folder = "report_page" if name == "dom.js" else "map_files"
    return (files("search") / folder / name).read_text(encoding="utf-8")


def map_html(drawn: IndexMap, index: IndexReader, *, title: str) -> str:
    """Return the page.

    Args:
        drawn: the map.
        index: the index that it was made of, for the texts.
        title: stands above it.

    Raises:
        IndexFolderError: a sentence is damaged.
    """
    style = map_file("page.css") + map_file("map.css")
    code = joined(map_file(f"{name}.js") for name in (*MAP_MODULES, "page"))
    parts = {
        "policy": html.escape(policy(style, code)),
        "title": html.escape(f"{title}: map of {len(drawn):,} sentences"),
        "style": style,
        "script": code,
        "data": page_json({**drawn.to_dict(), "title": title, **_told(drawn, index)}),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], map_file("page.html"))


def _told(drawn: IndexMap, index: IndexReader) -> dict[str, Any]:
    """Return what each point says, and where that stands."""
    sources: dict[str, int] = {}
    told: dict[str, Any] = {"texts": [], "source_of": [], "lines": []}
    for entry in _entries(drawn, index):
        sentence = entry.sentence
        cut = sentence.text[: _LONGEST - 1] + "…" if len(sentence.text) > _LONGEST else sentence.text
        told["texts"].append(cut)
        told["source_of"].append(sources.setdefault(sentence.source, len(sources)))
        told["lines"].append(sentence.line)
    return {**told, "sources": list(sources)}


def _entries(drawn: IndexMap, index: IndexReader) -> Iterator[Entry]:
    for start in range(0, len(drawn), _TOGETHER):
        yield from index.entries(drawn.rows[start : start + _TOGETHER].tolist())
