"""The routes that find duplicates."""

from typing import Annotated

from fastapi import FastAPI, Query
from starlette.responses import Response

from search.duplicates_once import DuplicatesOnce
from search.service import Service
from search.web.known import Name, known, made_or_step, told_hits
from search.web.models import Candidates, Duplicated, Duplicates, Lowest, Searching
from search.web.problems import INDEX_PROBLEMS

__all__ = ["duplicates_routes"]


def duplicates_routes(app: FastAPI, service: Service, once: DuplicatesOnce) -> None:
    """Add what finds duplicates: of an index, and of a text in it."""

    @app.get(
        "/api/indexes/{name}/duplicates",
        response_model=Duplicates,
        responses={202: {"model": Searching, "description": "It is being searched; ask again."}, **INDEX_PROBLEMS},
    )
    def duplicates(name: Name, wanted: Annotated[Lowest, Query()]) -> Response:
        """Give the duplicates of an index: pairs, and those that the guard refused, with its reason.

        They are searched once for each generation and threshold; until they are found, the answer says how far it is.
        """
        known(service, name)
        return made_or_step(once.ask(name, wanted.threshold))

    @app.post("/api/indexes/{name}/duplicates", responses=INDEX_PROBLEMS)
    def duplicates_of(name: Name, wanted: Duplicated) -> Candidates:
        """Find the sentences that score like a text, each with the guard's verdict: the same, or refused and why."""
        known(service, name)
        found = service.duplicates(name, wanted.text, wanted.threshold, wanted.weight)
        told = told_hits(service, name, [one.hit for one in found])
        return Candidates(query=wanted.text, hits=[hit | one.verdict for hit, one in zip(told, found, strict=True)])
