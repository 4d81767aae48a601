"""`create_app`: the page and the HTTP API over a service of indexes."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse

from search import __version__
from search.errors import KindredError, OptionError
from search.maps_once import MapsOnce
from search.records import Hit
from search.service import Service
from search.sources import state_of
from search.web.guarding import Guard, problem
from search.web.maps import map_routes
from search.web.models import Asking, AskMany, Duplicated, Embedded, Health, Hits, Info, Options, Problem, Texts
from search.web.page import page_routes

__all__ = ["create_app"]

_Name = Annotated[str, Path(description="The index.", examples=["hotels"], max_length=200)]
_Row = Annotated[int, Path(description="A row of the index.", ge=0, le=2**53)]
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}, "description": told}
    for status, told in {
        400: "What is asked for cannot be done.",
        401: "A token is asked for.",
        404: "There is no such index or row.",
        422: "A parameter is missing or out of range.",
    }.items()
}


def create_app(service: Service, *, token: str | None = None, hosts: Sequence[str] = ()) -> FastAPI:
    """Make the app.

    Args:
        service: the indexes.
        token: who asks the API must know it; None: nobody is asked.
        hosts: the names that requests must be sent to; none: any.
    """
    maps = MapsOnce(service)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        maps.close()

    app = FastAPI(
        title="kindred",
        version=__version__,
        description="Sentences alike in meaning and, when asked, alike in feeling.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        responses=_PROBLEMS,
        lifespan=lifespan,
    )
    _count(app)
    app.add_middleware(Guard, hosts=hosts, token=token)
    app.add_exception_handler(KindredError, _told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)

    for add in (_told_routes, _search_routes, _row_routes, _text_routes, page_routes):
        add(app, service)
    map_routes(app, service, maps)
    return app


def _told_routes(app: FastAPI, service: Service) -> None:
    @app.get("/api/health")
    def health() -> Health:
        """Say that the server answers."""
        return Health(status="ok", indexes=service.names)

    @app.get("/api/indexes")
    def indexes() -> list[Info]:
        """Say what each index holds."""
        return [_info(service, name) for name in service.names]

    @app.get("/api/indexes/{name}")
    def info(name: _Name) -> Info:
        """Say what an index holds, and how its sources are now."""
        _known(service, name)
        return _info(service, name)


def _search_routes(app: FastAPI, service: Service) -> None:
    @app.get("/api/indexes/{name}/query")
    def query(name: _Name, ask: Asking) -> Hits:
        """Find the sentences nearest to a text."""
        _known(service, name)
        if not ask.explain:
            (hits,) = service.search(name, [ask.q], ask.asked())
            return Hits(query=ask.q, hits=_told_hits(service, name, hits))
        hits, why = service.explained(name, ask.q, ask.asked())
        told = _told_hits(service, name, hits)
        return Hits(
            query=ask.q,
            hits=[hit | {"explanation": one.to_dict()} for hit, one in zip(told, why, strict=True)],
        )

    @app.post("/api/indexes/{name}/query")
    def queries(name: _Name, ask: AskMany) -> list[Hits]:
        """Find the sentences nearest to each of several texts."""
        _known(service, name)
        found = service.search(name, ask.queries, ask.asked())
        return [
            Hits(query=text, hits=_told_hits(service, name, hits))
            for text, hits in zip(ask.queries, found, strict=True)
        ]


def _row_routes(app: FastAPI, service: Service) -> None:
    @app.get("/api/indexes/{name}/rows/{row}/similar")
    def similar(name: _Name, row: _Row, options: Annotated[Options, Query()]) -> Hits:
        """Find the sentences nearest to one of the index, without itself; ask for `opposite` for the other view."""
        _known(service, name, row)
        hits = service.similar(name, row, options.asked())
        (entry,) = service.around(name, row, 0)
        return Hits(query=entry.sentence.text, hits=_told_hits(service, name, hits))

    @app.get("/api/indexes/{name}/rows/{row}/around")
    def around(name: _Name, row: _Row, reach: Annotated[int, Query(ge=0, le=20)] = 2) -> list[dict[str, Any]]:
        """Give a sentence with those before and after it in its source."""
        _known(service, name, row)
        return [entry.place() for entry in service.around(name, row, reach)]


def _text_routes(app: FastAPI, service: Service) -> None:
    @app.post("/api/indexes/{name}/embed")
    def embed(name: _Name, wanted: Texts) -> Embedded:
        """Encode texts with the index's encoder."""
        _known(service, name)
        with service.reading(name) as searcher:
            passport = searcher.passport
            rows = searcher.encode(wanted.texts)
        return Embedded(encoder=passport.name, meaning=passport.meaning_dim, rows=rows.tolist())

    @app.post("/api/indexes/{name}/duplicates")
    def duplicates(name: _Name, wanted: Duplicated) -> Hits:
        """Find the sentences that say the same as a text."""
        _known(service, name)
        hits = service.duplicates(name, wanted.text, wanted.threshold, wanted.weight)
        return Hits(query=wanted.text, hits=_told_hits(service, name, hits))


def _known(service: Service, name: str, row: int | None = None) -> None:
    if name not in service.names:
        raise HTTPException(404, f"No index {name!r}; there are {', '.join(service.names)}.")
    if row is not None:
        with service.reading(name) as searcher:
            if not searcher.index.counts(row):
                raise HTTPException(404, f"No row {row} in {name}.")


def _told_hits(service: Service, name: str, hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Return hits as programs read them, each with the state of its source."""
    met = {hit.entry.sentence.source for hit in hits}
    with service.reading(name) as searcher:
        states = {source.name: str(state_of(source)) for source in searcher.index.sources if source.name in met}
    return [hit.to_dict() | {"state": states.get(hit.entry.sentence.source, "gone")} for hit in hits]


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


async def _told(_: Request, error: Exception) -> JSONResponse:
    """Answer with what a user can put right, or with what is wrong with the index."""
    return problem(400 if isinstance(error, OptionError) else 409, str(error))


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - it is registered for no other
    told = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors())
    return problem(422, told)


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for no other
    answer = problem(error.status_code, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


def _count(app: FastAPI) -> None:
    """Count requests, by route and status, and how long they take; `/api/metrics` tells, in Prometheus's format."""
    registry = CollectorRegistry()
    taken = Histogram("kindred_request_seconds", "How long requests take.", ["route"], registry=registry)
    answered = Counter("kindred_requests", "Requests answered.", ["route", "status"], registry=registry)
    running = Gauge("kindred_requests_running", "Requests that are worked on now.", registry=registry)

    @app.middleware("http")
    async def counted(request: Request, handle: Callable[[Request], Awaitable[Response]]) -> Response:
        begin = time.perf_counter()
        with running.track_inprogress():
            response = await handle(request)
        route = getattr(request.scope.get("route"), "path", "none")  # never the address itself: it has no bound
        taken.labels(route).observe(time.perf_counter() - begin)
        answered.labels(route, response.status_code).inc()
        return response

    @app.get("/api/metrics", response_class=PlainTextResponse)
    def metrics() -> PlainTextResponse:
        """Give the figures of this server, in Prometheus's format."""
        return PlainTextResponse(generate_latest(registry), media_type="text/plain; version=0.0.4")
