"""Encodings: what a file is in is found out where that is sure, said, and never guessed from too little."""

import codecs
import gzip
import tracemalloc
from pathlib import Path

import pytest

from search.corpus import Corpus
from search.encodings import codec, detect, is_utf8
from search.errors import InputError, OptionError
from search.lines import LineReader

GERMAN = (
    "Das Zimmer war größer als erwartet, und vom Balkon aus konnten wir über die Dächer bis zum Fluss sehen.\n"
    "Frühstück gab es bis elf Uhr, mit frischen Brötchen, Käse und süßem Gebäck.\n"
    "Nachts störte uns nur die Straßenbahn, die alle zwanzig Minuten vorüberfuhr.\n"
)
FRENCH = (
    "La chambre était très propre, mais l\N{RIGHT SINGLE QUOTATION MARK}ascenseur était en panne.\n"
    "Le petit déjeuner coûtait 14 € et ne valait pas ce prix.\n"
    "À la réception, on nous a répondu qu\N{RIGHT SINGLE QUOTATION MARK}il fallait être patient.\n"
)
RUSSIAN = (
    "Номер оказался чистым и просторным, но окна выходили на шумную улицу.\n"
    "Завтрак подавали до десяти часов, и кофе был холодным.\n"
)
JAPANESE = (
    "部屋は広くて清潔でしたが、窓の外の通りがとても騒がしかったです。\n朝食は十時までで、コーヒーは冷めていました。\n"
)
CHINESE = "房间很大也很干净、但是窗外的街道非常吵。\n早餐供应到十点、咖啡是凉的、服务员很热情。\n"
TEXTS = [
    ("cp1252", FRENCH, "cp1252"),
    ("latin-1", GERMAN, "cp1252"),
    ("shift_jis", JAPANESE, "cp932"),
    ("koi8-r", RUSSIAN, "koi8-r"),
    ("cp1251", RUSSIAN, "cp1251"),
    ("gb18030", CHINESE, "gb18030"),
    ("euc_jp", JAPANESE, "euc_jp"),
]


def read(path: Path, content: bytes, *, encoding: str | None = None) -> tuple[list[str], list[str]]:
    """Write a file and read it; return its lines, and what was told."""
    path.write_bytes(content)
    told: list[str] = []
    return [one.text for one in Corpus([str(path)], encoding=encoding, tell=told.append)], told


@pytest.mark.parametrize(("encoding", "text", "found"), TEXTS)
@pytest.mark.parametrize("before", ["", "plain ASCII first\n" * 9000])
def test_found_out_and_told(tmp_path: Path, encoding: str, text: str, found: str, before: str) -> None:
    """A file of some length is read right, however much ASCII comes first, and what it was read in is said."""
    lines, told = read(tmp_path / "a.txt", (before + text).encode(encoding))
    assert lines == (before + text).splitlines()
    assert told == [f"{tmp_path / 'a.txt'} read as {found}; if that is wrong, say what it is with --encoding."]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("text", [GERMAN, JAPANESE, "short é\n", "a\n"])
def test_marks_and_utf8_are_no_guess(tmp_path: Path, encoding: str, text: str) -> None:
    """UTF-8, and whatever begins with a byte order mark, is read as what it is, short or long, and nothing is told."""
    assert read(tmp_path / "a.txt", text.encode(encoding)) == (text.splitlines(), [])


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_offsets_in_utf16(tmp_path: Path, mark: bytes) -> None:
    """Lines and offsets count characters, not the byte order mark; size and hash are the file's."""
    name = "utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be"
    path = tmp_path / "a.txt"
    path.write_bytes(mark + "ä\r\n\nlast".encode(name))
    reader = LineReader(str(path), encoding=None)
    assert [(line.number, line.start, line.text) for line in reader] == [(1, 0, "ä\r\n"), (2, 3, "\n"), (3, 4, "last")]
    assert reader.size == path.stat().st_size
    assert not reader.guessed


