"""What an index has of files that are gone is let go, when that is asked.

A folder that is missing may be a share that is not mounted, so it is never taken for gone unless it is named.
"""

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from search.errors import OptionError
from search.files import absolute
from search.index_writer import IndexWriter
from search.progress import SILENT, Progress
from search.records import IndexedSource
from search.sources import State, is_away, missing_folder, state_of

__all__ = ["gone_sources", "named_gone", "remove"]


def gone_sources(writer: IndexWriter, *, progress: Progress = SILENT) -> list[IndexedSource]:
    """Return the sources whose files are gone, but not their folders; tell of those that are missing."""
    states = [(source, state_of(source)) for source in writer.sources]
    away = [source for source, state in states if state is State.UNREACHABLE]
    for folder, count in Counter(missing_folder(source.path) for source in away).items():
        if folder is not None:
            progress.tell(
                f"{count:,} file(s) below {folder} stay in the index: the folder is missing or empty, as a share is "
                f"that is not mounted. If it is gone for good, say so with: --gone {shlex.quote(str(folder))}"
            )
    return [source for source, state in states if state is State.GONE]


def named_gone(writer: IndexWriter, names: Sequence[str]) -> list[IndexedSource]:
    """Return the sources that are, or were in, what is named as gone, and are not there.

    Raises:
        OptionError: the index has nothing of it, or all of it is there.
    """
    found: list[IndexedSource] = []
    for name in names:
        place = absolute(name)
        mine = [source for source in writer.sources if source.path and Path(source.path).is_relative_to(place)]
        away = [source for source in mine if is_away(source.path)]
        if not mine:
            raise OptionError(f"--gone {name}: the index has no file there ({place}); kindred info says which it has.")
        if not away:
            raise OptionError(f"--gone {name}: the {len(mine):,} file(s) that the index has of it are all there.")
        found += away
    return found


def remove(writer: IndexWriter, sources: Sequence[IndexedSource]) -> int:
    """Remove those of some sources that have not moved; return how many."""
    there = {source.number for source in writer.sources}
    gone = {source.number: source for source in sources if source.number in there}
    for source in gone.values():
        writer.remove(source)
    return len(gone)
