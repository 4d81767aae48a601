"""kindred beside sentence-transformers, LangChain, txtai and Chroma: same weights, lines and threads, in one run.

    python benchmarks/peers.py --texts FILE [--parts index cold latency] [--count 20000] [--rounds 3]
    python benchmarks/peers.py --texts FILE --parts growth --sizes 10000 100000 1000000 --peer-bound 10000
    python benchmarks/peers.py --texts FILE --parts limit

FILE holds a text a line, plain or gzipped; `--count` distinct ones are taken, evenly spaced, and as many others as are
needed for queries. Every peer has an environment of its own in the cache folder, made at its first use, and a runner of
a few lines in peer_runners/ that does what the peer's own tutorial does. In every round the peers take turns.

- index: lines to a stored index, without imports and loading, which are told beside; memory; size on disk
- cold: a new process opens the index and answers one query (kindred: `kindred query`); the disk cache is warm
- latency: queries one after the other in a process that has answered some, encoding included
- growth: index and latency for several sizes; peers up to `--peer-bound` sentences
- limit: encoding against the machine's matrix products, search against its memory (limits.py)

All run in processes of their own. Where the machine does other things too, compare CPU seconds, with one thread: two
wait for one another, and the slower of them decides. Peak memory is the kernel's; of anonymous memory, which no file
backs, it is the most that was seen in looks 50 ms apart (Linux). Records are added to --json after every run, and the
tables are of all that is there. Results: peers.md.
"""

import argparse
import gzip
import hashlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from environments import environment, versions
from peer_figures import FIGURES, OURS, Record, markdown, percentile, plot, sizes, table
from watched import ROOT, Ran, run, surroundings

from search.checkpoint import DEFAULT_ENCODER, find
from search.cli.output import say
from search.fast_build import FastBuild, build_folder
from search.files import cache_folder, write_json

RUNNERS = Path(__file__).parent / "peer_runners"
QUERIES = 200
MB = 1 << 20

PEERS = {
    OURS: (),
    "sentence_transformers": ("sentence-transformers==6.2.0",),
    "langchain": ("langchain-community==0.4.2", "langchain-huggingface", "faiss-cpu"),
    "txtai": ("txtai==9.14.0",),
    "chroma": ("chromadb==1.5.9", "sentence-transformers"),
}
"""Who is compared, and what its environment is made of; kindred runs in this one."""

TOLD = ("torch", "transformers", "numpy", "tokenizers")
"""Packages whose versions are told beside the peer's own."""


class Bench:
    """Lines, weights and environments, and where the indexes lie."""

    def __init__(self, texts: Path, encoder: str, threads: int, names: Sequence[str]) -> None:
        """Make the environments that are missing, and kindred's int8 build."""
        self._lines = distinct(texts)
        self._folder = cache_folder() / "peers" / "work"
        self._folder.mkdir(parents=True, exist_ok=True)
        self.model = str(compiled(encoder, self._folder))
        self.names = list(names)
        self.pythons = {name: environment(f"peers/{name}", PEERS[name]) for name in names if PEERS[name]}
        self.pythons[OURS] = sys.executable
        self._environment = surroundings(threads)

    def texts(self, count: int) -> Path:
        """Return a file of so many lines, evenly spaced."""
        if count + QUERIES > len(self._lines):
            raise SystemExit(f"{count:,} lines and {QUERIES} queries are more than the {len(self._lines):,} there are.")
        return self._file(f"{count}.txt", spaced(self._lines[QUERIES:], count))

    def queries(self) -> Path:
        """Return a file of queries, none of which is among the lines that are indexed."""
        return self._file("queries.txt", self._lines[:QUERIES])

    def index(self, peer: str, count: int) -> Record:
        """Make a peer's index anew."""
        folder = self._at(peer, count)
        shutil.rmtree(folder, ignore_errors=True)
        ran = self._job(peer, "build", self.model, self.texts(count), folder)
        told = json.loads(ran.output)
        disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        return {
            **_process(ran),
            **told,
            "sentences_per_second": count / told["seconds"],
            "disk_mb": disk / MB,
        }

    def cold(self, peer: str, count: int) -> Record:
        """Ask an index one query, in a new process."""
        folder, query = self.ready(peer, count), self._lines[0]
        if peer == OURS:
            asked = [sys.executable, "-m", "search", "query", str(folder), query, "--encoder", self.model]
            return _process(run(asked, self._environment))
        return _process(self._job(peer, "ask", self.model, folder, query))

    def latency(self, peer: str, count: int) -> Record:
        """Ask an index many queries, in one process."""
        ran = self._job(peer, "latency", self.model, self.ready(peer, count), self.queries())
        told = json.loads(ran.output)
        taken, worked = told["milliseconds"], told["cpu_milliseconds"]
        times = {"p50_ms": percentile(taken, 50), "p99_ms": percentile(taken, 99)}
        return {**_process(ran), **times, "cpu_p50_ms": percentile(worked, 50)}

    def limit(self, count: int) -> Record:
        """Compare kindred with the machine."""
        command = [sys.executable, str(ROOT / "benchmarks" / "limits.py"), "--encoder", self.model]
        told: Record = json.loads(run([*command, "--texts", str(self.texts(count))], self._environment).output)
        return told

    def _job(self, peer: str, *arguments: str | Path) -> Ran:
        command = [self.pythons[peer], str(RUNNERS / "measure.py"), peer, *map(str, arguments)]
        return run(command, self._environment)

    def ready(self, peer: str, count: int) -> Path:
        """Return where a peer's index is; it is made where it is missing."""
        folder = self._at(peer, count)
        if not folder.exists():
            say(f"Making {peer}'s index of {count:,} lines ...")
            self.index(peer, count)
        return folder

    def _at(self, peer: str, count: int) -> Path:
        known = hashlib.sha256(f"{self.model}\n".encode() + self.texts(count).read_bytes()).hexdigest()
        return self._folder / f"{known[:12]}-{peer}"

    def _file(self, name: str, lines: Sequence[str]) -> Path:
        path = self._folder / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


