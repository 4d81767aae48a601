"""Tools for assistants: asked by the protocol's own client, of a real process."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, StdioServerParameters, stdio_client

from tests.cli_runner import ROOT, succeed

pytestmark = pytest.mark.slow


async def _session(index: Path) -> dict[str, Any]:
    """Ask everything once."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "search", "mcp", str(index)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=str(ROOT),
    )
    found: dict[str, Any] = {}
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        found["tools"] = [tool.name for tool in (await session.list_tools()).tools]
        for name, tool, arguments in (
            ("indexes", "indexes", {}),
            ("search", "search", {"text": "the room was cold", "k": 3}),
            ("opposite", "opposite_view", {"text": "the staff were rude", "k": 3}),
            ("same", "duplicates_of", {"text": "Very quiet area, we slept really well.", "threshold": 0.99}),
            ("mistake", "search", {"text": "room", "sentiment": "happy"}),
            ("wrong index", "search", {"text": "room", "index": "other"}),
        ):
            answer = await session.call_tool(tool, arguments)
            found[name] = (answer.is_error, [getattr(part, "text", "") for part in answer.content])
    return found


def test_an_assistant_asks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Four tools; hits with source and line; a mistake is an error of the tool that says what to do."""
    index = tmp_path / "hotels"
    succeed(capsys, "index", ROOT / "corpora" / "hotels.txt", "--out", index)
    found = asyncio.run(_session(index))
    assert found["tools"] == ["indexes", "search", "opposite_view", "duplicates_of"]

    def objects(name: str) -> list[dict[str, Any]]:
        wrong, texts = found[name]
        assert not wrong, texts
        values = [json.loads(text) for text in texts]
        return values[0] if len(values) == 1 and isinstance(values[0], list) else values

    assert objects("indexes") == [{"name": "hotels", "sentences": 521, "labels": ["negative", "neutral", "positive"]}]
    hits = objects("search")
    assert len(hits) == 3
    assert all(hit["source"].endswith("hotels.txt") and hit["line"] > 0 for hit in hits)
    assert all(hit["label"] == "positive" for hit in objects("opposite"))
    told = [(hit["text"], hit["verdict"], hit["reason"]) for hit in objects("same")]
    assert told == [("Very quiet area, we slept really well.", "same", None)]
    assert found["mistake"][0]
    assert "No label 'happy'; this encoder knows negative, neutral, positive" in found["mistake"][1][0]
    assert found["wrong index"][0]
    assert "No index 'other'" in found["wrong index"][1][0]
