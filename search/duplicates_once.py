"""The duplicates of indexes that are served: found in a thread of their own, once for a generation and a threshold.

Who asks gets what is there at once: how far the search is, or what it found, as the report's page reads it. Searches
go one after the other, so that queries keep their share of the machine.
"""

import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from search.duplicates import DEFAULT_THRESHOLD, find_duplicates, usual_weight
from search.errors import OptionError
from search.guard import PairGuard
from search.index import Index
from search.nearest import check_threshold
from search.progress import Progress
from search.report import report_data
from search.service import Service
from search.thresholds import found_without_labels, kept_threshold

__all__ = ["BELOW", "MOST_PAIRS", "MOST_SENTENCES", "DuplicatesOnce", "Step"]

MOST_SENTENCES, MOST_PAIRS = 200_000, 50_000
"""Sentences of an index that is looked through, and pairs that a page can show: for more there is the command."""

BELOW = 0.1
"""How far below the usual threshold pairs are looked for, so that the page's slider can go there."""

_KEPT = 4
"""Searches, finished ones among them, that are kept: some 20 MB each at most."""

_Key = tuple[str, str, int, float | None, float | None]
"""An index, its digest and generation, the threshold that it keeps, and the lowest score asked for."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far a search is: `done` of `total` (None: unknown) units of what it does now."""

    what: str = "waiting"
    done: float = 0
    total: float | None = None
    unit: str = ""


class _Stopped(Exception):  # noqa: N818 - no error: the server ends
    """The search was told to stop."""


class _Search:
    """One search, which keeps what it tells of itself (see `Progress`), and what came of it."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self.step = Step()
        self.found: bytes | None = None
        self.error: Exception | None = None

    @property
    def finished(self) -> bool:
        """Say whether it has come to an end."""
        return self.found is not None or self.error is not None

    def tell(self, what: str) -> None:
        """Pass over a remark."""

    def start(self, what: str, total: float | None, unit: str) -> None:
        """Keep what begins."""
        self.step = Step(what, 0, total, unit)

    def advance(self, done: float, note: str = "") -> None:  # noqa: ARG002 - a job's note is of no use here
        """Keep how far it is, and stop if it must."""
        if self._stopping.is_set():
            raise _Stopped
        self.step = replace(self.step, done=done)

    def finish(self) -> None:
        """Pass over the end of a stage."""

    def run(self, folder: Path, guard: PairGuard, lowest: float | None) -> None:
        """Search; whatever goes wrong is kept for who asks."""
        try:
            self.found = _found(folder, guard, lowest, self)
        except Exception as exc:  # noqa: BLE001 - it is raised where somebody asks
            self.error = exc


def _found(folder: Path, guard: PairGuard, lowest: float | None, progress: Progress) -> bytes:
    with Index(folder) as index:
        progress.start("choosing a threshold", None, "")
        usual = _usual(index, guard)
        lowest = round(max(-1.0, usual - BELOW), 6) if lowest is None else lowest
        found = find_duplicates(index, threshold=lowest, guard=guard, most_pairs=MOST_PAIRS, progress=progress)
        count = len(found.pairs) + len(found.refused)
        if count > MOST_PAIRS:
            raise OptionError(
                f"{count:,} pairs at {lowest:g}, equal texts among them; a page shows {MOST_PAIRS:,}. Choose a higher "
                f"threshold, or run: kindred duplicates {folder.name} --out unique"
            )
        return report_data(found, encoder=index.passport.name, threshold=max(usual, lowest)).encode()


def _usual(index: Index, guard: PairGuard) -> float:
    """Return the threshold of the command: kept with the index, else found without labels, else the default."""
    weight = usual_weight(index.passport, None)
    kept = kept_threshold([index], weight)
    if kept is not None:
        return kept[0].value
    try:
        return found_without_labels(index, weight=weight, guard=guard).value
    except OptionError:  # too few texts
        return DEFAULT_THRESHOLD


class DuplicatesOnce:
    """The duplicates of a service's indexes. Use as a context manager, or `close` it."""

    def __init__(self, service: Service) -> None:
        """Search nothing yet."""
        self._service = service
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="duplicates")
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._searches: OrderedDict[_Key, _Search] = OrderedDict()

    def __enter__(self) -> Self:
        """Give it to a with block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Stop what runs, at its next step, and begin nothing more."""
        self._stopping.set()
        self._thread.shutdown(cancel_futures=True)

    def ask(self, name: str, lowest: float | None = None) -> Step | bytes:
        """Return the duplicates of an index as it is now, as `report_data` gives them, or how far their search is.

        The first who asks begins it.

        Args:
            name: the index.
            lowest: pairs score this or more; None: `BELOW` the threshold that the command would use.

        Raises:
            OptionError: there is no such index, it is too big, the threshold is out of range or finds too many pairs.
            IndexFolderError: the index is damaged.
        """
        with self._service.reading(name) as searcher:
            manifest = searcher.index.manifest
            kept = kept_threshold([searcher.index], usual_weight(searcher.passport, None))
        if lowest is not None:
            check_threshold(lowest)
        if manifest.count > MOST_SENTENCES:
            raise OptionError(
                f"{name} has {manifest.count:,} sentences; a server looks through {MOST_SENTENCES:,}. "
                f"Run: kindred duplicates {name} --report found.html"
            )
        usual = kept and kept[0].value
        search = self._search((name, manifest.digest, manifest.generation, usual, lowest))
        if search is None:
            return Step()
        if search.error is not None:
            raise search.error
        return search.step if search.found is None else search.found

    def _search(self, key: _Key) -> _Search | None:
        """Return the search of a key, begun if need be; None where too many others are to be done before."""
        with self._lock:
            search = self._searches.get(key)
            if search is None:
                done = [other for other, one in self._searches.items() if one.finished]
                if len(self._searches) >= _KEPT and not done:
                    return None
                if len(self._searches) >= _KEPT:
                    del self._searches[done[0]]
                search = self._searches[key] = _Search(self._stopping)
                name, *_, lowest = key
                self._thread.submit(search.run, self._service.folder(name), self._service.guard, lowest)
            self._searches.move_to_end(key)
            if search.error is not None and not isinstance(search.error, OptionError):
                del self._searches[key]  # it may be mended: whoever asks next tries anew
            return search
