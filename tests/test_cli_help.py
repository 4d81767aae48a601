"""Help: quick, with an example for every command, and the version."""

import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from search import __version__
from search.cli.main import kindred
from search.errors import OptionError
from search.similarity import Labels, Scale, label_block
from tests.cli_runner import ROOT, refuse, run, succeed

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


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("duplicate", "x"), "duplicates"),
        (("query", "x", "y", "--sentimant", "same"), "--sentiment"),
        (("serve", "x", "--allow-hots", "y"), "--allow-host"),
    ],
)
def test_who_mistypes_is_told_what_was_meant(
    arguments: tuple[str, ...], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command or an option that is nearly one is told with the one."""
    assert f"Did you mean '{meant}'?" in refuse(capsys, *arguments, code=2)


def test_a_label_is_told_too() -> None:
    """So is a label; one like none is told with all that there are."""
    labels = Labels(("negative", "neutral", "positive"), Scale.ORDINAL)
    with pytest.raises(OptionError, match=r"knows negative, neutral, positive\. Did you mean 'positive'\?"):
        label_block(labels, "postive")
    with pytest.raises(OptionError, match=r"knows negative, neutral, positive\.$"):
        label_block(labels, "happy")


@pytest.mark.slow
def test_a_shell_completes(tmp_path: Path) -> None:
    """Commands, options, and the names of indexes; a shell's own script is printed."""
    for name in ("hotels", "houses", "support"):
        (tmp_path / "indexes" / name).mkdir(parents=True)
        (tmp_path / "indexes" / name / "manifest.json").touch()

    def completed(words: str, number: int) -> list[str]:
        given = {"_KINDRED_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(number)}
        return [line.partition(",")[2] for line in _completion(given, tmp_path).splitlines()]

    assert completed("kindred ver", 1) == ["verify"]
    assert "--sentiment" in completed("kindred query hotels x --sen", 4)
    assert completed("kindred query ho", 2) == ["hotels", "houses"]
    assert completed("kindred serve hotels s", 3) == ["support"]
    for shell in ("bash", "zsh", "fish"):
        assert "_KINDRED_COMPLETE" in _completion({"_KINDRED_COMPLETE": f"{shell}_source"}, tmp_path)


def _completion(given: dict[str, str], folder: Path) -> str:
    command = [str(Path(sys.executable).with_name("kindred"))]
    told = {**os.environ, **given, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=told, cwd=folder, capture_output=True, text=True, check=False).stdout


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [True, False])
def test_no_color_is_heeded(wanted: bool, tmp_path: Path) -> None:
    """On a terminal words are coloured, unless NO_COLOR is set."""
    corpus = tmp_path / "rooms.txt"
    corpus.write_text("The room was cold.\nThe staff were kind.\n", encoding="utf-8")
    told = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "TERM": "xterm-256color"}
    told.pop("NO_COLOR", None)
    if not wanted:
        told["NO_COLOR"] = "1"
    program = [sys.executable, "-m", "search"]
    subprocess.run([*program, "index", "rooms.txt"], cwd=tmp_path, env=told, check=True, capture_output=True)
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [*program, "query", "rooms", "a cold room", "--explain"],
        cwd=tmp_path,
        env=told,
        stdin=follower,
        stdout=follower,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.wait(120) == 0
    printed = os.read(leader, 100_000).decode()
    os.close(leader)
    os.close(follower)
    assert "The room was" in re.sub(r"\x1b\[[0-9;]*m", "", printed)
    colours = re.findall(r"\x1b\[(?:[0-9;]*;)?[34]\d(?:;[0-9;]*)?m", printed)
    assert bool(colours) == wanted


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
