"""The maps of a server: made once for a generation and a weight, while everything else is answered."""

import base64
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from search.index import Index
from search.service import Service
from search.web.app import create_app
from tests.cli_runner import toy_index
from tests.toy import ToyEncoder

TEXTS = [f"{feeling} {topic} {one}" for feeling in ("good", "bad") for topic in ("room", "food") for one in range(10)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an index."""
    return toy_index(tmp_path / "hotels", TEXTS, ToyEncoder())


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    """Ask a server of it."""
    with Service({"hotels": folder}, load=lambda _: ToyEncoder()) as service, TestClient(create_app(service)) as client:
        yield client


def made(client: TestClient, address: str = "/api/indexes/hotels/map") -> dict[str, object]:
    """Ask until the map is made."""
    end = time.monotonic() + 120
    while (answer := client.get(address)).status_code == 202:
        assert set(answer.json()) == {"state", "what", "done", "total", "unit"}
        assert client.get("/api/health").status_code == 200
        assert time.monotonic() < end
        time.sleep(0.05)
    assert answer.status_code == 200, answer.text
    value: dict[str, object] = answer.json()
    return value


def test_a_map_is_made_once(client: TestClient, folder: Path) -> None:
    """Every sentence has a place, a label and its row; asked again it is the same; a new generation gets a new one."""
    assert client.get("/api/indexes/hotels/map").status_code == 202
    first = made(client)
    places = np.frombuffer(base64.b64decode(str(first["places"])), "<u2")
    rows = np.frombuffer(base64.b64decode(str(first["rows"])), "<u4")
    codes = np.frombuffer(base64.b64decode(str(first["codes"])), "<u2")
    assert (len(places), rows.tolist()) == (2 * len(TEXTS), list(range(len(TEXTS))))
    assert codes.tolist() == [2] * 20 + [0] * 20
    assert client.get("/api/indexes/hotels/map").json() == first
    with Index.open(folder, encoder=ToyEncoder()) as index:
        index.add(["noise"])
    assert client.get("/api/indexes/hotels/map").status_code == 202
    second = made(client)
    assert (first["count"], second["count"]) == (40, 41)
    assert made(client, "/api/indexes/hotels/map?weight=0.5")["weight"] == 0.5


def test_what_points_say(client: TestClient) -> None:
    """Texts of rows, those that there are; too many are refused, as is what is no index."""
    told = client.get("/api/indexes/hotels/map/texts?row=3&row=21&row=999").json()
    assert [(one["row"], one["text"], one["label"]) for one in told] == [
        (3, "good room 3", "positive"), (21, "bad room 1", "negative"),
    ]  # fmt: skip
    many = "&".join(f"row={row}" for row in range(101))
    assert client.get(f"/api/indexes/hotels/map/texts?{many}").status_code == 422
    assert client.get("/api/indexes/none/map").status_code == 404
    assert client.get("/api/indexes/hotels/map?weight=2").status_code == 422


def test_meaning_only(tmp_path: Path) -> None:
    """An encoder without labels has a map by meaning; feelings cannot take part."""
    folder = toy_index(tmp_path / "plain", TEXTS, ToyEncoder(None))
    with (
        Service({"hotels": folder}, load=lambda _: ToyEncoder(None)) as service,
        TestClient(create_app(service)) as client,
    ):
        assert made(client)["count"] == 40
        answer = client.get("/api/indexes/hotels/map?weight=0.5")
        assert (answer.status_code, "meaning only" in answer.text) == (409, True)
