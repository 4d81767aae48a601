"""`manifest.json`: what an index folder holds. An index is what its manifest says; other files there do not count."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.encoder import Passport
from search.errors import IndexFolderError, InputError
from search.files import read_json, sha256_of_file, write_json
from search.records import Source

__all__ = ["FORMAT", "FileRecord", "Layout", "Manifest"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Layout:
    """The names inside an index folder. Files of a generation carry its number, so that two never share one."""

    folder: Path

    @property
    def manifest(self) -> Path:
        """The one file that makes the folder an index."""
        return self.folder / "manifest.json"

    def sentences(self, generation: int) -> Path:
        """The sentences, in SQLite."""
        return self.folder / f"sentences-{generation:06d}.sqlite"

    def vectors(self, generation: int) -> Path:
        """The rows: raw float32, little endian, row after row."""
        return self.folder / "vectors" / f"{generation:06d}.f32"

    def faiss(self, generation: int) -> Path:
        """The search structure."""
        return self.folder / "faiss" / f"{generation:06d}.faiss"

    def all_files(self, generation: int) -> list[Path]:
        """Every file of a generation."""
        return [self.sentences(generation), self.vectors(generation), self.faiss(generation)]

    def strays(self, generation: int) -> list[Path]:
        """Files of any other generation, and manifests that a killed build had not put in place."""
        patterns = ("sentences-*.sqlite", "vectors/*.f32", "faiss/*.faiss", f".{self.manifest.name}.*.aside")
        mine = self.all_files(generation)
        return [path for pattern in patterns for path in self.folder.glob(pattern) if path not in mine]


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file of the index: its name in the folder, its size in bytes, and its SHA-256."""

    name: str
    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path, folder: Path) -> "FileRecord":
        """Describe a file that is written."""
        return cls(path.relative_to(folder).as_posix(), path.stat().st_size, sha256_of_file(path))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index holds.

    Attributes:
        generation: grows by one with every build into the same folder.
        passport: the encoder that made the rows.
        count: how many sentences, and rows, there are.
        digest: hash of the sentences, their order and their sources' content; not of how it was built.
        sources: the files that were read.
        files: the files of the index.
    """

    generation: int
    passport: Passport
    count: int
    digest: str
    sources: tuple[Source, ...]
    files: tuple[FileRecord, ...]

    def write(self, folder: Path) -> None:
        """Write the manifest, whole or not at all: this is the commit."""
        write_json(
            Layout(folder).manifest,
            {
                "format": FORMAT,
                "generation": self.generation,
                "encoder": self.passport.to_json(),
                "count": self.count,
                "digest": self.digest,
                "store": {"kind": "flat", "recall": 1.0},
                "sources": [
                    {"name": one.name, "size": one.size, "sha256": one.sha256, "sentences": one.sentences}
                    for one in self.sources
                ],
                "files": [{"name": one.name, "size": one.size, "sha256": one.sha256} for one in self.files],
            },
        )

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read the manifest of a folder.

        Raises:
            IndexFolderError: the folder is no index, is of a newer format, or its manifest is damaged.
        """
        path = Layout(folder).manifest
        if not folder.is_dir():
            raise IndexFolderError(f"{folder}: no such index. Build one with: kindred index FILES --out {folder}")
        if not path.exists():
            raise IndexFolderError(f"{folder} is not an index: it has no {path.name}.")
        try:
            value = read_json(path)
        except InputError as exc:
            raise IndexFolderError(f"{exc} Build the index again.") from exc
        written = value.get("format")
        if isinstance(written, int) and written > FORMAT:
            raise IndexFolderError(f"{path}: format {written}, this version reads up to {FORMAT}. Upgrade kindred.")
        return cls._parse(path, value)

    @classmethod
    def _parse(cls, path: Path, value: dict[str, Any]) -> "Manifest":
        try:
            return cls(
                generation=value["generation"],
                passport=Passport.from_json(value["encoder"]),
                count=value["count"],
                digest=value["digest"],
                sources=tuple(Source(**one) for one in value["sources"]),
                files=tuple(FileRecord(**one) for one in value["files"]),
            )
        except (KeyError, TypeError) as exc:
            raise IndexFolderError(f"{path}: damaged ({exc!r}); build the index again.") from exc
