"""Files to an index: what is new or has changed is read, encoded and committed a window at a time.

Run again after a kill, or after some files have changed, it goes on from what is committed and encodes only texts that
the index has never had.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from search.corpus import Readable
from search.encoded_once import encoded_once
from search.encoder import Encoder
from search.errors import InputError, OutputError
from search.index_reader import IndexReader
from search.index_writer import IndexWriter
from search.manifest import Layout, Manifest
from search.planning import Plan, bytes_of, make_plan
from search.progress import SILENT, Progress
from search.pruning import gone_sources, named_gone, remove
from search.records import Sentence, Source
from search.store_record import StoreWish
from search.structuring import check_wish, structure_index

__all__ = ["Indexed", "build_index", "check_related", "default_name"]

_WINDOW = 4096
"""Sentences in memory, and in a commit; enough that batches of like length can be made of them."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """What a run did: the index as it is now, and how many files were new, changed, moved, the same, and removed.

    `sources` is how many the index has, those of earlier runs included. `failed` says of each file that could not be
    used why; what the index had of it before is as it was.
    """

    manifest: Manifest
    sources: int
    new: int
    changed: int
    moved: int
    same: int
    pruned: int
    failed: tuple[InputError, ...] = ()


@dataclass(frozen=True, slots=True)
class _Piece:
    """Consecutive sentences of a source: its first ones, or not; `read` says what it was, once this is its end.

    `failed` says that the source cannot be used after all.
    """

    name: str
    first: bool
    sentences: list[Sentence]
    read: Source | None
    failed: InputError | None = None


def default_name(pattern: str) -> str:
    """Return the name of an index of a file, folder or glob: its last part without suffix."""
    path = Path(pattern)
    name = path.resolve().name if path.is_dir() else path.name.partition(".")[0].strip("*?[]-_ ")
    return name or "index"


def check_related(corpus: Readable, folder: Path) -> None:
    """Refuse to add files to an index that was made of quite others, and only happens to have their name.

    Raises:
        OutputError: none of the files is a source of the index; says what to do.
        IndexFolderError: the folder is no index.
    """
    if not Layout(folder).manifest.exists():
        return  # the writer restores it, or begins anew
    with IndexReader(folder) as index:
        known = {source.path: source.name for source in index.sources if source.path}
    if known and not any(corpus.place(name) in known for name in corpus.names):
        raise OutputError(
            f"{folder} is an index of other files ({next(iter(known.values()))}). To add these to it, say so with "
            f"--out {folder}; to replace it, --overwrite; else choose another --out."
        )


def build_index(
    corpus: Readable,
    folder: Path,
    encoder: Encoder,
    *,
    overwrite: bool = False,
    prune: bool = False,
    gone: Sequence[str] = (),
    strict: bool = True,
    wait: float = 0.0,
    store: StoreWish | None = None,
    progress: Progress = SILENT,
) -> Indexed:
    """Bring an index folder in line with a corpus: read what is new or has changed, keep the rest.

    Equal texts are encoded once. Every window is committed; a stopped run is gone on with by the same call.

    Args:
        corpus: the files. Others that the index has stay in it.
        folder: the index; made where there is none.
        encoder: the one that made the index.
        overwrite: make the index anew; until that is finished, the old one is what opens.
        prune: remove the sentences of files that are gone, be they of this corpus or not; see `pruning`.
        gone: files and folders that are gone for good; the same, also where their folder is missing.
        strict: stop at a file that cannot be used; else go on with the others, unless there is none that can.
        wait: how many seconds to wait for another writer.
        store: how the index is to be searched; None: as was asked the last time.
        progress: is told how far it is.

    Raises:
        OptionError: the store is none, or the index has nothing of what is said to be gone.
        InputError: a file cannot be used, and there is no other or `strict` is asked; names file and line.
        OutputError: the folder cannot be written to, or another process does.
        IndexFolderError: the index is damaged, of another format, or of another encoder.
    """
    if store is not None:
        check_wish(store, encoder.passport.width)
    with IndexWriter(folder, encoder, overwrite=overwrite, wait=wait) as writer:
        if store is not None:
            writer.wish(store)
        named = [] if overwrite else named_gone(writer, gone)
        plan = make_plan(corpus, writer, overwrite=overwrite)
        for options, files in plan.recalled.items():
            progress.tell(f"{files:,} file(s) read as the last time, with {options}")
        pruned = remove(writer, [*named, *(gone_sources(writer, progress=progress) if prune else ())])
        progress.start("indexing", bytes_of(plan.read), "bytes")
        count, waiting = 0, False
        failed: dict[str, InputError] = {}
        for window in _windows(corpus, plan, failed, strict=strict):
            if waiting:
                writer.commit(finished=False)
            _append(window, encoder, writer, corpus, plan)
            waiting = True
            count += sum(len(piece.sentences) for piece in window)
            progress.advance(corpus.bytes_read, f"{count:,} sentences")
        progress.finish()
        if failed and len(failed) == len(corpus.names):
            raise InputError("\n".join(map(str, failed.values())))
        writer.commit(finished=True)
        manifest = structure_index(folder, writer, store, progress=progress)
        sources = len(writer.sources)
    read = set(plan.read) - set(failed)
    changed = len(read & plan.changed)
    reasons = tuple(failed.values())
    return Indexed(manifest, sources, len(read) - changed, changed, plan.moved, plan.same, pruned, reasons)


def _windows(corpus: Readable, plan: Plan, failed: dict[str, InputError], *, strict: bool) -> Iterator[list[_Piece]]:
    """Yield what is to be read, so many sentences at a time; files that cannot be used are added to `failed`."""
    window: list[_Piece] = []
    room, begun = _WINDOW, plan.begun
    for name in plan.read:
        sentences = corpus.read(name)
        first = not begun
        for _ in islice(sentences, begun):
            begun = 0
        done = False
        while not done:
            try:
                some = list(islice(sentences, room))
            except InputError as exc:
                if strict:
                    raise
                failed[name] = exc
                window.append(_Piece(name, first, [], None, exc))
                break
            room -= len(some)
            done = bool(room)
            window.append(_Piece(name, first, some, corpus.sources[-1] if done else None))
            first = False
            if not room:
                yield window
                window, room = [], _WINDOW
    if window:
        yield window


def _append(window: list[_Piece], encoder: Encoder, writer: IndexWriter, corpus: Readable, plan: Plan) -> None:
    texts = (sentence.text for piece in window for sentence in piece.sentences)
    found = encoded_once(texts, encoder, writer)
    for piece in window:
        if piece.first:
            writer.begin(piece.name, corpus.place(piece.name), corpus.reading(piece.name))
        chosen = [found[sentence.text] for sentence in piece.sentences]
        if piece.failed is not None:
            writer.abandon()
        if chosen:
            writer.append(piece.sentences, np.stack([row for row, _ in chosen]), [label for _, label in chosen])
        if piece.read is not None:
            stamp = plan.read[piece.name]
            writer.complete(piece.read, stamp.modified if stamp else None)
