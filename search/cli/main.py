"""The command group, and the one place where errors become messages and exit codes.

Exit codes: 0 done, 1 the user can put it right, 2 wrong usage, 130 interrupted.
"""

import errno
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from search import __version__
from search.errors import KindredError

__all__ = ["kindred", "main"]

_COMMANDS = (
    "finetune",
    "compile",
    "index",
    "query",
    "duplicates",
    "map",
    "serve",
    "mcp",
    "evaluate",
    "info",
    "verify",
    "repair",
    "compact",
)
_INTERRUPTED = 130


class _Commands(click.Group):
    """Subcommands, each imported from the file of its name when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the commands in the order of the work."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"search.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; one that is nearly one is told with it, which click does only for those that are loaded."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as exc:
            raise click.NoSuchCommand(exc.command_name, possibilities=_COMMANDS, ctx=ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; that the reader of its output went away (`| head`) is no failure."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the last flush must find a reader
            return None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="kindred")
def kindred() -> None:
    """Search by meaning and by feeling, on encoders fine-tuned to your own labels.

    \b
      kindred finetune reviews.csv --out checkpoints/reviews
      kindred index corpora/hotels.txt --encoder checkpoints/reviews
      kindred query hotels "the room was freezing" --sentiment opposite
      kindred duplicates hotels
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    try:
        result = kindred.main(args=None if arguments is None else list(arguments), standalone_mode=False)
    except click.ClickException as exc:
        exc.show()
        sys.exit(exc.exit_code)
    except (KeyboardInterrupt, click.Abort) as exc:
        notes = getattr(exc.__cause__ or exc, "__notes__", [])  # click wraps what was raised in its Abort
        told = ["Interrupted; what was there before is as it was.", *notes]
        click.echo(" ".join(told), err=True)
        sys.exit(_INTERRUPTED)
    except KindredError as exc:
        click.echo(f"Error: {exc}", err=True)
        sys.exit(1)
    except OSError as exc:
        click.echo(f"Error: {_explain(exc)}", err=True)
        sys.exit(1)
    sys.exit(result if isinstance(result, int) else 0)


def _explain(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return f"{where}the disk is full, or a size limit is reached; nothing was changed. Make room and run it again."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"{where}not permitted to write here; choose another place with --out."
    return f"{where}{error.strerror or error}"
