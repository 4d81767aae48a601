"""What several routes share: the names in an address, and hits as they are told."""

from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import Annotated, Any

from fastapi import Path
from starlette.exceptions import HTTPException
from starlette.responses import Response

from search.once import Step
from search.records import Hit
from search.service import Service
from search.sources import state_of
from search.web.models import Searching

__all__ = ["Name", "Row", "giving", "known", "made_or_step", "told_hits"]

Name = Annotated[str, Path(description="The index.", examples=["hotels"], max_length=200)]
"""An index, in an address."""

Row = Annotated[int, Path(description="A row of the index.", ge=0, le=2**53)]
"""A row, in an address."""


def known(service: Service, name: str, row: int | None = None) -> None:
    """Answer with 404 where there is no such index, or no such row in it.

    Raises:
        HTTPException: so it is.
    """
    if name not in service.names:
        raise HTTPException(404, f"No index {name!r}; there are {', '.join(service.names)}.")
    if row is not None:
        with service.reading(name) as searcher:
            if not searcher.index.counts(row):
                raise HTTPException(404, f"No row {row} in {name}.")


def told_hits(service: Service, name: str, hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Return hits as programs read them, each with the state of its source."""
    with service.reading(name) as searcher:
        index, state = searcher.index, cache(state_of)
        rows = [hit.entry.row for hit in hits]  # of which a commit may have taken some meanwhile
        states = [str(state(index.source_of(row))) if index.counts(row) else "gone" for row in rows]
    return [hit.to_dict() | {"state": now} for hit, now in zip(hits, states, strict=True)]


def made_or_step(found: Step | bytes) -> Response:
    """Answer with what a long job made, as JSON, or with 202 and how far it is."""
    if isinstance(found, bytes):
        return Response(found, media_type="application/json")
    told = Searching(what=found.what, done=found.done, total=found.total, unit=found.unit)
    return Response(told.model_dump_json(), 202, {"retry-after": "1"}, "application/json")


def giving(content: str, kind: str) -> Callable[[], Awaitable[Response]]:
    """Return what gives a file of the page, which the browser asks for anew each time."""

    async def give() -> Response:
        return Response(content, media_type=kind, headers={"cache-control": "no-cache"})

    return give
