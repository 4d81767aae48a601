"""Which encoding some bytes are in: a byte order mark, else UTF-8, else what chardet is sure enough of.

A guess is refused rather than taken where the bytes are few, where chardet's confidence is low, and where most of them
are good UTF-8 with something else in between (a damaged file, or two files put together).

`benchmarks/encodings.py` measures how often what is taken is right.
"""

import codecs
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

from search.errors import InputError, OptionError

__all__ = [
    "MIN_BYTES",
    "MIN_CONFIDENCE",
    "SAMPLE_BYTES",
    "SUPERSETS",
    "UTF8",
    "Guess",
    "Transcoded",
    "codec",
    "detect",
    "from_mark",
    "is_utf8",
]

UTF8 = "utf-8"

SAMPLE_BYTES = 1 << 16
"""How much of a file is looked at, from its first line that is not ASCII."""

MIN_BYTES = 8
"""Fewer bytes beyond ASCII could be letters of too many alphabets."""

MIN_CONFIDENCE = 0.15
"""chardet's figure is a likeness of letter pairs, no probability: good German is at 0.2, good Japanese at 1."""

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Longest first: UTF-32's begins like UTF-16's."""

SUPERSETS = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "shift_jis": "cp932", "gb2312": "gb18030",
    "gbk": "gb18030",
}  # fmt: skip
"""What is read in their place, as browsers do: the same characters, and more."""

_NO_FILE = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "utf-7"})

_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_CONTROL = re.compile("[\x80-\x9f]")


@dataclass(frozen=True, slots=True)
class Guess:
    """An encoding by Python's name ("" for none), how like it the bytes are (0 to 1), and whether that is enough."""

    encoding: str
    confidence: float
    sure: bool


def codec(name: str) -> str:
    """Return Python's name of a text encoding.

    Raises:
        OptionError: there is no such encoding.
    """
    try:
        found = codecs.lookup(name).name
        "".encode(found)  # refused by codecs that are not of text, as base64
    except (LookupError, ValueError) as exc:
        raise OptionError(f"no encoding is called {name!r}; for example utf-8, cp1252, shift_jis, koi8-r.") from exc
    if found in _NO_FILE:
        raise OptionError(f"{name!r} is no encoding of files; for example utf-8, cp1252, shift_jis, koi8-r.")
    return UTF8 if found == "utf-8-sig" else found


def from_mark(head: bytes) -> str | None:
    """Return the encoding that a byte order mark at the start says, if there is one."""
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)


def is_utf8(sample: bytes) -> bool:
    """Say whether bytes are UTF-8, but for a character that is cut off at their end."""
    return _fits(sample, UTF8)


def detect(sample: bytes) -> Guess:
    """Guess the encoding of bytes that are not UTF-8; of an ASCII-like one only, since line ends must be bytes."""
    beyond = len(_BEYOND_ASCII.findall(sample))
    if b"\0" in sample or sum(map(len, _UTF8_SEQUENCE.findall(sample))) * 2 > beyond:
        return Guess("", 0.0, sure=False)
    from chardet import EncodingEra, detect_all

    for found in detect_all(sample, encoding_era=EncodingEra.MODERN_WEB | EncodingEra.LEGACY_ISO):
        if found["encoding"] is None:  # a picture, a program
            break
        encoding = codecs.lookup(found["encoding"]).name
        encoding = SUPERSETS.get(encoding, encoding)
        if not encoding.startswith("utf") and _fits(sample, encoding):
            confidence = found["confidence"]
            return Guess(encoding, confidence, beyond >= MIN_BYTES and confidence >= MIN_CONFIDENCE)
    return Guess("", 0.0, sure=False)


def _fits(sample: bytes, encoding: str) -> bool:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return False
    return encoding == UTF8 or not _CONTROL.search(text)


class Transcoded(io.RawIOBase):
    """A file's content as UTF-8, a piece at a time; a byte that is no character is an error that names its line."""

    def __init__(
        self,
        file: BinaryIO,
        encoding: str,
        name: str,
        *,
        before: bytes = b"",
        line: int = 1,
        told: Callable[[bytes], None],
    ) -> None:
        """Take the content from `before` and `file`, which begin on `line`; tell what was taken."""
        self._file = file
        self._name = name
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._before = before
        self._line = line
        self._told = told
        self._waiting = b""
        self._ended = False

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read as many bytes as there is room for, and return how many it were; 0 at the end."""
        view = memoryview(buffer).cast("B")
        while not self._waiting and not self._ended:
            data, self._before = self._before or self._file.read(SAMPLE_BYTES), b""
            self._ended = not data
            self._told(data)
            self._waiting = self._decoded(data).encode(UTF8)
        count = min(len(view), len(self._waiting))
        view[:count] = self._waiting[:count]
        self._waiting = self._waiting[count:]
        return count

    def _decoded(self, data: bytes) -> str:
        try:
            text = self._decoder.decode(data, final=not data)
        except UnicodeError as exc:
            place = self._name
            told = str(exc)
            if isinstance(exc, UnicodeDecodeError):
                good = exc.object[: exc.start].decode(self._encoding, "replace")
                place = f"{place}:{self._line + good.count(chr(10))}"
                told = f"byte 0x{exc.object[exc.start]:02x}: {exc.reason}"
            raise InputError(
                f"{place}: not {self._encoding} ({told}). Name its encoding with --encoding, or convert it to UTF-8."
            ) from exc
        self._line += text.count("\n")
        return text
