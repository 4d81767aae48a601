"""The page: HTML with scripts and styles of its own, from the package; nothing else is ever read.

The view of duplicates is the report's, whose parts are served as they are; in place of `given.js`, which reads what the
report's file holds, comes one that asks the API.
"""

from collections.abc import Awaitable, Callable
from importlib.resources import files

from fastapi import FastAPI
from starlette.responses import Response

from search.report import MODULES, part
from search.service import Service

__all__ = ["page_routes"]

_HTML, _SCRIPT, _STYLE = (f"text/{kind}; charset=utf-8" for kind in ("html", "javascript", "css"))
_GIVEN = "given"

_FILES = {
    "/": ("index.html", _HTML),
    "/duplicates": ("duplicates.html", _HTML),
    "/assets/api.js": ("api.js", _SCRIPT),
    "/assets/app.js": ("app.js", _SCRIPT),
    "/assets/hits.js": ("hits.js", _SCRIPT),
    f"/assets/report/{_GIVEN}.js": (f"{_GIVEN}.js", _SCRIPT),
    "/assets/style.css": ("style.css", _STYLE),
    "/assets/views.css": ("views.css", _STYLE),
}

_PARTS = {f"/assets/report/{name}.js": (f"{name}.js", _SCRIPT) for name in MODULES if name != _GIVEN} | {
    "/assets/report/page.css": ("page.css", _STYLE)
}


def page_routes(app: FastAPI, service: Service) -> None:  # noqa: ARG001 - as all that add routes
    """Add the page's files, which are the same for every index."""
    for address, (name, kind) in _FILES.items():
        content = (files("search.web") / "page_files" / name).read_text(encoding="utf-8")
        app.get(address, include_in_schema=False)(_giving(content.replace("{{view}}", part("view.html")), kind))
    for address, (name, kind) in _PARTS.items():
        app.get(address, include_in_schema=False)(_giving(part(name), kind))


def _giving(content: str, kind: str) -> Callable[[], Awaitable[Response]]:
    async def give() -> Response:
        return Response(content, media_type=kind, headers={"cache-control": "no-cache"})

    return give
