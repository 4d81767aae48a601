"""What the HTTP API takes and gives, as its OpenAPI description says it."""

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from search.filters import Filter
from search.query import DEFAULT_K
from search.service import Asked
from search.words import Match

__all__ = [
    "LONGEST_TEXT",
    "MOST_HITS",
    "MOST_ROWS",
    "MOST_TEXTS",
    "Ask",
    "AskMany",
    "Asking",
    "Candidates",
    "Duplicated",
    "Duplicates",
    "Embedded",
    "Health",
    "Hits",
    "Info",
    "Lowest",
    "Options",
    "Problem",
    "Reach",
    "Rows",
    "Searching",
    "Texts",
    "Weighed",
    "Why",
]

MOST_HITS, MOST_TEXTS, LONGEST_TEXT = 200, 256, 10_000
"""Hits of a query, texts of a request, characters of a text: more is refused."""

MOST_ROWS = 100
"""Rows whose texts are asked for at once."""

_BODY = ConfigDict(extra="forbid", strict=True)  # in JSON true is no number, nor is "0.5"; an address has only text

_Text = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT)]
_Short = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class Options(BaseModel):
    """What a search is asked for, beside its text."""

    model_config = ConfigDict(extra="forbid")

    k: int = Field(DEFAULT_K, ge=1, le=MOST_HITS, description="How many hits.")
    sentiment: _Short | None = Field(
        None, description="same, opposite, any, or a label.", examples=["opposite", "positive"]
    )
    weight: float | None = Field(None, ge=0, le=1, description="How much of the score is sentiment.")
    match: Match = Field(Match.MEANING, strict=False, description="What sentences are found by.")
    where: _Short | None = Field(None, description="A condition on metadata.", examples=["rating >= 4"])
    source: list[_Short] = Field([], max_length=20, description="Patterns, one of which a sentence's source fits.")
    label: list[_Short] = Field([], max_length=20, description="Labels, one of which a sentence has.")

    def asked(self) -> Asked:
        """Return this as the service takes it."""
        only = Filter(self.where, tuple(self.source), tuple(self.label))
        return Asked(self.k, self.sentiment, self.weight, only, self.match)


class Ask(Options):
    """One query, in the address."""

    q: _Text = Field(description="The text.", examples=["the room was freezing"])
    explain: bool = Field(default=False, description="Say which words carry each score.")


class AskMany(Options):
    """Several queries."""

    model_config = _BODY
    queries: list[_Text] = Field(min_length=1, max_length=MOST_TEXTS, examples=[["a quiet room", "rude staff"]])


class Texts(BaseModel):
    """Texts to be encoded."""

    model_config = _BODY
    texts: list[_Text] = Field(min_length=1, max_length=MOST_TEXTS, examples=[["a quiet room"]])


class Duplicated(BaseModel):
    """A text whose duplicates are looked for."""

    model_config = _BODY
    text: _Text = Field(examples=["How do I reset my router?"])
    threshold: float = Field(0.9, ge=-1, le=1, description="The lowest score of a duplicate.")
    weight: float | None = Field(None, ge=0, le=1)


class Reach(BaseModel):
    """How much is given around a row."""

    model_config = ConfigDict(extra="forbid")
    reach: int = Field(2, ge=0, le=20, description="Sentences before it, and after it.")


class Lowest(BaseModel):
    """What counts as duplicates."""

    model_config = ConfigDict(extra="forbid")
    threshold: float | None = Field(None, ge=-1, le=1, description="The lowest score.")


class Weighed(BaseModel):
    """What a map is of."""

    model_config = ConfigDict(extra="forbid")
    weight: float = Field(0.0, ge=0, le=1, description="How far feelings take part.")


class Rows(BaseModel):
    """Rows whose texts are asked for."""

    model_config = ConfigDict(extra="forbid")
    row: list[int] = Field(min_length=1, max_length=MOST_ROWS)


class Why(Rows):
    """Rows whose scores are to be explained."""

    q: _Text = Field(description="The text that was asked.", examples=["the room was freezing"])
    sentiment: _Short | None = Field(None, description="As it was asked.", examples=["opposite", "positive"])
    weight: float | None = Field(None, ge=0, le=1, description="As it was asked.")


class Hits(BaseModel):
    """Hits, best first; the fields of each are those of `kindred query --json`."""

    query: str
    hits: list[dict[str, Any]]


class Candidates(BaseModel):
    """Sentences that score the threshold or more, best first: hits, each with the guard's verdict.

    `verdict` is "same" or "refused"; `reason` is then the guard's code (negation, opposite, date, number, unit,
    version, identifier, name, feeling), and `words` are those that caused it.
    """

    query: str
    hits: list[dict[str, Any]]


class Searching(BaseModel):
    """How far a search for duplicates, or a map, is: `done` of `total` (null: unknown) units of `what`."""

    state: Literal["running"] = "running"
    what: str = Field(examples=["comparing"])
    done: float
    total: float | None
    unit: str = Field(examples=["blocks"])


class Duplicates(BaseModel):
    """The duplicates of an index, as the page and a report read them; scores are in millionths.

    `sentences`: text, number of the source, line, SHA-256. `pairs` and `refused`: the numbers of two sentences, score,
    number of the level, reason; refused ones also have the words that caused it. `decisions`: as in a file of them.
    """

    about: str
    count: int
    threshold: int
    levels: list[str]
    against: bool
    preference: list[int] | None
    sources: list[str]
    sentences: list[Annotated[list[str | int], Field(min_length=4, max_length=4)]]
    pairs: list[Annotated[list[str | int], Field(min_length=5, max_length=5)]]
    refused: list[Annotated[list[str | int | list[str]], Field(min_length=6, max_length=6)]]
    decisions: dict[str, Any]
    digest: str


class Embedded(BaseModel):
    """Rows of unit blocks: `meaning` numbers of meaning, the others of sentiment."""

    encoder: str
    meaning: int
    rows: list[list[float]]


class Info(BaseModel):
    """What an index holds."""

    name: str
    count: int
    generation: int
    digest: str
    encoder: str
    labels: list[str]
    scale: str | None
    default_weight: float
    sources: list[dict[str, Any]]


class Health(BaseModel):
    """That the server answers, and for what."""

    status: str
    indexes: list[str]


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


Asking = Annotated[Ask, Query()]
"""The parameters of one query."""
