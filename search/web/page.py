"""The page: one file of HTML with a script and a style of its own, from the package; nothing else is ever read."""

from collections.abc import Callable
from importlib.resources import files

from fastapi import FastAPI
from starlette.responses import Response

from search.service import Service

__all__ = ["page_routes"]

_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/assets/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/assets/hits.js": ("hits.js", "text/javascript; charset=utf-8"),
    "/assets/style.css": ("style.css", "text/css; charset=utf-8"),
}


def page_routes(app: FastAPI, service: Service) -> None:  # noqa: ARG001 - as all that add routes
    """Add the page's files, which are the same for every index."""
    for address, (name, kind) in _FILES.items():
        app.get(address, include_in_schema=False)(_giving(name, kind))


def _giving(name: str, kind: str) -> Callable[[], Response]:
    content = (files("search.web") / "page_files" / name).read_bytes()

    def give() -> Response:
        return Response(content, media_type=kind, headers={"cache-control": "no-cache"})

    return give
