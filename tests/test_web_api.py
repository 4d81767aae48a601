"""The HTTP API: answers, problems, and what is refused before it is looked at."""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from search.corpus import Corpus
from search.encoder import Encoded
from search.indexing import build_index
from search.service import Service
from search.web.app import create_app
from search.web.guarding import MOST_BYTES
from search.web.models import LONGEST_TEXT, MOST_HITS, MOST_TEXTS, Problem
from tests.cli_runner import toy_index
from tests.toy import ToyEncoder

TEXTS = ["good room", "bad room", "good food", "<script>alert(1)</script> pool", "staff"]
HOST = "http://127.0.0.1"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Give a service of one index."""
    folder = toy_index(tmp_path / "hotels", TEXTS, ToyEncoder())
    with Service({"hotels": folder}, load=lambda _: ToyEncoder()) as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    """Ask a server that answers this machine alone."""
    with TestClient(create_app(service, hosts=["127.0.0.1", "localhost", "::1"]), base_url=HOST) as client:
        yield client


def get(client: TestClient, address: str, **parameters: Any) -> Any:
    """Return the answer to a question that must be answered."""
    answer = client.get(f"/api{address}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_one_query_and_many(client: TestClient, service: Service) -> None:
    """The hits are the service's, with the state of their source; options are those of the command."""
    found = get(client, "/indexes/hotels/query", q="good room", k=2)
    assert [hit["text"] for hit in found["hits"]] == ["good room", "bad room"]
    assert found["hits"][0]["score"] == 1.0
    assert found["hits"][0]["state"] in {"same", "unknown"}
    opposite = get(client, "/indexes/hotels/query", q="good room", k=1, sentiment="opposite")
    assert opposite["hits"][0]["text"] == "bad room"
    words = get(client, "/indexes/hotels/query", q="pool", match="words")
    assert [hit["text"] for hit in words["hits"]] == ["<script>alert(1)</script> pool"]
    labelled = get(client, "/indexes/hotels/query", q="room", label=["negative"])
    assert [hit["text"] for hit in labelled["hits"]] == ["bad room"]
    many = client.post("/api/indexes/hotels/query", json={"queries": ["food", "staff"], "k": 1}).json()
    assert [(one["query"], one["hits"][0]["text"]) for one in many] == [("food", "good food"), ("staff", "staff")]


def test_explained_hits_add_up(client: TestClient) -> None:
    """The words' shares and the rest are the meaning part."""
    (hit, *_) = get(client, "/indexes/hotels/query", q="good room food", explain=True)["hits"]
    why = hit["explanation"]
    assert sum(part["value"] for part in why["sentence"]) + why["sentence_rest"] == pytest.approx(
        hit["meaning"], abs=1e-5
    )


def test_rows_are_explained_as_the_hits_of_a_query(client: TestClient) -> None:
    """By their rows, in any order, hits are explained as in the query's own answer; a row that is gone is not."""
    for options in ({}, {"sentiment": "opposite", "weight": 0.8}, {"sentiment": "any"}):
        hits = get(client, "/indexes/hotels/query", q="good room food", explain=True, k=3, **options)["hits"]
        wanted = {hit["row"]: hit["explanation"] for hit in reversed(hits)}
        found = get(client, "/indexes/hotels/why", q="good room food", row=[999_999, *wanted], **options)
        assert [one["row"] for one in found] == list(wanted)
        assert {one["row"]: one["explanation"] for one in found} == wanted
    assert get(client, "/indexes/hotels/why", q="good room food", row=[999_999]) == []
    refused = client.get("/api/indexes/hotels/why", params={"q": " ", "row": 0})
    assert (refused.status_code, refused.json()["detail"]) == (400, "A query is blank; give it some words.")


