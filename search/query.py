"""Text to hits: the nearest sentences of an index, alike in meaning and, as asked, in sentiment."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from search.encoder import Encoder, Passport
from search.encoders import load_encoder
from search.errors import EncoderError, OptionError
from search.filters import Filter, matching_rows
from search.index_reader import IndexReader
from search.nearest import Nearest, Scored, check_k, check_threshold
from search.records import Entry, Hit
from search.similarity import OPPOSITE_WEIGHT, Vectors, check_weight, label_block, opposite
from search.store import Among
from search.words import Match, Words, fused, words_of

__all__ = ["ANY", "DEFAULT_K", "OPPOSITE", "SAME", "Searcher", "aim", "check_query", "usable"]

SAME, OPPOSITE, ANY = "same", "opposite", "any"
"""What a query may ask of sentiment, beside a label's name: its own, the mirrored one, or none."""

DEFAULT_K = 10

_DEPTH = 100
"""How far down two rankings are looked at to fuse them."""


def aim(rows: Vectors, passport: Passport, sentiment: str | None, weight: float | None) -> tuple[Vectors, float]:
    """Turn encoded texts into what is asked for: rows with the sentiment wanted, and the weight.

    Args:
        rows: (n, d+s) rows of the texts.
        passport: their encoder's.
        sentiment: "same", "opposite", "any", or a label; None: "same" where the encoder has labels.
        weight: how much sentiment counts; None: the encoder's default (more for "opposite", 0 for "any").

    Raises:
        EncoderError: sentiment is asked of an encoder without labels, or "opposite" of nominal labels.
        OptionError: no such label, or a weight that is out of range or contradicts "any".
    """
    if weight is not None:
        check_weight(weight)
    if passport.labels is None:
        if sentiment not in {None, ANY} or weight:
            raise EncoderError(
                f"The encoder {passport.name} knows meaning only, so it cannot be asked for sentiment. Fine-tune one "
                "with labels (kindred finetune), index with it (--encoder), and ask again."
            )
        return rows, 0.0
    if sentiment == ANY:
        if weight:
            raise OptionError(f"weight is {weight:g}, but sentiment 'any' means 0; leave one of them out.")
        return rows, 0.0
    wanted, usual = rows.copy(), passport.default_weight
    if sentiment == OPPOSITE:
        usual = max(usual, OPPOSITE_WEIGHT)
        wanted[:, passport.meaning_dim :] = opposite(rows[:, passport.meaning_dim :], passport.labels)
    elif sentiment not in {None, SAME}:
        wanted[:, passport.meaning_dim :] = label_block(passport.labels, str(sentiment))
    return wanted, usual if weight is None else weight


def check_query(passport: Passport, *, k: int, sentiment: str | None, weight: float | None) -> None:
    """Refuse what `Searcher.search` would refuse, before an encoder is loaded.

    Raises:
        EncoderError: the encoder cannot do what is asked.
        OptionError: an option is out of range.
    """
    check_k(k)
    aim(np.empty((0, passport.width), np.float32), passport, sentiment, weight)


