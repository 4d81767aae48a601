"""Train the checkpoint that ships with kindred: three ordinal feelings, on films, products, restaurants and talk.

    python scripts/train_checkpoint.py --data DATA --out search/models/kindred-mini

DATA is a folder with the files named in `mix.py` (tab-separated, one header line, no quoting); none of their text
enters the repository. The trials that led to these settings, and the figures of the result: benchmarks/checkpoint.md.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from mix import LABELS, SEED, read_mix
from sentence_transformers import SentenceTransformer

from search.checkpoint import Card, Layout, find, fingerprint
from search.cli.output import Bar
from search.files import new_folder, read_json, write_json
from search.training import train
from search.training_data import from_texts
from search.training_options import FinetuneOptions


def save_half(model: SentenceTransformer, folder: Path) -> None:
    """Save the weights in half precision, to be loaded in single: half the size, and the same rows to 1e-3."""
    model.half().save(str(folder), create_model_card=False)
    config = Layout(folder).config
    write_json(config, read_json(config) | {"dtype": "float32"})


def main() -> None:
    """Train the checkpoint and write it with its card and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--base", default="all-MiniLM-L6-v2")
    parser.add_argument("--stage", type=int, choices=(1, 2), default=1, help="which half of the training")
    parser.add_argument("--share", type=float, default=1.0, help="take this share of each file, for trials")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--keep-meaning", type=float, default=3.0)
    parser.add_argument("--learning-rate", type=float, default=1.5e-4)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--max-length", type=int, default=64)
    chosen = parser.parse_args()
    options = FinetuneOptions(
        base=chosen.base,
        keep_meaning=chosen.keep_meaning,
        epochs=chosen.epochs,
        batch_size=chosen.batch_size,
        learning_rate=chosen.learning_rate,
        max_length=chosen.max_length,
        validation=0.02,
        seed=SEED,
    )
    rows, taken = read_mix(chosen.data, chosen.stage, chosen.share)
    print(Counter(label or "unlabelled" for _, label in rows), file=sys.stderr)
    with tempfile.TemporaryDirectory() as work, new_folder(chosen.out) as aside, Bar() as bar:
        data = from_texts(rows, LABELS, Path(work), validation=options.validation, seed=SEED)
        trained = train(data, find(chosen.base), Path(work), options, bar)
        report = {
            "rows": len(rows),
            **trained.report,
            "base": {"name": chosen.base, "fingerprint": fingerprint(find(chosen.base))},
            "data": taken,
            "options": asdict(options),
        }
        save_half(trained.model, aside)
        Card(LABELS, trained.card.temperature if trained.card else 1.0).write(aside)
        write_json(Layout(aside).report, report)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
