"""Files to an index: sentences are read, encoded and written a window at a time."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from search.corpus import Corpus
from search.encoder import Encoder
from search.index_writer import IndexWriter, best_labels
from search.manifest import Manifest
from search.progress import SILENT, Progress
from search.records import Sentence

__all__ = ["build_index", "default_name"]

_WINDOW = 4096
"""Sentences in memory at a time; enough that batches of like length can be made of them."""


def default_name(pattern: str) -> str:
    """Return the name of an index of a file, folder or glob: its last part without suffix."""
    path = Path(pattern)
    name = path.resolve().name if path.is_dir() else path.name.partition(".")[0].strip("*?[]-_ ")
    return name or "index"


def build_index(
    corpus: Corpus, folder: Path, encoder: Encoder, *, overwrite: bool = False, progress: Progress = SILENT
) -> Manifest:
    """Encode a corpus into an index folder. The folder counts as an index only when all is done.

    Equal texts are encoded once.

    Raises:
        InputError: a file cannot be used; names file and line.
        OutputError: the folder exists.
    """
    with IndexWriter(folder, encoder.passport, overwrite=overwrite) as writer:
        progress.start("indexing", corpus.total_bytes, "bytes")
        count = 0
        for window in _windows(corpus):
            _append(window, encoder, writer)
            count += len(window)
            progress.advance(corpus.bytes_read, f"{count:,} sentences")
        progress.finish()
        return writer.commit(corpus.sources)


def _windows(corpus: Corpus) -> Iterator[list[Sentence]]:
    sentences = iter(corpus)
    while window := list(islice(sentences, _WINDOW)):
        yield window


def _append(window: list[Sentence], encoder: Encoder, writer: IndexWriter) -> None:
    texts = list(dict.fromkeys(sentence.text for sentence in window))
    known = writer.known(texts)
    fresh = [text for text in texts if text not in known]
    encoded = encoder.encode(fresh)
    found = {
        text: (vector, *label)
        for text, vector, label in zip(fresh, encoded.rows, best_labels(encoded, encoder.passport), strict=True)
    }
    found.update((text, writer.encoded(row)) for text, row in known.items())
    chosen = [found[sentence.text] for sentence in window]
    writer.append(window, np.stack([one[0] for one in chosen]), [(one[1], one[2]) for one in chosen])
