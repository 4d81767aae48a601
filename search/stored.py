"""What stands in the SQLite file of an index: sentences, and the proofs that they are as they were written."""

import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any

from search.records import IndexedSource, Sentence
from search.similarity import Vectors

__all__ = ["Block", "StoredSentence", "content_hash", "metadata_json", "sentence_bytes", "source_proof"]

_HALF = 8
"""Bytes of each half of a proof."""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that were committed together, and the SHA-256 of their bytes in the file of vectors."""

    first: int
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class StoredSentence:
    """A row of the table of sentences, as it stands there; the metadata is JSON."""

    row: int
    text: str
    line: int
    start: int
    end: int
    label: str | None
    probability: float | None
    metadata: str

    def holds(self, sentence: Sentence) -> bool:
        """Say whether this is that sentence, its place and metadata included."""
        mine = (self.text, self.line, self.start, self.end, self.metadata)
        return mine == (sentence.text, sentence.line, sentence.start, sentence.end, metadata_json(sentence))

    def sentence(self, source: str) -> Sentence:
        """Return the sentence as one of a source; ask for the proof first."""
        return Sentence(self.text, source, self.line, self.start, self.end, json.loads(self.metadata))

    def proof(self, vector: Vectors) -> bytes:
        """Return 16 bytes: 8 that stand for the sentence alone, and 8 for it and its vector together."""
        digest = self._digest()
        alone = digest.digest()
        digest.update(vector.tobytes())
        return alone + digest.digest()

    def is_whole(self, proof: bytes, vector: Vectors) -> bool:
        """Say whether sentence and vector are those of a proof; earlier versions wrote its second half alone."""
        halves = {_HALF, 2 * _HALF}
        return self._readable(proof) and len(proof) in halves and self.proof(vector).endswith(proof)

    def is_whole_alone(self, proof: bytes) -> bool:
        """Say whether the sentence is that of a proof, whatever its vector is; never where only that could tell."""
        return self._readable(proof) and len(proof) == 2 * _HALF and self._digest().digest() == proof[:_HALF]

    def _digest(self) -> "hashlib.blake2b":
        fields = (self.row, self.line, self.start, self.end, self.label, self.probability, len(self.text))
        return hashlib.blake2b(f"{fields!r}{self.text}{self.metadata}".encode(), digest_size=_HALF)

    def _readable(self, proof: object) -> bool:
        """Say whether text is where text must be, and bytes; in a damaged file anything may be anywhere."""
        return isinstance(self.text, str) and isinstance(self.metadata, str) and isinstance(proof, bytes)


def content_hash(text: str) -> int:
    """Return a signed 64-bit number that stands for a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def sentence_bytes(one: Sentence) -> bytes:
    """Return what of a sentence goes into its source's digest."""
    return f"{len(one.text)} {one.text} {one.line} {one.start} {one.end}\n".encode("utf-8", "replace")


def source_proof(source: IndexedSource) -> bytes:
    """Return 8 bytes that stand for a source."""
    fields = (source.number, source.name, source.path, source.reading, source.first, source.rows)
    content = (source.size, source.sha256, source.digest)
    return hashlib.blake2b(repr(fields + content).encode(), digest_size=8).digest()


def metadata_json(sentence: Sentence) -> str:
    """Return the metadata of a sentence as JSON that SQLite reads."""
    try:
        return json.dumps(dict(sentence.metadata), ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:
        return json.dumps(_without_nan(dict(sentence.metadata)), ensure_ascii=False, default=str)


def _without_nan(value: Any) -> Any:
    """Return a value with None for numbers that JSON does not have, and SQLite does not read."""
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
