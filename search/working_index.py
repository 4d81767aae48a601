"""Files as an index for one job: in the cache folder, so that the job goes on where it was if it is stopped."""

import hashlib
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from search.corpus import Corpus
from search.encoder import Encoder
from search.errors import IndexFolderError, OutputError
from search.files import cache_folder
from search.index import Index
from search.indexing import build_index
from search.lock import WriterLock
from search.manifest import Layout, Manifest
from search.progress import SILENT, Progress
from search.store_record import FLAT, StoreWish

__all__ = ["KEPT_DAYS", "WORTH_KEEPING", "index_of_files"]

WORTH_KEEPING = 4096
"""So many encoded sentences are kept of a stopped job; fewer are encoded again in seconds."""

KEPT_DAYS = 30
"""How long what a stopped job left is kept."""

_DAY = 86_400


@contextmanager
def index_of_files(corpus: Corpus, encoder: Encoder, *, progress: Progress = SILENT) -> Iterator[Index]:
    """Index files for one job, in a folder that is gone when the block ends well.

    If it does not end well - an error, an interrupt, a kill - what is encoded stays in the cache folder, and the same
    files, unchanged, go on from it with the same encoder. Not so standard input, which cannot be read again, nor a
    second such job at the same time.

    Raises:
        InputError: a file cannot be used; names file and line.
        OutputError: the folder cannot be written to.
    """
    with _folder(corpus, encoder) as (folder, kept):
        begun = _encoded(folder)
        if begun:
            progress.tell(f"Going on with {begun:,} sentences that a stopped run has encoded.")
        ended = False
        try:
            _build(corpus, folder, encoder, progress)
            with Index(folder, encoder) as index:
                yield index
            ended = True
        finally:
            encoded = _encoded(folder)
            if kept and not ended and encoded >= WORTH_KEEPING:
                progress.tell(f"{encoded:,} encoded sentences are kept for when this is run again: {folder.parent}")
            else:
                shutil.rmtree(folder, ignore_errors=True)


def _build(corpus: Corpus, folder: Path, encoder: Encoder, progress: Progress) -> None:
    begun = folder.exists()
    try:
        build_index(corpus, folder, encoder, store=StoreWish(FLAT), progress=progress)
    except IndexFolderError:
        if not begun:
            raise
        shutil.rmtree(folder)  # what was left is damaged, or of another version
        build_index(corpus, folder, encoder, store=StoreWish(FLAT), progress=progress)


def _encoded(folder: Path) -> int:
    """Return how many sentences are there; 0 for what is no index that can be gone on with."""
    with suppress(IndexFolderError):
        return Manifest.read(folder).count if Layout(folder).manifest.exists() else 0
    return 0


def _jobs() -> Path:
    return cache_folder() / "duplicates"


@contextmanager
def _folder(corpus: Corpus, encoder: Encoder) -> Iterator[tuple[Path, bool]]:
    """Name the index's folder, by what the job depends on, and say whether it may be kept.

    Where nothing can be, it is a temporary one.
    """
    _clear()
    key = _key(corpus, encoder)
    place = _jobs() / f"files-{key}"
    with ExitStack() as stack:
        kept = False
        with suppress(OSError, OutputError):  # no place for it, or another job has it
            if key is not None:
                place.mkdir(parents=True, exist_ok=True)
                place.touch()
                stack.enter_context(WriterLock(place / "job.lock", place / "job.process"))
                stack.callback(_remove_without_index, place)
                kept = True
        if not kept:
            place = Path(stack.enter_context(TemporaryDirectory(prefix="kindred-")))
        yield place / "index", kept


def _key(corpus: Corpus, encoder: Encoder) -> str | None:
    """Return a hash of the files as they are now, of how they are read, and of the encoder; None of standard input."""
    parts = [encoder.passport.fingerprint]
    for name in corpus.names:
        path = corpus.place(name)
        if not path:
            return None
        status = Path(path).stat()
        parts += [name, path, corpus.reading(name), f"{status.st_size} {status.st_mtime_ns}"]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:24]


def _clear() -> None:
    """Remove what jobs left that were stopped long ago, and never run again."""
    with suppress(OSError):
        for folder in _jobs().iterdir():
            if time.time() - folder.stat().st_mtime > KEPT_DAYS * _DAY:
                shutil.rmtree(folder, ignore_errors=True)


def _remove_without_index(place: Path) -> None:
    if not (place / "index").exists():
        shutil.rmtree(place, ignore_errors=True)