def test_by_row_embedding_duplicates_info(client: TestClient) -> None:
    """What else can be asked."""
    assert get(client, "/indexes/hotels/rows/0/similar", k=1)["hits"][0]["text"] == "bad room"
    assert [one["row"] for one in get(client, "/indexes/hotels/rows/1/around", reach=1)] == [0, 1, 2]
    embedded = client.post("/api/indexes/hotels/embed", json={"texts": ["room", "pool"]}).json()
    assert (len(embedded["rows"]), len(embedded["rows"][0]), embedded["meaning"]) == (2, 10, 8)
    same = client.post("/api/indexes/hotels/duplicates", json={"text": "good room", "threshold": 0.3}).json()
    assert [(hit["text"], hit["verdict"], hit["reason"], hit["words"]) for hit in same["hits"][:2]] == [
        ("good room", "same", None, []), ("bad room", "refused", "opposite", ["good", "bad"]),
    ]  # fmt: skip
    (info,) = get(client, "/indexes")
    assert (info["count"], info["labels"]) == (5, ["negative", "neutral", "positive"])
    assert get(client, "/indexes/hotels") == info
    assert get(client, "/health") == {"status": "ok", "indexes": ["hotels"]}


def test_the_duplicates_of_an_index(client: TestClient) -> None:
    """Asked for until they are there: first how far the search is, then the data of a report."""
    end = time.monotonic() + 20
    while (answer := client.get("/api/indexes/hotels/duplicates", params={"threshold": 0.3})).status_code == 202:
        assert answer.headers["retry-after"] == "1"
        assert answer.json()["state"] == "running"
        assert time.monotonic() < end
    found = answer.json()
    texts = [sentence[0] for sentence in found["sentences"]]
    (refused,) = [({texts[row[0]], texts[row[1]]}, row[4], set(row[5])) for row in found["refused"]]
    assert refused == ({"good room", "bad room"}, "opposite", {"good", "bad"})
    assert (found["count"], found["threshold"]) == (5, 900_000)


@pytest.mark.parametrize(
    ("address", "parameters", "status", "said"),
    [
        ("/indexes/none/query", {"q": "x"}, 404, "No index 'none'; there are hotels."),
        ("/indexes/hotels/rows/99/similar", {}, 404, "No row 99 in hotels."),
        ("/indexes/hotels/query", {}, 422, "q: Field required"),
        ("/indexes/hotels/query", {"q": "x", "k": 0}, 422, "k: "),
        ("/indexes/hotels/query", {"q": "x", "k": MOST_HITS + 1}, 422, "k: "),
        ("/indexes/hotels/query", {"q": "x" * (LONGEST_TEXT + 1)}, 422, "q: "),
        ("/indexes/hotels/query", {"q": " "}, 400, "blank"),
        ("/indexes/hotels/query", {"q": "x", "sentiment": "happy"}, 400, "No label 'happy'"),
        ("/indexes/hotels/query", {"q": "x", "where": "1; DROP TABLE sentences"}, 400, "--where"),
        ("/indexes/hotels/query", {"q": "x", "colour": "red"}, 422, "colour"),
        ("/indexes/hotels/duplicates", {"threshold": 1.1}, 422, "threshold: "),
        ("/indexes/hotels/duplicates", {"treshold": 0.9}, 422, "treshold"),
        ("/indexes/hotels/map", {"wieght": 0.5}, 422, "wieght"),
        ("/indexes/none/duplicates", {}, 404, "No index 'none'"),
        ("/indexes/hotels/rows/99/around", {}, 404, "No row 99"),
        ("/nothing", {}, 404, "Not Found"),
        ("/indexes/..%2F..%2Fetc", {}, 404, ""),
    ],
)
def test_problems_are_told(
    client: TestClient, address: str, parameters: dict[str, Any], status: int, said: str
) -> None:
    """As RFC 9457 has it, with the status and what is wrong."""
    answer = client.get(f"/api{address}", params=parameters)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    value = answer.json()
    assert value["status"] == status
    assert said in value["detail"]


