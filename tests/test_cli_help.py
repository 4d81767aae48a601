"""Help: quick, with an example for every command, and the version."""

import subprocess
import sys
import time

import click
import pytest

from search import __version__
from search.cli.main import kindred
from tests.cli_runner import run, succeed

COMMANDS = kindred.list_commands(click.Context(kindred))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_help_shows_an_example(command: str, flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command's help has an example that begins with `kindred COMMAND`, on a line of its own."""
    told = succeed(capsys, command, flag)
    assert "Example" in told
    assert any(line.lstrip().startswith(f"kindred {command} ") for line in told.splitlines()[1:])


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The group's help lists the commands in the order of the work, each with a line."""
    told = succeed(capsys, "--help")
    listed = [line.split()[0] for line in told.partition("Commands:\n")[2].splitlines() if line.strip()]
    assert listed == COMMANDS
    assert listed[:4] == ["finetune", "compile", "index", "query"]


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints the package's version."""
    assert succeed(capsys, "--version") == f"kindred, version {__version__}\n"


def test_no_command_shows_help(capsys: pytest.CaptureFixture[str]) -> None:
    """`kindred` alone shows how to use it, and ends with 2 as a usage error does."""
    outcome = run(capsys)
    assert outcome.code == 2
    assert "Usage: " in outcome.out + outcome.err


@pytest.mark.slow
def test_help_loads_nothing_heavy() -> None:
    """Neither `import search.cli` nor a command's help imports numpy, torch or the like; both are quick."""
    program = (
        "import sys; from search.cli.main import kindred\n"
        "for name in kindred.list_commands(None): kindred.get_command(None, name)\n"
        "print(sorted({'torch', 'transformers', 'faiss', 'sentence_transformers', 'datasets'} & set(sys.modules)))"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
    assert time.monotonic() - started < 5
