"""The corpus written without some sentences: the same format, what stays to the letter, whole or not at all."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from search.corpus import Corpus
from search.deduplicated import check_output, write_deduplicated
from search.errors import OutputError
from search.index import Index
from search.indexing import build_index
from search.units import Unit
from tests.cli_runner import tree
from tests.toy import ToyEncoder

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Give a function that writes a file again without the sentences that hold "gone"."""

    def written(path: Path, unit: Unit | None = None, out: str = "out") -> Path:
        build_index(Corpus([str(path)], unit=unit), tmp_path / "index", ToyEncoder(), overwrite=True)
        with Index(tmp_path / "index") as index:
            entries = index.entries([row for row, text in index.texts() if "gone" in text])
            target = tmp_path / f"{out}{''.join(path.suffixes)}"
            assert write_deduplicated(index.sources, (one.sentence for one in entries), target) == [target]
        return target

    return written


CASES = [
    ("a.txt", "one\n\n  gone two \nthree", "one\n\nthree"),
    ("a.txt", "one\r\ngone\r\nthree gone\r\n", "one\r\n"),
    ("a.txt", "one\ngone", "one\n"),
    ("a.csv", 'text,n\none,1\n"gone,\n""two""",2\n"th,ree", 3\n', 'text,n\none,1\n"th,ree", 3\n'),
    ("a.csv", "n;text\r\n1;one\r\n\r\n2;gone\r\n3;three", "n;text\r\n1;one\r\n\r\n3;three"),
    ("a.tsv", 'n\ttext\n1\t"one\n2\tgone"\n', 'n\ttext\n1\t"one\n'),
    ("a.jsonl", '{"text": "one", "x": [1,  2]}\n\n{"text":"gone"}\n', '{"text": "one", "x": [1,  2]}\n\n'),
]


@pytest.mark.parametrize(("name", "content", "expected"), CASES)
def test_what_stays_stands_as_it_stood(name: str, content: str, expected: str, tmp_path: Path, write: Write) -> None:
    """Line ends, quotes, delimiters, blank lines and all columns are as they were; rows and lines go whole."""
    path = tmp_path / name
    path.write_bytes(content.encode())
    assert write(path).read_bytes() == expected.encode()


@pytest.mark.parametrize(
    ("unit", "content", "expected"),
    [
        (Unit.SENTENCE, "It is here. It is gone. It stays.\n\nAll gone here.\n", "It is here. It stays.\n\n"),
        (Unit.PARAGRAPH, "one\ntwo\n\ngone\nthree\n\nfour\n", "one\ntwo\n\n\nfour\n"),
        (Unit.DOCUMENT, "one\ngone\n", ""),
    ],
)
def test_parts_of_prose(unit: Unit, content: str, expected: str, tmp_path: Path, write: Write) -> None:
    """Sentences go with the blank behind them, and lines of which nothing is left go too."""
    path = tmp_path / "a.txt"
    path.write_text(content, encoding="utf-8")
    assert write(path, unit).read_text(encoding="utf-8") == expected


def test_nothing_removed(tmp_path: Path, write: Write) -> None:
    """Without duplicates the file is the same to the byte."""
    path = tmp_path / "a.csv"
    path.write_bytes('text;n\r\n caf\u00e9 ;1\r\n"b";2'.encode())
    assert write(path).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "windows-1252"])
def test_other_encodings(encoding: str, tmp_path: Path, write: Write) -> None:
    """What came in another encoding goes in it, whether it was named or found out."""
    path = tmp_path / "a.txt"
    french = [
        "Le petit d\u00e9jeuner co\u00fbtait 14 euros.",
        "\u00c0 la r\u00e9ception, il fallait \u00eatre patient.",
    ]
    lines = ["plain", *french, "La chambre \u00e9tait tr\u00e8s propre, mais l'ascenseur \u00e9tait en panne."]
    path.write_bytes("\n".join([*lines * 3, "gone", "no"]).encode(encoding))
    assert write(path).read_bytes() == "\n".join([*lines * 3, "no"]).encode(encoding)


def test_compressed(tmp_path: Path, write: Write) -> None:
    """What was compressed is compressed again."""
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"one\ngone\n"))
    (tmp_path / "b.txt.zst").write_bytes(zstandard.compress(b"one\ngone\n"))
    assert gzip.decompress(write(tmp_path / "a.txt.gz").read_bytes()) == b"one\n"
    with zstandard.open(write(tmp_path / "b.txt.zst")) as file:
        assert file.read() == b"one\n"


