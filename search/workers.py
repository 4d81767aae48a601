"""Work spread over processes; what it gives comes in the order of the tasks, however many there are.

The processes are started anew, not forked from this one: what runs an encoder here does not bear that. They end with
this one, be it killed, and leave an interrupt to it.
"""

import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from search.errors import OptionError

__all__ = ["check_processes", "spread"]

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

_AHEAD = 2
"""Tasks that wait for each process, so that none is idle; what they give is all that is in memory beside."""


def check_processes(processes: int) -> None:
    """Refuse a number of processes that is none.

    Raises:
        OptionError: naming it.
    """
    if processes < 1:
        raise OptionError(f"processes is {processes}; give 1 or more.")


def spread(work: Callable[[_Task], _Result], tasks: Iterable[_Task], processes: int = 1) -> Iterator[_Result]:
    """Yield what `work` gives for each task, in order.

    Args:
        work: a function, or an object that can be sent to another process; it is sent once.
        tasks: what it is given; no more of them are taken than are worked on.
        processes: how many do it; 1: this one alone.

    Raises:
        OptionError: a process was ended from outside, as a system does that runs out of memory.
    """
    if processes == 1:
        yield from map(work, tasks)
        return
    pool = ProcessPoolExecutor(
        processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(pickle.dumps(work), max(1, (os.cpu_count() or 1) // processes)),
    )
    waiting: deque[Future[_Result]] = deque()
    try:
        for task in tasks:
            waiting.append(pool.submit(_do, task))
            if len(waiting) > _AHEAD * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as exc:
        raise OptionError(
            f"One of {processes} processes was ended from outside; perhaps the memory is too small for so many. "
            "Run it again with fewer --processes."
        ) from exc
    finally:
        pool.shutdown(cancel_futures=True)


class _Worker:
    """What a process works with: packed until the first task comes, so that numpy is imported once threads are set.

    It is packed by the process that started this one, and comes from no file.
    """

    packed = b""
    work: Callable[[Any], Any] | None = None


def _begin(packed: bytes, threads: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # numpy, which is not imported yet, goes by it
    _Worker.packed = packed


def _end_with_parent() -> None:
    """End this process when the one that started it has, which could not tell it to if it was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(task: Any) -> Any:
    if _Worker.work is None:
        _Worker.work = pickle.loads(_Worker.packed)  # noqa: S301 - packed by the process that started this one
    return _Worker.work(task)
