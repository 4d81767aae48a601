"""Pieces of a file, cut to what becomes one sentence of the corpus: lines, sentences, paragraphs, or the whole."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from search.lines import Line, LineReader
from search.records import Sentence
from search.splitting import markdown_blocks, sentence_spans, trimmed

__all__ = ["BLANK_LINE", "Block", "Unit", "cut", "document_blocks", "text_blocks"]

BLANK_LINE = "\n\n"
"""What stands between two paragraphs of a document."""


class Unit(StrEnum):
    """What becomes one sentence of the corpus."""

    LINE = "line"
    SENTENCE = "sentence"
    PARAGRAPH = "paragraph"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a file before it is cut to units: consecutive characters of its text, and the line they begin on.

    Where `lines_count` is false, `line` is the place of the whole block (a page, a paragraph), whatever lines it has.
    """

    line: int
    start: int
    text: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    lines_count: bool = True


def cut(block: Block, unit: Unit, source: str) -> Iterator[Sentence]:
    """Yield the sentences of a block; what is blank is none."""
    spans = sentence_spans(block.text) if unit is Unit.SENTENCE else [trimmed(block.text, 0, len(block.text))]
    for span in spans:
        if span.start < span.end:
            yield Sentence(
                text=block.text[span.start : span.end],
                source=source,
                line=block.line + (block.text.count("\n", 0, span.start) if block.lines_count else 0),
                start=block.start + span.start,
                end=block.start + span.end,
                metadata=block.metadata,
            )


def text_blocks(lines: LineReader, unit: Unit, *, markdown: bool) -> Iterator[Block]:
    """Yield the pieces of a text file that units are cut from: lines, paragraphs, or the whole document."""
    if unit is Unit.LINE:
        return (Block(line.number, line.start, line.text) for line in lines)
    if unit is Unit.DOCUMENT:
        return iter([_joined(list(lines))])
    if markdown:
        document = _joined(list(lines))
        return (
            Block(1 + document.text.count("\n", 0, span.start), span.start, document.text[span.start : span.end])
            for span in markdown_blocks(document.text)
        )
    return _paragraphs(lines)


def document_blocks(paragraphs: Iterable[Block], unit: Unit) -> Iterator[Block]:
    """Yield the pieces of a document, which comes in paragraphs, that units are cut from."""
    if unit is Unit.DOCUMENT:
        whole = list(paragraphs)
        text = BLANK_LINE.join(paragraph.text for paragraph in whole)
        yield Block(whole[0].line if whole else 1, 0, text, lines_count=False)
        return
    for paragraph in paragraphs:
        if unit is not Unit.LINE:
            yield paragraph
            continue
        start = paragraph.start
        for line in paragraph.text.split("\n"):
            yield Block(paragraph.line, start, line, paragraph.metadata, lines_count=False)
            start += len(line) + 1


def _paragraphs(lines: LineReader) -> Iterator[Block]:
    paragraph: list[Line] = []
    for line in lines:
        if line.text.strip():
            paragraph.append(line)
        elif paragraph:
            yield _joined(paragraph)
            paragraph = []
    if paragraph:
        yield _joined(paragraph)


def _joined(lines: Sequence[Line]) -> Block:
    """Put consecutive lines together again: offsets into the text are offsets into the file."""
    if not lines:
        return Block(1, 0, "")
    return Block(lines[0].number, lines[0].start, "".join(line.text for line in lines))
