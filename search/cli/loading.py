"""Encoders for commands: chosen, told on standard error, loaded."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from search.encoder import TokenEncoder

__all__ = ["load"]


def load(name: str | None, backend: str) -> "TokenEncoder":
    """Load an encoder, and say which it is and what runs it."""
    from search.encoders import Backend, choose

    choice = choose(name, backend=Backend(backend))
    reason = f" ({choice.reason})" if choice.reason else ""
    click.echo(f"Encoder: {choice.name}, {choice.backend}{reason}", err=True)
    return choice.load()
