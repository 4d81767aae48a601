"""sentence-transformers: `encode`, kept as an array and a list of texts, and `semantic_search`."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import semantic_search


def load(model: str) -> SentenceTransformer:
    """Load the encoder."""
    return SentenceTransformer(model)


def build(encoder: SentenceTransformer, texts: Path, folder: Path) -> None:
    """Encode and store a file of lines."""
    lines = texts.read_text().splitlines()
    folder.mkdir()
    np.save(folder / "embeddings.npy", encoder.encode(lines))
    (folder / "texts.json").write_text(json.dumps(lines))


def opened(model: str, folder: Path) -> Callable[[str], list[str]]:
    """Open what was stored, to ask it."""
    encoder = SentenceTransformer(model)
    embeddings = np.load(folder / "embeddings.npy")
    lines = json.loads((folder / "texts.json").read_text())

    def ask(query: str) -> list[str]:
        row = encoder.encode([query])
        hits = semantic_search(row, embeddings, top_k=10)[0]  # type: ignore[arg-type] # it takes arrays as well
        return [lines[int(hit["corpus_id"])] for hit in hits]

    return ask
