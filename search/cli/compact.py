"""`kindred compact`."""

import click

from search.cli.options import as_json, complete_index, wait_option

__all__ = ["command"]


@click.command("compact")
@click.argument("index", shell_complete=complete_index)
@wait_option
@as_json
def command(index: str, wait: float, json_: bool) -> None:
    """Write an INDEX anew without the rows of files that have changed or are gone, to save room.

    Nothing is encoded; until it is done the index opens as it was.

    \b
    Example:
      kindred compact hotels
    """
    from search.cli.output import Bar, print_json, say
    from search.compacting import compact_index
    from search.index import resolve

    with Bar() as bar:
        done = compact_index(resolve(index), wait=wait, progress=bar)
    if json_:
        print_json([{"count": done.manifest.count, "rows_before": done.rows_before, "digest": done.manifest.digest}])
        return
    click.echo(f"{done.manifest.count:,} sentences; {done.rows_before - done.manifest.rows:,} rows gone.")
    say(f"Next: kindred verify {index}")
