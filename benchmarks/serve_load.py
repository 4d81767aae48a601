"""What `kindred serve` stands: many clients at once, on this machine alone.

    python benchmarks/serve_load.py INDEX --queries FILE [--clients 64] [--seconds 60]

Starts the command on a free port, lets every client ask one query of the file after another, and tells the rate, the
latency, errors, and the server's memory at the beginning and at the end. Clients and server share the machine.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
from itertools import cycle
from pathlib import Path

import httpx
import numpy as np


def memory(process: int) -> int:
    """Return the anonymous memory of a process, in MB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(re.findall(r"RssAnon:\s+(\d+)", status)[0]) // 1024


async def client(address: str, queries: list[str], until: float, taken: list[float], wrong: list[str]) -> None:
    """Ask one query after another until it is time."""
    async with httpx.AsyncClient(timeout=60) as session:
        for query in cycle(queries):
            begin = time.perf_counter()
            if begin >= until:
                return
            try:
                answer = await session.get(address, params={"q": query})
                if answer.status_code != httpx.codes.OK or not answer.json()["hits"]:
                    wrong.append(f"{answer.status_code}: {answer.text[:100]}")
            except httpx.HTTPError as exc:
                wrong.append(repr(exc))
            taken.append(time.perf_counter() - begin)


async def load(address: str, queries: list[str], clients: int, seconds: float) -> tuple[list[float], list[str]]:
    """Let so many clients ask for so long; return the latencies and what went wrong."""
    taken: list[float] = []
    wrong: list[str] = []
    until = time.perf_counter() + seconds
    jobs = [client(address, queries[one::clients] or queries, until, taken, wrong) for one in range(clients)]
    await asyncio.gather(*jobs)
    return taken, wrong


def main() -> None:
    """Serve, load, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path)
    parser.add_argument("--queries", type=Path, required=True, help="a query a line")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0)
    chosen = parser.parse_args()
    queries = [line.strip() for line in chosen.queries.read_text(encoding="utf-8").splitlines() if line.strip()]
    command = [sys.executable, "-m", "search", "serve", str(chosen.index), "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        begin = time.perf_counter()
        lines = iter(server.stderr.readline, "") if server.stderr else iter(())
        root = next(match[0] for line in lines if (match := re.search(r"http://\S+", line)))
        address = f"{root}api/indexes/{chosen.index.name}/query"
        asyncio.run(load(address, queries[:1], 1, 0.01))
        started = time.perf_counter() - begin
        asyncio.run(load(address, queries, chosen.clients, 2.0))
        before = memory(server.pid)
        taken, wrong = asyncio.run(load(address, queries, chosen.clients, chosen.seconds))
        figures = {
            "first answer, s": round(started, 2),
            "clients": chosen.clients,
            "answers": len(taken),
            "rate, 1/s": round(len(taken) / chosen.seconds, 1),
            "p50, ms": round(float(np.quantile(taken, 0.5)) * 1000, 1),
            "p99, ms": round(float(np.quantile(taken, 0.99)) * 1000, 1),
            "errors": len(wrong),
            "first error": wrong[:1],
            "memory before, MB": before,
            "memory after, MB": memory(server.pid),
        }
        print(json.dumps(figures, indent=2))
    finally:
        server.terminate()
        server.wait(60)


if __name__ == "__main__":
    main()
