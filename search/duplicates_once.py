"""The duplicates of indexes that are served: found in a thread of their own, once for a generation and a threshold.

What was found is told as the report's page reads it.
"""

from pathlib import Path
from typing import Self

from search.duplicates import find_duplicates, usual_weight
from search.errors import OptionError
from search.guard import PairGuard
from search.index import Index
from search.nearest import check_threshold
from search.once import Once, Step
from search.progress import Progress
from search.report import report_data
from search.service import Service
from search.thresholds import kept_threshold, usual_threshold

__all__ = ["BELOW", "MOST_PAIRS", "MOST_SENTENCES", "DuplicatesOnce"]

MOST_SENTENCES, MOST_PAIRS = 200_000, 50_000
"""Sentences of an index that is looked through, and pairs that a page can show: for more there is the command."""

BELOW = 0.1
"""How far below the usual threshold pairs are looked for, so that the page's slider can go there."""

_KEPT = 4
"""Searches, finished ones among them, that are kept: some 20 MB each at most."""


def _found(folder: Path, guard: PairGuard, lowest: float | None, progress: Progress) -> bytes:
    with Index(folder) as index:
        progress.start("choosing a threshold", None, "")
        usual, _ = usual_threshold(index, weight=usual_weight(index.passport, None), guard=guard)
        lowest = round(max(-1.0, usual - BELOW), 6) if lowest is None else lowest
        found = find_duplicates(index, threshold=lowest, guard=guard, most_pairs=MOST_PAIRS, progress=progress)
        count = len(found.pairs) + len(found.refused)
        if count > MOST_PAIRS:
            raise OptionError(
                f"{count:,} pairs at {lowest:g}, equal texts among them; a page shows {MOST_PAIRS:,}. Choose a higher "
                f"threshold, or run: kindred duplicates {folder.name} --out unique"
            )
        return report_data(found, encoder=index.passport.name, threshold=max(usual, lowest)).encode()


class DuplicatesOnce:
    """The duplicates of a service's indexes. Use as a context manager, or `close` it."""

    def __init__(self, service: Service) -> None:
        """Search nothing yet."""
        self._service = service
        self._once = Once("duplicates", _KEPT)

    def __enter__(self) -> Self:
        """Give it to a with block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Stop what runs, at its next step, and begin nothing more."""
        self._once.close()

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
        folder, guard = self._service.folder(name), self._service.guard
        key = (name, manifest.digest, manifest.generation, kept and kept[0].value, lowest)
        return self._once.ask(key, lambda progress: _found(folder, guard, lowest, progress))
