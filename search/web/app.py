"""`create_app`: the page and the HTTP API over a service of indexes."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Query
from starlette.responses import PlainTextResponse

from search import __version__
from search.duplicates_once import DuplicatesOnce
from search.maps_once import MapsOnce
from search.service import Service
from search.sources import state_of
from search.web.counting import Counting, Figures
from search.web.duplicates import duplicates_routes
from search.web.guarding import Guard
from search.web.known import Name, Row, known, told_hits
from search.web.maps import map_routes
from search.web.models import Asking, AskMany, Embedded, Health, Hits, Info, Options, Problem, Reach, Texts, Why
from search.web.page import page_routes
from search.web.problems import ANY_PROBLEM, INDEX_PROBLEMS, tell_problems
from search.web.time_limit import SECONDS, TimeLimit

__all__ = ["create_app"]


class _App(FastAPI):
    """FastAPI, whose description also says what a problem is and that there may be a token."""

    token_needed = False

    def openapi(self) -> dict[str, Any]:
        """Return the description."""
        value = super().openapi()
        value["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        if self.token_needed:
            value["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            value["security"] = [{"token": []}]
        return value


def create_app(
    service: Service, *, token: str | None = None, hosts: Sequence[str] = (), seconds: float = SECONDS
) -> FastAPI:
    """Make the app.

    Args:
        service: the indexes.
        token: who asks the API must know it; None: nobody is asked.
        hosts: the names that requests must be sent to; none: any.
        seconds: how long a request may take.
    """
    once, maps = DuplicatesOnce(service), MapsOnce(service)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        once.close()
        maps.close()

    app = _App(
        title="kindred",
        version=__version__,
        description="Sentences alike in meaning and, when asked, alike in feeling.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        responses=ANY_PROBLEM,
        lifespan=lifespan,
    )
    app.token_needed = token is not None
    figures = Figures()
    app.add_middleware(TimeLimit, seconds=seconds)
    app.add_middleware(Counting, figures=figures)
    app.add_middleware(Guard, hosts=hosts, token=token)
    tell_problems(app)
    _own_routes(app, service, figures)
    duplicates_routes(app, service, once)
    for add in (_told_routes, _search_routes, _row_routes, _text_routes, page_routes):
        add(app, service)
    map_routes(app, service, maps)
    return app


def _own_routes(app: FastAPI, service: Service, figures: Figures) -> None:
    """Add what is told of the server itself; in no thread, so that it is told also when all threads are busy."""

    @app.get("/api/health")
    async def health() -> Health:
        """Say that the server answers."""
        return Health(status="ok", indexes=service.names)

    @app.get("/api/metrics", response_class=PlainTextResponse)
    async def metrics() -> PlainTextResponse:
        """Give the figures of this server, in Prometheus's format."""
        return PlainTextResponse(figures.text(), media_type="text/plain; version=0.0.4")


def _told_routes(app: FastAPI, service: Service) -> None:
    @app.get("/api/indexes")
    def indexes() -> list[Info]:
        """Say what each index holds."""
        return [_info(service, name) for name in service.names]

    @app.get("/api/indexes/{name}", responses=INDEX_PROBLEMS)
    def info(name: Name) -> Info:
        """Say what an index holds, and how its sources are now."""
        known(service, name)
        return _info(service, name)


def _search_routes(app: FastAPI, service: Service) -> None:
    @app.get("/api/indexes/{name}/query", responses=INDEX_PROBLEMS)
    def query(name: Name, ask: Asking) -> Hits:
        """Find the sentences nearest to a text."""
        known(service, name)
        if not ask.explain:
            (hits,) = service.search(name, [ask.q], ask.asked())
            return Hits(query=ask.q, hits=told_hits(service, name, hits))
        hits, why = service.explained(name, ask.q, ask.asked())
        told = told_hits(service, name, hits)
        return Hits(
            query=ask.q,
            hits=[hit | {"explanation": one.to_dict()} for hit, one in zip(told, why, strict=True)],
        )

    @app.get("/api/indexes/{name}/why", responses=INDEX_PROBLEMS)
    def why(name: Name, wanted: Annotated[Why, Query()]) -> list[dict[str, Any]]:
        """Say which words carry the scores of some hits, by their rows; rows that are gone are left out."""
        known(service, name)
        found = service.why(name, wanted.q, wanted.row, wanted.sentiment, wanted.weight)
        return [{"row": row, "explanation": one.to_dict()} for row, one in found]

    @app.post("/api/indexes/{name}/query", responses=INDEX_PROBLEMS)
    def queries(name: Name, ask: AskMany) -> list[Hits]:
        """Find the sentences nearest to each of several texts."""
        known(service, name)
        found = service.search(name, ask.queries, ask.asked())
        return [
            Hits(query=text, hits=told_hits(service, name, hits)) for text, hits in zip(ask.queries, found, strict=True)
        ]


def _row_routes(app: FastAPI, service: Service) -> None:
    @app.get("/api/indexes/{name}/rows/{row}/similar", responses=INDEX_PROBLEMS)
    def similar(name: Name, row: Row, options: Annotated[Options, Query()]) -> Hits:
        """Find the sentences nearest to one of the index, without itself; ask for `opposite` for the other view."""
        known(service, name, row)
        hits = service.similar(name, row, options.asked())
        (entry,) = service.around(name, row, 0)
        return Hits(query=entry.sentence.text, hits=told_hits(service, name, hits))

    @app.get("/api/indexes/{name}/rows/{row}/around", responses=INDEX_PROBLEMS)
    def around(name: Name, row: Row, wanted: Annotated[Reach, Query()]) -> list[dict[str, Any]]:
        """Give a sentence with those before and after it in its source."""
        known(service, name, row)
        return [entry.place() for entry in service.around(name, row, wanted.reach)]


def _text_routes(app: FastAPI, service: Service) -> None:
    @app.post("/api/indexes/{name}/embed", responses=INDEX_PROBLEMS)
    def embed(name: Name, wanted: Texts) -> Embedded:
        """Encode texts with the index's encoder."""
        known(service, name)
        with service.reading(name) as searcher:
            passport = searcher.passport
            rows = searcher.encode(wanted.texts)
        return Embedded(encoder=passport.name, meaning=passport.meaning_dim, rows=rows.tolist())


def _info(service: Service, name: str) -> Info:
    with service.reading(name) as searcher:
        index = searcher.index
        passport = index.passport
        return Info(
            name=name,
            count=len(index),
            generation=index.manifest.generation,
            digest=index.manifest.digest,
            encoder=passport.name,
            labels=list(passport.labels.names) if passport.labels else [],
            scale=str(passport.labels.scale) if passport.labels else None,
            default_weight=passport.default_weight,
            sources=[
                {"name": source.name, "sentences": source.rows, "state": state_of(source)} for source in index.sources
            ],
        )
