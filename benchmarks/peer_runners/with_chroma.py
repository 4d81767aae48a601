"""Chroma: a persistent client and its sentence-transformers function, texts added in batches as large as it allows."""

from collections.abc import Callable
from pathlib import Path

import chromadb
from chromadb.utils.embedding_functions import SentenceTransformerEmbeddingFunction


def load(model: str) -> SentenceTransformerEmbeddingFunction:
    """Load the encoder."""
    return SentenceTransformerEmbeddingFunction(model_name=model)


def build(encoder: SentenceTransformerEmbeddingFunction, texts: Path, folder: Path) -> None:
    """Encode and store a file of lines."""
    client = chromadb.PersistentClient(str(folder))
    collection = client.create_collection("texts", embedding_function=encoder)
    lines = texts.read_text().splitlines()
    most = client.get_max_batch_size()
    for start in range(0, len(lines), most):
        some = lines[start : start + most]
        collection.add(ids=[str(start + number) for number in range(len(some))], documents=some)


def opened(model: str, folder: Path) -> Callable[[str], list[str]]:
    """Open what was stored, to ask it."""
    encoder = SentenceTransformerEmbeddingFunction(model_name=model)
    collection = chromadb.PersistentClient(str(folder)).get_collection("texts", embedding_function=encoder)
    return lambda query: collection.query(query_texts=[query], n_results=10)["documents"][0]
