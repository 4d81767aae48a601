"""Bytes to lines: every line with its number and its offset, and the hash of what was read."""

import gzip
import hashlib
import io
import sys
from pathlib import Path

import pytest

from search.corpus import Corpus
from search.errors import InputError
from search.lines import MAX_LINE_BYTES, STDIN, Line, LineReader

BOM = b"\xef\xbb\xbf"


def written(folder: Path, content: bytes) -> str:
    """Write a file and return its name."""
    path = folder / "lines.txt"
    path.write_bytes(content)
    return str(path)


def test_numbers_and_offsets(tmp_path: Path) -> None:
    """Lines count from 1, blank ones too, keep their ends, and start where the ones before stop."""
    reader = LineReader(written(tmp_path, "ä\r\n\n日本\nlast".encode()))
    assert list(reader) == [Line(1, 0, "ä\r\n"), Line(2, 3, "\n"), Line(3, 4, "日本\n"), Line(4, 7, "last")]


def test_size_and_hash_are_the_files(tmp_path: Path) -> None:
    """After the last line, size and sha256 are those of all bytes, byte order mark included."""
    content = BOM + "Zürich\n\n".encode()
    reader = LineReader(written(tmp_path, content))
    assert (reader.size, reader.sha256) == (0, hashlib.sha256().hexdigest())
    for _ in reader:
        pass
    assert (reader.size, reader.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_size_follows_along(tmp_path: Path) -> None:
    """While reading, size is the number of bytes of the lines given so far."""
    reader = LineReader(written(tmp_path, b"ab\ncde\n"))
    assert [reader.size for _ in reader] == [3, 7]


def test_byte_order_mark_is_no_character(tmp_path: Path) -> None:
    """A byte order mark counts for no offset, and only at the file's start is it one."""
    reader = LineReader(written(tmp_path, BOM + b"a\n" + BOM + b"b\n"))
    assert list(reader) == [Line(1, 0, "a\n"), Line(2, 2, "\ufeffb\n")]


def test_only_newlines_end_lines(tmp_path: Path) -> None:
    """Form feeds, U+2028 and lone carriage returns stay inside a line."""
    text = "a\x0cb\u2028c\x85d\re\n"
    assert list(LineReader(written(tmp_path, text.encode()))) == [Line(1, 0, text)]


@pytest.mark.parametrize(("content", "count"), [(b"", 0), (b"\n", 1), (BOM, 1), (b"a", 1), (b"a\nb", 2)])
def test_smallest_files(tmp_path: Path, content: bytes, count: int) -> None:
    """Empty files have no line, and a last line needs no end."""
    assert len(list(LineReader(written(tmp_path, content)))) == count


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_longest_line(tmp_path: Path, end: bytes) -> None:
    """A line of exactly the limit is read, whatever its end; the next line is the next line."""
    lines = list(LineReader(written(tmp_path, b"a" * MAX_LINE_BYTES + end + b"b" * bool(end))))
    assert [len(line.text) for line in lines] == [MAX_LINE_BYTES + len(end), 1][: 1 + bool(end)]


def test_line_over_the_limit(tmp_path: Path) -> None:
    """One byte more than the limit is an error that names the line and the limit."""
    name = written(tmp_path, b"ok\n" + b"a" * (MAX_LINE_BYTES + 1))
    with pytest.raises(InputError, match=r"lines\.txt:2: a line of over 1,000,000 bytes"):
        list(LineReader(name))


def test_not_utf8(tmp_path: Path) -> None:
    """A byte that is not UTF-8 is an error with line, place and value, and what to do."""
    with pytest.raises(InputError, match=r"lines\.txt:2: byte 4 of the line \(0xe9\) is not UTF-8.*iconv"):
        list(LineReader(written(tmp_path, "ok\ncaf\xe9\n".encode("latin-1"))))


def test_binary(tmp_path: Path) -> None:
    """A zero byte is an error that says the file is binary."""
    with pytest.raises(InputError, match=r"lines\.txt:1: a zero byte; this is a binary file"):
        list(LineReader(written(tmp_path, b"PK\x03\x04\0\0\n")))


def test_missing_file_and_folder(tmp_path: Path) -> None:
    """What cannot be opened is an error that names it and why."""
    with pytest.raises(InputError, match=r"gone\.txt: cannot be read \(No such file"):
        list(LineReader(str(tmp_path / "gone.txt")))
    with pytest.raises(InputError, match=r"cannot be read \(Is a directory"):
        list(LineReader(str(tmp_path)))


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name "-" reads standard input, and leaves it open."""
    stdin = io.TextIOWrapper(io.BytesIO("eins\nzwölf\n".encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert list(LineReader(STDIN)) == [Line(1, 0, "eins\n"), Line(2, 5, "zwölf\n")]
    assert not stdin.buffer.closed


def compressed(suffix: str, content: bytes) -> bytes:
    """Compress bytes."""
    if suffix == ".gz":
        return gzip.compress(content)
    zstandard = pytest.importorskip("zstandard")
    data: bytes = zstandard.ZstdCompressor().compress(content)
    return data


@pytest.mark.parametrize("suffix", [".gz", ".zst", ".GZ"])
def test_compressed_files(tmp_path: Path, suffix: str) -> None:
    """The lines are those of the content, several parts one after the other included; size and hash are the file's."""
    content = BOM + "Zürich\n\nein zwei\n".encode() + b"a" * 100_000 + b"\n"
    data = compressed(suffix.lower(), content) + compressed(suffix.lower(), b"more\nlast")
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(data)
    reader = LineReader(str(path))
    lines = list(reader)
    assert [line.text for line in lines] == ["Zürich\n", "\n", "ein zwei\n", "a" * 100_000 + "\n", "more\n", "last"]
    assert [line.start for line in lines][:4] == [0, 7, 8, 17]
    assert (reader.size, reader.sha256) == (len(data), hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("how", ["cut", "other", "tail"])
def test_a_damaged_compressed_file_is_refused(tmp_path: Path, suffix: str, how: str) -> None:
    """Cut off anywhere, not compressed at all, or with something after its end: never half a text without a word."""
    data = compressed(suffix, "".join(f"line {number}\n" for number in range(500)).encode())
    path = tmp_path / f"a.txt{suffix}"
    for cut in range(1, len(data), 37) if how == "cut" else [0]:
        path.write_bytes({"cut": data[:cut], "other": b"plain text\n", "tail": data + b"more"}[how])
        with pytest.raises(InputError, match=r"a\.txt\.\w+: cannot be decompressed"):
            list(LineReader(str(path)))


def test_kinds_of_compressed_files(tmp_path: Path) -> None:
    """A table is a table when it is compressed, found in folders too; a compressed Parquet file is refused."""
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"text,n\ngood room,3\n"))
    (tmp_path / "skip.log.gz").write_bytes(gzip.compress(b"no"))
    assert [(one.text, dict(one.metadata)) for one in Corpus([str(tmp_path)])] == [("good room", {"n": "3"})]
    (tmp_path / "a.parquet.gz").write_bytes(gzip.compress(b"x"))
    with pytest.raises(InputError, match="Parquet is compressed already"):
        list(Corpus([str(tmp_path / "a.parquet.gz")]))
