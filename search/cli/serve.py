"""`kindred serve`."""

import ipaddress

import click

from search.cli.options import backend_option, complete_index

__all__ = ["command"]

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@click.command("serve")
@click.argument("indexes", nargs=-1, required=True, shell_complete=complete_index)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0: any free one.")
@click.option("--allow-host", "allowed", multiple=True, metavar="NAME", help="A name that this server goes by, too.")
@click.option("--token", envvar="KINDRED_TOKEN", metavar="TEXT", help="Who asks must know it; or KINDRED_TOKEN.")
@click.option(
    "--timeout",
    "seconds",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="What is not answered by then is answered with 503.",
)
@backend_option
def command(
    indexes: tuple[str, ...],
    host: str,
    port: int,
    allowed: tuple[str, ...],
    token: str | None,
    seconds: float,
    backend: str,
) -> None:
    """Serve INDEXES (folders, or names in indexes/) over HTTP: a JSON API, described at /api/openapi.json.

    It answers this machine alone unless --host says otherwise; then ask for a token. A new generation of an index is
    served as soon as it is committed. Ctrl-C finishes what has begun.

    \b
    Examples:
      kindred serve hotels
      KINDRED_TOKEN=... kindred serve hotels support --host 0.0.0.0 --allow-host search.example
    """
    from search.cli.loading import load, named, needed
    from search.service import Service

    needed("web", "fastapi", "uvicorn", "prometheus_client")
    folders = named(indexes)
    if token is None and not _is_loopback(host):
        raise click.UsageError(f"Whoever reaches {host} could ask; set a token (KINDRED_TOKEN), or leave --host out.")
    with Service(folders, load=lambda name: load(name, backend)) as service:
        from search.web.serving import serve

        serve(service, host=host, port=port, hosts=[*_LOOPBACK, host, *allowed], token=token, seconds=seconds)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
