"""An index, written anew without the rows that do not count any more."""

from pathlib import Path

from search.errors import IndexFolderError
from search.manifest import Manifest
from search.progress import SILENT, Progress
from search.rewriting import Rewritten, rewrite_index

__all__ = ["compact_index"]


def compact_index(folder: Path, *, wait: float = 0.0, progress: Progress = SILENT) -> Rewritten:
    """Write an index anew without the rows that do not count any more; until that is done the old one is what opens.

    Raises:
        IndexFolderError: the folder is no index, or a sentence is damaged.
        OutputError: it cannot be written, or another process writes to it.
    """
    if not Manifest.read(folder).finished:
        raise IndexFolderError(f"{folder} is unfinished; run the same kindred index again before it is compacted.")
    return rewrite_index(folder, lossy=False, wait=wait, progress=progress)