def test_other_names_and_other_sites_are_refused(client: TestClient) -> None:
    """A name that somebody made point here is not answered, nor a page of another site."""
    ask = "/api/indexes"
    assert client.get(ask, headers={"host": "evil.example"}).status_code == 421
    assert client.get(ask, headers={"host": "127.0.0.1.evil.example"}).status_code == 421
    assert client.get(ask, headers={"host": ""}).status_code == 421
    assert client.get(ask, headers={"origin": "https://evil.example"}).status_code == 403
    assert client.get(ask, headers={"origin": "null"}).status_code == 403
    for host in ("localhost:8765", "LOCALHOST", "[::1]:80", "127.0.0.1"):
        assert client.get(ask, headers={"host": host}).status_code == 200, host
    assert client.get(ask, headers={"origin": "http://127.0.0.1:8765"}).status_code == 200


def test_a_token_is_asked_for(service: Service) -> None:
    """By the API alone: the page itself holds nothing; wrong, missing and odd tokens are refused."""
    token = "s\u00e9cret"  # noqa: S105 - of this test alone
    with TestClient(create_app(service, hosts=["127.0.0.1"], token=token), base_url=HOST) as client:
        assert client.get("/").status_code == 200
        for given in (b"", b"Bearer", b"Bearer wrong", b"Basic secret", b"Bearer \xff"):
            answer = client.get("/api/indexes", headers=[(b"authorization", given)])
            assert answer.status_code == 401, given
            assert answer.headers["www-authenticate"] == "Bearer"
        right = f"Bearer {token}".encode()
        assert client.get("/api/indexes", headers=[(b"authorization", right)]).status_code == 200


def test_large_bodies_are_refused(client: TestClient) -> None:
    """By what they say of their length, or by what comes; too many texts as well."""
    ask = "/api/indexes/hotels/embed"
    assert client.post(ask, content=b"x" * (MOST_BYTES + 1)).status_code == 413
    assert client.post(ask, json={"texts": ["x"] * 300}).status_code == 422
    assert client.post(ask, content=b"{", headers={"content-type": "application/json"}).status_code == 422
    assert client.post(ask, json={"texts": ["x" * (LONGEST_TEXT + 1)]}).status_code == 422
    assert client.post(ask, json={"texts": ["x" * LONGEST_TEXT] * MOST_TEXTS}).status_code == 200
    queries = {"queries": ["x"] * (MOST_TEXTS + 1)}
    assert client.post("/api/indexes/hotels/query", json=queries).status_code == 422
    assert client.post("/api/indexes/hotels/query", json={"queries": ["x"], "k": MOST_HITS + 1}).status_code == 422
    assert client.post("/api/indexes/hotels/query", json={"queries": []}).status_code == 422
    for amiss in ({"k": True}, {"k": "3"}, {"weight": False}):  # in JSON only a number is one
        assert client.post("/api/indexes/hotels/query", json={"queries": ["x"], **amiss}).status_code == 422
    assert client.post("/api/indexes/hotels/duplicates", json={"text": "x", "weight": False}).status_code == 422


def test_a_body_that_does_not_say_its_length_is_cut_off(client: TestClient) -> None:
    """It is read no further than the bound, and told as one that says it."""
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        yield b'{"texts": ["'
        for _ in range(1000):
            read += 100_000
            yield b"x" * 100_000

    answer = client.post("/api/indexes/hotels/embed", content=endless(), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["detail"]) == (413, f"The body is larger than {MOST_BYTES:,} bytes.")
    assert answer.headers["content-type"] == "application/problem+json"


class Slow(ToyEncoder):
    """An encoder that waits for a sign once it is to."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.go.set()

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode n texts when the sign is given; `break` breaks it."""
        assert self.go.wait(20)
        if "break" in texts:
            raise RuntimeError("secret")
        return super().encode(texts)


