"""One job of one peer, in its own environment; peers.py starts it.

    python measure.py PEER build MODEL TEXTS FOLDER     an index of a file of lines; prints seconds as JSON
    python measure.py PEER latency MODEL FOLDER QUERIES   the time of every line as a query; prints milliseconds as JSON
    python measure.py PEER ask MODEL FOLDER QUERY       the hits, a line each: what is timed as a cold start

A peer is `with_PEER.py` beside this file, which holds three functions: `load` an encoder, `build` an index, and
`opened`, which gives what answers.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

WARM_UP = 10


def main(peer: str, job: str, *arguments: str) -> None:
    """Do a job; what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    began = time.perf_counter()
    runner = importlib.import_module(f"with_{peer}")
    imported = time.perf_counter() - began
    if job == "build":
        answer = json.dumps({"import_seconds": imported, **_build(runner, *arguments)})
    elif job == "latency":
        answer = json.dumps(_latency(runner, *arguments))
    else:
        model, folder, query = arguments
        answer = "\n".join(runner.opened(model, Path(folder))(query))
    print(answer, file=answers, flush=True)


def _build(runner: Any, model: str, texts: str, folder: str) -> dict[str, float]:
    began = time.perf_counter()
    encoder = runner.load(model)
    loaded, cpu = time.perf_counter(), time.process_time()
    runner.build(encoder, Path(texts), Path(folder))
    ended = time.perf_counter()
    return {"load_seconds": loaded - began, "seconds": ended - loaded, "cpu_seconds": time.process_time() - cpu}


def _latency(runner: Any, model: str, folder: str, queries: str) -> dict[str, Any]:
    ask = runner.opened(model, Path(folder))
    lines = Path(queries).read_text(encoding="utf-8").splitlines()
    for query in lines[:WARM_UP]:
        ask(query)
    taken, worked = [], []
    for query in lines:
        began, cpu = time.perf_counter(), time.process_time()
        ask(query)
        taken.append(1000 * (time.perf_counter() - began))
        worked.append(1000 * (time.process_time() - cpu))
    return {"milliseconds": taken, "cpu_milliseconds": worked}


if __name__ == "__main__":
    main(*sys.argv[1:])