def distinct(path: Path) -> list[str]:
    """Return a file's distinct lines, blank ones left out, in an order that mixes all of the file."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        lines = list(dict.fromkeys(" ".join(line.split()) for line in file))
    queries = spaced([line for line in lines if line], QUERIES)
    taken = set(queries)
    return queries + [line for line in lines if line and line not in taken]


def spaced(lines: Sequence[str], count: int) -> list[str]:
    """Return `count` of the lines, evenly spaced."""
    return [lines[number * len(lines) // count] for number in range(min(count, len(lines)))]


def compiled(encoder: str, folder: Path) -> Path:
    """Return the folder of an encoder that has an int8 build: its own, or a copy that is compiled here."""
    found = find(encoder)
    if FastBuild.read(build_folder(found)) is not None:
        return found
    from search.compiling import compile_encoder

    copy = folder / found.name
    if not copy.exists() or FastBuild.read(build_folder(copy)) is None:
        say(f"Compiling {encoder} ...")
        shutil.copytree(found, copy, dirs_exist_ok=True)
        compile_encoder(str(copy))
    return copy


def _process(ran: Ran) -> Record:
    return {
        "process_seconds": ran.seconds,
        "cpu_seconds": ran.cpu_seconds,
        "rss_mb": ran.rss / MB,
        "anonymous_mb": None if ran.anonymous is None else ran.anonymous / MB,
    }


def machine(threads: int) -> dict[str, Any]:
    """Say what the figures were measured on."""
    cpu = platform.processor() or platform.machine()
    known = Path("/proc/cpuinfo")
    if known.exists():
        named = [line for line in known.read_text(encoding="utf-8").splitlines() if line.startswith("model name")]
        cpu = named[0].partition(":")[2].strip() if named else cpu
    return {"cpu": cpu, "cores": os.cpu_count(), "threads": threads, "python": platform.python_version()}


def measure(bench: Bench, chosen: argparse.Namespace, add: Callable[[Record], None]) -> None:
    """Do the parts that were asked for."""
    for part in ("index", "cold", "latency"):
        if part in chosen.parts:
            if part == "cold" and "index" not in chosen.parts:  # what is read for the first time is read from the disk
                for name in bench.names:
                    bench.cold(name, chosen.count)
            rounds(bench, part, bench.names, chosen.count, chosen.rounds, add)
    for count in chosen.sizes if "growth" in chosen.parts else ():
        names = [name for name in bench.names if name == OURS or count <= chosen.peer_bound]
        for part in ("index", "latency"):
            rounds(bench, part, names, count, 1, add)
    if "limit" in chosen.parts:
        count = min(chosen.count, 2000)
        add({"part": "limit", "peer": OURS, "size": count, "round": 0, **bench.limit(count)})


def rounds(bench: Bench, part: str, names: Sequence[str], count: int, many: int, add: Callable[[Record], None]) -> None:
    """Measure a part, the peers taking turns; every round begins with another of them."""
    job = {"index": bench.index, "cold": bench.cold, "latency": bench.latency}[part]
    for number in range(many):
        first = number % len(names)
        for name in [*names[first:], *names[:first]]:
            add({"part": part, "peer": name, "size": count, "round": number, **job(name, count)})


def show(records: Sequence[Record]) -> None:
    """Print a table for every part and size."""
    for part in FIGURES:
        for count in sizes(records, part):
            print(f"\n{part}, {count:,} sentences\n\n{markdown(*table(records, part, count))}")
    for one in records:
        if one["part"] == "limit":
            print(f"\n{json.dumps(one, indent=1)}")


def main() -> None:
    """Measure, and print tables of all that is in the file of records."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True)
    parts = ("index", "cold", "latency", "growth", "limit")
    parser.add_argument("--parts", nargs="*", choices=parts, default=parts[:3], help="none: only show what is there")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--count", type=int, default=20_000, help="sentences of index, cold and latency")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", nargs="+", type=int, default=[10_000, 100_000], help="sentences of growth")
    parser.add_argument("--peer-bound", type=int, default=10_000, help="peers grow to so many sentences")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--encoder", default=DEFAULT_ENCODER, help="a checkpoint, or all-MiniLM-L6-v2")
    parser.add_argument("--json", type=Path, default=Path("peers.json"), help="records, those of earlier runs included")
    parser.add_argument("--plot", type=Path, help="also draw the figures as SVG")
    chosen = parser.parse_args()
    done = json.loads(chosen.json.read_text(encoding="utf-8")) if chosen.json.exists() else {"records": []}

    def add(record: Record) -> None:
        say(json.dumps(record))
        done["records"].append(record)
        write_json(chosen.json, done)

    if chosen.parts:
        bench = Bench(chosen.texts, chosen.encoder, chosen.threads, chosen.peers)
        done["machine"] = {**machine(chosen.threads), "encoder": Path(bench.model).name}
        told = {
            name: [one.partition("==")[0] for one in needed] for name, needed in PEERS.items() if name in bench.pythons
        }
        done["versions"] = {name: versions(bench.pythons[name], [*own, *TOLD]) for name, own in told.items()}
        done["versions"][OURS] = {name: version(name) for name in ("kindred", "openvino", "faiss-cpu", *TOLD[2:])}
        measure(bench, chosen, add)
    show(done["records"])
    if chosen.plot:
        plot(done["records"], chosen.plot)


if __name__ == "__main__":
    main()
