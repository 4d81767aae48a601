"""Environments of other libraries, made once in the cache folder, so that kindred's own stays as it is."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from search.cli.output import say
from search.files import cache_folder

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"


def environment(name: str, requirements: Sequence[str]) -> str:
    """Return the Python of an environment with those requirements, at kindred's versions of what both need.

    It is made where it is missing or was made of others, as scripts/install makes kindred's: torch by pip, which finds
    a CPU build where one lies; the rest by uv where there is one.
    """
    folder = cache_folder() / name
    python, installed = str(folder / "bin" / "python"), folder / "installed"
    torch = next(line for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines() if line.startswith("torch=="))
    wanted = "\n".join([torch, *requirements])
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f"{folder.name}.lock")):  # or two benchmarks would clear each other's
        if installed.exists() and installed.read_text(encoding="utf-8") == wanted:
            return python
        say(f"Installing {', '.join(requirements)} into {folder} ...")
        constraint = ["--quiet", "--constraint", str(CONSTRAINTS)]
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        pip = [python, "-m", "pip", "install"]
        _run(*pip, *constraint, torch)
        uv = Path(sys.executable).with_name("uv")
        if uv.exists():
            pip = [str(uv), "pip", "install", "--python", python]
        _run(*pip, *constraint, *requirements)
        installed.write_text(wanted, encoding="utf-8")
    return python


def versions(python: str, packages: Sequence[str]) -> dict[str, str]:
    """Return which versions of some packages an environment has."""
    code = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    told = subprocess.run([python, "-c", code, *packages], check=True, capture_output=True, text=True).stdout
    return dict(zip(packages, told.split(), strict=True))


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
