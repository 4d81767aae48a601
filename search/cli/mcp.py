"""`kindred mcp`."""

import click

from search.cli.options import backend_option, complete_index

__all__ = ["command"]


@click.command("mcp")
@click.argument("indexes", nargs=-1, required=True, shell_complete=complete_index)
@backend_option
def command(indexes: tuple[str, ...], backend: str) -> None:
    """Give INDEXES (folders, or names in indexes/) to an assistant, by the Model Context Protocol on standard streams.

    Its tools: search, opposite_view, duplicates_of, indexes. An assistant starts this command itself; tell it the
    command and its arguments.

    \b
    Example:
      kindred mcp hotels
    """
    from search.cli.loading import load, named, needed
    from search.service import Service

    needed("mcp", "mcp")
    with Service(named(indexes), load=lambda name: load(name, backend)) as service:
        from search.mcp_tools import create_server

        create_server(service).run("stdio")
