"""A long job's pairs, committed as it goes: stopped, it goes on where it was when it is started again."""

import io
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from search.files import cache_folder, write_bytes
from search.joining import Joined, Task
from search.workers import spread

__all__ = ["Committed", "work_folder"]

_SECONDS = 5.0
"""How much work may be lost."""


@contextmanager
def work_folder(key: str) -> Iterator[Path]:
    """Name the folder of a job by what that depends on; whatever is in it is removed when the block ends well."""
    folder = cache_folder() / "duplicates" / key
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Committed:
    """Tasks done in their order, in a folder that keeps what they gave."""

    def __init__(self, folder: Path, *, seconds: float = _SECONDS) -> None:
        """Go on in a folder; what is found is written there every so many seconds."""
        self._folder = folder
        self._seconds = seconds

    def run(
        self, tasks: Sequence[Task], work: Callable[[Task], Joined], processes: int = 1
    ) -> Iterator[tuple[int, Joined]]:
        """Do the tasks that are not done, by so many processes; yield how many are behind, and the last one's pairs."""
        done = 0
        while (path := next(iter(self._folder.glob(f"{done:08d}-*.npy")), None)) is not None:
            done = int(path.stem.partition("-")[2])
            a, b, score = np.load(path, allow_pickle=False)
            yield done, Joined(a.astype(np.int64), b.astype(np.int64), score)
        waiting: list[Joined] = []
        first, since = done, time.monotonic()
        for number, found in enumerate(spread(work, tasks[done:], processes), start=done + 1):
            waiting.append(found)
            if time.monotonic() - since >= self._seconds:
                self._write(first, number, waiting)
                waiting, first, since = [], number, time.monotonic()
            yield number, found

    def _write(self, first: int, end: int, found: Sequence[Joined]) -> None:
        content = io.BytesIO()
        values = [np.concatenate(side) for side in zip(*((one.a, one.b, one.score) for one in found), strict=True)]
        np.save(content, np.stack(values).astype(np.float64), allow_pickle=False)  # positions fit in 53 bits
        self._folder.mkdir(parents=True, exist_ok=True)
        write_bytes(self._folder / f"{first:08d}-{end:08d}.npy", content.getvalue())
