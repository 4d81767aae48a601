"""`kindred repair`."""

import click

from search.cli.options import as_json, complete_index, wait_option

__all__ = ["command"]


@click.command("repair")
@click.argument("index", shell_complete=complete_index)
@wait_option
@as_json
def command(index: str, wait: float, json_: bool) -> None:
    """Write an INDEX anew from what of it is whole, and say what was lost.

    Sources that lost sentences are read again by the next `kindred index`, which encodes only what was lost. An index
    of format 1, of an earlier version, is converted; run it in the folder in which the index was made.

    \b
    Example:
      kindred repair hotels
    """
    from search.cli.output import Bar, print_json, say
    from search.compacting import repair_index
    from search.index import resolve

    with Bar() as bar:
        done = repair_index(resolve(index), wait=wait, progress=bar)
    if json_:
        lost = [{"source": one.source.name, "sentences": one.sentences} for one in done.lost]
        print_json([{"count": done.manifest.count, "lost": lost, "digest": done.manifest.digest}])
        return
    for one in done.lost:
        click.echo(f"{one.source.name}: {one.sentences:,} of {one.source.rows:,} sentences lost")
    told = "nothing was lost" if not done.lost else "read these files again with kindred index"
    click.echo(f"{done.manifest.count:,} sentences are whole; {told}.")
    say(f"Next: kindred verify {index}")
