"""An encoder that costs next to nothing: rows drawn from a hash of the text, the same on every machine."""

import hashlib
from collections.abc import Sequence

import numpy as np

from search.encoder import Encoded, Passport, to_rows
from search.similarity import Labels, Scale

__all__ = ["CheapEncoder"]

_LABELS = Labels(("negative", "neutral", "positive"), Scale.ORDINAL)


class CheapEncoder:
    """Counts what it encodes. A row has `width` numbers of meaning and two of feeling."""

    def __init__(self, width: int = 16) -> None:
        """Make rows of this width."""
        self.encoded = 0
        self.texts: list[str] = []
        self._passport = Passport("cheap", f"cheap-{width}", width, _LABELS, 0.3, "hash")

    @property
    def passport(self) -> Passport:
        """Say which encoder this is."""
        return self._passport

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode n texts."""
        self.encoded += len(texts)
        self.texts += texts
        width = self._passport.meaning_dim + len(_LABELS.names)
        hashes = b"".join(hashlib.shake_128(text.encode()).digest(2 * width) for text in texts)
        raw = np.frombuffer(hashes, dtype="<i2").reshape(len(texts), width).astype(np.float32) / np.float32(8192)
        return to_rows(raw, self._passport, 1.0)
