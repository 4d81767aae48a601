"""The corpus without what a duplicates job removes, in the format it came in: text, CSV, TSV, JSONL or Parquet.

What stays is written as it stood, to the letter: rows with all their columns, quoted as they were. Files are written
whole or not at all. A name that ends in .gz or .zst is written compressed.

Not handled: standard input, which is gone once it is read, and tables cut into sentences (`--unit sentence`), of whose
rows only parts would go.
"""

import codecs
import gzip
import json
import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from search.compressed import kind_of, opened
from search.documents import DOCUMENT_SUFFIXES
from search.errors import OutputError
from search.files import check_free, new_file, new_folder
from search.lines import Line, LineReader
from search.records import IndexedSource, Sentence
from search.sources import State, state_of
from search.tables import TABLE_SUFFIXES, TableReader

__all__ = ["check_output", "write_deduplicated"]


def check_output(out: Path, paths: Sequence[str], *, overwrite: bool) -> None:
    """Refuse an output that cannot be, before any work is done.

    Args:
        out: a file where there is one path, else a folder.
        paths: the files of the corpus; "" or "-" for what is none.
        overwrite: whether what is there may be replaced, be it the input itself.

    Raises:
        OutputError: says what to do.
    """
    if not all(path not in {"", "-"} for path in paths):
        raise OutputError("--out writes files again, and some sentences come from none; save them to a file first.")
    documents = [path for path in paths if kind_of(path) in DOCUMENT_SUFFIXES]
    if documents:
        raise OutputError(f"{documents[0]}: a document is read, not written; --out is for text and tables.")
    if len(paths) > 1:
        inside = [path for path in paths if out.absolute() in Path(path).absolute().parents]
        if inside:
            raise OutputError(f"{out} holds {inside[0]}, which is read; choose another folder with --out.")
        check_free(out, overwrite=overwrite)
        return
    if out.is_dir():
        raise OutputError(f"{out} is a folder; there is one input file, name a file with --out.")
    if kind_of(out.name) != kind_of(paths[0]):
        wanted = kind_of(paths[0]) or "no suffix"
        raise OutputError(f"{out}: the format is not changed; give --out a name with {wanted}, as {paths[0]} has.")
    if out.exists() and not overwrite:
        raise OutputError(f"{out} exists; choose another --out, or replace it with --overwrite.")


def write_deduplicated(sources: Sequence[IndexedSource], removed: Iterable[Sentence], out: Path) -> list[Path]:
    """Write the files of some sources without the sentences that are removed; return their paths.

    Args:
        sources: whose files are written again.
        removed: sentences of those sources.
        out: a file where there is one source, else a folder, in which the files stand as they do in the folder that
            holds them all.

    Raises:
        OutputError: a file has changed since it was read, or is gone; or its rows would be removed in part.
    """
    gone: dict[str, list[Sentence]] = {source.name: [] for source in sources}
    for sentence in removed:
        gone[sentence.source].append(sentence)
    for source in sources:
        _check(source)
    if len(sources) == 1:
        _write(sources[0], gone[sources[0].name], out)
        return [out]
    parent = Path(os.path.commonpath([Path(source.path).parent for source in sources]))
    names = [Path(source.path).relative_to(parent) for source in sources]
    with new_folder(out) as folder:
        for source, name in zip(sources, names, strict=True):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            _write(source, gone[source.name], folder / name)
    return [out / name for name in names]


def _check(source: IndexedSource) -> None:
    state = state_of(source)
    if state is not State.SAME:
        raise OutputError(
            f"{source.name}: {state} since it was read; index it again, then write it without duplicates."
        )
    if kind_of(source.path) in TABLE_SUFFIXES and json.loads(source.reading)["unit"] == "sentence":
        raise OutputError(f"{source.name}: a table's rows are kept or removed whole; leave --unit sentence out.")


def _write(source: IndexedSource, removed: Sequence[Sentence], out: Path) -> None:
    kind = kind_of(source.path)
    with new_file(out) as file:
        if kind == ".parquet":
            _write_parquet(source.path, {one.line for one in removed}, file)
            return
        encoding = json.loads(source.reading).get("encoding")
        reader = LineReader(source.path, encoding=encoding)
        if kind in TABLE_SUFFIXES:
            lines = _rows_left(reader, TableReader(source.path, encoding=encoding), {one.line for one in removed})
        else:
            lines = _text_left(reader, removed)
        with _compressed(file, out.suffix.lower()) as content:
            content.write(_mark(source.path))
            for line in _encoded(lines, reader):
                content.write(line)


def _encoded(lines: Iterable[str], reader: LineReader) -> Iterator[bytes]:
    """Yield lines in the encoding they came in; it is known with the first line that is not ASCII."""
    encoder: codecs.IncrementalEncoder | None = None
    for line in lines:
        if encoder is None and reader.encoding is not None:
            encoder = codecs.getincrementalencoder(reader.encoding)()
        yield line.encode("ascii") if encoder is None else encoder.encode(line)


def _mark(path: str) -> bytes:
    """Return UTF-8's byte order mark where the file begins with it; readers pass over it."""
    with opened(path, lambda _: None) as file:
        return codecs.BOM_UTF8 if file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8 else b""


def _text_left(reader: LineReader, removed: Sequence[Sentence]) -> Iterator[str]:
    """Yield the lines of a text without some sentences, and without lines of which nothing is left."""
    spans = sorted((one.start, one.end) for one in removed)
    begins = [start for start, _ in spans]
    for line in reader:
        first = max(0, bisect_right(begins, line.start) - 1)
        last = bisect_left(begins, line.start + len(line.text))
        mine = [span for span in spans[first:last] if span[1] > line.start]
        left = _without(line, mine)
        if not mine or left.strip():
            yield left


def _without(line: Line, spans: Sequence[tuple[int, int]]) -> str:
    """Return a line without some spans of the file, each with the blanks behind it."""
    text = line.text
    for start, stop in reversed(spans):
        begin, end = max(0, start - line.start), min(len(text), stop - line.start)
        while end < len(text) and text[end] in " \t":
            end += 1
        text = text[:begin] + text[end:]
    return text


def _rows_left(reader: LineReader, table: TableReader, gone: set[int]) -> Iterator[str]:
    """Yield the lines of a table without some rows; a row's lines go on to where the next one begins."""
    begins = [row.line for row in table]
    for line in reader:
        place = bisect_right(begins, line.number) - 1
        if place < 0 or begins[place] not in gone:
            yield line.text


def _write_parquet(path: str, gone: set[int], file: BinaryIO) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    table = parquet.ParquetFile(path)
    with parquet.ParquetWriter(file, table.schema_arrow) as writer:
        first = 1
        for batch in table.iter_batches():
            kept = pa.array([first + number not in gone for number in range(batch.num_rows)])
            writer.write_batch(batch.filter(kept))
            first += batch.num_rows


@contextmanager
def _compressed(file: BinaryIO, suffix: str) -> Iterator[BinaryIO]:
    if suffix == ".gz":
        with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as content:
            yield cast("BinaryIO", content)
    elif suffix == ".zst":
        import zstandard

        with zstandard.ZstdCompressor().stream_writer(file, closefd=False) as content:
            yield cast("BinaryIO", content)
    else:
        yield file
