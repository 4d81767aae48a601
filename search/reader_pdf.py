"""PDF to paragraphs, page by page, by PDFium.

A page's text is in the order in which the file draws it, one line a line of the page. A word that a hyphen parts at a
line's end is whole again (PDFium marks it). Paragraphs are guessed: one ends at a line that is markedly shorter than
the page's others, if the next does not begin with a small letter. So a heading is no part of the sentence below it.

Not handled: pictures of text (that takes OCR), form fields and annotations; a sentence that runs over the end of a page
is two.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

from search.errors import InputError
from search.units import Block

__all__ = ["page_paragraphs", "pdf_paragraphs"]

_SHORT = 0.7
"""Of the width of a page's wide lines: a shorter line may be the last of its paragraph."""

_WIDE = 0.9
"""Nine lines of ten are no wider than the page's wide lines; a table may be."""

_BULLETS = "•‣◦▪■●*\N{EN DASH}\N{EM DASH}"

_PASSWORD, _SECURITY = 4, 5
"""PDFium's FPDF_ERR_PASSWORD and FPDF_ERR_SECURITY."""

# PDFium's mark of a hyphen at a line's end goes; other control characters and noncharacters are no text.
_CLEAN: dict[int, str | None] = dict.fromkeys((*range(9), 11, *range(14, 32), 0xFFFE, 0xFFFF), " ") | {2: None}


def pdf_paragraphs(name: str, tell: Callable[[str], None]) -> Iterator[Block]:
    """Yield the paragraphs of a PDF file; `line` is the page, from 1, and so is `page` in their metadata.

    Their `start` is left 0. Pages without text are told, once.

    Raises:
        InputError: it is encrypted, damaged, or without any text.
    """
    import pypdfium2

    try:
        with closing(pypdfium2.PdfDocument(name)) as document:
            empty, count = 0, len(document)
            for number in range(1, count + 1):
                paragraphs = page_paragraphs(_page_text(document, number))
                for text in paragraphs:
                    yield Block(number, 0, text, {"page": number}, lines_count=False)
                empty += not paragraphs
    except pypdfium2.PdfiumError as exc:
        if getattr(exc, "err_code", None) in {_PASSWORD, _SECURITY}:
            raise InputError(
                f"{name}: encrypted, and asks for a password; save it without one, for example with: qpdf --decrypt."
            ) from exc
        raise InputError(f"{name}: not readable as PDF ({str(exc).rstrip('.')}).") from exc
    if empty == count:
        raise InputError(
            f"{name}: no text in it, on {count:,} page(s); if it is scanned, run OCR on it first, "
            "for example with: ocrmypdf."
        )
    if empty:
        tell(f"{name}: {empty:,} of {count:,} page(s) hold no text; they may be scanned.")


def _page_text(document: Any, number: int) -> str:
    with closing(document[number - 1]) as page, closing(page.get_textpage()) as text:
        return str(text.get_text_bounded()).replace("\r\n", "\n").replace("\r", "\n").translate(_CLEAN)


def page_paragraphs(text: str) -> list[str]:
    r"""Return the paragraphs of a page's text, trimmed, blank ones left out.

    >>> page_paragraphs("Breakfast\nIt is served in the garden, from\nseven to ten. Late risers\nhave tea.")
    ['Breakfast', 'It is served in the garden, from\nseven to ten. Late risers\nhave tea.']
    """
    lines = [line.strip() for line in text.split("\n")]
    widths = sorted(len(line) for line in lines if line)
    short = _SHORT * widths[int(_WIDE * len(widths))] if widths else 0.0
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        last = paragraphs[-1][-1] if paragraphs[-1] else ""
        if last and (not line or line[0] in _BULLETS or (len(last) < short and not line[0].islower())):
            paragraphs.append([])
        if line:
            paragraphs[-1].append(line)
    return ["\n".join(paragraph) for paragraph in paragraphs if paragraph]
