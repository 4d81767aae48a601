"""Documents: PDF, Word and HTML files to paragraphs, each with its place in the text that was taken from the file.

That text, the paragraphs with a blank line between them, is what `start` and `end` of their sentences count in;
`document_text` gives it.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from search.compressed import is_compressed, kind_of, opened
from search.errors import InputError
from search.files import sha256_of_file
from search.reader_docx import docx_paragraphs
from search.reader_html import decoded, html_paragraphs
from search.reader_pdf import pdf_paragraphs
from search.units import BLANK_LINE, Block

__all__ = ["DOCUMENT_SUFFIXES", "DocumentReader", "document_text", "how_read", "missing"]

DOCUMENT_SUFFIXES = (".pdf", ".docx", ".html", ".htm")

_LIBRARY = {".pdf": "pypdfium2", ".docx": "python-docx", ".html": "lxml", ".htm": "lxml"}

_EDITION = 1
"""Counts up when these readers give other paragraphs of the same file."""

_MAX_PAGE_BYTES = 100_000_000
"""An HTML page is read whole; what is larger is no page."""


def missing(name: str) -> str | None:
    """Say which library a document needs that is not there, and how to install it; None where all is well."""
    from importlib.metadata import PackageNotFoundError, version

    library = _LIBRARY[kind_of(name)]
    try:
        version(library)
    except PackageNotFoundError:
        return f"{kind_of(name)} needs {library}; install it with: pip install 'kindred[documents]'."
    return None


def how_read(name: str) -> str:
    """Return what reads a document, with its version: another one may give other paragraphs."""
    from importlib.metadata import version

    library = _LIBRARY[kind_of(name)]
    return f"{_EDITION}, {library} {'' if missing(name) else version(library)}".rstrip()


def document_text(name: str) -> str:
    """Return the text of a document that its sentences' `start` and `end` count in.

    Raises:
        InputError: the file cannot be read, or holds no text.
    """
    return BLANK_LINE.join(paragraph.text for paragraph in DocumentReader(name))


class DocumentReader:
    """Iterate over the paragraphs of a document; the suffix of its name says which kind it is.

    After the last, `size` and `sha256` are the file's. `encoding` is an HTML page's; None for other kinds.
    """

    def __init__(self, name: str, *, encoding: str | None = None, tell: Callable[[str], None] = lambda _: None) -> None:
        """Name the file to read, and the encoding of a page (None: to be found out); nothing is opened yet.

        `tell` hears of what is left out.
        """
        self.name = name
        self.size = 0
        self.encoding = encoding
        self.guessed = False
        self._tell = tell
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Return the hexadecimal hash of the file's bytes; complete after the last paragraph."""
        return self._digest.hexdigest() if self._is_page else sha256_of_file(Path(self.name))

    @property
    def _is_page(self) -> bool:
        return kind_of(self.name) in {".html", ".htm"}

    def __iter__(self) -> Iterator[Block]:
        """Yield every paragraph.

        Raises:
            InputError: the file cannot be read as such a document, holds no text, or the library for it is missing.
        """
        if reason := missing(self.name):
            raise InputError(f"{self.name}: {reason}")
        if is_compressed(self.name) and not self._is_page:
            raise InputError(f"{self.name}: {kind_of(self.name)} is compressed already; decompress this file.")
        start = 0
        for paragraph in self._paragraphs():
            yield replace(paragraph, start=start)
            start += len(paragraph.text) + len(BLANK_LINE)
        if not self._is_page:
            self.size = Path(self.name).stat().st_size

    def _paragraphs(self) -> Iterator[Block]:
        if self._is_page:
            return html_paragraphs(self._page(), self.name)
        if kind_of(self.name) == ".pdf":
            return pdf_paragraphs(self.name, self._tell)
        return docx_paragraphs(self.name)

    def _page(self) -> str:
        with opened(self.name, self._count) as file:
            content = file.read(_MAX_PAGE_BYTES + 1)
        if len(content) > _MAX_PAGE_BYTES:
            raise InputError(f"{self.name}: a page of over {_MAX_PAGE_BYTES:,} bytes; split it.")
        if not is_compressed(self.name):
            self._count(content)
        text, self.encoding, self.guessed = decoded(content, self.name, self.encoding)
        return text

    def _count(self, raw: bytes) -> None:
        self.size += len(raw)
        self._digest.update(raw)