def test_parquet(tmp_path: Path, write: Write) -> None:
    """Rows go; columns, their types and the other rows stay."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pa.table({"text": ["one", "gone", None, "three"], "n": pa.array([1, 2, 3, None], pa.int16())})
    parquet.write_table(table, tmp_path / "a.parquet")
    written = parquet.read_table(write(tmp_path / "a.parquet"))
    assert written.schema == table.schema
    assert written.to_pydict() == {"text": ["one", None, "three"], "n": [1, 3, None]}


def test_several_files_become_a_folder(tmp_path: Path) -> None:
    """They stand in it as they do below the folder that holds them all."""
    for name in ("in/a.txt", "in/b/a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{name}\ngone\n", encoding="utf-8")
    build_index(Corpus([str(tmp_path / "in")]), tmp_path / "index", ToyEncoder())
    with Index(tmp_path / "index") as index:
        removed = [entry.sentence for entry in index.entries([1])]
        write_deduplicated(index.sources, removed, tmp_path / "out")
    assert (tmp_path / "out/a.txt").read_text(encoding="utf-8") == "in/a.txt\n"
    assert (tmp_path / "out/b/a.txt").read_text(encoding="utf-8") == "in/b/a.txt\ngone\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "index", "out"]


def test_a_file_that_has_changed_is_not_written(tmp_path: Path) -> None:
    """Its lines are not those that were read; nothing is written."""
    path = tmp_path / "a.txt"
    path.write_text("one\ngone\n", encoding="utf-8")
    build_index(Corpus([str(path)]), tmp_path / "index", ToyEncoder())
    path.write_text("another\none\ngone\n", encoding="utf-8")
    with Index(tmp_path / "index") as index:
        before = tree(tmp_path)
        with pytest.raises(OutputError, match=r"a\.txt: changed since it was read; index it again"):
            write_deduplicated(index.sources, [], tmp_path / "out.txt")
        assert tree(tmp_path) == before


def test_rows_are_not_cut(tmp_path: Path, write: Write) -> None:
    """Of a table whose cells were split, rows would go in part."""
    path = tmp_path / "a.csv"
    path.write_text("text,n\nHere. It is gone.,1\n", encoding="utf-8")
    with pytest.raises(OutputError, match="kept or removed whole; leave --unit sentence out"):
        write(path, Unit.SENTENCE)


def test_interrupted_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there before is as it was."""
    path = tmp_path / "a.txt"
    path.write_text("one\n" * 10, encoding="utf-8")
    (tmp_path / "out.txt").write_text("before", encoding="utf-8")

    def stopped(_: int) -> None:
        raise KeyboardInterrupt

    build_index(Corpus([str(path)]), tmp_path / "index", ToyEncoder())
    with Index(tmp_path / "index") as index:
        sources = index.sources
    monkeypatch.setattr(os, "fsync", stopped)
    before = tree(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        write_deduplicated(sources, [], tmp_path / "out.txt")
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("out", "paths", "message"),
    [
        ("b.txt", ["a.txt", "-"], "some sentences come from none"),
        ("b.pdf", ["a.pdf"], "a.pdf: a document is read, not written"),
        ("b.txt", [""], "some sentences come from none"),
        ("in", ["in/a.txt", "in/b.txt"], "in holds in/a.txt, which is read"),
        ("a.txt", ["in/a.txt", "in/b.txt"], "a.txt is a file; name a folder"),
        ("in", ["in/a.txt"], "in is a folder; there is one input file"),
        ("b.jsonl", ["in/a.txt"], "the format is not changed; give --out a name with .txt, as in/a.txt has"),
        ("b.txt", ["a"], "give --out a name with no suffix, as a has"),
        ("a.txt", ["in/a.txt"], "a.txt exists; choose another --out, or replace it with --overwrite"),
        ("in/a.txt", ["in/a.txt"], "in/a.txt exists"),
    ],
)
def test_outputs_that_cannot_be(
    out: str, paths: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told before any work is done, with what to do."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for name in ("a.txt", "in/a.txt", "in/b.txt"):
        Path(name).write_text("one\n", encoding="utf-8")
    with pytest.raises(OutputError) as told:
        check_output(Path(out), paths, overwrite=False)
    assert message in str(told.value)
    with pytest.raises(OutputError) if "exists" not in message else pytest.MonkeyPatch.context():
        check_output(Path(out), paths, overwrite=True)
