"""Texts to rows, each text once: one that the index has had before keeps its row."""

from collections.abc import Iterable

from search.encoder import Encoder, Label, best_labels
from search.index_writer import IndexWriter
from search.similarity import Vectors

__all__ = ["encoded_once"]


def encoded_once(texts: Iterable[str], encoder: Encoder, writer: IndexWriter) -> dict[str, tuple[Vectors, Label]]:
    """Return each text's row and label: what the index has of it, or what the encoder makes of it now."""
    asked = list(dict.fromkeys(texts))
    found = writer.known(asked)
    fresh = [text for text in asked if text not in found]
    encoded = encoder.encode(fresh)
    labels = best_labels(encoded, encoder.passport)
    found.update((text, (row, label)) for text, row, label in zip(fresh, encoded.rows, labels, strict=True))
    return found
