"""Documents: PDF, Word and HTML to sentences, each with its page, paragraph or line, and its place in their text."""

import gzip
import hashlib
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest

from search import documents, reader_docx
from search.corpus import Corpus
from search.documents import DocumentReader, document_text
from search.errors import InputError
from search.index import Index
from search.indexing import build_index
from search.records import Sentence, Source
from search.units import Unit
from tests.cli_runner import refuse, run, succeed
from tests.document_files import pdf_bytes, write_docx
from tests.toy import ToyEncoder

PAGES = [
    [
        "Annual report",
        "The hotel in Lisbon was renovated in spring, and all of its",
        "rooms were given new beds. Guests liked the new breakfast room",
        "very much. It costs 9 € (net).",
        "• Open from seven to ten",
    ],
    ["Noise", "Many guests could not sleep because of the street outside."],
]
PDF = [
    (1, "Annual report"),
    (1, "The hotel in Lisbon was renovated in spring, and all of its\nrooms were given new beds."),
    (1, "Guests liked the new breakfast room\nvery much."),
    (1, "It costs 9 € (net)."),
    (1, "• Open from seven to ten"),
    (2, "Noise"),
    (2, "Many guests could not sleep because of the street outside."),
]
HTML = """<!DOCTYPE html>
<html><head><title>Title</title><style>p {}</style><script>var a = "x < y";</script></head>
<body><nav><a href="/">Home</a></nav><div role="navigation">About</div>
<h1>Our &amp; your hotel</h1>
<p>The pool is <b>heated</b>
all   year. Towels
cost 3&nbsp;&euro;.</p><!-- <p>comment</p> -->
<ul><li>Free parking<li>Bikes</ul>
<table><tr><td>Single</td><td>80 €</td></tr></table>
<p hidden>secret</p><template>later</template><noscript>Turn it on</noscript>
Loose text<br>with a break
<pre>one
  two</pre></body></html>
"""
PAGE = [
    (4, "Our & your hotel"),
    (5, "The pool is heated all year."),
    (5, "Towels cost 3\u00a0€."),
    (8, "Free parking"),
    (8, "Bikes"),
    (9, "Single"),
    (9, "80 €"),
    (11, "Loose text\nwith a break"),
    (12, "one\ntwo"),
]
LETTER = ["Complaint", "Dear Sir, the room was freezing. Nobody came.", "Yours, A. Guest"]
TABLE = [["Date", "12 May"], ["Room", "14, with a view"]]


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    """Write a Word document."""
    return write_docx(tmp_path / "letter.docx", LETTER, table=TABLE)


def written(folder: Path, name: str, content: bytes | str) -> str:
    """Write a file and return its name."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def placed(name: str, unit: Unit | None = None) -> list[tuple[int, str]]:
    """Read a document; return each sentence with its line, once its span is known to be right."""
    found = list(Corpus([name], unit=unit))
    text = document_text(name)
    assert all(text[one.start : one.end] == one.text == one.text.strip() for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    return [(one.line, one.text) for one in found]


def test_pdf(tmp_path: Path) -> None:
    """A sentence's line is its page, in its metadata too; a heading and a list's item are sentences of their own."""
    name = written(tmp_path, "a.pdf", pdf_bytes(PAGES))
    assert placed(name) == PDF
    assert [one.metadata for one in Corpus([name])] == [{"page": page} for page, _ in PDF]
    assert placed(name, Unit.LINE) == [(page, line) for page, lines in enumerate(PAGES, 1) for line in lines]
    assert [page for page, _ in placed(name, Unit.PARAGRAPH)] == [1, 1, 1, 2, 2]
    assert placed(name, Unit.DOCUMENT) == [(1, document_text(name))]


def test_words_parted_at_a_line_end(tmp_path: Path) -> None:
    """A word that a hyphen parts at the end of a PDF's line is whole; a hyphen inside a line stays."""
    pages = [["The dining room serves well-known and inter-", "national dishes."]]
    name = written(tmp_path, "a.pdf", pdf_bytes(pages))
    assert placed(name) == [(1, "The dining room serves well-known and international dishes.")]


def test_html(tmp_path: Path) -> None:
    """A page's visible text, without scripts, styles and navigation; a sentence's line is where its block begins."""
    name = written(tmp_path, "a.html", HTML)
    assert placed(name) == PAGE
    assert placed(name, Unit.PARAGRAPH)[1] == (5, "The pool is heated all year. Towels cost 3\u00a0€.")
    packed = written(tmp_path, "a.HTM.gz", gzip.compress(HTML.encode()))
    assert placed(packed) == PAGE


def test_docx(letter: Path) -> None:
    """Headings, paragraphs and cells come in the document's order; a sentence's line is its paragraph."""
    assert placed(str(letter)) == [
        (1, "Complaint"),
        (2, "Dear Sir, the room was freezing."),
        (2, "Nobody came."),
        *[(number, cell) for number, cell in enumerate(["Date", "12 May", "Room", "14, with a view"], start=3)],
        (7, "Yours, A. Guest"),
    ]


