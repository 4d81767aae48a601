"""What an encoder is: texts in, rows out, and a passport that says which encoder made them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from search.errors import IndexFolderError
from search.similarity import DEFAULT_WEIGHT, Labels, Scale, Vectors, sentiment_blocks, softmax, unit

__all__ = ["Encoded", "Encoder", "Label", "Passport", "TokenEncoder", "Tokens", "best_labels", "to_rows"]

Label = tuple[str | None, float | None]
"""The most likely label and its probability; None without labels."""


@dataclass(frozen=True, slots=True)
class Passport:
    """Which encoder made some rows, and what the rows hold.

    Attributes:
        name: how to ask for the encoder again: a folder or a model's name.
        fingerprint: SHA-256 over weights, tokenizer, pooling and labels; equal only for encoders that agree.
        meaning_dim: the width d of the meaning block.
        labels: the labels of the sentiment block, or None for an encoder with meaning only.
        default_weight: the weight of sentiment where the user names none.
        backend: what runs the encoder.
    """

    name: str
    fingerprint: str
    meaning_dim: int
    labels: Labels | None
    default_weight: float
    backend: str

    @property
    def width(self) -> int:
        """Return the width d + s of a row."""
        return self.meaning_dim + (self.labels.width if self.labels else 0)

    def to_json(self) -> dict[str, Any]:
        """Return the passport as a manifest holds it."""
        return {
            "name": self.name,
            "fingerprint": self.fingerprint,
            "meaning_dim": self.meaning_dim,
            "labels": list(self.labels.names) if self.labels else [],
            "scale": str(self.labels.scale) if self.labels else None,
            "default_weight": self.default_weight,
            "backend": self.backend,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Passport":
        """Read what `to_json` gave.

        Raises:
            IndexFolderError: a field is missing or of another kind.
        """
        try:
            labels = Labels(tuple(value["labels"]), Scale(value["scale"])) if value["labels"] else None
            return cls(
                name=value["name"],
                fingerprint=value["fingerprint"],
                meaning_dim=int(value["meaning_dim"]),
                labels=labels,
                default_weight=float(value.get("default_weight", DEFAULT_WEIGHT)),
                backend=value["backend"],
            )
        except (KeyError, TypeError, ValueError) as exc:
            raise IndexFolderError(f"the encoder's passport is damaged ({exc!r}).") from exc


@dataclass(frozen=True, slots=True)
class Encoded:
    """Encoded texts: (n, d+s) rows of unit blocks, and the (n, C) label probabilities they came from."""

    rows: Vectors
    probabilities: Vectors


class Encoder(Protocol):
    """Texts to rows. Equal texts give equal rows; the empty list gives (0, d+s)."""

    @property
    def passport(self) -> Passport:
        """Say which encoder this is."""

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode n texts to C-contiguous float32 rows of unit blocks, in the order given."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The n tokens of a text that an encoder reads; their vectors' mean, at length 1, is the text's meaning.

    Attributes:
        spans: (n, 2) character offsets into the text, the end exclusive; a mark that stands for no text has (0, 0).
        vectors: (n, d) float32, as the encoder's last layer gives them.
    """

    spans: npt.NDArray[np.int64]
    vectors: Vectors


class TokenEncoder(Encoder, Protocol):
    """An encoder that can be asked what each token of a text gives to its meaning."""

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text.

        Raises:
            EncoderError: the encoder does not average its tokens, or cannot say where they are in the text.
        """


def to_rows(raw: Vectors, passport: Passport, temperature: float) -> Encoded:
    """Turn a checkpoint's (n, d + C) output, meaning and logits, into rows and probabilities."""
    meaning = unit(raw[:, : passport.meaning_dim])
    probabilities = softmax(raw[:, passport.meaning_dim :], temperature)
    if passport.labels is None:
        return Encoded(meaning, probabilities)
    blocks = sentiment_blocks(probabilities, passport.labels)
    return Encoded(np.ascontiguousarray(np.hstack([meaning, blocks])), probabilities)


def best_labels(encoded: Encoded, passport: Passport) -> list[Label]:
    """Return the most likely label and its probability for each of n encoded texts; None without labels."""
    if passport.labels is None:
        return [(None, None)] * len(encoded.rows)
    best = encoded.probabilities.argmax(axis=1)
    return [
        (passport.labels.names[label], round(float(encoded.probabilities[row, label]), 4))
        for row, label in enumerate(best)
    ]
