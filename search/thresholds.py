"""The threshold of a duplicates job: given, learned from labelled pairs, found without, or kept from an earlier job."""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from search.compared import Compared
from search.decisions import labelled, read_decisions
from search.duplicates import DEFAULT_THRESHOLD
from search.encoder import Encoder
from search.errors import OptionError
from search.exact import distinct, text_keys
from search.index_reader import IndexReader
from search.joining import Scoring
from search.pairs import TextPair
from search.refusals import Guard, polarities
from search.similarity import parts, total
from search.threshold import FILE, REFUSED, How, Threshold, calibrate, labelled_pairs
from search.threshold_auto import PRECISION, Texts, automatic

__all__ = ["found_without_labels", "kept_threshold", "learned", "pairs_to_learn_from", "told", "usual_threshold"]

_LEAST = 0.8
"""How low a threshold that nobody asked for may be found: below it unlike texts of a small corpus are taken for pairs.

On STS-B and SICK the best F1 are at 0.8 and a little above.
"""

_WINDOW = 8192


def pairs_to_learn_from(path: Path) -> list[TextPair]:
    """Read labelled pairs from a table, or from the decisions that a report saved (.json).

    Raises:
        InputError: the file is none, or holds something else; names the line or the entry.
    """
    if path.suffix == ".json":
        return labelled(read_decisions(path), str(path))
    return labelled_pairs([str(path)])


def learned(
    pairs: Sequence[TextPair], encoder: Encoder, *, weight: float, guard: Guard | None, precision: float | None = None
) -> Threshold:
    """Choose a threshold on labelled pairs, for the best F1 or for a precision; what the guard refuses is not merged.

    Raises:
        InputError: there are too few pairs of a label.
        OptionError: no threshold has the precision.
    """
    passport = encoder.passport
    rows = encoder.encode([text for pair in pairs for text in (pair.a, pair.b)]).rows
    scores = total(*parts(rows[::2], rows[1::2], passport.meaning_dim), weight)
    feelings = polarities(rows, passport)
    if guard is not None:
        for number, pair in enumerate(pairs):
            both = None if feelings is None else (feelings[2 * number], feelings[2 * number + 1])
            if guard(pair.a, pair.b, both) is not None:
                scores[number] = REFUSED
    same = np.array([pair.value == 1.0 for pair in pairs])
    found = calibrate(scores, same, precision=precision)
    return Threshold.of(found, How.F1 if precision is None else How.PRECISION, passport, weight)


def found_without_labels(
    index: IndexReader,
    against: IndexReader | None = None,
    *,
    weight: float,
    guard: Guard | None,
    precision: float | None = None,
    encoder: Encoder | None = None,
) -> Threshold:
    """Find a threshold for the sentences of an index, among themselves or against another; see `threshold_auto`.

    Raises:
        OptionError: there are too few sentences.
    """
    compared = Compared(index, against)
    keys = [text_keys([])]
    stream = compared.stream()
    while texts := list(islice(stream, _WINDOW)):
        keys.append(text_keys(texts))
    every, first = np.concatenate(keys), compared.known or 0
    known = distinct(every[:first], 0, compared.texts)
    leaders = np.concatenate((known.leaders, distinct(every[first:], first, compared.texts).leaders))
    different = Texts(
        len(leaders),
        None if against is None else len(known.leaders),
        lambda places: [entry.sentence for entry in compared.entries(leaders[places])],
        Scoring(compared.stored(leaders), compared.passport.meaning_dim, weight),
    )
    wanted = PRECISION if precision is None else precision
    return automatic(different, compared.passport, guard=guard, precision=wanted, encoder=encoder)


def usual_threshold(
    index: IndexReader, against: IndexReader | None = None, *, weight: float, guard: Guard | None
) -> tuple[float, str]:
    """Return the threshold of a job that is asked for none, and how it came about: kept, else found, else the default.

    Raises:
        OptionError: the kept one was found for another encoder or weight.
    """
    kept = kept_threshold([index] if against is None else [index, against], weight)
    if kept is not None:
        threshold, folder = kept
        return threshold.value, f"{told(threshold)} Kept in {folder / FILE}; --threshold overrules it."
    try:
        found = found_without_labels(index, against, weight=weight, guard=guard)
    except OptionError:  # too few texts, which only who asks for it by name must know
        return DEFAULT_THRESHOLD, ""
    if found.value >= _LEAST:
        return found.value, told(found)
    return _LEAST, f"{told(found)} Used is {_LEAST:g}, unless --threshold auto, or a number, asks for less."


def kept_threshold(indexes: Iterable[IndexReader], weight: float) -> tuple[Threshold, Path] | None:
    """Return the threshold that an earlier job kept with the first index that has one, and its folder; None: none has.

    Raises:
        OptionError: it was found for another encoder or weight.
        IndexFolderError: its file is damaged.
    """
    for index in indexes:
        kept = Threshold.read(index.folder)
        if kept is not None:
            kept.check(index.passport, weight)
            return kept, index.folder
    return None


def told(threshold: Threshold) -> str:
    """Say in a line what was chosen and how sure it is."""
    if threshold.how is How.GIVEN:
        return f"Threshold {threshold.value:g}, given."
    between = f"[{threshold.low:.3g}, {threshold.high:.3g}]"
    if threshold.how is How.AUTOMATIC:
        of = "" if threshold.merges is None else f" of about {threshold.merges:,.0f}"
        changed = "" if threshold.recall is None else f"; {threshold.recall:.0%} of slightly changed texts score it"
        return (
            f"Threshold {threshold.value:g}, found without labels: {threshold.estimate:.3g} wrong merges expected "
            f"{between}{of}{changed}."
        )
    name = "F1" if threshold.how is How.F1 else "precision"
    return (
        f"Threshold {threshold.value:g}, of {threshold.pairs:,} labelled pairs: {name} {threshold.estimate:.3f} "
        f"{between}, recall {threshold.recall:.3f}."
    )
