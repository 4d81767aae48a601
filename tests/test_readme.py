"""The README does what it says: its commands run, and print what it shows."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli_runner import ROOT

pytestmark = pytest.mark.slow

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def _run(folder: Path, *command: str) -> str:
    """Run a command of this environment in `folder`; return its standard output."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def _words(text: str) -> list[str]:
    """Return what a text says, without the numbers that another processor's rounding may change, nor the spacing."""
    return re.sub(r"\d+(\.\d+)?", "#", text).split()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Give a folder with the corpora, as a clone has them."""
    shutil.copytree(ROOT / "corpora", tmp_path / "corpora")
    return tmp_path


def test_the_commands_print_what_the_readme_shows(clone: Path) -> None:
    """Every line after "$ kindred" in the README is what the command before it prints, numbers aside."""
    (session,) = (block for language, block in BLOCKS if language == "console")
    steps = re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]
    assert len(steps) >= 5
    for step in steps:
        command, _, shown = step.partition("\n")
        program, *arguments = shlex.split(command)
        assert program == "kindred"
        printed = _run(clone, sys.executable, "-m", "search", *arguments)
        if "..." in shown:
            shown = shown[: shown.index("...")]
            assert _words(printed)[: len(_words(shown))] == _words(shown), command
        else:
            assert _words(printed) == _words(shown), command


def test_the_ten_lines_run(clone: Path) -> None:
    """The Python block trains on six sentences: the loss falls, and LangChain loads the checkpoint."""
    (lines,) = (block for language, block in BLOCKS if language == "python")
    losses, width = _run(clone, sys.executable, "-c", lines).strip().splitlines()
    values = [float(value) for value in losses.strip("[]").split(",")]
    assert len(values) == 13
    assert values[-1] < 0.5 * values[0]
    assert int(width) == 384 + 2


def test_every_module_is_in_the_reading_order() -> None:
    """The README's table names every module of the package."""
    table = README.partition("## The package")[2]
    named = set(re.findall(r"`(\w+)/?`", table))
    modules = {path.stem for path in (ROOT / "search").glob("*.py")} - {"__init__", "__main__"}
    assert modules | {"cli"} <= named
