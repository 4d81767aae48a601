"""Train the checkpoint that ships with kindred: three ordinal feelings, on films, products, restaurants and talk.

    python scripts/train_checkpoint.py --data DATA --stage 1 --out checkpoints/stage-1
    python scripts/train_checkpoint.py --data DATA --stage 2 --base checkpoints/stage-1 --out checkpoints/stage-2
    python scripts/train_checkpoint.py --data DATA --stage 3 --base checkpoints/stage-2 --out checkpoints/kindred-mini

About three hours on one core of 2025; the last one's folder is what search/models/kindred-mini holds.
DATA is a folder with the files named in `mix.py` (tab-separated, one header line, no quoting); none of their text
enters the repository. The trials that led to these settings, and the figures of the result: benchmarks/checkpoint.md.
"""

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mix import LABELS, SEED, read_mix
from sentence_transformers import SentenceTransformer

from search.checkpoint import BASE_ENCODER, SHIPPED_ENCODER, Card, Layout, find, fingerprint
from search.cli.output import Bar
from search.files import new_folder, read_json, write_json, write_text
from search.model_card import model_card
from search.training import train
from search.training_data import from_texts
from search.training_options import FinetuneOptions


@dataclass(frozen=True)
class Stage:
    """How a stage is trained: each goes on where the one before it ended, on rows that are harder."""

    learning_rate: float
    keep_meaning: float = 3.0
    max_length: int = 64
    batch_size: int = 64


STAGES = {
    1: Stage(learning_rate=1.5e-4),
    2: Stage(learning_rate=1e-4),
    3: Stage(learning_rate=1e-4, keep_meaning=2.0, max_length=160),
}


def save_half(model: SentenceTransformer, folder: Path) -> None:
    """Save the weights in half precision, to be loaded in single: half the size, and the same rows to 1e-3."""
    model.half().save(str(folder), create_model_card=False)
    config = Layout(folder).config
    write_json(config, read_json(config) | {"dtype": "float32"})


def describe(folder: Path, card: Card, report: dict[str, Any], width: int) -> None:
    """Write what stands beside the weights: kindred.json, the report, and the model card."""
    card.write(folder)
    write_json(Layout(folder).report, report)
    write_text(Layout(folder).model_card, model_card(SHIPPED_ENCODER, report, card, width, at=None))


def main() -> None:
    """Train one stage and write its checkpoint; the third one's is what ships."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--stage", type=int, choices=STAGES, required=True)
    parser.add_argument("--base", default=BASE_ENCODER, help="for stages 2 and 3: what the one before made")
    parser.add_argument("--share", type=float, default=1.0, help="take this share of each file, for trials")
    chosen = parser.parse_args()
    options = FinetuneOptions(base=chosen.base, epochs=1, validation=0.02, seed=SEED, **asdict(STAGES[chosen.stage]))
    base = find(chosen.base)
    rows, taken = read_mix(chosen.data, chosen.stage, chosen.share)
    with tempfile.TemporaryDirectory() as work, new_folder(chosen.out) as aside, Bar() as bar:
        data = from_texts(rows, LABELS, Path(work), validation=options.validation, seed=SEED)
        trained = train(data, base, Path(work), options, bar, kept=find(BASE_ENCODER))
        report = {
            "rows": len(rows),
            "labels": data.counts(),
            "scale": str(LABELS.scale),
            **trained.report,
            "base": {"name": BASE_ENCODER, "fingerprint": fingerprint(base)},
            "data": taken,
            "options": asdict(options) | {"base": BASE_ENCODER if chosen.stage == 1 else f"stage {chosen.stage - 1}"},
        }
        (report["validation"] or {}).pop("worst_mistakes", None)  # no text of these files enters the repository
        if chosen.stage > 1:
            before = read_json(Layout(base).report)
            report["earlier_stages"] = [*before.pop("earlier_stages", []), before]
        if chosen.stage < max(STAGES):
            trained.model.save(str(aside), create_model_card=False)
        else:
            save_half(trained.model, aside)
        card = trained.card or Card(LABELS)
        describe(aside, Card(LABELS, card.temperature), report, trained.width)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
