"""Long jobs of a server: done in a thread of their own, one after the other, each once.

Who asks gets what is there at once: how far the job is, or what it made. Queries keep their share of the machine.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from search.errors import OptionError
from search.progress import Progress

__all__ = ["Once", "Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """How far a job is: `done` of `total` (None: unknown) units of what it does now."""

    what: str = "waiting"
    done: float = 0
    total: float | None = None
    unit: str = ""


class _Stopped(Exception):  # noqa: N818 - no error: the server ends
    """The job was told to stop."""


class _Job:
    """One job, which keeps what it tells of itself (see `Progress`), and what came of it."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self.step = Step()
        self.made: bytes | None = None
        self.error: Exception | None = None

    @property
    def finished(self) -> bool:
        """Say whether it has come to an end."""
        return self.made is not None or self.error is not None

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

    def run(self, work: Callable[[Progress], bytes]) -> None:
        """Do it; whatever goes wrong is kept for who asks."""
        try:
            self.made = work(self)
        except Exception as exc:  # noqa: BLE001 - it is raised where somebody asks
            self.error = exc


class Once:
    """Jobs by key; `close` it before what they read."""

    def __init__(self, name: str, kept: int) -> None:
        """Do nothing yet; of jobs, unfinished ones among them, `kept` are kept."""
        self._kept = kept
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._jobs: OrderedDict[Hashable, _Job] = OrderedDict()

    def close(self) -> None:
        """Stop what runs, at its next step, and begin nothing more."""
        self._stopping.set()
        self._thread.shutdown(cancel_futures=True)

    def ask(self, key: Hashable, work: Callable[[Progress], bytes]) -> Step | bytes:
        """Return what the job of a key made, or how far it is; the first who asks begins it.

        Raises:
            Exception: what went wrong in it. What a user can put right, an OptionError, is kept; anything else may be
                mended meanwhile, so that whoever asks next tries anew.
        """
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                done = [other for other, one in self._jobs.items() if one.finished]
                if len(self._jobs) >= self._kept and not done:
                    return Step()  # too many others come before
                if len(self._jobs) >= self._kept:
                    del self._jobs[done[0]]
                job = self._jobs[key] = _Job(self._stopping)
                self._thread.submit(job.run, work)
            self._jobs.move_to_end(key)
            if job.error is not None and not isinstance(job.error, OptionError):
                del self._jobs[key]
        if job.error is not None:
            raise job.error
        return job.step if job.made is None else job.made
