"""The fast encoder beside the reference, in one run: sentences a second, the time of one query, and how they agree.

    python benchmarks/encoders.py --texts FILE [--encoder FOLDER] [--count 2000] [--repeat 3] [--json FILE]
    python benchmarks/encoders.py --texts FILE --trials

FILE holds a text a line, plain or gzipped; `--count` of its lines are taken, evenly spaced. Both encoders use all cores
that this process may use; their repetitions alternate, and medians are compared. The second form makes builds by other
recipes, and measures each on the texts: how the recipe of `kindred compile` was chosen. Results: encoders.md.
"""

import argparse
import gzip
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from search import compiling
from search.agreement import compare
from search.checkpoint import DEFAULT_ENCODER, find
from search.encoder import Encoder
from search.encoders import Backend, load_encoder
from search.fast_build import build_folder
from search.openvino_graph import Recipe

QUERIES = 50


def lines(path: Path, count: int) -> list[str]:
    """Return `count` distinct lines of a file, evenly spaced."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        texts = list(dict.fromkeys(line.strip() for line in file if line.strip()))
    return [texts[number * len(texts) // count] for number in range(min(count, len(texts)))]


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def rates(encoders: Mapping[str, Encoder], texts: Sequence[str], repeat: int) -> dict[str, float]:
    """Return the median sentences a second of each, in alternating repetitions after one to warm up."""
    taken: dict[str, list[float]] = {name: [] for name in encoders}
    for number in range(repeat + 1):
        for name, encoder in encoders.items():
            few = texts[:200] if number == 0 else texts
            spent = seconds(lambda encoder=encoder, few=few: encoder.encode(few))  # type: ignore[misc]
            if number:
                taken[name].append(len(few) / spent)
    return {name: statistics.median(values) for name, values in taken.items()}


def query_times(encoders: Mapping[str, Encoder], texts: Sequence[str]) -> dict[str, float]:
    """Return the median milliseconds of encoding one text, alternating, after each text's length was seen once."""
    taken: dict[str, list[float]] = {name: [] for name in encoders}
    for text in texts[:QUERIES]:
        for name, encoder in encoders.items():
            encoder.encode([text])
            taken[name].append(1000 * seconds(lambda encoder=encoder, text=text: encoder.encode([text])))  # type: ignore[misc]
    return {name: statistics.median(values) for name, values in taken.items()}


def side_by_side(name: str, texts: Sequence[str], repeat: int) -> dict[str, Any]:
    """Measure both backends of an encoder."""
    begin = time.perf_counter()
    fast = load_encoder(name, backend=Backend.OPENVINO)
    middle = time.perf_counter()
    reference = load_encoder(name, backend=Backend.TORCH, device="cpu")
    end = time.perf_counter()
    encoders = {"torch": reference, "openvino": fast}
    rate, query = rates(encoders, texts, repeat), query_times(encoders, texts)
    agreement = compare(reference.encode(texts), fast.encode(texts), reference.passport)
    return {
        "texts": len(texts),
        "threads": torch.get_num_threads(),
        "sentences_per_second": rate,
        "speed_ratio": rate["openvino"] / rate["torch"],
        "one_query_ms": query,
        "load_seconds": {"torch": end - middle, "openvino": middle - begin},
        "agreement": asdict(agreement),
    }


TRIALS = (
    Recipe("nothing apart", smooth=0.7, apart=0),
    Recipe("two units apart", smooth=0.7, apart=2),
    Recipe("in use", smooth=0.7, apart=8),
    Recipe("32 units apart", smooth=0.7, apart=32),
    Recipe("less smoothing", smooth=0.5, apart=8),
    Recipe("nncf's own smoothing", smooth=0.95, apart=8),
    Recipe("careful", smooth=0.7, apart=8, careful=True),
)


def trials(name: str, texts: Sequence[str]) -> list[dict[str, Any]]:
    """Make a build by each recipe in a copy of the checkpoint; measure agreement, size and speed of one core."""
    expected = load_encoder(name, backend=Backend.TORCH, device="cpu").encode(texts)
    found = []
    for recipe in TRIALS:
        with tempfile.TemporaryDirectory() as work:
            folder = Path(work) / "checkpoint"
            shutil.copytree(find(name), folder, ignore=shutil.ignore_patterns("openvino"))
            compiling.compile_encoder(str(folder), recipes=[recipe])
            encoder = load_encoder(str(folder), backend=Backend.OPENVINO)
            encoder.encode(texts)
            begin = time.process_time()
            encoded = encoder.encode(texts)
            spent = time.process_time() - begin
            size = sum(path.stat().st_size for path in build_folder(folder).iterdir())
            agreement = asdict(compare(expected, encoded, encoder.passport))
            found.append(
                {"recipe": asdict(recipe), "bytes": size, "cpu_ms_a_text": 1000 * spent / len(texts), **agreement}
            )
            print(found[-1], flush=True)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--trials", action="store_true", help="make builds by several recipes and measure each")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    chosen = parser.parse_args()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    texts = lines(chosen.texts, chosen.count)
    found = trials(chosen.encoder, texts) if chosen.trials else [side_by_side(chosen.encoder, texts, chosen.repeat)]
    for one in found:
        print(json.dumps(one, indent=2))
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
