"""The job that gives an index its search structure, once it is so large that exact search is not quick any more.

It comes after the commit of the rows: until the structure is committed, too, the index is searched as it was before.
A structure of the first rows gets the newer ones added, which costs their share of building it. It is measured as a new
one is; where it does not reach the recall, all is tried anew.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from search.choosing import Bench, Candidate, Trial, best, candidates, named, quick
from search.errors import OutputError
from search.files import sha256_of_file, sync
from search.index_writer import IndexWriter
from search.manifest import Layout, Manifest
from search.progress import SILENT, Progress
from search.similarity import Vectors
from search.store import Among
from search.store_record import AUTO, FLAT, StoreRecord, StoreWish, StructureFile
from search.structure_faiss import check_spec

__all__ = ["BORDER", "LEAST", "check_wish", "structure_index"]

BORDER = 100_000
"""From so many rows on, an exact query takes over 7 ms of one core, as long as encoding it, and six times as long as
one of a structure (benchmarks/approximate.md)."""

LEAST = 1000
"""Fewer rows get no structure, whoever asks for one."""

_GROWTH = 0.1
"""Rows newer than the structure are searched exactly beside it, up to this share of those that it has."""


def check_wish(wish: StoreWish, width: int) -> None:
    """Refuse a store that cannot be made of rows of this width, before any work is done.

    Raises:
        OptionError: naming it.
    """
    if wish.spec not in {AUTO, FLAT}:
        check_spec(wish.spec, width)


def structure_index(
    folder: Path, writer: IndexWriter, wish: StoreWish | None = None, *, progress: Progress = SILENT
) -> Manifest:
    """Give an index, whose rows are committed, the store that is wished; return the manifest as it is then.

    Args:
        folder: the index.
        writer: its writer.
        wish: what is asked for; None: what was asked for the last time.
        progress: is told how far it is, and what was chosen.

    Raises:
        OptionError: the structure asked for is none.
        OutputError: it cannot be written; the index is searched as before.
    """
    manifest, layout = writer.manifest, Layout(folder)
    wish = wish or manifest.store.wish
    if wish.spec == FLAT or manifest.rows < (BORDER if wish.spec == AUTO else LEAST):
        record = StoreRecord(wish)
        return manifest if manifest.store == record else writer.keep_store(record)
    if _fresh(manifest, wish, layout):
        return manifest
    layout.structures.mkdir(exist_ok=True)
    name = f"{manifest.build:06d}-{manifest.generation + 1:06d}.faiss"
    asides: list[Path] = []
    try:
        record = _structured(layout, manifest, wish, _alive(writer), name, asides, progress)
    except OSError as exc:
        raise OutputError(
            f"{layout.structures}: a search structure cannot be written ({exc.strerror}); all sentences are there, and "
            "the index is searched as before. See that the disk has room, and run it again, or with --store flat."
        ) from exc
    finally:
        for path in asides:
            path.unlink(missing_ok=True)
    return writer.keep_store(record)


def _fresh(manifest: Manifest, wish: StoreWish, layout: Layout) -> bool:
    """Say whether what was chosen before is what would be chosen now."""
    store = manifest.store
    if store.wish != wish or manifest.rows > store.rows * (1 + _GROWTH):
        return False
    path = layout.structures / store.file.name if store.file else None
    return path is None or (path.exists() and store.file is not None and path.stat().st_size == store.file.size)


def _extensible(manifest: Manifest, wish: StoreWish, wanted: Sequence[Candidate], layout: Layout) -> Path | None:
    """Return the file of the structure there is, if it is whole and what would be built first of so many rows."""
    store = manifest.store
    if store.file is None or store.wish != wish or store.spec != wanted[0].spec:
        return None
    path = layout.structures / store.file.name
    return path if path.exists() and sha256_of_file(path) == store.file.sha256 else None


def _alive(writer: IndexWriter) -> Among | None:
    alive = np.zeros(writer.manifest.rows, dtype=np.bool_)
    for source in writer.sources:
        alive[source.first : source.first + source.rows] = True
    return None if alive.all() else alive


def _structured(
    layout: Layout,
    manifest: Manifest,
    wish: StoreWish,
    alive: Among | None,
    name: str,
    asides: list[Path],
    progress: Progress,
) -> StoreRecord:
    """Extend the structure there is, or try candidates out; put the best in its place, and return what is to be noted.

    `asides` are files that it may leave.
    """
    passport = manifest.passport
    shape = (manifest.rows, passport.width)
    vectors: Vectors = np.memmap(layout.vectors(manifest.build), dtype=np.float32, mode="r", shape=shape)
    wanted = candidates(manifest.rows, passport.width) if wish.spec == AUTO else [named(wish.spec)]
    old = _extensible(manifest, wish, wanted, layout)

    def aside() -> Path:
        asides.append(layout.structures / f".{name}.{os.getpid()}.{len(asides)}.aside")
        return asides[-1]

    progress.start("building a search structure", len(wanted) + 1, "steps")
    bench = Bench(vectors, passport, alive)
    limit = bench.exact_milliseconds if wish.spec == AUTO else np.inf
    chosen = None
    if old is not None:
        there = Candidate(manifest.store.spec, manifest.store.spare)
        progress.advance(1, f"{there.spec}, with the newer rows added")
        chosen = best([bench.try_extended(there, old, wish.recall, aside())], limit)
    if chosen is None:
        tried: list[Trial] = []
        for number, candidate in enumerate(wanted):
            progress.advance(number + 1, candidate.spec)
            tried.append(bench.try_out(candidate, wish.recall, aside()))
            if quick(tried[-1], bench.exact_milliseconds):
                break
        chosen = best(tried, limit)
    progress.advance(len(wanted) + 1)
    progress.finish()
    if chosen is None:
        progress.tell(f"No search structure is faster than exact search with recall {wish.recall:g}: searched exactly.")
        return StoreRecord(wish, manifest.rows)
    record = StoreRecord(
        wish=wish,
        rows=manifest.rows,
        spec=chosen.spec,
        efforts={f"{weight:g}": effort for weight, effort in sorted(chosen.efforts.items())},
        spare=chosen.spare,
        recalls=chosen.recalls,
        milliseconds=chosen.milliseconds,
        exact_milliseconds=bench.exact_milliseconds,
        file=_placed(chosen.path, layout.structures / name),
    )
    progress.tell(f"Search structure: {record}.")
    return record


def _placed(aside: Path, path: Path) -> StructureFile:
    """Put a finished file in its place."""
    sync(aside)
    aside.replace(path)
    sync(path.parent)
    found = path.stat()
    return StructureFile(path.name, found.st_size, sha256_of_file(path), found.st_mtime_ns)
