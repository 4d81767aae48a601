"""Whatever bytes a file holds: sentences whose spans point at their text, or a message that names the file."""

import csv
import gzip
import io
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from search.corpus import Corpus
from search.documents import document_text
from search.errors import InputError
from search.records import Sentence
from search.units import Unit
from tests.document_files import pdf_bytes

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
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        try:
            return list(Corpus([str(path)], unit=unit))
        except InputError as exc:
            assert str(path) in str(exc)  # noqa: PT017 - one of two right answers
            return None


@pytest.mark.parametrize(
    "name", ["a.txt", "a.md", "a.csv", "a.tsv", "a.jsonl", "a.pdf", "a.docx", "a.html", "a.htm.gz"]
)
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


HTML_PIECES = st.sampled_from(
    [
        *"<p> </p> <div> <br> <b> </b> <nav> </nav> <pre> </pre> <script> </script> <td> <table> <!-- -->".split(),
        *"<![CDATA[ <?x <select> <svg> </svg> <html> <body> </body> <frameset> &amp; &#0; &#xD800; &nbsp".split(),
        *["<li hidden>", "<meta charset=utf-16>", '<meta charset="koi8-r">', "\n", "\r\n", "\t"],
    ]
)
PAGES = st.lists(st.one_of(HTML_PIECES, st.text(max_size=8)), max_size=25).map("".join)


def check_document(name: str, content: bytes, unit: Unit | None) -> None:
    """Read a document; every sentence is the document's text from start to end, after the sentence before."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            found = list(Corpus([str(path)], unit=unit))
        except InputError as exc:
            assert str(path) in str(exc)  # noqa: PT017 - one of two right answers
            return
        text, end, line = document_text(str(path)), 0, 1
    for sentence in found:
        assert text[sentence.start : sentence.end] == sentence.text == sentence.text.strip() != ""
        assert sentence.start >= end
        assert line <= sentence.line <= 1 + max(content.count(b"\n"), 10)
        end, line = sentence.end, sentence.line


@settings(max_examples=200, deadline=None)
@given(page=PAGES, unit=UNITS, encoding=st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_any_page(page: str, unit: Unit | None, encoding: str) -> None:
    """Whatever is put together in a page of HTML, spans point into its text, or it is refused."""
    check_document("a.html", page.encode(encoding, "replace"), unit)


@settings(max_examples=100, deadline=None)
@given(
    pages=st.lists(
        st.lists(st.text(st.characters(codec="cp1252", exclude_categories=["Cc"]), max_size=30), max_size=6),
        min_size=1,
        max_size=3,
    ),
    unit=UNITS,
    cut=st.integers(0, 3000),
    patch=st.binary(max_size=20),
)
def test_any_pdf(pages: list[list[str]], unit: Unit | None, cut: int, patch: bytes) -> None:
    """Whatever its pages say, whole or with some of its bytes overwritten, spans point into a PDF's text."""
    content = pdf_bytes(pages)
    check_document("a.pdf", content, unit)
    check_document("a.pdf", content[:cut] + patch + content[cut + len(patch) :], unit)


WORD = st.recursive(
    st.sampled_from(
        ["<w:t>a b. C</w:t>", "<w:t> </w:t>", "<w:t/>", "<w:br/>", "<w:tab/>", "x", "<!-- y -->", "<?z?>", "&e;"]
    ),
    lambda inner: st.tuples(
        st.sampled_from("p r tbl tr tc del ins sdt sdtContent hyperlink moveFrom body".split()),
        st.lists(inner, max_size=4),
    ).map(lambda made: f"<w:{made[0]}>{''.join(made[1])}</w:{made[0]}>"),
    max_leaves=20,
)


@settings(max_examples=100, deadline=None)
@given(
    body=WORD,
    unit=UNITS,
    part=st.sampled_from(["word/document.xml", "[Content_Types].xml", "_rels/.rels", "word/styles.xml"]),
    junk=st.one_of(st.none(), st.binary(max_size=30)),
)
def test_any_word_document(body: str, unit: Unit | None, part: str, junk: bytes | None) -> None:
    """Whatever XML a Word document is made of, and with any part of it replaced by junk, spans point into its text."""
    check_document("a.docx", _word_document(body, {} if junk is None else {part: junk}), unit)


def _word_document(body: str, instead: dict[str, bytes]) -> bytes:
    import docx

    plain, made = io.BytesIO(), io.BytesIO()
    docx.Document().save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(made, "w") as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename == "word/document.xml":
                content = content.replace(b"<w:body>", b"<w:body>" + body.encode())
            new.writestr(part, instead.get(part.filename, content))
    return made.getvalue()


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
