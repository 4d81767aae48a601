"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

__all__ = [
    "as_json",
    "backend_option",
    "complete_index",
    "encoder_option",
    "encoding_option",
    "overwrite_option",
    "text_column",
    "unit_option",
    "wait_option",
    "weight_option",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_Decorator = Callable[[_Command], _Command]

encoder_option: _Decorator[Any] = click.option(
    "--encoder",
    metavar="FOLDER|NAME",
    help="A checkpoint's folder or a Hugging Face model's name.  [default: kindred-mini]",
)
backend_option: _Decorator[Any] = click.option(
    "--backend",
    type=click.Choice(["auto", "openvino", "torch"]),
    default="auto",
    help="What runs the encoder.  [default: openvino where the checkpoint has a build for it, else torch]",
)
as_json: _Decorator[Any] = click.option("--json", "json_", is_flag=True, help="One JSON object a line, for programs.")
overwrite_option: _Decorator[Any] = click.option(
    "--overwrite", is_flag=True, help="Replace the output if it exists; interrupted, the old one stays."
)
text_column: _Decorator[Any] = click.option(
    "--text-column", metavar="NAME", help="The tables' column of texts, if it has no usual name."
)
encoding_option: _Decorator[Any] = click.option(
    "--encoding",
    metavar="NAME",
    help="Read all text, tables and pages in this encoding.  [default: UTF-8, or what they turn out to be]",
)
unit_option: _Decorator[Any] = click.option(
    "--unit",
    type=click.Choice(["line", "sentence", "paragraph", "document"]),
    help="What one sentence of the index is.  [default: a line; in Markdown and documents a sentence]",
)
wait_option: _Decorator[Any] = click.option(
    "--wait", type=float, default=0.0, metavar="SECONDS", help="Wait for another process that writes to the index."
)
weight_option: _Decorator[Any] = click.option(
    "--weight",
    type=float,
    metavar="0..1",
    help="How much of the score is sentiment; 0 is meaning only.  [default: the encoder's]",
)


def complete_index(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of an index: those in `indexes/` that begin so, else any folder."""
    names = sorted(path.parent.name for path in Path("indexes").glob("*/manifest.json"))
    found = [CompletionItem(name) for name in names if name.startswith(incomplete)]
    return found or [CompletionItem(incomplete, type="dir")]
