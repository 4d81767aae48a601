"""`manifest.json`: what an index folder holds. An index is what its manifest says; other files there do not count."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from search.encoder import Passport
from search.errors import IndexFolderError, InputError
from search.files import read_json, write_json
from search.origin import Origin
from search.store_record import StoreRecord

__all__ = ["FORMAT", "Layout", "Manifest", "checksum"]

FORMAT = 2


@dataclass(frozen=True, slots=True)
class Layout:
    """The names inside an index folder. Files carry the number of their build, so that two builds never share one."""

    folder: Path

    @property
    def manifest(self) -> Path:
        """The one file that makes the folder an index."""
        return self.folder / "manifest.json"

    @property
    def next(self) -> Path:
        """The manifest of a build that is to replace the index once it is finished."""
        return self.folder / "next.json"

    @property
    def lock(self) -> Path:
        """The file that a writer holds locked."""
        return self.folder / "writer.lock"

    @property
    def writer(self) -> Path:
        """The file that says which process the writer is."""
        return self.folder / "writer.pid"

    def sentences(self, build: int) -> Path:
        """The sentences, in SQLite."""
        return self.folder / f"sentences-{build:06d}.sqlite"

    def vectors(self, build: int) -> Path:
        """The rows: raw float32, little endian, row after row."""
        return self.folder / "vectors" / f"{build:06d}.f32"

    @property
    def structures(self) -> Path:
        """The folder of search structures."""
        return self.folder / "faiss"

    def own(self) -> set[Path]:
        """All that belongs to an index in the folder, whether it counts or not."""
        patterns = ("sentences-*.sqlite*", "vectors/*.f32", "faiss/*.faiss", "faiss/.*.aside", ".*.json.*.aside")
        fixed = {self.manifest, self.next, self.lock, self.writer, self.folder / "vectors", self.structures}
        return {path for path in fixed if path.exists()}.union(*(self.folder.glob(pattern) for pattern in patterns))

    def last_build(self) -> int:
        """Return the highest number that a file carries, or 0."""
        names = [path.name.removeprefix("sentences-") for path in self.own() if path.parent != self.structures]
        return max((int(name[:6]) for name in names if name[:6].isdecimal()), default=0)

    def files(self, build: int) -> set[Path]:
        """The files of a build, SQLite's journals among them; search structures aside."""
        return {self.vectors(build), *self.folder.glob(f"{self.sentences(build).name}*")}

    def structure(self, store: StoreRecord) -> set[Path]:
        """The file of a search structure, where there is one."""
        return {self.structures / store.file.name} if store.file else set()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index holds.

    Attributes:
        generation: grows by one with every commit.
        build: the number that the files carry; grows when the index is written anew.
        finished: whether the job that wrote it came to its end.
        origin: who made the rows.
        rows: how many rows are written, those that no longer count included.
        count: how many sentences there are.
        digest: hash of the sentences and of the content of their sources; not of how, when or in which order the
            sources came in.
        store: how it is searched.
        rewrites: the generation of the index that these are the first rows of, written anew; None: they are no copy.
    """

    generation: int
    build: int
    finished: bool
    origin: Origin
    rows: int
    count: int
    digest: str
    store: StoreRecord = field(default_factory=StoreRecord)
    rewrites: int | None = None

    @property
    def passport(self) -> Passport:
        """Say which encoder made the rows, the last one where there were several."""
        return self.origin.passport

    @classmethod
    def empty(cls, origin: Origin, *, generation: int, build: int, rewrites: int | None = None) -> "Manifest":
        """Return the manifest of a build that nothing has been committed of."""
        digest = hashlib.sha256().hexdigest()
        return cls(generation, build, finished=False, origin=origin, rows=0, count=0, digest=digest, rewrites=rewrites)

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as its file holds it."""
        value = {
            "format": FORMAT,
            "generation": self.generation,
            "build": self.build,
            "finished": self.finished,
            "encoder": self.origin.to_json(),
            "rows": self.rows,
            "count": self.count,
            "digest": self.digest,
            "store": self.store.to_json(),
        }
        if self.rewrites is not None:
            value["rewrites"] = self.rewrites
        return {**value, "checksum": checksum(value)}

    def write(self, path: Path) -> None:
        """Write the manifest, whole or not at all: this is the commit."""
        write_json(path, self.to_json())

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read the manifest of a folder.

        Raises:
            IndexFolderError: the folder is no index, is of another format, or its manifest is damaged.
        """
        layout = Layout(folder)
        if not folder.is_dir():
            raise IndexFolderError(f"{folder}: no such index. Build one with: kindred index FILES --out {folder}")
        if not layout.manifest.exists():
            if layout.own():
                raise IndexFolderError(
                    f"{folder} is unfinished: its first build was stopped before anything was committed, or its "
                    f"{layout.manifest.name} is lost. Run the same kindred index again; it goes on with what is there."
                )
            raise IndexFolderError(f"{folder} is not an index: it has no {layout.manifest.name}.")
        return cls.read_file(layout.manifest)

    @classmethod
    def origin_of(cls, folder: Path) -> Origin:
        """Return who made the rows of an index, which may be of format 1.

        Raises:
            IndexFolderError: the folder is no index, or its manifest is damaged.
        """
        path = Layout(folder).manifest
        try:
            value = read_json(path) if path.exists() else {}
            return Origin.from_json(value["encoder"]) if value.get("format") == 1 else cls.read(folder).origin
        except (InputError, KeyError) as exc:
            raise IndexFolderError(f"{path}: damaged ({exc!r}). Try: kindred repair {folder}") from exc

    @classmethod
    def replaced(cls, folder: Path) -> int:
        """Return the generation of the index that is to be replaced, 0 where there is none that can be read.

        Raises:
            IndexFolderError: it is of a newer format, which may hold what this version knows nothing of.
        """
        path = Layout(folder).manifest
        try:
            value = read_json(path) if path.exists() else {}
        except InputError:
            return 0
        _refuse_newer(path, value)
        generation = value.get("generation")
        return generation if isinstance(generation, int) else 0

    @classmethod
    def read_file(cls, path: Path) -> "Manifest":
        """Read a manifest.

        Raises:
            IndexFolderError: it is of another format, or damaged.
        """
        try:
            value = read_json(path)
        except InputError as exc:
            raise IndexFolderError(f"{exc} Try: kindred repair {path.parent}") from exc
        return cls.from_json(path, value)

    @classmethod
    def from_json(cls, path: Path, value: dict[str, Any]) -> "Manifest":
        """Read what `to_json` gave; `path` says where it was.

        Raises:
            IndexFolderError: it is of another format, or damaged.
        """
        _refuse_newer(path, value)
        if value.get("format") == 1:
            raise IndexFolderError(
                f"{path}: format 1, of an earlier version of kindred; this one writes format {FORMAT}. Convert it, "
                f"which encodes nothing: kindred repair {path.parent}; or index the files again: kindred index FILES "
                f"--out {path.parent} --overwrite"
            )
        written = value.pop("checksum", None)
        if written != checksum(value):
            raise IndexFolderError(f"{path}: damaged (its checksum is another). Try: kindred repair {path.parent}")
        return cls._parse(path, value)

    @classmethod
    def _parse(cls, path: Path, value: dict[str, Any]) -> "Manifest":
        try:
            return cls(
                generation=value["generation"],
                build=value["build"],
                finished=value["finished"],
                origin=Origin.from_json(value["encoder"]),
                rows=value["rows"],
                count=value["count"],
                digest=value["digest"],
                store=StoreRecord.from_json(value["store"]),
                rewrites=value.get("rewrites"),
            )
        except (KeyError, TypeError) as exc:
            raise IndexFolderError(f"{path}: damaged ({exc!r}). Try: kindred repair {path.parent}") from exc


def checksum(value: dict[str, Any]) -> str:
    """Return the SHA-256 of a manifest's fields, whatever their order and however they are laid out."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _refuse_newer(path: Path, value: dict[str, Any]) -> None:
    written = value.get("format")
    if isinstance(written, int) and written > FORMAT:
        raise IndexFolderError(f"{path}: format {written}, this version reads up to {FORMAT}. Upgrade kindred.")
