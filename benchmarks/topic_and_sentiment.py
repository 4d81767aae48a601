"""What fine-tuning on labels does to search: base, textbook fine-tuning and joint fine-tuning, side by side.

    python benchmarks/topic_and_sentiment.py --data DATA

Both are fine-tuned for one epoch on the first 20,000 rows of sst2_train, from the same base with the same seed. Then
each of the 1,254 sentences of restaurants14_train that have one topic and one polarity asks for its 10 nearest others:
topic kept, sentiment agrees, both. Beside that: SST-2 dev accuracy, and Spearman's correlation of meaning on STS-B dev.
DATA is a folder with sentiment/sst2_train.tsv, sentiment/sst2_dev.tsv, similarity/stsb_dev.tsv and
topic_and_sentiment/restaurants14_train.tsv.
"""

import argparse
import json
import tempfile
from itertools import islice
from pathlib import Path

from search.checkpoint import BASE_ENCODER, Card
from search.cli.output import Bar, cell, print_table
from search.encoders import load_encoder
from search.evaluate import evaluate
from search.finetune import finetune
from search.measurements import Measurement, Task
from search.query import OPPOSITE
from search.training_options import FinetuneOptions

ROWS = 20_000


def main() -> None:
    """Train, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--json", type=Path, help="also write every figure to this file")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        rows = Path(work) / "sst2.tsv"
        with (chosen.data / "sentiment/sst2_train.tsv").open(encoding="utf-8") as whole:
            rows.write_text("".join(islice(whole, chosen.rows + 1)), encoding="utf-8")
        encoders = {"base": BASE_ENCODER}
        for name, keep in (("textbook", 0.0), ("joint", FinetuneOptions().keep_meaning)):
            out = Path(work) / name
            options = FinetuneOptions(base=BASE_ENCODER, keep_meaning=keep, epochs=1, validation=0.02)
            with Bar() as bar:
                finetune([str(rows)], out, options=options, progress=bar)
            encoders[name] = str(out)
        results = {name: _measure(encoder, chosen.data) for name, encoder in encoders.items()}
    table = [row for name, measured in results.items() for row in _rows(name, measured)]
    columns = ("encoder", "asked", "weight", "topic kept", "sentiment agrees", "both", "SST-2 dev", "STS-B dev")
    print_table([(column, "left" if column in {"encoder", "asked"} else "right") for column in columns], table)
    if chosen.json:
        values = [{"encoder": name, **one.to_dict()} for name, measured in results.items() for one in measured]
        chosen.json.write_text(json.dumps(values, indent=2), encoding="utf-8")


def _rows(name: str, measured: list[Measurement]) -> list[list[str]]:
    """Return an encoder's lines of the table, one for each sentiment asked and weight."""
    accuracy = next((one.figures["accuracy"] for one in measured if one.task is Task.SENTIMENT), None)
    similarity = next(one.figures["spearman"] for one in measured if one.task is Task.SIMILARITY)
    return [
        [
            name,
            one.asked or "",
            cell(one.weight, 1),
            *(cell(one.figures[key]) for key in ("topic_kept", "sentiment_agrees", "both")),
            cell(accuracy),
            cell(similarity, 4),
        ]
        for one in measured
        if one.task is Task.TOPICS
    ]


def _measure(name: str | None, data: Path) -> list[Measurement]:
    """Measure an encoder; topics at weight 0, at its default for the same feeling, and at 0.5 for the opposite."""
    encoder = load_encoder(name or "all-MiniLM-L6-v2")
    card = Card.read(Path(name)) if name else None
    measured = evaluate(encoder, str(data / "sentiment/sst2_dev.tsv"))
    measured += evaluate(encoder, str(data / "similarity/stsb_dev.tsv"), weights=[0.0])
    weights = {None: [0.0], OPPOSITE: [0.5]} if card is None else {None: [0.0, card.default_weight], OPPOSITE: [0.5]}
    for asked, some in weights.items():
        topics = evaluate(encoder, str(data / "topic_and_sentiment/restaurants14_train.tsv"), weights=some)
        measured += [one for one in topics if (one.asked == OPPOSITE) == (asked == OPPOSITE)]
    return measured


if __name__ == "__main__":
    main()
