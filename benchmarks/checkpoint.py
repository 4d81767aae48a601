"""What the shipped checkpoint can do, beside the base encoder it was trained from.

    python benchmarks/checkpoint.py --data DATA [--encoder FOLDER] [--skip-retrieval]

Labels: SST-2 dev (positive against negative), SST-5 dev and GoEmotions dev as three classes, against the majority class
and against logistic regression on the base's vectors (fitted on the matching training file). Meaning: Spearman on STS-B
dev, nDCG@10 on SciFact. Both: restaurants of SemEval-14, same and opposite. Negation: the pairs of counterfactual IMDb
that training left out, and the hundred short pairs of tests/data/negation_pairs.tsv: in how many do the two texts get
the polarity they should.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from mix import LABELS, emotions, five_labels, held_out, table

from search.checkpoint import BASE_ENCODER, DEFAULT_ENCODER
from search.encoder import Encoder
from search.encoders import load_encoder
from search.evaluate import evaluate
from search.metrics import accuracy, calibration_error, macro_f1
from search.similarity import polarity

Figures = Iterator[tuple[str, str, float]]

THREE = {"SST-5 dev": ("sentiment/sst5", five_labels), "GoEmotions dev": ("emotion/goemotions", emotions)}
PROBED = 20_000
NEGATIONS = Path(__file__).parents[1] / "tests/data/negation_pairs.tsv"


def three_classes(encoder: Encoder, base: Encoder, data: Path) -> Figures:
    """Give macro-F1 over three classes, of the encoder, the base with a head, and the majority class."""
    for name, (stem, read) in THREE.items():
        rows = list(read(data / f"{stem}_dev.tsv"))
        gold = np.array([LABELS.names.index(label) for _, label in rows])
        texts = [text for text, _ in rows]
        probabilities = encoder.encode(texts).probabilities
        predicted = probabilities.argmax(axis=1)
        yield name, "macro-F1, 3 classes", macro_f1(predicted, gold, 3)
        yield name, "accuracy, 3 classes", accuracy(predicted, gold)
        yield name, "calibration error", calibration_error(probabilities, gold)
        majority = np.full_like(gold, np.bincount(gold).argmax())
        yield name, "majority class, macro-F1", macro_f1(majority, gold, 3)
        training = list(read(data / f"{stem}_train.tsv"))[:PROBED]
        head = LogisticRegression(max_iter=2000).fit(
            base.encode([text for text, _ in training]).rows, [LABELS.names.index(label) for _, label in training]
        )
        yield name, "base + logistic regression, macro-F1", macro_f1(head.predict(base.encode(texts).rows), gold, 3)


def contrast_pairs(encoder: Encoder, data: Path) -> Figures:
    """Give the share of held-out contrast pairs, and of negation pairs, whose two texts get the right polarity."""
    reviews: dict[str, dict[str, str]] = defaultdict(dict)
    for row in table(data / "polarity_flips/imdb_counterfactual_train.tsv"):
        if held_out(row["pair_id"]):
            reviews[row["pair_id"]][row["sentiment"].lower()] = row["text"]
    pairs = [(one["positive"], one["negative"]) for one in reviews.values() if len(one) == 2]
    yield "counterfactual IMDb, held out", "opposite polarity", _turned(encoder, pairs)
    short = [(row["positive"], row["negative"]) for row in table(NEGATIONS)]
    yield "100 negated sentences", "opposite polarity", _turned(encoder, short)


def _turned(encoder: Encoder, pairs: list[tuple[str, str]]) -> float:
    """Return the share of pairs whose first text is on the positive side and whose second is on the negative."""
    good = polarity(encoder.encode([pair[0] for pair in pairs]).probabilities)
    bad = polarity(encoder.encode([pair[1] for pair in pairs]).probabilities)
    return float(np.mean((good > 0) & (bad < 0)))


def standard(encoder: Encoder, data: Path, *, retrieval: bool) -> Figures:
    """Give what `kindred evaluate` measures."""
    yield from (
        ("SST-2 dev", key, value)
        for one in evaluate(encoder, str(data / "sentiment/sst2_dev.tsv"))
        for key, value in one.figures.items()
    )
    (similar,) = evaluate(encoder, str(data / "similarity/stsb_dev.tsv"), weights=[0.0])
    yield "STS-B dev", "spearman", similar.figures["spearman"]
    for one in evaluate(encoder, str(data / "topic_and_sentiment/restaurants14_train.tsv")):
        for key, value in one.figures.items():
            yield f"restaurants, {one.asked or 'meaning'} at {one.weight:g}", key, value
    if retrieval:
        (found,) = evaluate(encoder, str(data / "retrieval/scifact"), weights=[0.0])
        for key, value in found.figures.items():
            yield "SciFact", key, value


def main() -> None:
    """Measure both encoders and print their figures side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--skip-retrieval", action="store_true")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    chosen = parser.parse_args()
    encoder, base = load_encoder(chosen.encoder), load_encoder(BASE_ENCODER)
    found: dict[str, dict[str, float]] = defaultdict(dict)

    def note(who: str, figures: Figures) -> None:
        for name, key, value in figures:
            found[f"{name}: {key}"][who] = round(value, 4)
            print(f"{who:8} {name}: {key} = {value:.4f}", flush=True)

    note("shipped", contrast_pairs(encoder, chosen.data))
    note("shipped", standard(encoder, chosen.data, retrieval=not chosen.skip_retrieval))
    note("base", standard(base, chosen.data, retrieval=not chosen.skip_retrieval))
    note("shipped", three_classes(encoder, base, chosen.data))
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
