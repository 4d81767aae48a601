"""Several processes: the results of one, in its order; they end with the process that started them."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import search.levels
from search.duplicates import Duplicates, find_duplicates
from search.errors import OptionError
from search.index import Index
from search.stored_rows import StoredRows
from search.workers import spread
from tests.cli_runner import ROOT
from tests.toy import ToyEncoder


def power(exponent: int, number: int) -> tuple[int, int]:
    """Return a power, and the process that made it."""
    return number**exponent, os.getpid()


def end(_: int) -> None:
    """End this process as a system does that is out of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def fail(number: int) -> int:
    """Fail at a task."""
    if number == 2:
        raise OptionError("2 is none")
    return number


@pytest.mark.slow
def test_results_come_in_order_from_several_processes() -> None:
    """They are those of one process, made by others than this one, and not all tasks are taken at once."""
    taken: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(40):
            taken.append(number)
            yield number

    results = spread(partial(power, 3), tasks(), 2)
    first = next(results)
    assert len(taken) < 10
    found = [first, *results]
    assert [value for value, _ in found] == [number**3 for number in range(40)]
    assert os.getpid() not in {process for _, process in found}
    assert {process for _, process in spread(partial(power, 3), range(3), 1)} == {os.getpid()}


@pytest.mark.slow
def test_what_goes_wrong_in_a_process_is_told_here() -> None:
    """An error is the caller's; a process that is ended from outside is no riddle."""
    results = spread(fail, range(4), 2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(OptionError, match="2 is none"):
        next(results)
    with pytest.raises(OptionError, match=r"One of 2 processes was ended from outside.*fewer --processes"):
        list(spread(end, range(4), 2))


@pytest.mark.slow
def test_processes_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    """That one is killed, which it can tell nobody."""
    (tmp_path / "job.py").write_text(
        "import os, time\nfrom search.workers import spread\n"
        "def work(n):\n    print(os.getpid(), flush=True)\n    time.sleep(0.2)\n    return n\n"
        "if __name__ == '__main__':\n    list(spread(work, range(10000), 2))\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    job = subprocess.Popen([sys.executable, "job.py"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    assert job.stdout is not None
    workers = {int(job.stdout.readline()) for _ in range(8)}
    job.kill()
    job.wait()
    limit = time.monotonic() + 30
    while any(Path(f"/proc/{worker}").exists() and not gone(worker) for worker in workers):
        assert time.monotonic() < limit, "a worker goes on"
        time.sleep(0.1)
    job.stdout.close()


def gone(process: int) -> bool:
    """Say whether a process is dead, and only nobody has asked how it ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_no_processes_are_refused(tmp_path: Path) -> None:
    """The number is told."""
    with Index.create(tmp_path / "a", encoder=ToyEncoder()) as index:
        index.add(["room", "food"])
        with pytest.raises(OptionError, match="processes is 0; give 1 or more"):
            find_duplicates(index, processes=0)


def texts() -> list[str]:
    """Give some texts, many of them alike."""
    words = ("room", "food", "staff", "noise", "price", "pool")
    pairs = [f"{one} {other}" for one in words for other in words]
    return [f"{pairs[one % 36]} {pairs[one // 36]} {one}" for one in range(600)]


@pytest.mark.slow
@pytest.mark.parametrize("limit", [10**9, 1000], ids=["all with all", "lists"])
def test_the_digest_is_that_of_one_process(limit: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process or two, in any order of the input, within an index and against another: the digest is the same."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(search.levels, "ALL_WITH_ALL", limit)
    monkeypatch.setattr(search.levels, "_WINDOW", 100)
    alone: list[Duplicates] = []
    across: list[Duplicates] = []
    for seed, processes in ((0, 1), (0, 2), (1, 2)):
        said = np.random.default_rng(seed).permutation(texts()).tolist()
        known = np.random.default_rng(seed).permutation(texts()[::7]).tolist()
        with (
            Index.create(tmp_path / f"{seed}-{processes}", encoder=ToyEncoder()) as index,
            Index.create(tmp_path / f"{seed}-{processes}-known", encoder=ToyEncoder()) as other,
        ):
            index.add(said)
            other.add([f"{text}." for text in known])
            alone.append(find_duplicates(index, threshold=0.998, processes=processes))
            across.append(find_duplicates(index, against=other, threshold=0.99, processes=processes))
    for found in (alone, across):
        assert len({one.digest for one in found}) == 1
        assert len(found[0].pairs) > 300
    assert alone[0].pairs == alone[1].pairs


def test_rows_are_found_where_they_lie(tmp_path: Path) -> None:
    """Of two files, and of one: each position has its row; sent to another process, no row is sent."""
    first = np.memmap(tmp_path / "a.f32", dtype=np.float32, mode="w+", shape=(1000, 4))
    second = np.memmap(tmp_path / "b.f32", dtype=np.float32, mode="w+", shape=(1000, 4))
    first[:], second[:] = np.arange(4000).reshape(-1, 4), -np.arange(4000).reshape(-1, 4)
    numbers = np.array([7, 2, 5, 1], dtype=np.int64)
    rows = StoredRows(first, second, numbers, 2)
    positions = np.array([3, 0, 1])
    expected = np.stack([second[1], first[7], first[2]])
    packed = pickle.dumps(rows)
    assert len(packed) < 2000
    for one in (rows, pickle.loads(packed)):  # noqa: S301 - packed here
        assert np.array_equal(one(positions), expected)
    assert np.array_equal(StoredRows(second, second, numbers, 0)(positions), second[[1, 7, 2]])
