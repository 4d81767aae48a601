"""Prose to spans: sentences of several languages, Markdown's prose, and any text at all without a slip."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from search import splitting
from search.splitting import Span, markdown_blocks, sentence_spans, trimmed

ANY_TEXT = st.text(
    st.one_of(st.characters(), st.sampled_from(" .!?\n\r\t\xa0\u3000。\x0b\x1c\"'”()Aa1\ud800😀")), max_size=60
)
MARKDOWN = st.lists(
    st.sampled_from([*"ab1#>`-=*|[]\t\n\n\r\0\x0c\u2028\xa0", "# ", "- ", "1. ", "> ", "    ", "\r\n", "[a]: /b"])
).map("".join)


def sentences(text: str) -> list[str]:
    """Split a text and cut the sentences out of it."""
    return [text[span.start : span.end] for span in sentence_spans(text)]


def blocks(text: str) -> list[str]:
    """Find the prose of Markdown and cut it out."""
    return [text[span.start : span.end] for span in markdown_blocks(text)]


def check(text: str, spans: list[Span]) -> None:
    """Assert that spans are inside the text, in order, disjoint, trimmed, and not empty."""
    for span in spans:
        piece = text[span.start : span.end]
        assert 0 <= span.start < span.end <= len(text)
        assert piece == piece.strip()
    assert all(one.end <= other.start for one, other in pairwise(spans))


@pytest.mark.parametrize(
    "expected",
    [
        ["Dr. Smith paid $3.50 at 5 p.m. for it.", "He left."],
        ["The U.S. army, e.g. in Iraq, left.", "See Fig. 3 for more.", "Version 2.0.1 is out."],
        ["J. R. R. Tolkien wrote it.", "Visit example.com today."],
        ['"Really?" she asked.', "“Yes.”", "Fine!"],
        ["Wait... what?", "Yes!!", "No?!"],
        ["Wo war Prof. Dr. Müller?", "Das Zimmer kostet z. B. 3,50 Euro.", "Schön war es!"],
        ["😀 Great stay.", "Café était fermé."],
        ["No end"],
    ],
    ids=lambda expected: expected[0][:12],
)
def test_sentences(expected: list[str]) -> None:
    """Abbreviations, numbers, names and quotes do not end a sentence; full stops, question and exclamation marks do."""
    assert sentences("  " + "\u00a0 ".join(expected) + "\n") == expected


def test_japanese() -> None:
    """Japanese sentences end without a space between them."""
    expected = ["これは文です。", "次の文です\uff01", "本当ですか\uff1f", "はい"]
    assert sentences("".join(expected)) == expected


def test_blank_lines_end_sentences() -> None:
    """A blank line ends a sentence, and white space is in none."""
    assert sentences("One\n\n Two \n\n\n") == ["One", "Two"]
    assert sentences("") == sentences(" \n\t\u00a0") == []


@pytest.mark.parametrize("space", [*"\xa0\u1680\u2003\u2028\u202f\u205f\u3000\x85\x0b\x0c\x1c\x1f"])
def test_spaces_that_made_the_library_panic(space: str) -> None:
    """A letter, a space that is not ASCII and a full stop are split like any other text."""
    assert sentences(f"D{space}.") == [f"D{space}."]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(ANY_TEXT)
def test_any_text(text: str) -> None:
    """Of any text, the spans are ordered, disjoint and trimmed, and hold all that is not white space."""
    spans = sentence_spans(text)
    check(text, spans)
    assert "".join("".join(text[span.start : span.end].split()) for span in spans) == "".join(text.split())


@settings(max_examples=400, deadline=None, derandomize=True)
@given(MARKDOWN)
def test_any_markdown(text: str) -> None:
    """Of any Markdown, the spans are ordered, disjoint and trimmed, one for each block of prose the parser finds."""
    spans = list(markdown_blocks(text))
    check(text, spans)
    found = [token.content for token in MarkdownIt("commonmark").parse(text) if token.type == "inline"]
    assert len(spans) == len([content for content in found if content.strip()])


@pytest.mark.parametrize("text", ["a" * 1_000_000, "a. " * 333_333, "。" * 20_000, "\n" * 200_000, '"' * 1_000_000])
def test_unbroken_text_is_quick(text: str) -> None:
    """Text without any break takes no quadratic time, and is all there."""
    begin = time.perf_counter()
    spans = sentence_spans(text)
    assert time.perf_counter() - begin < 5.0
    check(text, spans)
    assert sum(span.end - span.start for span in spans) >= len("".join(text.split()))


def test_pieces_break_no_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long text is split in pieces, and no sentence that fits into a piece is cut by that."""
    text = "The room was clean, said Dr. Smith. It cost $3.50 a night! これは文です。次の文です。\nWas it late? " * 50
    whole = sentences(text)
    assert len(whole) == 250
    for size in (60, 100, 333, len(text) - 1):
        monkeypatch.setattr(splitting, "_MAX_PROSE", size)
        assert sentences(text) == whole


def test_longer_than_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence longer than a piece is cut after a space; a word longer than a piece is cut anywhere."""
    monkeypatch.setattr(splitting, "_MAX_PROSE", 10)
    assert sentences("one two three fours") == ["one two", "three", "fours"]
    assert sentences("a" * 25) == ["a" * 10, "a" * 10, "a" * 5]


def test_markdown_prose() -> None:
    """Headings, paragraphs, list items and quotes are prose; code, HTML and the marks before prose are not."""
    text = (
        "---\n\n# Title #\n\nPara *one*\ngoes on.  \n\n```\ncode\n```\n\n    code too\n\n> quoted\n> lines\n\n"
        "<div>html</div>\n\n"
        "* item\n  more\n1. 1st\n   - inner\n\nSetext\n======\n\n[a]: /link\n"
    )
    assert blocks(text) == [
        "Title",
        "Para *one*\ngoes on.",
        "quoted\n> lines",
        "item\n  more",
        "1st",
        "inner",
        "Setext",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("First\x0cpage.\n\nSecond.\n\nThird.\n", ["First\x0cpage.", "Second.", "Third."]),
        ("A\u2028b\x85c\n\n# Second\n", ["A\u2028b\x85c", "Second"]),
        ("- foo\n\tbar\n\nNext.\n", ["foo\n\tbar", "Next."]),
        ("# T\r\n\r\nPara\r\nmore.\r\n", ["T", "Para\r\nmore."]),
        ("one\r\rtwo", ["one", "two"]),
        ("\x0c\nafter\n", ["after"]),
        ("", []),
    ],
)
def test_markdown_lines(text: str, expected: list[str]) -> None:
    """Only Markdown's own line ends count, tabs may indent, and nothing is lost after either."""
    assert blocks(text) == expected


def test_trimmed() -> None:
    """A span loses the white space at its ends, Unicode's too; blank, it is empty."""
    assert trimmed("x \u3000ab\u00a0 y", 1, 7) == Span(3, 5)
    assert trimmed("ab", 0, 2) == Span(0, 2)
    blank = trimmed(" \n ", 0, 3)
    assert blank.start >= blank.end
