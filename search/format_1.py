"""Folders of format 1, as the first version wrote them, read so that they can be written anew.

Format 1 has no proofs, but a SHA-256 of each file. It does not say where a source is, nor how it was cut into
sentences: a source is looked for where its name leads from the current folder, and is read once more by the next
`kindred index`, which finds its sentences as they were and encodes none.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from search.encoder import Label
from search.errors import IndexFolderError, InputError
from search.files import absolute, read_json, sha256_of_file
from search.lines import STDIN
from search.manifest import Layout
from search.records import Sentence, Source
from search.similarity import Vectors
from search.sqlite_file import SqliteFile

__all__ = ["READING", "Format1", "is_format_1", "place"]

READING = "format 1"
"""How the sources were cut into sentences, where nothing was noted of it."""

_BATCH = 4096
_COLUMNS = "source, text, line, start, end, label, probability, metadata"


def is_format_1(folder: Path) -> bool:
    """Say whether a folder is an index of format 1."""
    try:
        return read_json(Layout(folder).manifest).get("format") == 1
    except (OSError, InputError):
        return False


@dataclass(frozen=True, slots=True)
class Format1:
    """An index of format 1: its files, the width of its rows, and its sources in the order of their rows."""

    sentences: Path
    vectors: Path
    width: int
    sources: tuple[Source, ...]

    @classmethod
    def open(cls, folder: Path, width: int) -> "Format1":
        """Read the manifest of a folder, and compare the files with it.

        Raises:
            IndexFolderError: something is missing or damaged.
        """
        layout = Layout(folder)
        value = read_json(layout.manifest)
        again = f"Index the files again: kindred index FILES --out {folder} --overwrite"
        try:
            found = cls(
                layout.sentences(value["generation"]),
                layout.vectors(value["generation"]),
                width,
                tuple(Source(**source) for source in value["sources"]),
            )
            hashes = {folder / file["name"]: file["sha256"] for file in value["files"]}
        except (KeyError, TypeError, ValueError) as exc:
            raise IndexFolderError(f"{layout.manifest}: damaged ({exc!r}). {again}") from exc
        for path in (found.sentences, found.vectors):
            if not path.exists() or sha256_of_file(path) != hashes.get(path):
                raise IndexFolderError(f"{path} is missing, or not what was written. {again}")
        return found

    def rows(self) -> Iterator[tuple[Source, list[Sentence], Vectors, list[Label]]]:
        """Yield for each source its sentences, with their (n, d+s) rows and labels, so many at a time.

        Raises:
            IndexFolderError: the sentences are not those of the sources.
        """
        first = 0
        with SqliteFile(self.sentences) as file:
            for source in self.sources:
                end = first + source.sentences
                while first < end:
                    count = min(_BATCH, end - first)
                    query = f"SELECT {_COLUMNS} FROM sentences WHERE row >= ? AND row < ? ORDER BY row"  # noqa: S608
                    found = list(file.read(query, (first, first + count)))
                    if [name for name, *_ in found] != [source.name] * count:
                        raise IndexFolderError(f"{self.sentences}: damaged (rows of {source.name!r}).")
                    sentences = [_sentence(one) for one in found]
                    labels: list[Label] = [(label, probability) for *_, label, probability, _ in found]
                    yield source, sentences, self._vectors(first, count), labels
                    first += count

    def _vectors(self, first: int, count: int) -> Vectors:
        numbers = np.fromfile(self.vectors, np.float32, count * self.width, offset=4 * first * self.width)
        return numbers.reshape(count, self.width)


def place(source: Source) -> str:
    """Return where a source is taken to be; "" for standard input."""
    return "" if source.name == STDIN else str(absolute(source.name))


def _sentence(values: tuple[Any, ...]) -> Sentence:
    source, text, line, start, end, _, _, metadata = values
    return Sentence(text, source, line, start, end, json.loads(metadata))
