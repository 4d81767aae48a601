"""Run the app with uvicorn: says where, and finishes what has begun when it is told to stop."""

import socket
from collections.abc import Sequence

import click
import uvicorn

from search.errors import OptionError
from search.service import Service
from search.web.app import create_app

__all__ = ["serve"]

_SECONDS = 30
"""How long what has begun may take to finish after Ctrl-C."""


def serve(service: Service, *, host: str, port: int, hosts: Sequence[str], token: str | None, seconds: float) -> None:
    """Serve until it is told to stop (SIGINT, SIGTERM).

    Raises:
        OptionError: the address cannot be listened on.
    """
    app = create_app(service, token=token, hosts=hosts, seconds=seconds)
    try:
        listening = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048
        )
    except OSError as exc:
        raise OptionError(f"{host}:{port} cannot be listened on ({exc.strerror}). Try another --port.") from exc
    with listening:
        shown = f"[{host}]" if ":" in host else host
        click.echo(f"http://{shown}:{listening.getsockname()[1]}/  (Ctrl-C ends it)", err=True)
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=_SECONDS)
        uvicorn.Server(config).run(sockets=[listening])
