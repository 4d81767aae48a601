"""An index that is damaged, made anew from what of it is whole; what was lost is said.

Words and search structure are made anew from the sentences and their rows, a row from its sentence, by the encoder.
What cannot be made anew is a sentence: its file is read again by the next `kindred index`.
"""

from itertools import groupby
from operator import itemgetter
from pathlib import Path

from search.builds import kept_manifest
from search.errors import IndexFolderError
from search.format_1 import READING, Format1, is_format_1, place
from search.index_writer import IndexWriter
from search.manifest import Layout, Manifest
from search.progress import SILENT, Progress
from search.rewriting import Remake, Rewritten, rewrite_index

__all__ = ["repair_index"]


def repair_index(
    folder: Path, remake: Remake | None = None, *, wait: float = 0.0, progress: Progress = SILENT
) -> Rewritten:
    """Write an index anew from what of it is whole. A source that lost sentences is read again by the next index run.

    Stopped, it is gone on with by the same call. An index that was unfinished stays so. One of format 1 becomes one of
    this version's, if all of it is whole.

    Args:
        folder: the index.
        remake: gives the encoder that makes the rows of sentences anew which have lost theirs, and is asked only where
            there are such; None: they are lost, too.
        wait: how many seconds to wait for another writer.
        progress: is told how far it is.

    Raises:
        IndexFolderError: the folder is no index, nothing of it can be read, or the encoder is another.
        OutputError: it cannot be written, or another process writes to it.
    """
    if is_format_1(folder):
        return _convert(folder, wait=wait, progress=progress)
    _restore_manifest(folder)
    return rewrite_index(folder, lossy=True, remake=remake, wait=wait, progress=progress)


def _convert(folder: Path, *, wait: float, progress: Progress) -> Rewritten:
    """Write an index of format 1 anew."""
    with IndexWriter(folder, None, overwrite=True, resume=False, wait=wait) as writer:
        old = Format1.open(folder, Manifest.origin_of(folder).passport.width)
        progress.start("converting", sum(source.sentences for source in old.sources), "sentences")
        done = 0
        for source, batches in groupby(old.rows(), key=itemgetter(0)):
            writer.begin(source.name, place(source), READING)
            for _, sentences, rows, labels in batches:
                writer.append(sentences, rows, labels)
                done += len(sentences)
                progress.advance(done)
            writer.complete(source, None)
        progress.finish()
        return Rewritten(writer.commit(finished=True), done)


def _restore_manifest(folder: Path) -> None:
    """Put the copy of the manifest that is beside the sentences in the place of one that is damaged."""
    Manifest.replaced(folder)  # refuses a newer format, which is not damaged
    try:
        Manifest.read(folder)
    except IndexFolderError as damaged:
        kept = kept_manifest(Layout(folder))
        if kept is None:
            raise IndexFolderError(f"{folder}: nothing in it can be repaired ({damaged})") from damaged
        kept.write(Layout(folder).manifest)
