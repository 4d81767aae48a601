"""The files of the build that a writer works on: a first one, one gone on with, or one that is to replace another."""

from dataclasses import replace
from pathlib import Path

from search.encoder import Encoder
from search.errors import IndexFolderError, OutputError
from search.files import sync
from search.manifest import Layout, Manifest
from search.origin import Origin
from search.row_file import writing
from search.sentence_file import SentenceFile

__all__ = ["Build", "check_target", "kept_manifest"]


class Build:
    """The build, and its manifest as it was committed last.

    A build that replaces an index keeps its manifest aside, and the index as it is, until it is finished.
    """

    def __init__(self, folder: Path, encoder: Encoder | None, *, overwrite: bool, resume: bool, created: bool) -> None:
        """Find what is to be gone on with, or begin anew; files that belong to nothing go.

        Args:
            folder: the index folder, which this process may write to.
            encoder: what makes the rows; None: they are those of the index that is there.
            overwrite: replace the index that is there.
            resume: go on with an unfinished replacement by the same encoder, if there is one; without an encoder,
                with one that was made of the rows of the index as it is.
            created: the folder was made for this build, and goes again if nothing is committed.

        Raises:
            IndexFolderError: the index there is damaged, of another format, or of another encoder.
        """
        self.layout = Layout(folder)
        if not self.layout.manifest.exists() and (kept := kept_manifest(self.layout)):
            kept.write(self.layout.manifest)
        self.replaces = overwrite and self.layout.manifest.exists()
        self._target = self.layout.next if self.replaces else self.layout.manifest
        self._created = created
        if self.replaces and not resume:
            self._target.unlink(missing_ok=True)
        self.manifest = self._begin(encoder)

    @property
    def sentences(self) -> Path:
        """The file of its sentences."""
        return self.layout.sentences(self.manifest.build)

    @property
    def vectors(self) -> Path:
        """The file of its rows."""
        return self.layout.vectors(self.manifest.build)

    def commit(self, manifest: Manifest, *, last: bool) -> None:
        """Make the manifest count, and with it all that it says; with the last one it takes the place of the index."""
        self.manifest = manifest  # interrupted from here on, it may count already
        with writing(self._target):
            manifest.write(self._target)
            if last:
                self._finish()

    def leave_nothing(self) -> None:
        """Remove what was made, where nothing of it was committed."""
        if self._target.exists():
            return
        files = self.layout.files(self.manifest.build)
        for path in files if self.layout.manifest.exists() else files | self.layout.own():
            if path.is_file():
                path.unlink()
        for path in (self.layout.folder / "vectors", *([self.layout.folder] if self._created else [])):
            _remove_empty(path)

    def _begin(self, encoder: Encoder | None) -> Manifest:
        generation = Manifest.replaced(self.layout.folder)
        rewrites = generation if self.replaces and encoder is None else None
        manifest = None
        if self._target.exists():
            manifest = self._unfinished_next(encoder, rewrites) if self.replaces else self._going_on(encoder)
        if manifest is None:
            origin = Origin.of(encoder.passport) if encoder else Manifest.origin_of(self.layout.folder)
            build = self.layout.last_build() + 1
            manifest = Manifest.empty(origin, generation=generation, build=build, rewrites=rewrites)
        self._clear(manifest)
        return manifest

    def _going_on(self, encoder: Encoder | None) -> Manifest:
        """Return what is to be gone on with by an encoder."""
        manifest = Manifest.read_file(self._target)
        path = self.layout.sentences(manifest.build)
        if not path.exists() or not path.stat().st_size:  # SQLite would make a new one
            raise IndexFolderError(f"{path} is missing, or empty. Try: kindred repair {self.layout.folder}")
        if encoder is None:
            return manifest
        manifest.origin.check(self.layout.folder, encoder)
        return replace(manifest, origin=manifest.origin.written_by(encoder.passport))

    def _unfinished_next(self, encoder: Encoder | None, rewrites: int | None) -> Manifest | None:
        """Return the replacement that was being written, if it can be gone on with, and is of the same job."""
        try:
            manifest = self._going_on(encoder)
        except IndexFolderError:
            return None
        return manifest if manifest.rewrites == rewrites else None

    def _finish(self) -> None:
        """Put a finished replacement in the place of the index that was there."""
        if self.replaces:
            self._target.replace(self.layout.manifest)
            sync(self.layout.folder)
            self._target, self.replaces = self.layout.manifest, False
        self._clear(self.manifest)

    def _clear(self, manifest: Manifest) -> None:
        """Remove files that are neither this manifest's nor those of the index that opens."""
        keep = {self.layout.manifest, self._target, self.layout.lock, self.layout.writer}
        keep |= self.layout.files(manifest.build) | self.layout.structure(manifest.store)
        if self.replaces:
            keep |= self._old_files()
        for path in self.layout.own() - keep:
            if path.is_file():
                path.unlink(missing_ok=True)
        _remove_empty(self.layout.structures)

    def _old_files(self) -> set[Path]:
        """Return the files of the index that is to be replaced; of one that this version cannot read, all that are."""
        try:
            old = Manifest.read(self.layout.folder)
        except IndexFolderError:
            return self.layout.own() - {self.layout.next}
        return self.layout.files(old.build) | self.layout.structure(old.store)


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def check_target(folder: Path, *, overwrite: bool) -> Manifest | None:
    """Return the manifest of the index that would be gone on with, or None where there is none.

    Raises:
        OutputError: the folder is a file or holds something else than an index.
        IndexFolderError: the index there is damaged or of another format.
    """
    if folder.is_file():
        raise OutputError(f"{folder} is a file; name a folder with --out.")
    if not folder.exists() or not any(folder.iterdir()):
        return None
    layout = Layout(folder)
    if not layout.manifest.exists():
        if layout.own().issuperset(folder.iterdir()):
            return None if overwrite else kept_manifest(layout)  # a killed first build, or the manifest is lost
        raise OutputError(f"{folder} exists and is not an index; choose another --out.")
    if overwrite:
        Manifest.replaced(folder)
        return None
    return Manifest.read(folder)


def kept_manifest(layout: Layout) -> Manifest | None:
    """Return the copy of the manifest that is kept beside the sentences, the index's where there are several builds.

    It is the manifest's equal, or, if the writer was killed in its last step, what that would have written.
    """
    found: list[Manifest] = []
    for path in sorted(layout.folder.glob("sentences-*.sqlite"), reverse=True):
        try:
            with SentenceFile(path) as file:
                if kept := file.manifest():
                    found.append(Manifest.from_json(path, kept))
        except (IndexFolderError, ValueError):
            continue
    # A build that was to replace the index, and was stopped before it did, is not the index.
    found = [one for one in found if one.rewrites is None]
    return next((one for one in found if one.finished), found[0] if found else None)
