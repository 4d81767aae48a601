"""`kindred repair`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from search.cli.options import as_json, backend_option, complete_index, wait_option

if TYPE_CHECKING:
    from search.encoder import Encoder, Passport
    from search.rewriting import Remake

__all__ = ["command"]


@click.command("repair")
@click.argument("index", shell_complete=complete_index)
@click.option("--encoder", metavar="FOLDER|NAME", help="Where the index's encoder is now, if it has moved.")
@backend_option
@click.option("--no-encode", is_flag=True, help="Let go of sentences whose vectors are lost, and load no encoder.")
@wait_option
@as_json
def command(index: str, encoder: str | None, backend: str, no_encode: bool, wait: float, json_: bool) -> None:
    """Write an INDEX anew from what of it is whole, and say what was encoded again and what was lost.

    Sentences whose vectors are lost are encoded again, by the index's encoder; stopped, the same command goes on.
    Sources that lost sentences are read again by the next `kindred index`, which encodes only what was lost; one that
    was stopped goes on. An index of format 1, of an earlier version, is converted; run it in the folder in which the
    index was made.

    \b
    Examples:
      kindred repair hotels
      kindred repair reviews --encoder checkpoints/reviews
    """
    from search.cli.output import Bar, print_json, say
    from search.index import resolve
    from search.repairing import repair_index

    folder = resolve(index)
    with Bar() as bar:
        remake = None if no_encode else _remake(folder, encoder, backend)
        done = repair_index(folder, remake, wait=wait, progress=bar)
    if json_:
        remade, lost = (
            [{"source": one.source.name, "sentences": one.sentences} for one in parts]
            for parts in (done.remade, done.lost)
        )
        head = {"count": done.manifest.count, "finished": done.manifest.finished, "digest": done.manifest.digest}
        print_json([{**head, "remade": remade, "lost": lost}])
        return
    for parts, what in ((done.remade, "encoded again"), (done.lost, "lost")):
        for one in parts:
            click.echo(f"{one.source.name}: {one.sentences:,} of {one.source.rows:,} sentences {what}")
    told = "nothing was lost" if not done.lost else "read these files again with kindred index"
    unfinished = "" if done.manifest.finished else "; it is unfinished: run the same kindred index again"
    click.echo(f"{done.manifest.count:,} sentences are whole; {told}{unfinished}.")
    say(f"Next: kindred verify {index}")


def _remake(folder: Path, name: str | None, backend: str) -> "Remake":
    """Return what loads the encoder, once it is needed."""
    from search.cli.loading import load
    from search.errors import EncoderError

    def load_now(passport: "Passport") -> "Encoder":
        try:
            return load(name or passport.name, backend)
        except EncoderError as exc:
            raise EncoderError(
                f"{folder} has lost vectors whose sentences are whole, and the encoder that can make them anew cannot "
                f"be loaded. {exc} Say where it is with --encoder; or let go of these sentences with --no-encode."
            ) from exc

    return load_now
