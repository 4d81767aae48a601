"""The folder beside a checkpoint in which a run keeps what it needs to go on where it was killed."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from search.errors import OutputError
from search.files import read_json, write_json
from search.processes import Processes
from search.progress import SILENT, Progress
from search.records import Source
from search.training_options import FinetuneOptions

__all__ = ["identity", "room", "take_up", "work_in", "working_folder"]

_JOB = "job.json"

_NO_ROOM = ("inline_container", "iostream error")
"""What torch's RuntimeError says when a file cannot be written."""


def working_folder(out: Path) -> Path:
    """Return where a run keeps what it needs to go on, beside its checkpoint."""
    out = out.absolute()
    return out.with_name(f".{out.name}.training")


@contextmanager
def work_in(out: Path, group: Processes, progress: Progress = SILENT) -> Iterator[Path]:
    """Give the working folder; left early, it stays, which is told, only if there is a saved step to go on from."""
    work = working_folder(out)
    work.mkdir(parents=True, exist_ok=True)
    group.wait()
    try:
        yield work
    finally:
        steps = [int(state.parent.name.rpartition("-")[2]) for state in work.glob("steps/checkpoint-*/kindred.json")]
        if group.main and not steps:
            shutil.rmtree(work, ignore_errors=True)
        elif group.main:
            progress.tell(f"Step {max(steps)} is saved in {work}; the same command goes on from there.")


@contextmanager
def room() -> Iterator[None]:
    """Turn what safetensors and torch say of a full disk into our error.

    Raises:
        OutputError: saying what they said.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (SafetensorError, RuntimeError) as exc:
        if isinstance(exc, RuntimeError) and not any(sign in str(exc) for sign in _NO_ROOM):
            raise
        reason = str(exc).splitlines()[0]
        raise OutputError(
            f"The model cannot be written ({reason}); nothing was changed. Make room on the disk and run it again."
        ) from exc


def identity(
    base: str, options: FinetuneOptions, columns: tuple[str | None, str | None], sources: Sequence[Source]
) -> dict[str, str]:
    """Return what two runs must share for the one to go on where the other was killed."""
    told = asdict(options) | {"max_minutes": None, "tensorboard": None, "save_steps": None}
    content = [(source.sha256, source.sentences) for source in sources]
    text = json.dumps([told, content, base, columns], default=str)
    return {"job": hashlib.sha256(text.encode()).hexdigest()}


def take_up(work: Path, job: dict[str, str], group: Processes) -> None:
    """Keep the saved steps of the same job, as `identity` tells it; remove those of another."""
    path = work / _JOB
    if group.main and (not path.exists() or read_json(path) != job):
        for old in work.iterdir():
            if old.is_dir():
                shutil.rmtree(old)
            elif old.suffix != ".arrow":
                old.unlink()
        write_json(path, job)
    group.wait()
