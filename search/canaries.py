"""Canaries: a few sentences with what the encoder of an index made of them, by which another one is compared with it.

Hashes say whether two encoders are the same files; canaries say whether they make the same rows. A checkpoint that was
saved anew, in another precision or by another library, is another to the hashes and the same to the canaries.
"""

import base64
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from search.encoder import Encoder
from search.errors import IndexFolderError
from search.similarity import Vectors, unit

__all__ = ["CANARIES", "LEAST_COSINE", "MOST_DIFFERENCE", "Canaries", "Likeness"]

_LONG = (
    "We had booked the small flat above the bakery for a week in June, and though the stairs were steep, the "
    "neighbours loud and the shower no more than a trickle, my parents, who are hard to please, talked about the view "
    "of the harbour, the smell of bread at six in the morning and the kindness of the landlady all the way home."
)

CANARIES = (
    "The room was freezing and nobody answered the phone.",
    "Wonderful staff, and the breakfast was the best we had all week.",
    "It is not bad, but I would not call it good either.",
    "What a lovely way to ruin an evening.",
    "The train leaves at 9:45 from platform 12.",
    "How do I reset my password?",
    "I never said that she stole the money.",
    "XR-500 v2.1 returns ERROR 0x80070005 in max_len()",
    "Der Käse war größer als 500 €, très naïf 😀",
    "no",
    _LONG,
    "The committee approved the budget by 7 votes to 2.",
)
"""Long and short, of every feeling and none, with numbers, code, accents, a negation and irony."""

LEAST_COSINE = 0.98
"""What the meaning of every canary scores at least against itself. Half way between what has to be taken and what has
to be refused: kindred-mini's int8 build keeps 0.994, an earlier stage of its training 0.967 (benchmarks/index.md)."""

MOST_DIFFERENCE = 0.1
"""By how much the probability of a canary's label may differ: 0.071 in kindred-mini's int8 build, 0.145 after one short
epoch of training on 620 sentences, which leaves meanings where they were."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How far an encoder is from the one that made the canaries.

    `cosine` is the least of all canaries, of meaning, and `text` the canary that has it; `difference` is the largest of
    all canaries and labels, 0 without labels.
    """

    cosine: float
    text: str
    difference: float

    @property
    def same(self) -> bool:
        """Say whether it is the same encoder, be it in another precision."""
        return self.cosine >= LEAST_COSINE and self.difference <= MOST_DIFFERENCE

    def __str__(self) -> str:
        """Return the figures, each with its bound."""
        return (
            f"on {self.text[:30]!r} the cosine of their meanings is {self.cosine:.3f} (at least {LEAST_COSINE:g}), "
            f"and their labels' probabilities differ by up to {self.difference:.3f} (at most {MOST_DIFFERENCE:g})"
        )


@dataclass(frozen=True, slots=True)
class Canaries:
    """n sentences, what ran their encoder, and their (n, d) meanings and (n, C) probabilities as little endian float16.

    Half precision moves a cosine by less than 0.0001, a probability by less than 0.0003.
    """

    texts: tuple[str, ...]
    backend: str
    meaning: bytes = field(repr=False)
    probabilities: bytes = field(repr=False)

    @classmethod
    def of(cls, encoder: Encoder) -> "Canaries":
        """Encode the canaries."""
        encoded = encoder.encode(list(CANARIES))
        numbers = (encoded.rows[:, : encoder.passport.meaning_dim], encoded.probabilities)
        return cls(CANARIES, encoder.passport.backend, *(one.astype("<f2").tobytes() for one in numbers))

    def compare(self, encoder: Encoder) -> Likeness:
        """Encode the canaries with an encoder of as many numbers of meaning and labels, and compare."""
        encoded = encoder.encode(list(self.texts))
        meaning, probabilities = unit(self._array(self.meaning)), self._array(self.probabilities)
        made = encoded.rows[:, : encoder.passport.meaning_dim]
        cosines = (made * meaning).sum(axis=1)
        cosines[~made.any(axis=1) & ~meaning.any(axis=1)] = 1.0  # nothing, twice
        worst = int(cosines.argmin())
        difference = np.abs(probabilities - encoded.probabilities).max(initial=0.0)
        return Likeness(float(cosines[worst]), self.texts[worst], float(difference))

    def to_json(self) -> dict[str, Any]:
        """Return the canaries as a manifest holds them."""
        return {
            "texts": list(self.texts),
            "backend": self.backend,
            "meaning": base64.b64encode(self.meaning).decode("ascii"),
            "probabilities": base64.b64encode(self.probabilities).decode("ascii"),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Canaries":
        """Read what `to_json` gave.

        Raises:
            IndexFolderError: a field is missing or of another kind.
        """
        try:
            numbers = [base64.b64decode(value[name], validate=True) for name in ("meaning", "probabilities")]
            return cls(tuple(value["texts"]), value["backend"], *numbers)
        except (KeyError, TypeError, ValueError) as exc:
            raise IndexFolderError(f"the encoder's canaries are damaged ({exc!r}).") from exc

    def _array(self, numbers: bytes) -> Vectors:
        return np.frombuffer(numbers, dtype="<f2").reshape(len(self.texts), -1).astype(np.float32)
