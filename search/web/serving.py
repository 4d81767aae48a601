"""Run the app with uvicorn: says where, and finishes what has begun when it is told to stop."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import click
import uvicorn

from search.errors import OptionError
from search.service import Service
from search.web.app import create_app

__all__ = ["serve"]

_SECONDS = 30
"""How long what has begun may take to finish after Ctrl-C."""

_SOON = 3.0
"""Seconds after which a server prepares for explanations."""


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
        # uvicorn raises it again once all is finished; here it is the way to end.
        with _prepared_soon(service), suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def _prepared_soon(service: Service) -> Iterator[None]:
    """Let a service make ready for explanations, once the first answer has had its time."""
    ended = threading.Event()

    def prepare() -> None:
        if not ended.wait(_SOON):
            service.prepare()

    threading.Thread(target=prepare, name="prepare").start()
    try:
        yield
    finally:
        ended.set()
