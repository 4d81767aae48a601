"""Files to sentences: source, line and span of every sentence, for every kind of file and unit."""

import hashlib
import io
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from search.corpus import Corpus, expand
from search.errors import InputError
from search.records import Sentence, Source
from search.units import Unit

PROSE = (
    "\ufeff  Der Anfang\u00a0war schön. 😀 Zweiter Satz!\r\n"
    "Noch eine Zeile ohne Ende\r\n"
    "\r\n"
    "\u00a0\t \n"
    "日本語の文です。次の文。\x0c\u2028 Schluss \u00a0\n"
    "\n"
    "Dr. Last said 3.5 is fine. Really"
)
MARKDOWN = (
    "\ufeff# Ein Titel #\r\n\r\nErster Satz. Zweiter *Satz*\r\ngeht weiter.\r\n\r\n"
    "- Punkt eins\r\n- Punkt zwei. 😀!\r\n\r\n```\r\ncode = 1\r\n```\r\n\r\n> Zitat\u2028hier.\r\n\r\nSchluss\x0c.\n"
)


def written(folder: Path, name: str, content: str) -> str:
    """Write a file, its line ends as given, and return its name."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode())
    return str(path)


def texts(corpus: Corpus) -> list[str]:
    """Read a corpus and return the texts alone."""
    return [sentence.text for sentence in corpus]


@pytest.mark.parametrize("unit", [None, *Unit])
@pytest.mark.parametrize(("name", "content"), [("a.txt", PROSE), ("a.md", MARKDOWN)])
def test_spans_point_into_the_file(tmp_path: Path, name: str, content: str, unit: Unit | None) -> None:
    """In every unit, a sentence is the decoded file's characters start to end, trimmed, in order, on its line."""
    file = written(tmp_path, name, content)
    decoded = Path(file).read_bytes().decode("utf-8-sig")
    found = list(Corpus([file], unit=unit))
    assert found
    for sentence in found:
        assert decoded[sentence.start : sentence.end] == sentence.text == sentence.text.strip()
        assert sentence.text
        assert sentence.line == 1 + decoded.count("\n", 0, sentence.start)
        assert (sentence.source, dict(sentence.metadata)) == (file, {})
    assert all(one.end <= other.start for one, other in pairwise(found))


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        (None, [(1, "Go on. Stay."), (2, "Leave now"), (4, "Come back.")]),
        (Unit.LINE, [(1, "Go on. Stay."), (2, "Leave now"), (4, "Come back.")]),
        (Unit.SENTENCE, [(1, "Go on."), (1, "Stay."), (2, "Leave now"), (4, "Come back.")]),
        (Unit.PARAGRAPH, [(1, "Go on. Stay.\nLeave now"), (4, "Come back.")]),
        (Unit.DOCUMENT, [(1, "Go on. Stay.\nLeave now\n\n  Come back.")]),
    ],
)
def test_units_of_text(tmp_path: Path, unit: Unit | None, expected: list[tuple[int, str]]) -> None:
    """A unit is a line, a sentence, a paragraph between blank lines, or all; without being asked, a line."""
    file = written(tmp_path, "a.txt", "Go on. Stay.\nLeave now\n\n  Come back.\n\n")
    assert [(one.line, one.text) for one in Corpus([file], unit=unit)] == expected


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        (None, [(1, "Title"), (3, "One two."), (3, "Three *four*\nfive."), (6, "item"), (12, "quote")]),
        (Unit.PARAGRAPH, [(1, "Title"), (3, "One two. Three *four*\nfive."), (6, "item"), (12, "quote")]),
    ],
)
def test_units_of_markdown(tmp_path: Path, unit: Unit | None, expected: list[tuple[int, str]]) -> None:
    """Markdown gives its prose, sentence by sentence or block by block, without code, HTML and block marks."""
    content = "# Title\n\nOne two. Three *four*\nfive.\n\n- item\n\n```\ncode\n```\n\n> quote\n\n<div>html</div>\n"
    assert [(one.line, one.text) for one in Corpus([written(tmp_path, "a.md", content)], unit=unit)] == expected


def test_table_cells_and_metadata(tmp_path: Path) -> None:
    """A cell is a sentence, its span counts in the cell, its row's other columns are its metadata, blanks are none."""
    file = written(tmp_path, "a.csv", 'id,text,stars\n1,"  Good. Bad. ",4\n2, ,1\n3,"x\ny",5\n')
    assert list(Corpus([file])) == [
        Sentence("Good. Bad.", file, 2, 2, 12, {"id": "1", "stars": "4"}),
        Sentence("x\ny", file, 4, 0, 3, {"id": "3", "stars": "5"}),
    ]
    split = list(Corpus([file], unit=Unit.SENTENCE))
    assert [(one.text, one.start, one.end, one.line) for one in split[:2]] == [("Good.", 2, 7, 2), ("Bad.", 8, 12, 2)]
    assert texts(Corpus([file], text_column="stars")) == ["4", "1", "5"]