def test_docx_of_many_hands(letter: Path) -> None:
    """Insertions and content controls are read, deletions and a text box's older form are not, and nothing twice."""
    rewritten = letter.with_name("hands.docx")
    marked = (
        '<w:p><w:ins w:id="1" w:author="a"><w:r><w:t>new</w:t></w:r></w:ins><w:r><w:tab/><w:t>here</w:t></w:r>'
        '<w:del w:id="2" w:author="a"><w:r><w:delText>old</w:delText></w:r></w:del></w:p>'
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>controlled</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        '<w:p><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        '<mc:Choice Requires="wps"><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></mc:Choice>'
        "<mc:Fallback><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></mc:Fallback>"
        "</mc:AlternateContent><w:r><w:t>outside</w:t></w:r></w:p>"
    )
    with zipfile.ZipFile(letter) as old, zipfile.ZipFile(rewritten, "w") as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename == "word/document.xml":
                content = content.replace(b"<w:body>", b"<w:body>" + marked.encode())
            new.writestr(part, content)
    assert [text for _, text in placed(str(rewritten))][:4] == ["new\there", "controlled", "outside", "boxed"]


def test_sources(tmp_path: Path, letter: Path) -> None:
    """After each document its source has the file's size and hash, and bytes read arrive at the total."""
    names = [written(tmp_path, "a.pdf", pdf_bytes(PAGES)), str(letter), written(tmp_path, "c.html", HTML)]
    corpus = Corpus(names)
    counts = [sum(one.source == name for one in list(Corpus(names))) for name in names]
    list(corpus)
    contents = [Path(name).read_bytes() for name in names]
    assert corpus.sources == [
        Source(name, len(content), hashlib.sha256(content).hexdigest(), count)
        for name, content, count in zip(names, contents, counts, strict=True)
    ]
    assert corpus.bytes_read == corpus.total_bytes


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param('<meta charset="windows-1252"><p>Käse 3 €'.encode("cp1252"), "Käse 3 €", id="declared"),
        pytest.param('<meta charset="iso-8859-1"><p>Käse 3 €'.encode("cp1252"), "Käse 3 €", id="as browsers do"),
        pytest.param('<meta charset="windows-1252"><p>Käse 3 €'.encode(), "Käse 3 €", id="UTF-8 all the same"),
        pytest.param('<?xml version="1.0" encoding="x"?><p>Käse'.encode(), "Käse", id="XHTML"),
        pytest.param("<p>Käse".encode("utf-16"), "Käse", id="marked"),
        pytest.param('<meta charset="nonsense"><p>Käse'.encode(), "Käse", id="no such encoding"),
        pytest.param(b"<p>a\0b", "a b", id="zero byte"),
    ],
)
def test_encodings_of_pages(tmp_path: Path, content: bytes, expected: str) -> None:
    """A page is in what its mark says, in UTF-8, or in what it declares; nothing needs to be told."""
    told: list[str] = []
    assert [one.text for one in Corpus([written(tmp_path, "a.html", content)], tell=told.append)] == [expected]
    assert told == []


def test_a_page_in_no_encoding(tmp_path: Path) -> None:
    """A page that says nothing, and too little, is an error with its line; --encoding reads it."""
    name = written(tmp_path, "a.html", b"<p>\ncaf\xe9")
    with pytest.raises(InputError, match=r"a\.html:2: byte 0xe9 is not utf-8.*--encoding"):
        list(Corpus([name]))
    assert [one.text for one in Corpus([name], encoding="latin-1")] == ["café"]


UNUSABLE = [
    pytest.param("a.pdf", pdf_bytes(PAGES, encrypted=True), "encrypted, and asks for a password", id="encrypted"),
    pytest.param("a.pdf", pdf_bytes([[], []]), r"no text in it, on 2 page\(s\).*OCR", id="scanned"),
    pytest.param("a.pdf", pdf_bytes(PAGES)[:200], "not readable as PDF", id="cut off"),
    pytest.param("a.pdf", b"", "not readable as PDF", id="empty PDF"),
    pytest.param("a.pdf.gz", gzip.compress(b"x"), ".pdf is compressed already", id="compressed PDF"),
    pytest.param("a.docx", b"PK\x03\x04 and no more", "not readable as a Word document", id="broken zip"),
    pytest.param("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"password.*\.doc\)", id="old Word"),
    pytest.param("a.html", b"", "no text in it", id="empty page"),
    pytest.param("a.html", b"<script>x</script><nav>Home</nav>", "no text in its body", id="no text"),
    pytest.param("a.html", b"<div>" * 3000 + b"deep", "nested too deep", id="deep"),
]


