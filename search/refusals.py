"""What refuses pairs: a guard looks at two texts and their feelings, and says why they are not one."""

from collections.abc import Callable
from typing import Protocol

from search.encoder import Passport
from search.similarity import Scale, Vectors, block_polarity

__all__ = ["Guard", "Refusal", "polarities"]


class Refusal(Protocol):
    """Why a guard refuses a pair: the code of the reason, and the words that caused it."""

    @property
    def reason(self) -> str:
        """Return the code."""

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words."""


Guard = Callable[[str, str, tuple[float, float] | None], Refusal | None]
"""Takes two texts, and their polarities in [-1, 1] where the encoder's labels have an order; None: they may be one."""


def polarities(rows: Vectors, passport: Passport) -> list[float] | None:
    """Return the polarity of (n, d+s) rows, in [-1, 1]; None where the encoder's labels have no order."""
    if passport.labels is None or passport.labels.scale is not Scale.ORDINAL:
        return None
    found: list[float] = block_polarity(rows[:, passport.meaning_dim :]).tolist()
    return found
