"""Word documents (.docx) to paragraphs: headings, text and the cells of tables, in the order of the document.

python-docx opens the file. The text is gathered from its XML, since `Paragraph.text` passes over what stands in
content controls and tracked insertions. Deleted and moved-away text is not read, and of a thing that is there in two
forms (a text box) the newer one.

Not handled: headers, footers, footnotes, comments.
"""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from search.errors import InputError
from search.units import Block

__all__ = ["docx_paragraphs"]

_MAX_BYTES = 1 << 29
"""Half a gigabyte of parts: no document, but a file made to fill the memory."""

_BROKEN = (
    zipfile.BadZipFile, zlib.error, AttributeError, EOFError, LookupError, OSError, RuntimeError, TypeError, ValueError,
)  # fmt: skip
"""What python-docx, zipfile and zlib raise for parts that are missing, damaged, encrypted or of another kind."""

_OLE = b"\xd0\xcf\x11\xe0"
"""How old .doc files begin, and encrypted .docx."""

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_AWAY = frozenset({f"{_W}del", f"{_W}moveFrom", _FALLBACK})
_SIGNS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}


def docx_paragraphs(name: str) -> Iterator[Block]:
    """Yield the paragraphs of a Word document that are not blank; `line` counts them, from 1. Their `start` is left 0.

    Raises:
        InputError: it is encrypted, damaged, of another kind, or without any text.
    """
    number = 0
    for paragraph in _body(name).iter(f"{_W}p"):
        if text := "" if _is_away(paragraph) else _text(paragraph):
            number += 1
            yield Block(number, 0, text, lines_count=False)
    if not number:
        raise InputError(f"{name}: no text in it (the document is empty).")


def _body(name: str) -> Any:
    import docx
    from docx.opc.exceptions import OpcError
    from lxml import etree

    _check(name)
    try:
        return docx.Document(name).element.body
    except (OpcError, etree.LxmlError, *_BROKEN) as exc:
        raise InputError(f"{name}: not readable as a Word document ({exc}).") from exc


def _check(name: str) -> None:
    try:
        with Path(name).open("rb") as file:
            if file.read(len(_OLE)) == _OLE:
                raise InputError(
                    f"{name}: behind a password, or an old Word document (.doc); save it as .docx, without one."
                )
        with zipfile.ZipFile(name) as parts:
            size = sum(part.file_size for part in parts.infolist())
    except (zipfile.BadZipFile, ValueError, RuntimeError) as exc:
        raise InputError(f"{name}: not readable as a Word document ({exc}).") from exc
    except OSError as exc:
        raise InputError(f"{name}: cannot be read ({exc.strerror}).") from exc
    if size > _MAX_BYTES:
        raise InputError(f"{name}: unpacks to {size:,} bytes, the limit is {_MAX_BYTES:,}; save it without pictures.")


def _is_away(paragraph: Any) -> bool:
    return any(above.tag in _AWAY for above in paragraph.iterancestors())


def _text(paragraph: Any) -> str:
    """Return a paragraph's own text; a paragraph inside it (of a text box) comes by itself."""
    pieces: list[str] = []
    waiting = list(reversed(paragraph))
    while waiting:
        element = waiting.pop()
        if element.tag == f"{_W}t":
            pieces.append(element.text or "")
        elif element.tag in _SIGNS:
            pieces.append(_SIGNS[element.tag])
        elif element.tag != f"{_W}p" and element.tag not in _AWAY:
            waiting += reversed(element)
    return "".join(pieces).strip()
