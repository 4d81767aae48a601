"""What `kindred serve` stands: many clients at once, on this machine alone; beside it, txtai's API.

    python benchmarks/serve_load.py INDEX --queries FILE [--clients 64] [--seconds 60]
    python benchmarks/serve_load.py --texts FILE --count 10000 [--clients 64] [--seconds 60]

Starts the server on a free port, lets every client ask one query after another, and tells the rate, the latency,
errors, and the server's memory at the beginning and at the end. Clients and server share the machine.

With --texts, a file of lines as peers.py takes it, kindred and txtai (in an environment that is made at its first use)
serve the same lines, encoded by the same encoder, and take turns; kindred is asked for meaning alone, as txtai knows no
other. That both find the same is told as the share of txtai's ten hits that are among kindred's.
"""

import argparse
import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from environments import environment
from peer_figures import OURS
from peers import Bench

from search.checkpoint import DEFAULT_ENCODER
from search.cli.output import say

TXTAI = "txtai"
TXTAI_API = ("txtai[api]==9.14.0",)
STARTED = 600.0
COMPARED = 50


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it is asked, with which parameters, and how the texts of hits are read."""

    process: int
    address: str
    parameters: Mapping[str, str]
    query: str
    texts: Callable[[Any], list[str]]
    started: float

    def asked(self, text: str) -> dict[str, str]:
        """Return the parameters of a query."""
        return {**self.parameters, self.query: text}


def memory(process: int) -> int:
    """Return the anonymous memory of a process, in MB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(re.findall(r"RssAnon:\s+(\d+)", status)[0]) // 1024


async def client(server: Server, queries: Sequence[str], until: float, taken: list[float], wrong: list[str]) -> None:
    """Ask one query after another until it is time."""
    async with httpx.AsyncClient(timeout=60) as session:
        for query in cycle(queries):
            begin = time.perf_counter()
            if begin >= until:
                return
            try:
                answer = await session.get(server.address, params=server.asked(query))
                if answer.status_code != httpx.codes.OK or not server.texts(answer.json()):
                    wrong.append(f"{answer.status_code}: {answer.text[:100]}")
            except httpx.HTTPError as exc:
                wrong.append(repr(exc))
            taken.append(time.perf_counter() - begin)


async def load(server: Server, queries: list[str], clients: int, seconds: float) -> tuple[list[float], list[str]]:
    """Let so many clients ask for so long; return the latencies and what went wrong."""
    taken: list[float] = []
    wrong: list[str] = []
    until = time.perf_counter() + seconds
    jobs = [client(server, queries[one::clients] or queries, until, taken, wrong) for one in range(clients)]
    await asyncio.gather(*jobs)
    return taken, wrong