def test_table_cells_that_are_no_text(tmp_path: Path) -> None:
    """Null is no sentence; a number in the text column is an error with its line."""
    assert texts(Corpus([written(tmp_path, "a.jsonl", '{"text": null}\n{"text": "a"}\n')])) == ["a"]
    with pytest.raises(InputError, match=r"b\.jsonl:2: column 'text' holds 3, expected text"):
        list(Corpus([written(tmp_path, "b.jsonl", '{"text": "a"}\n{"text": 3}\n')]))


def test_sources_and_progress(tmp_path: Path) -> None:
    """Each file read is a source with size, hash and count, and bytes read arrive at the total."""
    contents = {"a.txt": "one\n\nzwölf\n", "b.csv": "text\nx\n", "c.md": "# T\n"}
    files = [written(tmp_path, name, content) for name, content in contents.items()]
    corpus = Corpus(files)
    total = sum(len(content.encode()) for content in contents.values())
    assert (corpus.total_bytes, corpus.bytes_read) == (total, 0)
    seen = [corpus.bytes_read for _ in corpus]
    assert seen == sorted(seen)
    assert 0 < seen[0] < corpus.bytes_read == total
    assert corpus.sources == [
        Source(file, len(data.encode()), hashlib.sha256(data.encode()).hexdigest(), count)
        for file, data, count in zip(files, contents.values(), (2, 1, 1), strict=True)
    ]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name "-" reads lines from standard input, whose size nobody knows before."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"one\n\ntwo")))
    corpus = Corpus(["-"])
    assert corpus.total_bytes is None
    assert [(one.text, one.source, one.line, one.start) for one in corpus] == [("one", "-", 1, 0), ("two", "-", 3, 5)]
    assert corpus.bytes_read == 8


def test_expand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders are searched whole, globs expanded, both sorted; a file named often counts once, where it came first."""
    monkeypatch.chdir(tmp_path)
    for name in ("d/b.txt", "d/a.MD", "d/sub/c.csv", "d/skip.pdf", "e[1].txt", "f.log"):
        written(tmp_path, name, "x")
    (tmp_path / "d" / "folder.txt").mkdir()
    assert expand(["d"]) == ["d/a.MD", "d/b.txt", "d/sub/c.csv"]
    assert expand(["d/*.txt"]) == ["d/b.txt"]
    assert expand(["d/**/*.csv", "e[1].txt", "-", "f.log"]) == ["d/sub/c.csv", "e[1].txt", "-", "f.log"]
    assert expand(["d/b.txt", "d", "./d/b.txt", str(tmp_path / "d" / "b.txt")]) == ["d/b.txt", "d/a.MD", "d/sub/c.csv"]


@pytest.mark.parametrize("pattern", ["gone.txt", "*.none", "empty"])
def test_nothing_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str) -> None:
    """A pattern that names no file is an error, never an empty corpus."""
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "empty/image.png", "x")
    with pytest.raises(InputError, match=pattern.replace("*", r"\*")):
        Corpus([written(tmp_path, "a.txt", "x"), pattern])


@pytest.mark.parametrize(
    ("name", "content"), [("a.txt", ""), ("a.txt", " \n\n\t"), ("a.csv", "text\n"), ("a.md", "```\nx\n```")]
)
def test_no_text(tmp_path: Path, name: str, content: str) -> None:
    """A file without a sentence is an error that names it."""
    with pytest.raises(InputError, match=rf"{name}: no text in it"):
        list(Corpus([written(tmp_path, name, content)]))


def test_longest_sentence(tmp_path: Path) -> None:
    """100,000 characters are a sentence, one more is an error with its line; a document may be longer."""
    assert [len(one) for one in texts(Corpus([written(tmp_path, "a.txt", "a" * 100_000)]))] == [100_000]
    file = written(tmp_path, "b.txt", "x\n" + "a" * 100_001)
    with pytest.raises(InputError, match=r"b\.txt:2: a sentence of 100,001 characters, the limit is 100,000"):
        list(Corpus([file]))
    assert [len(one) for one in texts(Corpus([file], unit=Unit.DOCUMENT))] == [100_003]
