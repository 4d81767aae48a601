"""Documents for tests, made as they are needed."""

from collections.abc import Sequence
from pathlib import Path

__all__ = ["pdf_bytes", "write_docx"]

_SIZE = 12
_LEFT, _TOP = 72, 720


def _escaped(line: str) -> bytes:
    return line.replace("\\", "\\\\").replace("(", r"\(").replace(")", r"\)").encode("cp1252")


def _stream(lines: Sequence[str]) -> bytes:
    shown = b" ".join(b"(" + _escaped(line) + b") Tj T*" for line in lines)
    content = f"BT /F1 {_SIZE} Tf {_SIZE + 2} TL {_LEFT} {_TOP} Td ".encode() + shown + b" ET"
    return b"<< /Length %d >> stream\n%s\nendstream" % (len(content), content)


def pdf_bytes(pages: Sequence[Sequence[str]], *, encrypted: bool = False) -> bytes:
    """Return a PDF of these pages, each of these lines; `encrypted`: behind a password that nobody knows."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, lines in enumerate(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> "
            b"/Contents %d 0 R >>" % (5 + 2 * number)
        )
        objects.append(_stream(lines))
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    lock = b"/ID [<00> <00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >> " % (
        b"ab" * 32,
        b"cd" * 32,
    )
    return (
        out
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
        + b"trailer << /Size %d /Root 1 0 R %s>>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, lock if encrypted else b"", len(out))
    )


def write_docx(path: Path, paragraphs: Sequence[str], *, table: Sequence[Sequence[str]] = ()) -> Path:
    """Write a Word document: the first paragraph is a heading, the table comes after the second."""
    import docx

    document = docx.Document()
    for number, text in enumerate(paragraphs):
        if number == 0:
            document.add_heading(text)
        else:
            document.add_paragraph(text)
        if number == 1 and table:
            cells = document.add_table(len(table), len(table[0]))
            for row, texts in enumerate(table):
                for column, cell in enumerate(texts):
                    cells.cell(row, column).text = cell
    document.save(str(path))
    return path
