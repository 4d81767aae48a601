"""Tables: every row with the line it begins on, whatever the quoting; never a shifted row."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from search.errors import InputError
from search.tables import Row, TableReader, choose_column

EXPECTED = [{"id": "1", "text": "first"}, {"id": "2", "text": "zweite Öffnung"}]


def written(folder: Path, name: str, content: str) -> str:
    """Write a file and return its name."""
    path = folder / name
    path.write_bytes(content.encode())
    return str(path)


def rows_of(folder: Path, name: str, content: str) -> list[Row]:
    """Write a table and read it."""
    return list(TableReader(written(folder, name, content)))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "id,text\n1,first\n2,zweite Öffnung\n"),
        ("t.csv", "\ufeffid;text\r\n1;first\r\n2;zweite Öffnung"),
        ("t.TSV", "id\ttext\r\n1\tfirst\r\n2\tzweite Öffnung\r\n"),
        ("t.jsonl", '{"id": "1", "text": "first"}\n{"id": "2", "text": "zweite \\u00d6ffnung"}'),
    ],
)
def test_kinds_agree(tmp_path: Path, name: str, content: str) -> None:
    """CSV with comma or semicolon, TSV and JSONL give the same cells, with or without byte order mark and CRLF."""
    rows = rows_of(tmp_path, name, content)
    assert [row.cells for row in rows] == EXPECTED
    assert [row.line for row in rows] == ([1, 2] if name == "t.jsonl" else [2, 3])


def test_size_and_hash_are_the_files(tmp_path: Path) -> None:
    """After the last row, size and sha256 are those of the file's bytes."""
    content = '\ufeffid,text\n1,"a\nb"\n\n'
    reader = TableReader(written(tmp_path, "t.csv", content))
    assert len(list(reader)) == 1
    assert (reader.size, reader.sha256) == (len(content.encode()), hashlib.sha256(content.encode()).hexdigest())


def test_csv_quoting_and_lines(tmp_path: Path) -> None:
    """Quoted cells hold delimiters, quotes and line ends; a row's line is the one it begins on, blank lines counted."""
    rows = rows_of(tmp_path, "t.csv", 'id,text\n1,"a, ""b""\nsecond\n\nfourth"\n\n2,c\n"3","d\r\ne"\n4,f\n')
    assert [(row.line, row.cells["text"]) for row in rows] == [
        (2, 'a, "b"\nsecond\n\nfourth'),
        (7, "c"),
        (8, "d\r\ne"),
        (10, "f"),
    ]


def test_tsv_has_no_quoting(tmp_path: Path) -> None:
    """In TSV a quote is a character like another; blank lines are passed over but counted."""
    rows = rows_of(tmp_path, "t.tsv", 'id\ttext\n\n1\t"half open\n2\tsaid "so"\n')
    assert rows == [Row(3, {"id": "1", "text": '"half open'}), Row(4, {"id": "2", "text": 'said "so"'})]


def test_jsonl_keeps_types(tmp_path: Path) -> None:
    """JSONL cells keep their types, and rows may have different fields."""
    rows = rows_of(tmp_path, "t.jsonl", '{"text": "a", "n": 3, "tags": ["x"]}\n\n{"text": null}\n')
    assert rows == [Row(1, {"text": "a", "n": 3, "tags": ["x"]}), Row(3, {"text": None})]


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.jsonl"])
def test_no_rows(tmp_path: Path, name: str) -> None:
    """An empty file has no rows, nor has a header alone."""
    assert rows_of(tmp_path, name, "") == []
    if name != "t.jsonl":
        assert rows_of(tmp_path, name, "text\n") == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "id\r,text\n1,a\n", r"t\.csv:1: not readable as CSV"),
        ("t.csv", "id,text\n1,a\n2,b,c\n", r"t\.csv:3: 3 cells, the header has 2 \(id, text\)"),
        ("t.csv", 'id,text\n1,"a\nb"\n2\n', r"t\.csv:4: 1 cells, the header has 2"),
        ("t.csv", 'id,text\n1,a\n2,"open\nnever closed\n', r"t\.csv:3: not readable as CSV"),
        ("t.tsv", "id\ttext\n1\n", r"t\.tsv:2: 1 cells, the header has 2"),
        ("t.jsonl", '{"a": 1}\n{"a": \n', r"t\.jsonl:2: not valid JSON"),
        ("t.jsonl", '["a"]\n', r"t\.jsonl:1: expected a JSON object"),
        ("t.jsonl", '{"a": "half \\ud83d"}\n', r"t\.jsonl:1: not valid JSON .*surrogates"),
        ("t.parquet", "no parquet at all", r"t\.parquet: not readable as Parquet"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, name: str, content: str, message: str) -> None:
    """What is no such table is refused with its line, also after cells of several lines."""
    with pytest.raises(InputError, match=message):
        rows_of(tmp_path, name, content)


def test_emoji_in_escapes(tmp_path: Path) -> None:
    """Both halves of a surrogate pair together are one character."""
    assert rows_of(tmp_path, "t.jsonl", '{"a": "\\ud83d\\ude00"}\n') == [Row(1, {"a": "😀"})]


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is an error of the input, for every kind."""
    for suffix in ("csv", "tsv", "jsonl", "parquet"):
        with pytest.raises(InputError, match=f"gone.{suffix}"):
            list(TableReader(str(tmp_path / f"gone.{suffix}")))


def test_parquet(tmp_path: Path) -> None:
    """Parquet rows keep types and count from 1, over several batches; size and hash are the file's."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"text": [f"Zeile {n}" for n in range(2500)], "n": list(range(2500))}), path)
    reader = TableReader(str(path))
    rows = list(reader)
    assert rows == [Row(n + 1, {"text": f"Zeile {n}", "n": n}) for n in range(2500)]
    assert (reader.size, reader.sha256) == (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())


def column(cells: dict[str, Any], asked: str | None = None, taken: tuple[str, ...] = ()) -> str:
    """Choose among some cells, where "text" and "title" are usual."""
    return choose_column(
        Row(2, cells), "t.csv", asked=asked, usual=("text", "title"), option="--text-column", taken=taken
    )


def test_column_choice() -> None:
    """The column asked for wins, then the first usual name, then the only column that is not taken."""
    assert column({"title": "", "text": ""}) == "text"
    assert column({"title": "", "Text": ""}) == "Text"
    assert column({"title": "", "text": ""}, asked="title") == "title"
    assert column({"title": "", "text": ""}, taken=("text",)) == "title"
    assert column({"words": ""}) == "words"
    assert column({"words": "", "label": ""}, taken=("label",)) == "words"


def test_column_errors() -> None:
    """A column that is not there, or cannot be guessed, is an error that lists the columns and the option."""
    with pytest.raises(InputError, match=r"t\.csv: no column 'body'; the columns are a, b"):
        column({"a": "", "b": ""}, asked="body")
    with pytest.raises(InputError, match=r"Name it with --text-column; the columns are a, b"):
        column({"a": "", "b": ""})
