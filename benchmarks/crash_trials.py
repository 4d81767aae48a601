"""Kill -9 at random moments, and at every line of a commit once: is the index whole, and does the next run end well?

    python benchmarks/crash_trials.py --trials 300
    python benchmarks/crash_trials.py --trials 30 --structure HNSW16,SQ8

Jobs: a first build, an update (a file changed, one new, one moved, one gone), a replacement and a compaction, each of
some hundred sentences in small windows. A trial forks a child that does the job, kills it, and then asks: does the
folder open, does it have all that was committed, and does the same job, done again, encode nothing that was committed
and end with the digest of a job that nobody disturbed? With `--structure` the indexes have a search structure, which
must be whole, or not there, after a kill, and be there, the only one, after the next run.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from cheap_encoder import CheapEncoder

from search import approximate, indexing, structuring
from search.compacting import compact_index
from search.corpus import Corpus
from search.errors import IndexFolderError
from search.index import Index
from search.indexing import build_index
from search.manifest import Layout, Manifest
from search.store_record import AUTO, StoreWish

_FILES, _SENTENCES, _WINDOW = 4, 150, 64
_WATCHED = {
    *("builds.py", "rewriting.py", "files.py", "index_writer.py", "indexing.py", "lock.py", "manifest.py"),
    *("row_file.py", "sentence_file.py", "sentence_writer.py", "sqlite_file.py"),
}
_STRUCTURING = {"choosing.py", "structure_faiss.py", "structuring.py"}
_KILLED = -signal.SIGKILL
_RECALL, _ASKED, _MISSED = 0.8, 40, 0.2


@dataclass(frozen=True)
class Job:
    """A job, and the folder it begins from: its corpora and, but for a first build, its index."""

    name: str
    run: Callable[[Path, CheapEncoder], object]
    prepared: Path


def _write(folder: Path, name: str, texts: list[str]) -> None:
    (folder / name).write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")


def _texts(seed: str, count: int = _SENTENCES) -> list[str]:
    return [f"sentence {number} of {seed}" for number in range(count)]


def _jobs(folder: Path, structure: str) -> list[Job]:
    wish = StoreWish(structure, _RECALL)

    def _index(folder: Path, encoder: CheapEncoder, *, overwrite: bool = False, prune: bool = False) -> None:
        files = sorted(str(path) for path in folder.glob("*.txt"))
        build_index(Corpus(files), folder / "index", encoder, overwrite=overwrite, prune=prune, store=wish)

    first = folder / "first"
    first.mkdir()
    for number in range(_FILES):
        _write(first, f"{number}.txt", _texts(str(number)))
    built = folder / "built"
    shutil.copytree(first, built)
    _index(built, CheapEncoder())
    changed = folder / "changed"
    shutil.copytree(built, changed)
    _write(changed, "0.txt", [*_texts("0")[:-9], *_texts("0 anew", 100)])
    _write(changed, "new.txt", _texts("new"))
    (changed / "1.txt").rename(changed / "moved.txt")
    (changed / "2.txt").unlink()
    updated = folder / "updated"
    shutil.copytree(changed, updated)
    _index(updated, CheapEncoder(), prune=True)
    return [
        Job("build", _index, first),
        Job("update", lambda place, encoder: _index(place, encoder, prune=True), changed),
        Job("overwrite", lambda place, encoder: _index(place, encoder, overwrite=True), changed),
        Job("compact", lambda place, _: compact_index(place / "index"), updated),
    ]


def _in_child(work: Callable[[], object]) -> int:
    """Fork a child that does the work, and return its process id."""
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    finally:
        os._exit(1)


def _ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _count_lines(work: Callable[[], object], stop: Callable[[tuple[str, int], int], None]) -> None:
    """Do the work and call `stop` at each line of the modules that write, with how often it has been reached."""
    reached: Counter[tuple[str, int]] = Counter()

    def follow(frame: FrameType, event: str, _: Any) -> Any:
        name = Path(frame.f_code.co_filename).name
        if name not in _WATCHED:
            return None
        if event == "line":
            place = (name, frame.f_lineno)
            reached[place] += 1
            stop(place, reached[place])
        return follow

    sys.settrace(follow)
    work()
    sys.settrace(None)


def _steps(job: Job, folder: Path) -> list[tuple[tuple[str, int], int]]:
    """Return the first and the last time that each line is reached in the job."""
    place = folder / "steps"
    shutil.copytree(job.prepared, place)
    last: dict[tuple[str, int], int] = {}
    _count_lines(lambda: job.run(place, CheapEncoder()), last.__setitem__)
    shutil.rmtree(place)
    return [(line, time) for line, most in last.items() for time in sorted({1, most})]


def _state(folder: Path) -> tuple[str, list[str]]:
    """Return digest and texts of an index, every sentence checked with its vector, and its structure with exact search.

    Raises:
        IndexFolderError: it is not whole.
    """
    with Index(folder, CheapEncoder()) as index:
        if index.notice:
            raise IndexFolderError(index.notice)
        rows = [row for row, _ in index.texts()]
        texts = [entry.sentence.text for entry in index.entries(rows)]
        asked = texts[:: max(1, len(texts) // _ASKED)]
        for found, truth in zip(index.search(asked, k=1), index.search(asked, k=1, exact=True), strict=True):
            if found[0].score > truth[0].score:
                raise IndexFolderError(f"{folder}: {found[0]} is none of the hits there are")
        missed = sum(one.score < 1.0 for (one,) in index.search(asked, k=1))
        if missed > _MISSED * len(asked):
            raise IndexFolderError(f"{folder}: {missed} of {len(asked)} sentences do not find themselves")
        return index.manifest.digest, sorted(texts)


def _check(job: Job, place: Path, expected: tuple[str, list[str]], *, spared: set[str], structured: bool) -> str:
    """Say what is wrong after a kill, "" for nothing. `spared` are texts that need no encoding in any case."""
    folder = place / "index"
    committed: set[str] = set(spared)
    if (folder / "manifest.json").exists():
        committed |= set(_state(folder)[1])
        if Manifest.read(folder).generation < 1:
            return "a manifest of nothing"
    else:
        try:
            Index(folder).close()
        except IndexFolderError:
            pass
        else:
            return "opened without a manifest"
    encoder = CheapEncoder()
    job.run(place, encoder)
    if job.name != "overwrite" and (again := committed & set(encoder.texts)):
        return f"{len(again)} committed texts were encoded again"
    if _state(folder) != expected:
        return "another result than undisturbed"
    return _wrong_files(folder, structured=structured)


def _wrong_files(folder: Path, *, structured: bool) -> str:
    """Say which files there are that should not be, or that a structure is missing."""
    manifest, layout = Manifest.read(folder), Layout(folder)
    if structured and manifest.store.file is None:
        return "no structure"
    mine = {layout.manifest, layout.lock, *layout.files(manifest.build), *layout.structure(manifest.store)}
    if left := {path for path in folder.rglob("*") if path.is_file()} - mine:
        return f"files left behind: {sorted(path.name for path in left)}"
    return ""


def _trial(
    job: Job, folder: Path, expected: tuple[str, list[str]], kill: Callable[[Path], int], *, structured: bool
) -> tuple[bool, str]:
    """Return whether the child was killed before its end, and what was wrong."""
    place = folder / "trial"
    shutil.copytree(job.prepared, place)
    spared = set(_state(place / "index")[1]) if (place / "index").exists() else set()
    ended = kill(place)
    if ended not in {0, _KILLED}:
        return False, f"the child ended with {ended}"
    wrong = _check(job, place, expected, spared=spared, structured=structured)
    shutil.rmtree(place)
    return ended == _KILLED, wrong


def _made_small(structure: str) -> bool:
    """Let small indexes have many commits and, where one is named, a structure; say whether one is."""
    indexing._WINDOW = _WINDOW  # noqa: SLF001 - small windows, many commits
    if structure == AUTO:
        return False
    structuring.LEAST, approximate.FEW = 1, 0
    _WATCHED.update(_STRUCTURING)
    return True


def _undisturbed(job: Job, folder: Path, *, structured: bool) -> tuple[float, tuple[str, list[str]]]:
    """Return how long a job takes, and the state that it leaves."""
    place = folder / "undisturbed"
    shutil.copytree(job.prepared, place)
    began = time.perf_counter()
    job.run(place, CheapEncoder())
    seconds = time.perf_counter() - began
    expected = _state(place / "index")
    if structured and Manifest.read(place / "index").store.file is None:
        raise SystemExit(f"The structure does not reach a recall of {_RECALL} on these rows; name another.")
    shutil.rmtree(place)
    return seconds, expected


def run(trials: int, seed: int, *, steps: bool, only: str | None = None, structure: str = AUTO) -> dict[str, Any]:
    """Do the trials, of all jobs or of one; return how many there were of each kind and what failed."""
    structured = _made_small(structure)
    chance = random.Random(seed)  # noqa: S311 - no secret
    counts: Counter[str] = Counter()
    failures: list[str] = []
    with tempfile.TemporaryDirectory(prefix="kindred-crash-") as name:
        folder = Path(name)
        jobs = [job for job in _jobs(folder, structure) if only in {None, job.name}]
        for number, job in enumerate(jobs):
            seconds, expected = _undisturbed(job, folder, structured=structured)
            kills: list[tuple[str, Callable[[Path], int]]] = []
            for _ in range(trials // len(jobs) + (number < trials % len(jobs))):
                delay = chance.uniform(0, 1.1 * seconds)

                def at_random(place: Path, job: Job = job, delay: float = delay) -> int:
                    child = _in_child(lambda: job.run(place, CheapEncoder()))
                    time.sleep(delay)
                    os.kill(child, signal.SIGKILL)
                    return _ended(child)

                kills.append((f"{job.name} after {delay:.4f} s", at_random))
            for step in _steps(job, folder) if steps else []:

                def at_step(place: Path, job: Job = job, step: tuple[tuple[str, int], int] = step) -> int:
                    def stop(line: tuple[str, int], times: int) -> None:
                        if (line, times) == step:
                            os.kill(os.getpid(), signal.SIGKILL)

                    return _ended(_in_child(lambda: _count_lines(lambda: job.run(place, CheapEncoder()), stop)))

                kills.append((f"{job.name} at {step[0][0]}:{step[0][1]} time {step[1]}", at_step))
            for what, kill in kills:
                killed, wrong = _trial(job, folder, expected, kill, structured=structured)
                counts[f"{job.name} {'killed' if killed else 'ended before the kill'}"] += 1
                if wrong:
                    failures.append(f"{what}: {wrong}")
    return {"trials": sum(counts.values()), "counts": dict(sorted(counts.items())), "failures": failures}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=40, help="kills at random moments")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", action="store_true", help="also kill once at every line of the modules that write")
    parser.add_argument("--job", choices=["build", "update", "overwrite", "compact"], help="only this one")
    parser.add_argument("--structure", default=AUTO, help="give the indexes this search structure, in FAISS's words")
    options = parser.parse_args()
    result = run(options.trials, options.seed, steps=options.steps, only=options.job, structure=options.structure)
    print(json.dumps(result, indent=1))
    sys.exit(1 if result["failures"] else 0)