@pytest.mark.parametrize(("name", "content", "message"), UNUSABLE)
def test_unusable(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """What cannot be read is an error that names the file and says why."""
    with pytest.raises(InputError, match=rf"{name}: .*{message}"):
        list(Corpus([written(tmp_path, name, content)]))


def test_unusable_word_documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty document, a zip file of something else, and one that unpacks to too much are refused."""
    with pytest.raises(InputError, match=r"a\.docx: no text in it"):
        list(Corpus([str(write_docx(tmp_path / "a.docx", [""]))]))
    with zipfile.ZipFile(tmp_path / "b.docx", "w") as parts:
        parts.writestr("a.txt", "text")
    with pytest.raises(InputError, match=r"b\.docx: not readable as a Word document"):
        list(Corpus([str(tmp_path / "b.docx")]))
    monkeypatch.setattr(reader_docx, "_MAX_BYTES", 3)
    with pytest.raises(InputError, match=r"b\.docx: unpacks to 4 bytes, the limit is 3"):
        list(Corpus([str(tmp_path / "b.docx")]))


def test_pages_without_text_are_told(tmp_path: Path) -> None:
    """Of a PDF that is scanned in part, the pages that are left out are counted."""
    told: list[str] = []
    name = written(tmp_path, "a.pdf", pdf_bytes([["Text."], [], []]))
    assert [one.text for one in Corpus([name], tell=told.append)] == ["Text."]
    assert told == [f"{name}: 2 of 3 page(s) hold no text; they may be scanned."]


def test_without_the_libraries(tmp_path: Path, letter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that is named is an error with the extra to install; in a folder it is passed over, and told once."""
    monkeypatch.setitem(documents._LIBRARY, ".docx", "no-such-library")
    told: list[str] = []
    written(tmp_path, "a.txt", "a line\n")
    write_docx(tmp_path / "b.docx", LETTER)
    assert [one.text for one in Corpus([str(tmp_path)], tell=told.append)] == ["a line"]
    assert len(told) == 1
    assert "2 file(s) passed over: .docx needs no-such-library; install it with: pip install 'kindred[doc" in told[0]
    with pytest.raises(InputError, match=r"letter\.docx: \.docx needs no-such-library.*kindred\[documents\]"):
        list(Corpus([str(letter)]))


def test_an_index_follows_documents(tmp_path: Path, toy: ToyEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unchanged they are not read again; by another reader they are; renamed to another kind they are others."""
    out = tmp_path / "out"
    page = Path(written(tmp_path, "a.html", HTML))
    assert build_index(Corpus([str(page)]), out, toy).new == 1
    assert build_index(Corpus([str(page)]), out, toy).same == 1
    monkeypatch.setattr(documents, "_EDITION", 2)
    assert build_index(Corpus([str(page)]), out, toy).changed == 1
    assert build_index(Corpus([str(page)], encoding="cp1252"), out, toy).changed == 1
    text = page.rename(tmp_path / "a.txt")
    done = build_index(Corpus([str(text)]), out, toy, prune=True)
    assert (done.new, done.moved) == (1, 0)
    with Index(out) as index:
        assert "<h1>Our &amp; your hotel</h1>" in [text for _, text in index.texts()]


def test_places(tmp_path: Path) -> None:
    """A hit of a PDF is printed with its page."""
    from search.cli.output import place, shown

    sentence = Sentence("a\nb", "x/y/report.pdf", 3, 0, 3, {"page": 3})
    assert place(sentence) == "y/report.pdf p. 3"
    assert shown(sentence) == "a b"


@pytest.mark.slow
def test_a_folder_of_all_kinds(
    tmp_path: Path, letter: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What can be read is indexed, what cannot is named with its reason, and the exit code says so; --strict stops."""
    written(tmp_path, "a.pdf", pdf_bytes(PAGES))
    written(tmp_path, "b.html", HTML)
    written(tmp_path, "locked.pdf", pdf_bytes(PAGES, encrypted=True))
    outcome = run(capsys, "index", tmp_path, "--out", tmp_path / "out", "--encoder", small_bert)
    assert outcome.code == 1
    assert f"Left out: {tmp_path / 'locked.pdf'}: encrypted" in outcome.err
    asked = ("query", tmp_path / "out", "sleep", "--match", "words", "--where", "page = 2")
    assert "a.pdf p. 2" in succeed(capsys, *asked)
    outcome = run(capsys, "index", tmp_path, "--out", tmp_path / "two", "--encoder", small_bert, "--strict")
    assert (outcome.code, outcome.out) == (1, "")
    assert not (tmp_path / "two").exists()


def test_a_page_is_read_once(tmp_path: Path) -> None:
    """Reading a document twice gives the same paragraphs, with the same places."""
    reader = DocumentReader(written(tmp_path, "a.pdf", pdf_bytes(PAGES)))
    assert list(reader) == list(reader)


@pytest.mark.parametrize("command", ["index", "duplicates"])
def test_no_such_encoding(tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An encoding that does not exist is refused before any work."""
    name = written(tmp_path, "a.txt", "text")
    assert "no encoding is called 'klingon'" in refuse(capsys, command, name, "--encoding", "klingon")


@pytest.mark.slow
def test_the_encoding_that_was_said(tmp_path: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--encoding reads what is refused without it."""
    name = written(tmp_path, "a.txt", b"caf\xe9\n")
    out = tmp_path / "out"
    succeed(capsys, "index", name, "--encoding", "latin-1", "--out", out, "--encoder", small_bert)
    with Index(out) as index:
        assert [text for _, text in index.texts()] == ["café"]
