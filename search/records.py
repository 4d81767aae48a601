"""What flows between the stages: sentences in, hits, pairs and clusters out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Cluster", "Entry", "Hit", "IndexedSource", "Link", "Pair", "Refused", "Sentence", "Source"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A unit of text and where it came from.

    `line` counts from 1; of PDF it is the page, of a Word document the paragraph, of Parquet the row. `start` and `end`
    are character offsets, `end` exclusive: into the decoded file for text files, into the cell for tables, into
    `documents.document_text` for documents.
    """

    text: str
    source: str
    line: int
    start: int
    end: int
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read: its size in bytes, the SHA-256 of its content, and how many sentences it gave."""

    name: str
    size: int
    sha256: str
    sentences: int


@dataclass(frozen=True, slots=True)
class IndexedSource:
    """A source as an index holds it: rows `first` to `first + rows` of the index are its sentences.

    Attributes:
        number: counts the sources that the index ever had, from 1.
        name: as the user gave it.
        path: where the file is, absolute; "" where there is none (standard input).
        reading: how the file was cut into sentences; another way of reading gives other rows.
        first: its first row.
        rows: how many rows it has.
        size: the file's bytes; None, like all that follows, until the file has been read to its end.
        modified: the file's time of change in nanoseconds; None also where that proves nothing.
        sha256: of the file's content.
        digest: of its sentences, in their order, and its content.
    """

    number: int
    name: str
    path: str
    reading: str
    first: int
    rows: int
    size: int | None = None
    modified: int | None = None
    sha256: str | None = None
    digest: str | None = None

    @property
    def key(self) -> str:
        """Return what makes it this source and no other: where it is, or its name where it is no file."""
        return self.path or self.name

    @property
    def complete(self) -> bool:
        """Say whether the file has been read to its end."""
        return self.digest is not None


@dataclass(frozen=True, slots=True)
class Entry:
    """A sentence in an index: row `row` of the vectors is this sentence's.

    `label` and `probability` are the encoder's most likely label; None where the encoder has no labels.
    """

    row: int
    sentence: Sentence
    label: str | None
    probability: float | None

    def place(self) -> dict[str, Any]:
        """Return text, source, line and row, as programs read them in pairs and clusters."""
        return {
            "text": self.sentence.text,
            "source": self.sentence.source,
            "line": self.sentence.line,
            "row": self.row,
        }


@dataclass(frozen=True, slots=True)
class Hit:
    """A sentence found for a query.

    `score` is in [-1, 1], larger is nearer, and is (1-w) * `meaning` + w * `sentiment`. `sentiment` is None
    where the encoder has no labels. `rank` counts from 1.
    """

    rank: int
    score: float
    meaning: float
    sentiment: float | None
    entry: Entry

    def to_dict(self) -> dict[str, Any]:
        """Return the hit as one flat object, as `--json` prints it."""
        sentence = self.entry.sentence
        return {
            "rank": self.rank,
            "score": self.score,
            "meaning": self.meaning,
            "sentiment": self.sentiment,
            "label": self.entry.label,
            "probability": self.entry.probability,
            "text": sentence.text,
            "source": sentence.source,
            "line": sentence.line,
            "start": sentence.start,
            "end": sentence.end,
            "row": self.entry.row,
            "metadata": dict(sentence.metadata),
        }


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sentences that say the same.

    `level` is what found it: "exact", "near" or "semantic". `a` comes before `b` in the index; where an index or files
    are compared with others, `a` is one of the others.
    """

    score: float
    level: str
    a: Entry
    b: Entry
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """Return the pair as `--json` prints it."""
        return {
            "score": self.score,
            "level": self.level,
            "a": self.a.place(),
            "b": self.b.place(),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Refused:
    """Two sentences that would be a `Pair`, had the guard not found a difference that counts.

    `reason` is the guard's code for it ("negation", "number", ...), `words` are those that caused it.
    """

    score: float
    level: str
    a: Entry
    b: Entry
    reason: str
    words: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the refusal as `--json` prints it."""
        return {
            "score": self.score,
            "level": self.level,
            "a": self.a.place(),
            "b": self.b.place(),
            "reason": self.reason,
            "words": list(self.words),
        }


@dataclass(frozen=True, slots=True)
class Link:
    """What ties a member to its survivor: the score and the level of their pair.

    Of sentences that are equal, one stands for all; a member's link may be that of its equal.
    """

    score: float
    level: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """Sentences that say the same as their survivor; `members` are the others, in row order, each with its link."""

    survivor: Entry
    members: tuple[Entry, ...]
    links: tuple[Link, ...]

    @property
    def size(self) -> int:
        """Return the number of sentences, survivor included."""
        return 1 + len(self.members)

    def to_dict(self) -> dict[str, Any]:
        """Return the cluster as `--json` prints it."""
        members = [
            {**member.place(), "score": link.score, "level": link.level}
            for member, link in zip(self.members, self.links, strict=True)
        ]
        return {"survivor": self.survivor.place(), "members": members}