class Searcher:
    """An index and the encoder that made it."""

    def __init__(self, index: IndexReader, encoder: Encoder) -> None:
        """Put an index and its encoder together.

        Raises:
            IndexFolderError: another encoder made the index.
        """
        index.check_encoder(encoder)
        self.index = index
        self._encoder = encoder

    @classmethod
    def of(cls, index: IndexReader, *, encoder: str | None = None) -> "Searcher":
        """Load an index's encoder, which may have moved: `encoder` says where it is now.

        Raises:
            IndexFolderError: another encoder made the index.
            EncoderError: the encoder cannot be found or loaded.
        """
        return cls(index, load_encoder(encoder or index.passport.name))

    @property
    def passport(self) -> Passport:
        """Say which encoder is used."""
        return self.index.passport

    def search(
        self,
        texts: Sequence[str],
        *,
        k: int = DEFAULT_K,
        sentiment: str | None = None,
        weight: float | None = None,
        only: Filter | None = None,
        match: Match = Match.MEANING,
        exact: bool = False,
    ) -> list[list[Hit]]:
        """Return the min(k, n) nearest sentences of each text, best first; ties in the order of the index.

        Args:
            texts: the queries.
            k: how many hits each, 1 or more.
            sentiment: "same", "opposite", "any", or a label; None: "same" where the encoder has labels.
            weight: how much sentiment counts, in [0, 1]; None: the encoder's default.
            only: which sentences are searched; None: all. The k hits are the nearest of these.
            match: what a sentence is found by. By words, the hits are those that have some of the text's, the best
                first (BM25), and all that it has in quotation marks; by both, the two rankings are fused. The score of
                a hit is its similarity in any case.
            exact: search every row, also where the index has a search structure.

        Raises:
            EncoderError: the encoder cannot do what is asked.
            OptionError: an option is out of range, a text is blank, or the filter fits nothing that there is.
        """
        check_query(self.passport, k=k, sentiment=sentiment, weight=weight)
        usable(texts)
        among = matching_rows(self.index, only) if only else None
        rows, used = aim(self._encoder.encode(texts).rows, self.passport, sentiment, weight)
        nearest = self.index.exact if exact else self.index.nearest
        if match is Match.MEANING:
            return self._hits(nearest.top(rows, k, used, among))
        return self._hits(
            [self._by_words(text, row, k, used, among, match, nearest) for text, row in zip(texts, rows, strict=True)]
        )

    def scored(
        self, text: str, rows: Sequence[int], *, sentiment: str | None = None, weight: float | None = None
    ) -> list[Hit]:
        """Return how rows of the index, which all count, score for a text; in the order given, which is their rank.

        Raises:
            EncoderError: the encoder cannot do what is asked.
            OptionError: an option is out of range, or the text is blank.
        """
        check_query(self.passport, k=1, sentiment=sentiment, weight=weight)
        asked, used = aim(self._encoder.encode(usable([text])).rows, self.passport, sentiment, weight)
        (hits,) = self._hits([self.index.nearest.scored(asked[0], rows, used)])
        return hits

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the (n, d+s) rows of texts."""
        return self._encoder.encode(texts).rows

    def above(self, row: Vectors, threshold: float, weight: float | None = None, *, most: int) -> list[Hit]:
        """Return the sentences that score the threshold or more for a (1, d+s) row, best first; ties as in the index.

        Raises:
            EncoderError: a weight is given for an encoder without labels.
            OptionError: threshold or weight is out of range, or more than `most` sentences score so.
        """
        check_threshold(threshold)
        rows, used = aim(row, self.passport, None, weight)
        (found,) = self.index.nearest.above(rows, threshold, used)
        if len(found.rows) > most:
            raise OptionError(
                f"{len(found.rows):,} sentences score {threshold:g} or more, over {most:,}; choose a higher threshold."
            )
        (hits,) = self._hits([found])
        return hits

    def _by_words(
        self, text: str, row: Vectors, k: int, weight: float, among: Among | None, match: Match, nearest: Nearest
    ) -> Scored:
        """Return the first k rows by words, or by words and meaning; what is in quotation marks is in each of them."""
        words, depth = words_of(text), k if match is Match.WORDS else max(k, _DEPTH)
        by_words = self.index.with_words(words.expression(), depth, among)
        if match is Match.WORDS:
            return nearest.scored(row, by_words, weight)
        if words.phrases:
            quoted = np.zeros(self.index.manifest.rows, dtype=np.bool_)
            quoted[self.index.with_words(Words(words.phrases, ()).expression(), len(quoted), among)] = True
            among = quoted
        (by_meaning,) = nearest.top(row[None, :], depth, weight, among)
        return nearest.scored(row, fused([by_meaning.rows.tolist(), by_words], k), weight)

    def _hits(self, answers: Sequence[Scored]) -> list[list[Hit]]:
        """Return what was found as hits; a sentence that several queries found is read once."""
        rows = sorted({row for found in answers for row in found.rows.tolist()})
        entries = dict(zip(rows, self.index.entries(rows), strict=True))
        return [list(self._ranked(found, entries)) for found in answers]

    def _ranked(self, found: Scored, entries: Mapping[int, Entry]) -> Iterator[Hit]:
        labelled = self.passport.labels is not None
        for number, row in enumerate(found.rows.tolist()):
            yield Hit(
                rank=number + 1,
                score=float(found.scores[number]),
                meaning=float(found.meaning[number]),
                sentiment=float(found.sentiment[number]) if labelled else None,
                entry=entries[row],
            )


def usable(texts: Sequence[str]) -> Sequence[str]:
    """Return the texts of queries, if each is one.

    Raises:
        OptionError: one is blank, or holds what is no character.
    """
    if any(not text.strip() for text in texts):
        raise OptionError("A query is blank; give it some words.")
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as exc:  # bytes of the command line that Python could not decode
            raise OptionError(f"The query {text!r} is not UTF-8; set the terminal to UTF-8.") from exc
    return texts
