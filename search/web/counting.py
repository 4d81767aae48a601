"""Figures of the server, in Prometheus's format: requests by route and status, how long they take, how many run."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Counting", "Figures"]


class Figures:
    """What is counted."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._registry = CollectorRegistry()
        self.taken = Histogram("kindred_request_seconds", "How long requests take.", ["route"], registry=self._registry)
        self.answered = Counter("kindred_requests", "Requests answered.", ["route", "status"], registry=self._registry)
        self.running = Gauge("kindred_requests_running", "Requests that are worked on now.", registry=self._registry)

    def text(self) -> bytes:
        """Return them as Prometheus reads them."""
        return generate_latest(self._registry)


class Counting:
    """ASGI middleware that counts."""

    def __init__(self, app: ASGIApp, *, figures: Figures) -> None:
        """Count the requests of an app."""
        self._app, self._figures = app, figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count it; one without an answer counts as 500."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        begin = time.perf_counter()
        try:
            with self._figures.running.track_inprogress():
                await self._app(scope, receive, sending)
        finally:
            route = getattr(scope.get("route"), "path", "none")  # never the address itself: it has no bound
            self._figures.taken.labels(route).observe(time.perf_counter() - begin)
            self._figures.answered.labels(route, status).inc()
