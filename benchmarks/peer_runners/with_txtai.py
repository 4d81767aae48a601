"""txtai: `Embeddings` with content, as its introduction does; its own loader takes the encoder's mean pooling."""

from collections.abc import Callable
from pathlib import Path

from txtai import Embeddings


def load(model: str) -> Embeddings:
    """Load the encoder."""
    return Embeddings(path=model, content=True)


def build(embeddings: Embeddings, texts: Path, folder: Path) -> None:
    """Encode and store a file of lines."""
    embeddings.index(texts.read_text().splitlines())
    embeddings.save(str(folder))


def opened(model: str, folder: Path) -> Callable[[str], list[str]]:  # noqa: ARG001 - what was stored names its encoder
    """Open what was stored, to ask it."""
    embeddings = Embeddings()
    embeddings.load(str(folder))
    return lambda query: [hit["text"] for hit in embeddings.search(query, 10)]
