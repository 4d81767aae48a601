"""Prose to spans: sentences by a library, and the prose blocks of Markdown.

Every span is trimmed of surrounding white space and points into the text it was cut from.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sentencex import get_sentence_boundaries

__all__ = ["Span", "markdown_blocks", "sentence_spans", "trimmed"]


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (exclusive) of a text."""

    start: int
    end: int


def trimmed(text: str, start: int, end: int) -> Span:
    """Return the span without the white space at its ends; an empty span where there is nothing else."""
    piece = text[start:end]
    return Span(start + len(piece) - len(piece.lstrip()), max(start, end - len(piece) + len(piece.rstrip())))


_LANGUAGE = "en"
"""The rules to start from; sentence ends of other scripts are known to them as well."""

_MAX_PROSE = 10_000
"""The splitter takes quadratic time in an unbroken paragraph, so longer text is given to it in pieces of this size."""

_LINE_END = re.compile(r"\r\n?|\n")
"""The line ends of Markdown; `str.splitlines` knows more (form feeds, U+2028), and would count other lines."""

# sentencex 1.0.32 panics on a letter followed by a space that is not ASCII and a full stop, and refuses lone
# surrogates. Replaced one for one, the spans stay those of the original text.
_PLAIN = dict.fromkeys((133, 160, 5760, *range(8192, 8203), 8232, 8233, 8239, 8287, 12288), " ")
_PLAIN |= dict.fromkeys((11, 12, 28, 29, 30, 31), " ")
_PLAIN |= dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")


def sentence_spans(text: str) -> list[Span]:
    """Return the spans of the sentences of some prose, in order; white space between them is in none."""
    spans: list[Span] = []
    start = 0
    while start < len(text):
        end = _cut(text, start)
        piece = _piece_spans(text, start, end)
        if end < len(text) and len(piece) > 1:
            end = piece.pop().start  # it may go on in the next piece
        spans += piece
        start = end
    return spans


def _piece_spans(text: str, start: int, end: int) -> list[Span]:
    found = get_sentence_boundaries(_LANGUAGE, text[start:end].translate(_PLAIN))
    spans = (trimmed(text, start + one["start_index"], start + one["end_index"]) for one in found)
    return [span for span in spans if span.start < span.end]


def _cut(text: str, start: int) -> int:
    """Return where a piece for the splitter ends: after a blank line, else after a space."""
    end = start + _MAX_PROSE
    if end >= len(text):
        return len(text)
    for separator in ("\n\n", "\n", " "):
        found = text.rfind(separator, start, end)
        if found > start:
            return found + len(separator)
    return end


def markdown_blocks(text: str) -> Iterator[Span]:
    """Yield the spans of the prose blocks of a Markdown document: paragraphs, headings, list items.

    Code, HTML and the marks at a block's start (#, -, 1., >) are left out; marks inside a line (**, links) stay.
    """
    from markdown_it import MarkdownIt

    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")  # as the parser does
    starts = [0, *(found.end() for found in _LINE_END.finditer(text)), len(text)]
    for token in MarkdownIt("commonmark").parse(text):
        if token.type != "inline" or token.map is None or not token.content.strip():
            continue
        first, last = token.map
        # Stripped, since the parser turns tabs that indent a line into spaces.
        lines = [line.strip() for line in token.content.split("\n")]
        begin = text.find(lines[0], starts[first], starts[last])
        end = text.rfind(lines[-1], starts[first], starts[last])
        yield trimmed(text, begin, end + len(lines[-1]))