def test_nobody_waits_for_ever(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What takes too long is answered with 503; health is told meanwhile; what fails later is told to the log."""
    slow = Slow()
    folder = toy_index(tmp_path / "hotels", TEXTS, slow)
    ask = "/api/indexes/hotels/query"
    with (
        Service({"hotels": folder}, load=lambda _: slow) as service,
        TestClient(create_app(service, seconds=0.3), base_url=HOST) as client,
    ):
        slow.go.clear()
        begin = time.monotonic()
        for query in ("room", "break"):
            answer = client.get(ask, params={"q": query})
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["retry-after"] == "5"
            assert answer.json()["detail"] == "No answer within 0.3 seconds; ask for less, or again later."
        assert time.monotonic() - begin < 10
        assert client.get("/api/health").status_code == 200
        slow.go.set()
        while client.get(ask, params={"q": "room"}).status_code != 200:
            assert time.monotonic() - begin < 20
        told = client.get("/api/metrics").text
        assert 'kindred_requests_total{route="/api/indexes/{name}/query",status="503"}' in told
        while "A request that took too long failed" not in caplog.text:
            assert time.monotonic() - begin < 20


def test_what_breaks_is_told_to_the_log_alone(tmp_path: Path) -> None:
    """An error that nobody foresaw is a problem too, with the headers of every answer, and says nothing of within."""
    slow = Slow()
    folder = toy_index(tmp_path / "hotels", TEXTS, slow)
    with (
        Service({"hotels": folder}, load=lambda _: slow) as service,
        TestClient(create_app(service), base_url=HOST, raise_server_exceptions=False) as client,
    ):
        answer = client.get("/api/indexes/hotels/query", params={"q": "break"})
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "secret" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_every_answer_forbids_what_a_page_does_not_need(client: TestClient) -> None:
    """No script but the page's own, no frame, no sniffing; also where something is wrong."""
    for address in ("/", "/assets/app.js", "/api/health", "/api/indexes/none"):
        headers = client.get(address).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_the_state_of_a_hit_is_that_of_its_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files of one name, of which one has changed since: its hit alone is marked."""
    for folder, text in (("a", "good room"), ("b", "good food")):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        Path("x.txt").write_text(f"{text}\n", encoding="utf-8")
        build_index(Corpus(["x.txt"]), tmp_path / "hotels", ToyEncoder())
    Path("x.txt").write_text("bad food\nbad room\n", encoding="utf-8")
    with Service({"hotels": tmp_path / "hotels"}, load=lambda _: ToyEncoder()) as service:
        app = create_app(service, hosts=["127.0.0.1"])
        with TestClient(app, base_url=HOST) as client:
            hits = get(client, "/indexes/hotels/query", q="good room")["hits"]
    assert [(hit["text"], hit["source"], hit["state"]) for hit in hits] == [
        ("good room", "x.txt", "same"),
        ("good food", "x.txt", "changed"),
    ]


def test_metrics_count_by_route(client: TestClient) -> None:
    """Addresses as they were asked for have no bound, and may hold what is private: only routes are named."""
    get(client, "/indexes/hotels/query", q="secret")
    client.get("/no/such/address")
    told = client.get("/api/metrics").text
    assert 'kindred_requests_total{route="/api/indexes/{name}/query",status="200"} 1.0' in told
    assert "secret" not in told
    assert "such" not in told


def test_the_description_is_whole(client: TestClient) -> None:
    """Every route has a summary and its problems; the page's files are no part of the API."""
    value = get(client, "/openapi.json")
    assert set(value["paths"]) >= {"/api/indexes/{name}/query", "/api/health", "/api/metrics"}
    assert "/" not in value["paths"]
    for route in value["paths"].values():
        for operation in route.values():
            assert operation["description"]
            problems = {code: one for code, one in operation["responses"].items() if int(code) >= 400}
            assert problems.keys() >= {"401", "403", "413", "421", "422", "500", "503"}
            for status, one in problems.items():
                assert one["description"]
                (media,) = one["content"].items()
                assert media[0] == "application/problem+json"
                assert media[1]["schema"] == {"$ref": "#/components/schemas/Problem"}
                Problem.model_validate(media[1]["example"])
                assert media[1]["example"]["status"] == int(status)
    assert set(value["components"]["schemas"]["Problem"]["required"]) == {"title", "status", "detail"}
