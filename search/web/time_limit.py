"""No request hangs: who has waited long enough is told so, whatever became of the work."""

import asyncio
import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search.web.guarding import problem

__all__ = ["SECONDS", "TimeLimit"]

SECONDS = 30.0
"""How long a request may take before its answer begins."""


class TimeLimit:
    """ASGI middleware that answers with 503 when an answer has not begun in time.

    A search in a thread cannot be stopped: it goes on to its end, and what it says then is dropped. Where all threads
    are at such work, further requests wait for one and get the same answer.
    """

    def __init__(self, app: ASGIApp, *, seconds: float = SECONDS) -> None:
        """Limit the requests of an app."""
        self._app, self._seconds = app, seconds
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and answer in its place if need be."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        task = asyncio.ensure_future(_run(self._app, scope, receive, answer))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            await asyncio.wait({task}, timeout=self._seconds)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.done() or answer.begun:
            await task
            return
        answer.dropped = True
        task.add_done_callback(_told_to_the_log)
        late = problem(503, f"No answer within {self._seconds:g} seconds; ask for less, or again later.")
        late.headers["retry-after"] = "5"
        await late(scope, receive, send)


class _Answer:
    """What the app sends: passed on, or dropped when it comes too late."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = self.dropped = False

    async def __call__(self, message: Message) -> None:
        if not self.dropped:
            self.begun = True
            await self._send(message)


async def _run(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


def _told_to_the_log(task: asyncio.Task[None]) -> None:
    """Nobody waits for this any more: what went wrong is told to the log alone."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logging.getLogger(__name__).error("A request that took too long failed.", exc_info=error)