def test_the_user_has_the_last_word(tmp_path: Path) -> None:
    """--encoding decides, be it right or wrong, and nothing is told."""
    assert read(tmp_path / "a.txt", b"caf\xe9\n", encoding="latin-1") == (["café"], [])
    assert read(tmp_path / "a.txt", "é\n".encode(), encoding="cp1252") == (["Ã©"], [])
    assert read(tmp_path / "a.txt", "日本\n語\n".encode("iso2022_jp"), encoding="ISO-2022-JP") == (["日本", "語"], [])
    with pytest.raises(InputError, match=r"a\.txt:2: not ascii \(byte 0xe9: ordinal not in range\(128\)\)"):
        read(tmp_path / "a.txt", b"ok\ncaf\xe9\n", encoding="ascii")


@pytest.mark.parametrize("name", ["nonsense", "base64", "unicode_escape", "utf-7", "a\0b"])
def test_no_such_encoding(name: str) -> None:
    """What is no encoding of text files is refused by name."""
    with pytest.raises(OptionError, match="encoding"):
        codec(name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            b"ok\ncaf\xe9\n", r"a\.txt:2: byte 4 of the line \(0xe9\) is not UTF-8, and too little", id="short"
        ),
        pytest.param(
            "übel\nSüß\n".encode() + b"caf\xe9\n", r"a\.txt:3: byte 4 .* is not UTF-8\. Convert", id="damaged"
        ),
        pytest.param(b"\x89PNG\r\n\x1a\n\xff\xe9", r"a\.txt:1: byte 1 .* is not UTF-8\. Convert", id="picture"),
        pytest.param("naïve Zürich".encode("utf-16-le"), r"a\.txt:1: a zero byte", id="utf-16 without a mark"),
        pytest.param(bytes(range(1, 256)) * 4, r"a\.txt:2: byte 118 of the line \(0x80\) is not UTF-8\. ", id="noise"),
    ],
)
def test_too_little_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """Short, damaged or binary bytes are an error that names line and byte, and never text of another alphabet."""
    with pytest.raises(InputError, match=message):
        read(tmp_path / "a.txt", content)


def test_the_confidence_is_told(tmp_path: Path) -> None:
    """A refusal names the likeliest encoding, how sure it is, and how sure it would have to be."""
    with pytest.raises(
        InputError, match=r"\(\S+\? confidence 0\.\d\d; 0\.15 and 8 such bytes are needed\).*--encoding"
    ):
        read(tmp_path / "a.txt", b"good\ncaf\xe9\n")
    assert not detect(b"caf\xe9").sure
    assert detect(GERMAN.encode("cp1252")).confidence >= 0.15


def test_a_later_byte_that_does_not_fit(tmp_path: Path) -> None:
    """The rest need not be in what the beginning is in: that is an error with its line, never a wrong letter."""
    content = GERMAN.encode("cp1252") * 700 + b"x\nbad \x81\n"
    with pytest.raises(InputError, match=r"a\.txt:2102: not cp1252 \(byte 0x81"):
        read(tmp_path / "a.txt", content)
    cut = codecs.BOM_UTF16_LE + "ab\n日本".encode("utf-16-le")[:-1]
    with pytest.raises(InputError, match=r"a\.txt:2: not utf-16"):
        read(tmp_path / "a.txt", cut)


def test_a_character_on_the_border_of_the_sample() -> None:
    """UTF-8 that is cut inside a character is UTF-8."""
    assert is_utf8("zwölf".encode()[:3])
    assert not is_utf8(b"zw\xf6lf")


def test_tables_and_compressed_files(tmp_path: Path) -> None:
    """Tables, and compressed text, are found out as well."""
    lines, told = read(
        tmp_path / "a.csv", ("text,n\n" + GERMAN.replace(",", ";").replace("\n", ",1\n")).encode("cp1252")
    )
    assert lines[1] == "Frühstück gab es bis elf Uhr; mit frischen Brötchen; Käse und süßem Gebäck."
    assert len(told) == 1
    packed = gzip.compress(RUSSIAN.encode("koi8-r"))
    assert read(tmp_path / "a.txt.gz", packed)[0] == RUSSIAN.splitlines()


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Ten megabytes are found out and read in two."""
    (tmp_path / "a.txt").write_bytes(RUSSIAN.encode("koi8-r") * 80_000)
    reader = LineReader(str(tmp_path / "a.txt"), encoding=None)
    next(iter(reader))
    tracemalloc.start()
    assert sum(1 for _ in LineReader(str(tmp_path / "a.txt"), encoding=None)) == 160_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
