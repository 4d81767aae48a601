"""Indexes as tools of the Model Context Protocol, for assistants: search, the opposite view, duplicates of a text."""

from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from search import __version__
from search.errors import KindredError
from search.filters import Filter
from search.records import Hit
from search.service import Asked, Service

__all__ = ["create_server"]

_Text = Annotated[str, Field(description="A sentence or a few words, as a person would put them.", max_length=10_000)]
_Index = Annotated[str | None, Field(description="Which index; needed where there are several.")]
_Hits = Annotated[int, Field(description="How many sentences.", ge=1, le=50)]
_Where = Annotated[str | None, Field(description="A condition on metadata, as: rating >= 4 and city = 'Lisbon'.")]


def create_server(service: Service) -> MCPServer:
    """Make the server; run it with `run("stdio")`."""
    server = MCPServer(
        "kindred",
        version=__version__,
        instructions="Finds sentences of these indexes by meaning and by feeling: " + ", ".join(service.names),
        log_level="WARNING",
    )

    @server.tool()
    def indexes() -> list[dict[str, Any]]:
        """Say which indexes there are, how many sentences each holds, and which labels its encoder knows."""
        told = []
        for name in service.names:
            with service.reading(name) as searcher:
                labels = searcher.passport.labels
                told.append(
                    {"name": name, "sentences": len(searcher.index), "labels": list(labels.names) if labels else []}
                )
        return told

    @server.tool()
    def search(
        text: _Text,
        index: _Index = None,
        k: _Hits = 10,
        sentiment: Annotated[str | None, Field(description="same, opposite, any, or a label as positive.")] = None,
        where: _Where = None,
    ) -> list[dict[str, Any]]:
        """Find the sentences nearest to a text in meaning and feeling, best first, each with its source and line."""
        return _told(service, index, text, Asked(k, sentiment, only=Filter(where)))

    @server.tool()
    def opposite_view(text: _Text, index: _Index = None, k: _Hits = 10, where: _Where = None) -> list[dict[str, Any]]:
        """Find sentences on the topic of a text that see it the other way: praise for a complaint, and the reverse."""
        return _told(service, index, text, Asked(k, "opposite", only=Filter(where)))

    @server.tool()
    def duplicates_of(
        text: _Text,
        index: _Index = None,
        threshold: Annotated[float, Field(description="The lowest score of a duplicate.", ge=-1, le=1)] = 0.9,
    ) -> list[dict[str, Any]]:
        """Find the sentences that score like a text, and whether each says the same.

        The verdict is "refused" where a number, a negation, a name or the like differs; reason and words say which.
        """
        try:
            found = service.duplicates(_name(service, index), text, threshold, None)
            return [_short(one.hit) | one.verdict for one in found]
        except KindredError as exc:
            raise ToolError(str(exc)) from exc

    return server


def _told(service: Service, index: str | None, text: str, asked: Asked) -> list[dict[str, Any]]:
    try:
        (hits,) = service.search(_name(service, index), [text], asked)
    except KindredError as exc:
        raise ToolError(str(exc)) from exc
    return [_short(hit) for hit in hits]


def _name(service: Service, index: str | None) -> str:
    if index is None and len(service.names) > 1:
        raise ToolError(f"Say which index: {', '.join(service.names)}.")
    return index or service.names[0]


def _short(hit: Hit) -> dict[str, Any]:
    """Return of a hit what an assistant needs: what it says, where, and how near it is."""
    told = hit.to_dict()
    return {name: told[name] for name in ("text", "source", "line", "score", "label", "metadata")}
