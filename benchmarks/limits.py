"""How far kindred is from what the machine can do: encoding against matrix products, search against reading memory.

    python benchmarks/limits.py --texts FILE [--encoder FOLDER] [--rows 300000] [--repeat 5]

Both sides of a ratio are measured in turn, and medians compared. The products are those of the encoder's layers (six
times 384 by 384, 384 by 1536, ... for kindred-mini) over 1,024 tokens, one after the other with nothing between, run by
OpenVINO in float32 and in int8. What encoding reaches counts the products of real tokens alone, attention included:
padding, tokenising, norms and softmax are what is lost. A search reads every row once, so it cannot be faster than
memory is: numpy's sum, and OpenBLAS's product with one vector, over the same bytes.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from search.checkpoint import DEFAULT_ENCODER, find
from search.encoders import load_encoder
from search.fast_build import TOKENIZER, build_folder
from search.openvino_engine import ALL_CORES, without
from search.store_faiss import FaissStore

TOKENS = 1024
REPEATED = 20


def products(config: Mapping[str, int]) -> list[tuple[int, int]]:
    """Return (in, out) of the products that every token goes through: a layer has 4 of attention, 2 of feed-forward."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    return ([(hidden, hidden)] * 4 + [(hidden, inner), (inner, hidden)]) * config["num_hidden_layers"]


def operations(config: Mapping[str, int], lengths: Sequence[int]) -> int:
    """Return multiplications and additions of encoding texts of so many tokens each."""
    a_token = sum(2 * rows * columns for rows, columns in products(config))
    attention = 4 * config["hidden_size"] * config["num_hidden_layers"]  # scores, and their sums: both length x hidden
    return sum(length * a_token + attention * length * length for length in lengths)


def chain(config: Mapping[str, int], *, int8: bool) -> Callable[[], object]:
    """Return what runs the products of the encoder's layers over 1,024 tokens, in as many streams as encoding has."""
    with without("openvino.tools.ovc"):
        import openvino
        from openvino import opset13 as ops
    random = np.random.default_rng(0)
    tokens = ops.parameter([TOKENS, config["hidden_size"]], np.float32)
    node: Any = tokens
    for rows, columns in products(config):
        weights: Any = random.integers(-127, 128, (rows, columns)).astype(np.int8 if int8 else np.float32)
        scale = np.float32(1 / (127 * np.sqrt(rows)))
        weights = ops.constant(weights if int8 else weights * scale)
        if int8:
            low, high = np.float32(-4), np.float32(4 * 127 / 128)
            node = ops.fake_quantize(node, low, high, low, high, 256)
            weights = ops.multiply(ops.convert(weights, np.float32), ops.constant(scale))
        node = ops.matmul(node, weights, False, False)  # noqa: FBT003 - neither is transposed
    compiled = openvino.Core().compile_model(openvino.Model([node], [tokens]), "CPU", dict(ALL_CORES))
    streams = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
    requests = [compiled.create_infer_request() for _ in range(2 * streams)]
    batch = random.standard_normal((TOKENS, config["hidden_size"])).astype(np.float32)

    def run() -> None:
        for number in range(REPEATED):
            request = requests[number % len(requests)]
            request.wait()
            request.start_async([batch])
        for request in requests:
            request.wait()

    return run


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def alternating(jobs: Mapping[str, Callable[[], object]], repeat: int) -> dict[str, float]:
    """Return the median seconds of each job, in alternating repetitions after one to warm up."""
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for number in range(repeat + 1):
        for name, job in jobs.items():
            spent = seconds(job)
            if number:
                taken[name].append(spent)
    return {name: statistics.median(values) for name, values in taken.items()}


def encoding(name: str, texts: Sequence[str], repeat: int) -> dict[str, float]:
    """Measure encoding beside the products alone, in 10^9 operations a second."""
    from tokenizers import Tokenizer

    folder = find(name)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(str(build_folder(folder) / TOKENIZER))
    tokenizer.no_padding()
    lengths = [len(one.ids) for one in tokenizer.encode_batch_fast(list(texts))]
    encoder = load_encoder(name)
    jobs: dict[str, Callable[[], object]] = {
        "encoding": lambda: encoder.encode(texts),
        "tokenising": lambda: tokenizer.encode_batch_fast(list(texts)),
        "int8": chain(config, int8=True),
        "float32": chain(config, int8=False),
    }
    taken = alternating(jobs, repeat)
    product = REPEATED * TOKENS * sum(2 * rows * columns for rows, columns in products(config))
    reached, most = operations(config, lengths) / taken["encoding"], product / taken["int8"]
    return {
        "int8_products_gops": most / 1e9,
        "float32_products_gops": product / taken["float32"] / 1e9,
        "encoding_gops": reached / 1e9,
        "encoding_share_of_int8": reached / most,
        "encoding_sentences_per_second": len(texts) / taken["encoding"],
        "encoding_tokens_per_second": sum(lengths) / taken["encoding"],
        "tokenising_share_of_encoding": taken["tokenising"] / taken["encoding"],
    }


def scanning(rows: int, width: int, repeat: int) -> dict[str, float]:
    """Measure one query over all rows beside reading them, in 10^9 bytes a second."""
    vectors = np.random.default_rng(0).standard_normal((rows, width), dtype=np.float32)
    query = vectors[:1].copy()
    store = FaissStore(vectors)
    jobs: dict[str, Callable[[], object]] = {
        "scan": lambda: store.search(query, 10),
        "sum": vectors.sum,
        "product": lambda: vectors @ query[0],
    }
    taken = {name: vectors.nbytes / spent / 1e9 for name, spent in alternating(jobs, repeat).items()}
    return {
        "scan_gb_per_second": taken["scan"],
        "numpy_sum_gb_per_second": taken["sum"],
        "numpy_product_gb_per_second": taken["product"],
        "scan_share_of_reading": taken["scan"] / max(taken["sum"], taken["product"]),
    }


def measure(name: str, texts: Sequence[str], rows: int, repeat: int) -> dict[str, float]:
    """Measure both."""
    width = load_encoder(name).passport.width
    return {**encoding(name, texts, repeat), **scanning(rows, width, repeat)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True, help="a file of lines")
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--rows", type=int, default=300_000, help="rows that are searched")
    parser.add_argument("--repeat", type=int, default=5)
    chosen = parser.parse_args()
    texts = chosen.texts.read_text(encoding="utf-8").splitlines()
    print(json.dumps(measure(chosen.encoder, texts, chosen.rows, chosen.repeat)))


if __name__ == "__main__":
    main()
