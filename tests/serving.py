"""The server as a thread of the test, on a free port."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from search.encoder import TokenEncoder
from search.service import Service
from search.web.app import create_app
from tests.toy import ToyEncoder


@contextmanager
def serving(
    folders: Mapping[str, Path],
    *,
    load: Callable[[str], TokenEncoder] = lambda _: ToyEncoder(),
    token: str | None = None,
) -> Iterator[str]:
    """Serve indexes, of the toy encoder unless another is given; give the address."""
    with (
        Service(folders, load=load) as service,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        app = create_app(service, hosts=["127.0.0.1", "localhost"], token=token)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)
