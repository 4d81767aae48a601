"""What an index run has to do: which files are to be read, which are as they were, which have only moved."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import islice

from search.compressed import kind_of
from search.corpus import Readable
from search.errors import InputError
from search.index_writer import IndexWriter
from search.records import IndexedSource
from search.sources import Stamp, State, is_away, moved_from, state_of

__all__ = ["Plan", "bytes_of", "make_plan"]


@dataclass(slots=True)
class Plan:
    """The files to read, each with how it looked before that, those of them that the index has, and how many others.

    The first of them may have been read in part by a stopped run: so many sentences are there already. `recalled` says
    how many are read with options that are not asked for, as the last time.
    """

    read: dict[str, Stamp | None]
    begun: int = 0
    changed: set[str] = field(default_factory=set)
    recalled: Counter[str] = field(default_factory=Counter)
    moved: int = 0
    same: int = 0


def make_plan(corpus: Readable, writer: IndexWriter, *, overwrite: bool) -> Plan:
    """Compare the corpus with the index; what has only moved is moved."""
    plan = Plan({})
    mine = {corpus.place(name) or name for name in corpus.names}
    if overwrite:  # what a stopped run with other files began is not asked for any more
        for source in writer.sources:
            if source.key not in mine:
                writer.remove(source)
    known = {source.key: source for source in writer.sources}
    lost = _lost(corpus, known, mine)
    for name in corpus.names:
        path = corpus.place(name)
        old = known.get(path or name)
        recalled = corpus.recall(name, old.reading) if old is not None else ""
        stamp = _stamp(path)
        if old is not None and old.reading == corpus.reading(name) and state_of(old) is State.SAME:
            plan.same += 1
            if stamp is not None and stamp.modified != old.modified:
                writer.note_time(old, stamp.modified)
        elif old is None and stamp is not None and (origin := moved_from(path, lost[kind_of(path), stamp.size])):
            writer.move(origin, name, path, stamp.modified)
            lost[kind_of(path), stamp.size].remove(origin)
            plan.moved += 1
        else:
            plan.read[name] = stamp
            plan.recalled.update([recalled] if recalled else [])
            if old is not None and old.complete:
                plan.changed.add(name)
    _resume(corpus, plan, writer)
    return plan


_Lost = defaultdict[tuple[str, int | None], list[IndexedSource]]


def _lost(corpus: Readable, known: Mapping[str, IndexedSource], mine: Collection[str]) -> _Lost:
    """Return the sources whose files are no more where they were, by kind and size.

    By kind, since a page gives other sentences than the same content as text.
    """
    lost: _Lost = defaultdict(list)
    for path, source in known.items():
        alike = source.complete and source.reading == corpus.reading(source.path, source.reading)
        if alike and path == source.path and path not in mine and is_away(path):
            lost[kind_of(path), source.size].append(source)
    return lost


def _stamp(path: str) -> Stamp | None:
    """Look at a file; None for what is none, or cannot be looked at: that is told when it is read."""
    try:
        return Stamp.of(path) if path else None
    except OSError:
        return None


def _resume(corpus: Readable, plan: Plan, writer: IndexWriter) -> None:
    """Go on with the file that a stopped run was reading, if it is among these and begins as it did then."""
    source = writer.unfinished
    if source is None or not source.path or source.reading != corpus.reading(source.path):
        return
    for name in plan.read:
        if corpus.place(name) == source.path:
            try:
                same = writer.resume(source, islice(corpus.read(name), source.rows))
            except InputError:  # which is met again, and told, when it is read
                same = False
            if same:
                plan.begun = source.rows
                plan.read = {name: plan.read.pop(name), **plan.read}
            return


def bytes_of(read: Mapping[str, Stamp | None]) -> int | None:
    """Return the size of files together; None where one's is not known."""
    sizes = [stamp.size for stamp in read.values() if stamp is not None]
    return sum(sizes) if len(sizes) == len(read) else None
