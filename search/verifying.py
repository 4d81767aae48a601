"""Whether all of an index is as it was written: files, rows, sentences, sources, and the encoder."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from search.canaries import LEAST_COSINE
from search.encoder import Encoder
from search.errors import IndexFolderError
from search.files import sha256_of_file
from search.index_reader import IndexReader
from search.manifest import Layout
from search.progress import SILENT, Progress
from search.records import IndexedSource
from search.sentence_file import SentenceFile
from search.stored import sentence_bytes

__all__ = ["Verified", "verify_index"]

_SENTENCES = 16


@dataclass(frozen=True, slots=True)
class Verified:
    """How many sentences were looked at and how many texts encoded again, and what is wrong with the index."""

    sentences: int
    canaries: int
    problems: tuple[str, ...]


def verify_index(folder: Path, encoder: Encoder | None = None, *, progress: Progress = SILENT) -> Verified:
    """Check all of an index, and, where an encoder is given, that it makes the rows that are there.

    Raises:
        IndexFolderError: the folder is no index that can be opened; says what is wrong.
    """
    with IndexReader(folder) as index, SentenceFile(Layout(folder).sentences(index.manifest.build)) as file:
        problems: list[str] = []
        if told := file.problem():
            problems.append(f"SQLite: {told}")
        problems += _blocks(index, file)
        problems += _structure(index)
        progress.start("verifying", index.manifest.count, "sentences")
        done = 0
        for source in index.sources:
            problems += _source(index, file, source)
            done += source.rows
            progress.advance(done)
        progress.finish()
        digests = sorted(source.digest for source in index.sources if source.digest is not None)
        if hashlib.sha256("\n".join(digests).encode()).hexdigest() != index.manifest.digest:
            problems.append("the digest is not that of the sources")
        again = 0
        if encoder is not None and not problems:
            index.check_encoder(encoder)
            for check in (_encoded_again, _canaries):
                count, wrong = check(index, encoder)
                again += count
                problems += wrong
        return Verified(index.manifest.count, again, tuple(problems))


def _blocks(index: IndexReader, file: SentenceFile) -> Iterator[str]:
    """Compare the rows with their checksums."""
    expected = 0
    for block in file.blocks(index.manifest.rows):
        rows = index.vectors[block.first : block.first + block.rows]
        if block.first != expected or hashlib.sha256(rows.tobytes()).hexdigest() != block.sha256:
            yield f"rows {block.first} to {block.first + block.rows - 1} are not as they were written"
        expected = block.first + block.rows
    if expected != index.manifest.rows:
        yield f"checksums of {expected} rows, the manifest says {index.manifest.rows}"


def _structure(index: IndexReader) -> Iterator[str]:
    """Compare the search structure with its checksum."""
    if index.notice:
        yield f"{index.notice} Queries search exactly, which is slower."
    elif (file := index.manifest.store.file) is not None:
        path = Layout(index.folder).structures / file.name
        if sha256_of_file(path) != file.sha256:
            yield f"{path} is damaged. Queries may miss sentences."


def _source(index: IndexReader, file: SentenceFile, source: IndexedSource) -> Iterator[str]:
    """Compare the sentences of a source with their proofs, and all of them with its digest."""
    digest, found, damaged = hashlib.sha256(), 0, 0
    try:
        for stored, proof in file.consecutive(source.first, source.rows):
            if not stored.is_whole(proof, index.vectors[stored.row]):
                yield f"row {stored.row} ({source.name}:{stored.line}) is damaged: its sentence or its vector"
                damaged += 1
            else:
                digest.update(sentence_bytes(stored.sentence(source.name)))
            found += 1
    except IndexFolderError as exc:
        yield str(exc)
        return
    if found != source.rows:
        yield f"{source.name}: {found} sentences, there should be {source.rows}"
    digest.update(str(source.sha256).encode())
    if source.complete and not damaged and digest.hexdigest() != source.digest:
        yield f"{source.name}: its sentences are not those that were read"


def _canaries(index: IndexReader, encoder: Encoder) -> tuple[int, list[str]]:
    """Compare the canaries; return how many, and what is wrong."""
    canaries = index.manifest.origin.canaries
    if canaries is None:
        return 0, []
    likeness = canaries.compare(encoder)
    # A build was compared with its checkpoint when it was made; a canary's label may differ more than a precision's.
    same = likeness.same if canaries.backend == encoder.passport.backend else likeness.cosine >= LEAST_COSINE
    told = [] if same else [f"the encoder makes other rows of the canaries: {likeness}"]
    return len(canaries.texts), told


def _encoded_again(index: IndexReader, encoder: Encoder) -> tuple[int, list[str]]:
    """Encode some sentences again and compare; return how many, and what is wrong."""
    rows = [row for row, _ in index.texts()]
    chosen = rows[:: max(1, len(rows) // _SENTENCES)][:_SENTENCES]
    entries = index.entries(chosen)
    made = encoder.encode([entry.sentence.text for entry in entries]).rows
    d = index.passport.meaning_dim
    scores = (made[:, :d] * index.vectors[chosen][:, :d]).sum(axis=1)
    blank = ~np.any(made[:, :d], axis=1)  # a text without meaning is a row of zeros
    return len(chosen), [
        f"row {row}: the encoder makes another row of its sentence (cosine {score:.3f})"
        for row, score, zero in zip(chosen, scores.tolist(), blank.tolist(), strict=True)
        if score < LEAST_COSINE and not zero
    ]
