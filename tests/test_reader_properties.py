"""Whatever bytes a file holds: sentences whose spans point at their text, or a message that names the file."""

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from search.corpus import Corpus
from search.errors import InputError
from search.records import Sentence
from search.units import Unit

LINES = st.lists(st.text(max_size=30), max_size=8).map("\n".join)
PIECES = st.sampled_from(
    [b"text,n\n", b'"', b",", b"\t", b"\r\n", b"\n", b"{", b'{"text": "a"}', b"\xef\xbb\xbf", b"\xff"]
)
BYTES = st.one_of(
    st.binary(max_size=200),
    LINES.map(lambda text: text.encode("utf-8", "replace")),
    st.lists(st.one_of(PIECES, st.binary(max_size=6)), max_size=20).map(b"".join),
)
UNITS = st.sampled_from([None, *Unit])


def read(name: str, content: bytes, unit: Unit | None) -> list[Sentence] | None:
    """Read a file of these bytes; None where it is refused, with its name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            return list(Corpus([str(path)], unit=unit))
        except InputError as exc:
            assert str(path) in str(exc)  # noqa: PT017 - one of two right answers
            return None


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.csv", "a.tsv", "a.jsonl"])
@settings(max_examples=60, deadline=None)
@given(content=BYTES, unit=UNITS)
@example(content=b"", unit=None)
@example(content=b"\r\x01", unit=None)
@example(content=b"\xef\xbb\xbf\xef\xbb\xbf", unit=None)
def test_any_bytes(name: str, content: bytes, unit: Unit | None) -> None:
    """There is no error but ours, and every sentence has text, a line, and a span of its length."""
    for sentence in read(name, content, unit) or []:
        assert sentence.text.strip() == sentence.text != ""
        assert sentence.line >= 1
        assert sentence.end - sentence.start == len(sentence.text)


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
@settings(max_examples=100, deadline=None)
@given(content=LINES.map(lambda text: text.encode("utf-8", "replace")), unit=UNITS)
def test_spans_point_into_the_file(name: str, content: bytes, unit: Unit | None) -> None:
    """A sentence of a text is the decoded file's characters start to end, on its line, after the sentence before."""
    decoded = content.decode("utf-8-sig")
    end = 0
    for sentence in read(name, content, unit) or []:
        assert decoded[sentence.start : sentence.end] == sentence.text
        assert sentence.line == 1 + decoded.count("\n", 0, sentence.start)
        assert sentence.start >= end
        end = sentence.end


@settings(max_examples=100, deadline=None)
@given(
    cells=st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20), min_size=1, max_size=6
    )
)
def test_spans_point_into_the_cell(cells: list[str]) -> None:
    """A sentence of a table is its cell's characters start to end, whatever had to be quoted."""
    table = io.StringIO(newline="")
    csv.writer(table, lineterminator="\r\n").writerows([["n", "text"], *enumerate(cells)])
    found = read("a.csv", table.getvalue().encode(), None)
    kept = [(number, cell) for number, cell in enumerate(cells) if cell.strip()]
    assert [int(one.metadata["n"]) for one in found or []] == [number for number, _ in kept]
    for sentence, (_, cell) in zip(found or [], kept, strict=True):
        assert cell[sentence.start : sentence.end] == sentence.text == cell.strip()
