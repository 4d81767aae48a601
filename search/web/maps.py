"""The map of an index: its page, and the routes that the page asks."""

from importlib.resources import files
from typing import Annotated, Any

from fastapi import FastAPI, Query
from starlette.responses import Response

from search.map_page import MAP_MODULES, map_file
from search.maps_once import MapsOnce
from search.service import Service
from search.web.known import Name, giving, known, made_or_step
from search.web.models import Rows, Searching, Weighed
from search.web.problems import INDEX_PROBLEMS

__all__ = ["map_routes"]

_HTML, _SCRIPT, _STYLE = (f"text/{kind}; charset=utf-8" for kind in ("html", "javascript", "css"))


def map_routes(app: FastAPI, service: Service, once: MapsOnce) -> None:
    """Add the map's page, the map itself, and what its points say."""

    @app.get(
        "/api/indexes/{name}/map",
        responses={202: {"model": Searching, "description": "It is being made; ask again."}, **INDEX_PROBLEMS},
    )
    def index_map(name: Name, wanted: Annotated[Weighed, Query()]) -> Response:
        """Give every sentence's place in two dimensions, and its label.

        In base64, little endian: `places` (two 16-bit numbers each), `codes` (16 bits) and `rows` (32 bits). It is made
        once for each generation and weight; until it is, the answer says how far it is.
        """
        known(service, name)
        return made_or_step(once.ask(name, wanted.weight))

    @app.get("/api/indexes/{name}/map/texts", responses=INDEX_PROBLEMS)
    def map_texts(name: Name, wanted: Annotated[Rows, Query()]) -> list[dict[str, Any]]:
        """Give what some rows say, and where it stands; rows that are gone are left out."""
        known(service, name)
        with service.reading(name) as searcher:
            rows = [one for one in wanted.row if searcher.index.counts(one)]
            return [{**entry.place(), "label": entry.label} for entry in searcher.index.entries(rows)]

    _page_files(app)


def _page_files(app: FastAPI) -> None:
    page = files("search.web") / "page_files"
    given = {"/map": (page / "map.html", _HTML), "/assets/map.js": (page / "map.js", _SCRIPT)}
    given["/assets/map-page.css"] = (page / "map.css", _STYLE)
    contents = {address: (path.read_text(encoding="utf-8"), kind) for address, (path, kind) in given.items()}
    contents |= {f"/assets/map/{name}.js": (map_file(f"{name}.js"), _SCRIPT) for name in MAP_MODULES}
    contents["/assets/map/map.css"] = (map_file("map.css"), _STYLE)
    for address, (content, kind) in contents.items():
        app.get(address, include_in_schema=False)(giving(content, kind))