@contextmanager
def kindred(index: Path, parameters: Mapping[str, str]) -> Iterator[Server]:
    """Serve an index with kindred."""
    begin = time.perf_counter()
    command = [sys.executable, "-m", "search", "serve", str(index), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = iter(process.stderr.readline, "") if process.stderr else iter(())
            root = next(match[0] for line in lines if (match := re.search(r"http://\S+", line)))
            address = f"{root}api/indexes/{index.name}/query"
            _first_answer(address, {**parameters, "q": "first"}, process)
            started = time.perf_counter() - begin
            yield Server(process.pid, address, parameters, "q", _kindred_texts, started)
        finally:
            process.terminate()


@contextmanager
def txtai(index: Path) -> Iterator[Server]:
    """Serve an index with txtai's own API, as its documentation does: uvicorn, and a file that names the index."""
    begin = time.perf_counter()
    python = environment("peers/txtai_api", TXTAI_API)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yml"
        config.write_text(f"path: {index}\nwritable: false\nembeddings:\n  content: true\n", encoding="utf-8")
        command = [python, "-m", "uvicorn", "txtai.api:app", "--port", str(port), "--log-level", "warning"]
        told = {**os.environ, "CONFIG": str(config), "HF_HUB_OFFLINE": "1"}
        with subprocess.Popen(command, env=told) as process:
            try:
                address = f"http://127.0.0.1:{port}/search"
                _first_answer(address, {"query": "first"}, process)
                started = time.perf_counter() - begin
                yield Server(process.pid, address, {"limit": "10"}, "query", _txtai_texts, started)
            finally:
                process.terminate()


def _kindred_texts(answer: Any) -> list[str]:
    return [hit["text"] for hit in answer["hits"]]


def _txtai_texts(answer: Any) -> list[str]:
    return [hit["text"] for hit in answer]


def _first_answer(address: str, parameters: Mapping[str, str], process: subprocess.Popen[Any]) -> None:
    """Wait until a server answers.

    Raises:
        SystemExit: it has ended, or does not in time.
    """
    end = time.perf_counter() + STARTED
    while True:
        try:
            if httpx.get(address, params=dict(parameters), timeout=STARTED).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        if process.poll() is not None or time.perf_counter() > end:
            raise SystemExit(f"{address} does not answer.")
        time.sleep(0.05)


def measured(server: Server, queries: list[str], clients: int, seconds: float) -> dict[str, Any]:
    """Load a server, and return the figures."""
    asyncio.run(load(server, queries, clients, 2.0))
    before = memory(server.process)
    taken, wrong = asyncio.run(load(server, queries, clients, seconds))
    return {
        "first answer, s": round(server.started, 2),
        "clients": clients,
        "answers": len(taken),
        "rate, 1/s": round(len(taken) / seconds, 1),
        "p50, ms": round(float(np.quantile(taken, 0.5)) * 1000, 1),
        "p99, ms": round(float(np.quantile(taken, 0.99)) * 1000, 1),
        "errors": len(wrong),
        "first error": wrong[:1],
        "memory before, MB": before,
        "memory after, MB": memory(server.process),
    }


def found(server: Server, queries: Sequence[str]) -> list[set[str]]:
    """Return the texts that a server finds for each query."""
    answers = [httpx.get(server.address, params=server.asked(query), timeout=60).json() for query in queries]
    return [set(server.texts(answer)) for answer in answers]


def compared(chosen: argparse.Namespace) -> dict[str, Any]:
    """Serve the same lines with both, one after the other, and measure each in every turn."""
    bench = Bench(chosen.texts, DEFAULT_ENCODER, chosen.threads, [OURS, TXTAI])
    queries = bench.queries().read_text(encoding="utf-8").splitlines()
    servers: dict[str, Callable[[], Any]] = {
        OURS: lambda: kindred(bench.ready(OURS, chosen.count), {"sentiment": "any", "k": "10"}),
        TXTAI: lambda: txtai(bench.ready(TXTAI, chosen.count)),
    }
    told: dict[str, Any] = {"sentences": chosen.count}
    hits: dict[str, list[set[str]]] = {}
    for turn in range(1, chosen.turns + 1):
        for name, serving in servers.items():
            with serving() as server:
                hits[name] = found(server, queries[:COMPARED])
                told[f"{name}, turn {turn}"] = measured(server, queries, chosen.clients, chosen.seconds)
                say(json.dumps(told[f"{name}, turn {turn}"]))
    shares = [len(ours & theirs) / len(theirs) for ours, theirs in zip(hits[OURS], hits[TXTAI], strict=True)]
    return {**told, "of txtai's hits among kindred's": round(float(np.mean(shares)), 3)}


def main() -> None:
    """Serve, load, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path, nargs="?")
    parser.add_argument("--queries", type=Path, help="a query a line")
    parser.add_argument("--texts", type=Path, help="lines to serve, with txtai beside; no index then")
    parser.add_argument("--count", type=int, default=10_000, help="so many of the lines")
    parser.add_argument("--turns", type=int, default=2, help="how often each of the two is measured")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0)
    chosen = parser.parse_args()
    if chosen.texts is not None:
        print(json.dumps(compared(chosen), indent=2))
        return
    if chosen.index is None or chosen.queries is None:
        parser.error("give an index and --queries, or --texts")
    queries = [line.strip() for line in chosen.queries.read_text(encoding="utf-8").splitlines() if line.strip()]
    with kindred(chosen.index, {}) as server:
        print(json.dumps(measured(server, queries, chosen.clients, chosen.seconds), indent=2))


if __name__ == "__main__":
    main()
