"""nDCG@10 on a BEIR folder by meaning, by words, and by both.

    python benchmarks/words_and_meaning.py scifact/ --encoder kindred-mini

The folder holds `corpus.jsonl`, `queries.jsonl` and `qrels/test.tsv` (or `qrels.tsv`). A document's title and text are
one row of the index.
"""

import argparse
import csv
import gzip
import json
import math
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from search.data_records import Records
from search.encoders import load_encoder
from search.index import Index
from search.indexing import build_index
from search.query import Searcher
from search.words import Match

_K = 10


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _file(folder: Path, *names: str) -> Path:
    return next(folder / name for name in names if (folder / name).exists())


def _qrels(path: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as file:
        for query, document, score in list(csv.reader(file, delimiter="\t"))[1:]:
            found[query][document] = int(score)
    return found


def ndcg(ranking: list[str], relevant: dict[str, int]) -> float:
    """Return nDCG@10 of a ranking of documents."""
    gains = [relevant.get(document, 0) / math.log2(rank + 2) for rank, document in enumerate(ranking[:_K])]
    ideal = sorted(relevant.values(), reverse=True)[:_K]
    best = sum(gain / math.log2(rank + 2) for rank, gain in enumerate(ideal))
    return sum(gains) / best if best else 0.0


def measure(folder: Path, encoder: str, limit: int | None) -> dict[str, Any]:
    """Index the corpus, ask every query that has judgements, and return nDCG@10 of each way."""
    loaded = load_encoder(encoder)
    documents = (
        {"text": f"{one.get('title', '')}. {one['text']}".strip(". "), "id": one["_id"]}
        for one in _lines(_file(folder, "corpus.jsonl", "corpus.jsonl.gz"))
    )
    qrels = _qrels(_file(folder, "qrels/test.tsv", "qrels_test.tsv", "qrels.tsv"))
    queries = {
        one["_id"]: one["text"]
        for one in _lines(_file(folder, "queries.jsonl", "queries.jsonl.gz"))
        if one["_id"] in qrels
    }
    asked = list(queries)[:limit]
    result: dict[str, Any] = {"encoder": encoder, "queries": len(asked)}
    with tempfile.TemporaryDirectory(prefix="kindred-words-") as name:
        began = time.perf_counter()
        build_index(Records(documents, "corpus"), Path(name) / "index", loaded)
        result["index_seconds"] = round(time.perf_counter() - began, 1)
        with Index(Path(name) / "index", loaded) as index:
            result["documents"] = len(index)
            searcher = Searcher(index, loaded)
            for match in Match:
                found = searcher.search([queries[query] for query in asked], k=_K, sentiment="any", match=match)
                scores = [
                    ndcg([str(hit.entry.sentence.metadata["id"]) for hit in hits], qrels[query])
                    for query, hits in zip(asked, found, strict=True)
                ]
                result[match] = round(sum(scores) / len(scores), 4)
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--encoder", default="kindred-mini")
    parser.add_argument("--limit", type=int, help="only so many queries")
    options = parser.parse_args()
    print(json.dumps(measure(options.folder, options.encoder, options.limit)))
