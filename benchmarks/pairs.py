"""What fine-tuning on pairs of a domain does to duplicates of that domain, and to everything else.

    python benchmarks/pairs.py --data DATA [--rows 20000] [--base kindred-mini]

Fine-tunes for one epoch on the first ROWS pairs of quora_duplicates_train (positives only), then measures, before and
after, with meaning alone: average precision on quora_dev (the domain) and mrpc_train (another one), Spearman on STS-B
dev; and SST-2 dev accuracy, which the pairs say nothing of. Both encoders run as int8 builds.
"""

import argparse
import json
import tempfile
from itertools import islice
from pathlib import Path

from search.checkpoint import DEFAULT_ENCODER
from search.cli.output import Bar, print_table
from search.compiling import compile_encoder, training_sentences
from search.encoders import load_encoder
from search.evaluate import evaluate
from search.finetune import finetune
from search.training_options import FinetuneOptions

MEASURED = {
    "pairs/quora_dev.tsv": "average_precision",
    "pairs/mrpc_train.tsv": "average_precision",
    "similarity/stsb_dev.tsv": "spearman",
    "sentiment/sst2_dev.tsv": "accuracy",
}


def measure(name: str, data: Path) -> dict[str, float]:
    """Return an encoder's figures by file."""
    encoder = load_encoder(name)
    found = {}
    for file, figure in MEASURED.items():
        (one,) = evaluate(encoder, str(data / file), weights=[0.0])
        found[f"{file}: {figure}"] = round(one.figures[figure], 4)
    return found


def main() -> None:
    """Measure, fine-tune, measure again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--base", default=DEFAULT_ENCODER)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    chosen = parser.parse_args()
    before = measure(chosen.base, chosen.data)
    with tempfile.TemporaryDirectory() as work:
        pairs = Path(work) / "pairs.tsv"
        with (chosen.data / "pairs/quora_duplicates_train.tsv").open(encoding="utf-8") as whole:
            pairs.write_text("".join(islice(whole, chosen.rows + 1)), encoding="utf-8")
        options = FinetuneOptions(base=chosen.base, epochs=1, validation=0.02)
        with Bar() as bar:
            report = finetune([str(pairs)], Path(work) / "pairs", options=options, progress=bar)
            compile_encoder(str(Path(work) / "pairs"), sentences=training_sentences([str(pairs)]), progress=bar)
        after = measure(str(Path(work) / "pairs"), chosen.data)
    table = [[name, f"{before[name]:.4f}", f"{after[name]:.4f}"] for name in before]
    print_table([("figure", "left"), ("before", "right"), (f"after {chosen.rows:,} pairs", "right")], table)
    if chosen.json:
        told = {"rows": chosen.rows, "seconds": report["seconds"], "before": before, "after": after}
        chosen.json.write_text(json.dumps(told, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
