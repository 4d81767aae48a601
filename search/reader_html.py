"""HTML to paragraphs: the text of the body that a reader sees, entities decoded; every block element ends one.

Left out: scripts, styles, templates, forms' controls, navigation (`nav`, `role="navigation"`) and what is `hidden`.
White space is as a browser shows it: one space, but for `<br>` and inside `<pre>`.

Not handled: what style sheets hide, and what scripts would put in.
"""

import codecs
import re
from collections.abc import Iterator
from typing import Any

from search.encodings import SUPERSETS, UTF8, detect, from_mark, is_utf8
from search.errors import InputError
from search.units import Block

__all__ = ["decoded", "html_paragraphs"]

_PASSED_OVER = frozenset(
    "head script style template noscript nav svg math canvas iframe object audio video select button textarea".split()  # noqa: SIM905
)
_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure "  # noqa: SIM905
    "footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu ol p pre search section summary table tbody td "
    "tfoot th thead title tr ul".split()
)

_SPACES = re.compile(r"[ \t\n\r\f]+")
_SPACES_ONLY = re.compile(" {2,}")
_AROUND_BREAKS = re.compile(r" *\n *")
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_CHARSET_BYTES = 4096


def decoded(content: bytes, name: str, encoding: str | None) -> tuple[str, str, bool]:
    """Return a page's text, its encoding, and whether that was guessed.

    `encoding` decides; where it is None, a byte order mark, then UTF-8, then what the page declares, then a guess.

    Raises:
        InputError: none of them fits; names line and byte.
    """
    declared = _declared(content)
    guessed = False
    chosen = encoding or from_mark(content) or (UTF8 if is_utf8(content) else declared)
    if chosen is None or (chosen == declared and encoding is None and not _fits(content, chosen)):
        guess = detect(content)
        guessed = guess.sure
        chosen = guess.encoding if guess.sure else UTF8
    try:
        return content.decode("utf-8-sig" if chosen == UTF8 else chosen), chosen, guessed
    except UnicodeDecodeError as exc:
        line = exc.object.count(b"\n", 0, exc.start) + 1
        raise InputError(
            f"{name}:{line}: byte 0x{exc.object[exc.start]:02x} is not {chosen}; name its encoding with --encoding."
        ) from exc


def _declared(content: bytes) -> str | None:
    found = _CHARSET.search(content, 0, _CHARSET_BYTES)
    if found is None:
        return None
    try:
        encoding = codecs.lookup(found[1].decode("ascii")).name
        "".encode(encoding)
    except (LookupError, ValueError):
        return None
    return SUPERSETS.get(encoding, encoding)


def _fits(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except (UnicodeError, ValueError):
        return False
    return True


def html_paragraphs(text: str, name: str) -> Iterator[Block]:
    """Yield the paragraphs of a page; `line` is where each begins in the file. Their `start` is left 0.

    Raises:
        InputError: it holds no text, or its elements are nested too deep to be read.
    """
    from lxml import etree, html

    parser = html.HTMLParser(encoding=UTF8, huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        root = html.document_fromstring(text.replace("\0", " ").encode(UTF8, "replace") or b" ", parser=parser)
    except etree.LxmlError as exc:
        raise InputError(f"{name}: no text in it ({exc}).") from exc
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):  # libxml2 stops there, silently
        raise InputError(f"{name}: its elements are nested too deep to be read.")
    gathering = _Gathering()
    for event, element in etree.iterwalk(root, events=("start", "end")):
        gathering.take(event, element)
    found = False
    for paragraph in gathering.paragraphs:
        found = True
        yield paragraph
    if not found:
        raise InputError(f"{name}: no text in its body.")


class _Gathering:
    """Gathers text on a walk over a page's elements; follows the line, since libxml2 gives it for elements alone."""

    def __init__(self) -> None:
        self.paragraphs: list[Block] = []
        self._pieces: list[str] = []
        self._line = 1
        self._begun = 1
        self._blank = True
        self._skipping: Any = None
        self._pre = 0

    def take(self, event: str, element: Any) -> None:
        """Take an element's start, with the text after it, or its end, with the text that follows."""
        if event == "start":
            self._line = max(self._line, element.sourceline or 0)
            if self._skipping is None and _is_passed_over(element):
                self._skipping = element
            self._border(element, 1)
            self._add(element.text)
            return
        self._border(element, -1)
        if self._skipping is element:
            self._skipping = None
        self._add(element.tail)

    def _border(self, element: Any, step: int) -> None:
        if self._skipping is not None and self._skipping is not element:
            return
        if element.tag in _BLOCKS:
            self._end()
        if element.tag == "pre":
            self._pre += step
        if element.tag == "br" and step > 0:
            self._pieces.append("\n")

    def _add(self, text: str | None) -> None:
        if not text:
            return
        if self._skipping is None:
            if self._blank and text.strip():
                self._begun = self._line + text.count("\n", 0, len(text) - len(text.lstrip()))
                self._blank = False
            self._pieces.append(text.replace("\r\n", "\n") if self._pre else _SPACES.sub(" ", text))
        self._line += text.count("\n")

    def _end(self) -> None:
        text = _AROUND_BREAKS.sub("\n", _SPACES_ONLY.sub(" ", "".join(self._pieces))).strip()
        self._pieces.clear()
        self._blank = True
        if text:
            self.paragraphs.append(Block(self._begun, 0, text, lines_count=False))


def _is_passed_over(element: Any) -> bool:
    return (
        element.tag in _PASSED_OVER
        or element.get("hidden") is not None
        or (element.get("role") or "").lower() == "navigation"
    )
