"""`kindred verify`."""

from typing import TYPE_CHECKING

import click

from search.cli.options import as_json, complete_index

if TYPE_CHECKING:
    from search.encoder import Encoder

__all__ = ["command"]


@click.command("verify")
@click.argument("index", shell_complete=complete_index)
@click.option("--encoder", metavar="FOLDER|NAME", help="Where the index's encoder is now, if it has moved.")
@as_json
def command(index: str, encoder: str | None, json_: bool) -> int:
    """Check all of an INDEX: checksums, every sentence with its row, its sources, and some rows with the encoder.

    Exit code 1 where something is wrong.

    \b
    Example:
      kindred verify hotels
    """
    from search.cli.output import Bar, print_json, say
    from search.index import Index, resolve
    from search.verifying import verify_index

    folder = resolve(index)
    with Index(folder) as opened:
        name = encoder or opened.passport.name
    loaded = _load(name)
    if loaded is None:
        say(f"The encoder {name} cannot be loaded; rows are not compared with it.")
    with Bar() as bar:
        found = verify_index(folder, loaded, progress=bar)
    if json_:
        print_json([{"sentences": found.sentences, "canaries": found.canaries, "problems": list(found.problems)}])
        return int(bool(found.problems))
    for problem in found.problems:
        click.echo(problem)
    told = f"{len(found.problems):,} problem(s). Try: kindred repair {folder}" if found.problems else "all as written"
    click.echo(f"{found.sentences:,} sentences, {found.canaries} encoded again: {told}.")
    return int(bool(found.problems))


def _load(name: str) -> "Encoder | None":
    from search.encoders import load_encoder
    from search.errors import EncoderError

    try:
        return load_encoder(name)
    except EncoderError:
        return None
