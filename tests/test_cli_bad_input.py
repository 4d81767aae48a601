"""Files that cannot be used: exit code 1, a message that names file and line, and nothing left behind."""

import tempfile
from pathlib import Path

import pytest

from search.index import Index
from tests.cli_runner import refuse, run, toy_index, tree
from tests.toy import ToyEncoder

_LONG = b"the room was good\n" + b"a" * 1_000_001 + b"\n"

TEXTS = [
    pytest.param(None, ": no such file or folder", id="missing"),
    pytest.param(b"", ": no text in it", id="empty"),
    pytest.param(b"\n  \n\t\n\r\n", ": no text in it", id="blank"),
    pytest.param(b"good\n\xe9t\xe9\n", ":2: byte 1 of the line (0xe9) is not UTF-8", id="latin-1"),
    pytest.param(b"good\n\x89PNG\r\n\x1a\n", ":2: byte 1 of the line (0x89) is not UTF-8", id="image"),
    pytest.param(b"good\nbad\nELF\0\0\1", ":3: a zero byte; this is a binary file", id="binary"),
    pytest.param(_LONG, ":2: a line of over 1,000,000 bytes", id="long-line"),
]
TABLES = [
    pytest.param(None, ": no such file or folder", id="missing"),
    pytest.param(b"", ": no rows in it", id="empty"),
    pytest.param(b"text,label\n", ": no rows in it", id="header-only"),
    pytest.param(b"\n\n\n", ": no rows in it", id="blank"),
    pytest.param(b"text,label\ngood,1\n\xe9t\xe9,0\n", ":3: byte 1 of the line (0xe9) is not UTF-8", id="latin-1"),
    pytest.param(b"PK\3\4\0\0text,label\n", ":1: a zero byte; this is a binary file", id="binary"),
    pytest.param(b"text,label\n" + _LONG, ":2: 1 cells, the header has 2 (text, label)", id="ragged"),
    pytest.param(b"text,label\ngood,1\n" + b"a" * 1_000_001 + b",1\n", ":3: a line of over 1,000,000", id="long-line"),
    pytest.param(b"text,label\ngood,1\n,0\n", ":3: no text in column 'text'", id="no-text"),
    pytest.param(b"text,label\ngood,1\nbad, \n", ":3: no label in column 'label'", id="no-label"),
]


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put temporary folders where the tests see whether they are removed."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Give a folder that looks like an encoder: it is not loaded before the data is read."""
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    return folder


def _written(path: Path, content: bytes | None) -> Path:
    if content is not None:
        path.write_bytes(content)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(("content", "message"), TEXTS)
@pytest.mark.parametrize("command", ["index", "duplicates"])
def test_unusable_texts_are_refused(
    content: bytes | None,
    message: str,
    command: str,
    tmp_path: Path,
    small_bert: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`index` and `duplicates` name the file and the line that cannot be used, and leave nothing."""
    file = _written(tmp_path / "corpus.txt", content)
    before = tree(tmp_path)
    options = ["--out", tmp_path / "out"] if command == "index" else []
    assert f"{file}{message}" in refuse(capsys, command, file, "--encoder", small_bert, *options)
    assert tree(tmp_path) == before


@pytest.mark.slow
def test_a_good_file_before_a_bad_one_is_indexed(
    tmp_path: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bad file is left out and named, the good one is in the index, and the exit code says that not all is well."""
    (tmp_path / "a.txt").write_text("the room was good\n" * 5000, encoding="utf-8")
    bad = _written(tmp_path / "b.txt", b"good\n\xff\n")
    out = tmp_path / "out"
    outcome = run(capsys, "index", tmp_path / "a.txt", bad, "--out", out, "--encoder", small_bert)
    assert outcome.code == 1
    assert f"Left out: {bad}:2: byte 1" in outcome.err
    with Index(out) as index:
        assert [source.name for source in index.sources] == [str(tmp_path / "a.txt")]
        assert len(index) == 5000


@pytest.mark.parametrize(("content", "message"), TABLES)
def test_unusable_tables_are_refused(
    content: bytes | None, message: str, tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`finetune` names the file and the line that cannot be used, and leaves nothing."""
    file = _written(tmp_path / "labels.csv", content)
    before = tree(tmp_path)
    assert f"{file}{message}" in refuse(capsys, "finetune", file, "--base", base, "--out", tmp_path / "out")
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, ": cannot be read (No such file or directory)", id="missing"),
        pytest.param(b"\xff\xfe", ":1: byte 1 of the line (0xff) is not UTF-8", id="utf-16"),
        pytest.param(b"good\n\0", ":2: a zero byte", id="binary"),
        pytest.param(_LONG, ":2: a line of over 1,000,000 bytes", id="long-line"),
    ],
)
def test_unusable_query_files_are_refused(
    content: bytes | None, message: str, tmp_path: Path, toy: ToyEncoder, capsys: pytest.CaptureFixture[str]
) -> None:
    """`query --file` names the file and the line that cannot be used."""
    index = toy_index(tmp_path / "index", ["the room was good"], toy)
    file = _written(tmp_path / "queries.txt", content)
    assert f"{file}{message}" in refuse(capsys, "query", index, "--file", file)


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_a_query_file_without_a_query_is_wrong_usage(
    content: bytes, tmp_path: Path, toy: ToyEncoder, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty or blank file of queries is named, with exit code 2."""
    index = toy_index(tmp_path / "index", ["the room was good"], toy)
    file = _written(tmp_path / "queries.txt", content)
    assert f"{file} holds no query" in refuse(capsys, "query", index, "--file", file, code=2)


@pytest.mark.parametrize("command", ["index", "finetune"])
def test_a_folder_without_text_is_refused(
    command: str, tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that holds no file of a known kind is named with the kinds there are."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"\xff\xd8")
    option = "--encoder" if command == "index" else "--base"
    message = refuse(capsys, command, tmp_path / "photos", option, base, "--out", tmp_path / "out")
    assert f"{tmp_path / 'photos'}: no text file in this folder" in message
    assert not (tmp_path / "out").exists()
