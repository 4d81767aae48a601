"""What stands before every request: the host it was sent to, its size, its token; and what every answer forbids."""

import hmac
from collections.abc import Sequence
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["HEADERS", "MEDIA_TYPE", "MOST_BYTES", "Guard", "problem"]

MOST_BYTES = 4 * 1024 * 1024
"""Bytes of a request's body."""

_TOO_LARGE = f"The body is larger than {MOST_BYTES:,} bytes."

MEDIA_TYPE = "application/problem+json"

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
"""What every answer forbids the browser."""


def problem(status: int, detail: str) -> JSONResponse:
    """Return an error as RFC 9457 has it."""
    value = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(value, status_code=status, media_type=MEDIA_TYPE)


class Guard:
    """ASGI middleware that refuses what should not be answered.

    A page of another site may send requests here, under a name that it made point here: both the Host and, where a
    browser says it, the Origin must be names of this server.
    """

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str], token: str | None) -> None:
        """Guard an app; without hosts any name does, without a token nobody is asked for one."""
        self._app, self._hosts, self._token = app, {host.lower() for host in hosts}, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on and add the headers to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = self._refused(Headers(scope=scope), scope["path"])
        await (refused or self._app)(scope, _bounded(receive), _with_headers(send))

    def _refused(self, headers: Headers, path: str) -> JSONResponse | None:
        if self._hosts and not self._mine(headers.get("host", "")):
            return problem(421, "This server does not go by that name. Start it with --allow-host NAME.")
        origin = headers.get("origin")
        if self._hosts and origin is not None and not self._mine(origin.partition("://")[2]):
            return problem(403, "Requests of other sites' pages are not answered.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            return problem(413, _TOO_LARGE)
        if self._token is not None and path.startswith("/api/") and not self._allowed(headers):
            refused = problem(401, "Send the header 'Authorization: Bearer TOKEN'.")
            refused.headers["www-authenticate"] = "Bearer"
            return refused
        return None

    def _mine(self, host: str) -> bool:
        name = host.lower()
        bare = name.rpartition(":")[0] if name.rpartition(":")[2].isdecimal() else name
        return bare.strip("[]") in self._hosts

    def _allowed(self, headers: Headers) -> bool:
        kind, _, given = headers.get("authorization", "").partition(" ")  # bytes, as Latin-1
        wanted = (self._token or "").encode()
        return kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode("latin-1"), wanted)


def _bounded(receive: Receive) -> Receive:
    """Refuse a body that says nothing of its length, once it is too large."""
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > MOST_BYTES:
            raise HTTPException(413, _TOO_LARGE)  # the app's own handler makes it a problem
        return message

    return bounded


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
