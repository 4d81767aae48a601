"""A command, watched while it runs: time of clock and processor, and the most memory it had, by kind (Linux).

Its resident memory is the kernel's own maximum. Of that, anonymous memory is the process's own, while mapped memory is
pages of files that the kernel takes back when others need room; both are the most seen in looks that are 50 ms apart.
"""

import ctypes
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Look", "Ran", "run", "surroundings"]

ROOT = Path(__file__).parents[1]

_APART = 0.05
_DIE_WITH_PARENT = 1  # prctl's PR_SET_PDEATHSIG


@dataclass(frozen=True, slots=True)
class Look:
    """How a process was found: seconds since its start and of the processor, and the most bytes so far, by kind."""

    seconds: float
    cpu_seconds: float
    anonymous: int
    mapped: int


@dataclass(frozen=True, slots=True)
class Ran:
    """What a process printed, how long it took, and the most memory it had: resident, and (if known) by kind."""

    output: str
    seconds: float
    cpu_seconds: float
    rss: int
    anonymous: int | None
    mapped: int | None


def run(command: Sequence[str], environment: dict[str, str], *, seen: Callable[[Look], None] | None = None) -> Ran:
    """Run a command to its end; it does not outlive this process (Linux).

    Args:
        command: what, in the root of the repository.
        environment: its environment.
        seen: is given every look.

    Raises:
        SystemExit: it failed; with what it said.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as told:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=told,
            env=environment,
            cwd=ROOT,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - no other thread runs when a command is started
        )
        last: list[Look] = []
        watch = threading.Thread(target=_watch, args=(process.pid, began, last, seen), daemon=True)
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.join()
        out.seek(0)
        told.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)}\nended with {process.returncode}:\n{told.read()[-3000:]}")
        unit = 1 if sys.platform == "darwin" else 1024
        cpu = used.ru_utime + used.ru_stime
        kinds = (last[0].anonymous, last[0].mapped) if last else (None, None)
        return Ran(out.read(), seconds, cpu, used.ru_maxrss * unit, *kinds)


def surroundings(threads: int) -> dict[str, str]:
    """Keep this process and all that it starts on so many cores; return the environment that says so to libraries."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    inherited = {name: value for name, value in os.environ.items() if name != "TOKENIZERS_PARALLELISM"}
    count = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), str(threads))
    silent = {"HF_HUB_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False"}
    return {**inherited, **count, **silent, "PYTHONPATH": str(ROOT)}


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, 9)


def _watch(process: int, began: float, last: list[Look], seen: Callable[[Look], None] | None) -> None:
    """Look at a process until it ends; `last` has the latest look."""
    anonymous = mapped = 0
    folder, ticks = Path("/proc") / str(process), os.sysconf("SC_CLK_TCK")
    try:
        while True:
            known = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
            if "RssAnon" not in known:  # it has ended
                return
            anonymous = max(anonymous, _bytes(known["RssAnon"]))
            mapped = max(mapped, _bytes(known["RssFile"]))
            times = (folder / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
            cpu = (int(times[11]) + int(times[12])) / ticks
            last[:] = [Look(time.perf_counter() - began, cpu, anonymous, mapped)]
            if seen is not None:
                seen(last[0])
            time.sleep(_APART)
    except OSError:  # it has ended, or this is not Linux
        return


def _bytes(told: str) -> int:
    return int(told.split(maxsplit=1)[0]) * 1024
