"""The page: HTML with scripts and styles of its own, from the package; nothing else is ever read.

The view of duplicates is the report's. Of its modules one is another here: `given`, which reads what the report's file
holds, asks the API.
"""

from importlib.resources import files

from fastapi import FastAPI

from search.report import MODULES, part, script
from search.service import Service
from search.web.known import giving

__all__ = ["duplicates_script", "page_routes"]

_HTML, _SCRIPT, _STYLE = (f"text/{kind}; charset=utf-8" for kind in ("html", "javascript", "css"))

_FILES = {
    "/": ("index.html", _HTML),
    "/assets/api.js": ("api.js", _SCRIPT),
    "/assets/app.js": ("app.js", _SCRIPT),
    "/assets/hits.js": ("hits.js", _SCRIPT),
    "/assets/style.css": ("style.css", _STYLE),
    "/assets/views.css": ("views.css", _STYLE),
}


def page_routes(app: FastAPI, service: Service) -> None:  # noqa: ARG001 - as all that add routes
    """Add the page's files, which are the same for every index."""
    for address, (name, kind) in _FILES.items():
        app.get(address, include_in_schema=False)(giving(_own(name), kind))
    duplicates = _own("duplicates.html").replace("{{view}}", part("view.html"))
    app.get("/duplicates", include_in_schema=False)(giving(duplicates, _HTML))
    app.get("/assets/duplicates.js", include_in_schema=False)(giving(duplicates_script(), _SCRIPT))
    app.get("/assets/duplicates.css", include_in_schema=False)(giving(part("page.css"), _STYLE))


def duplicates_script() -> str:
    """Return the script of the view of duplicates: the report's modules, over the API."""
    return script(["api", *MODULES], {name: _own(f"{name}.js") for name in ("api", "given")})


def _own(name: str) -> str:
    return (files("search.web") / "page_files" / name).read_text(encoding="utf-8")
