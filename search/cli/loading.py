"""Encoders for commands: chosen, told on standard error, loaded."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from search.errors import OptionError

if TYPE_CHECKING:
    from search.encoder import TokenEncoder

__all__ = ["load", "named", "needed"]


def load(name: str | None, backend: str) -> "TokenEncoder":
    """Load an encoder, and say which it is and what runs it."""
    from search.encoders import Backend, choose

    choice = choose(name, backend=Backend(backend))
    reason = f" ({choice.reason})" if choice.reason else ""
    click.echo(f"Encoder: {choice.name}, {choice.backend}{reason}", err=True)
    return choice.load()


def needed(extra: str, *modules: str) -> None:
    """Refuse a job whose libraries are not installed.

    Raises:
        OptionError: names the extra that has them.
    """
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise OptionError(f"This needs {', '.join(missing)}; install with: pip install 'kindred[{extra}]'")


def named(indexes: Sequence[str]) -> dict[str, Path]:
    """Return the folders of indexes by the last part of their names, by which they are asked for.

    Raises:
        UsageError: two have the same.
    """
    from search.index import resolve

    folders = {Path(name).name: resolve(name) for name in indexes}
    if len(folders) < len(indexes):
        raise click.UsageError("Two of the indexes have the same name.")
    return folders
