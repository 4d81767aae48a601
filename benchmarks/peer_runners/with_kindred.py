"""kindred: the job of `kindred index`, called from Python."""

from collections.abc import Callable
from pathlib import Path

from search.corpus import Corpus
from search.encoder import Encoder
from search.encoders import load_encoder
from search.index import Index
from search.indexing import build_index


def load(model: str) -> Encoder:
    """Load the encoder; its int8 build, where it has one."""
    return load_encoder(model)


def build(encoder: Encoder, texts: Path, folder: Path) -> None:
    """Encode and store a file of lines."""
    build_index(Corpus([str(texts)]), folder, encoder)


def opened(model: str, folder: Path) -> Callable[[str], list[str]]:
    """Open what was stored, to ask it."""
    index = Index.open(folder, encoder=model)
    return lambda query: [hit.entry.sentence.text for hit in index.search([query], k=10)[0]]
