"""Run the command line in this process or in one of its own, and see what it left behind."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from search.cli import main
from search.corpus import Corpus
from search.indexing import build_index
from tests.toy import ToyEncoder

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> Outcome:
    """Run a command in this process."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return Outcome(int(stopped.value.code or 0), printed.out, printed.err)


def succeed(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that must end well; return its standard output."""
    outcome = run(capsys, *arguments)
    assert outcome.code == 0, outcome.err
    return outcome.out


def refuse(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 1) -> str:
    """Run a command that must fail as a user's mistake does; return its message."""
    outcome = run(capsys, *arguments)
    assert outcome.code == code, (outcome.out, outcome.err)
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    assert "Error: " in outcome.err
    return outcome.err


def tree(folder: Path) -> dict[str, str]:
    """Return everything in a folder: each path with the hash of its content ("" for a folder)."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
    }


def toy_index(folder: Path, texts: Sequence[str], encoder: ToyEncoder) -> Path:
    """Index some texts with the toy encoder, which no command can load: enough for what is refused before that."""
    corpus = folder.with_name(folder.name + "-corpus.txt")
    corpus.write_text("\n".join(texts) + "\n", encoding="utf-8")
    build_index(Corpus([str(corpus)]), folder, encoder)
    return folder


def start(
    folder: Path, *arguments: object, stdin: int = subprocess.DEVNULL, stdout: int = subprocess.PIPE
) -> subprocess.Popen[str]:
    """Start a command as a process of its own in `folder`, with that folder as home and a `tmp` in it."""
    (folder / "tmp").mkdir(exist_ok=True)
    given = {
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "search", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **given},
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 120.0) -> None:
    """Wait until something is so, while the process runs."""
    end = time.monotonic() + seconds
    while not ready():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)
