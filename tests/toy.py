"""A toy encoder whose rows can be written by hand: topics and feelings are counted words."""

import re
from collections.abc import Sequence

import numpy as np

from search.canaries import CANARIES
from search.encoder import Encoded, Passport, Tokens, to_rows
from search.similarity import Labels, Scale

FEELINGS = Labels(("negative", "neutral", "positive"), Scale.ORDINAL)
EMOTIONS = Labels(("anger", "fear", "joy"), Scale.NOMINAL)

TOPICS = ("room", "food", "staff", "noise", "price", "pool")
_WORDS = {"good": 2, "love": 2, "joy": 2, "fine": 1, "fear": 1, "bad": 0, "hate": 0, "anger": 0}


class ToyEncoder:
    """Meaning: how often each topic is named, and a little of each text's own. Label: the last feeling word's.

    A text is (6 topics + 2) wide in meaning; its own two numbers depend on its characters alone. `calls` are the texts
    that were encoded, but for canaries, of which `canaries` is how often they were asked for.
    """

    def __init__(self, labels: Labels | None = FEELINGS, fingerprint: str = "toy") -> None:
        self.calls: list[list[str]] = []
        self.canaries = 0
        self._passport = Passport("toy", fingerprint, len(TOPICS) + 2, labels, 0.3, "toy")

    @property
    def passport(self) -> Passport:
        """Say which encoder this is."""
        return self._passport

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode n texts."""
        if list(texts) == list(CANARIES):
            self.canaries += 1
        else:
            self.calls.append(list(texts))
        classes = 0 if self._passport.labels is None else len(self._passport.labels.names)
        raw = np.zeros((len(texts), self._passport.meaning_dim + classes), dtype=np.float32)
        for row, text in enumerate(texts):
            words = text.lower().replace(".", " ").split()
            raw[row, : len(TOPICS)] = [words.count(topic) for topic in TOPICS]
            code = sum(map(ord, text)) % 97 / 97
            raw[row, len(TOPICS) : len(TOPICS) + 2] = 0.1 * np.cos(6 * code), 0.1 * np.sin(6 * code)
            if classes:
                said = [_WORDS[word] for word in words if word in _WORDS]
                raw[row, self._passport.meaning_dim + (said[-1] if said else 1)] = 4.0
        return to_rows(raw, self._passport, 1.0)

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Give each word its topic and a part of the text's own two numbers, and the beginning a mark without any."""
        found = []
        for text in texts:
            words = list(re.finditer(r"[^\s.]+", text))
            vectors = np.zeros((1 + len(words), self._passport.meaning_dim), dtype=np.float32)
            code = sum(map(ord, text)) % 97 / 97
            for row, word in enumerate(words, start=1):
                vectors[row, : len(TOPICS)] = [word.group().lower() == topic for topic in TOPICS]
                own = np.array([np.cos(6 * code), np.sin(6 * code)])
                vectors[row, len(TOPICS) :] = 0.1 * own / len(words)
            spans = [(0, 0), *(word.span() for word in words)]
            found.append(Tokens(np.array(spans, dtype=np.int64), vectors))
        return found


class TrainedToy(ToyEncoder):
    """A toy encoder that was trained further: its meanings are turned by an angle, its logits divided by a number."""

    def __init__(self, angle: float = 0.0, *, temperature: float = 1.0, fingerprint: str = "trained") -> None:
        super().__init__(fingerprint=fingerprint)
        self._angle = angle
        self._temperature = temperature

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode n texts."""
        made = super().encode(texts)
        d = self._passport.meaning_dim
        meaning, odd = made.rows[:, :d].copy(), made.rows[:, 1:d:2]
        meaning[:, ::2] = np.cos(self._angle) * made.rows[:, :d:2] - np.sin(self._angle) * odd
        meaning[:, 1::2] = np.sin(self._angle) * made.rows[:, :d:2] + np.cos(self._angle) * odd
        logits = np.log(np.maximum(made.probabilities, 1e-9))
        return to_rows(np.hstack([meaning, logits]).astype(np.float32), self._passport, self._temperature)
