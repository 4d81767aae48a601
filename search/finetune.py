"""Labelled texts to a checkpoint: the fine-tuning job."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from search.checkpoint import Card, Layout, find, fingerprint
from search.files import check_free, new_folder, write_json
from search.labelled import LabelledCorpus
from search.progress import SILENT, Progress
from search.training_data import prepare
from search.training_options import FinetuneOptions

__all__ = ["finetune"]


def finetune(
    patterns: Sequence[str],
    out: Path,
    *,
    options: FinetuneOptions | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    overwrite: bool = False,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Fine-tune an encoder on labelled texts; write the checkpoint and return its report.

    Args:
        patterns: labelled files (CSV, TSV, JSONL, Parquet), folders or globs.
        out: the checkpoint's folder; appears whole when all is done.
        options: how to fine-tune.
        text_column: the column of texts; None: the usual one.
        label_column: the column of labels; None: the usual one.
        overwrite: replace `out` where it exists.
        progress: is told what goes on.

    Raises:
        InputError: a file cannot be used.
        OptionError: the options do not fit the data.
        EncoderError: the base cannot be found or fine-tuned.
        OutputError: `out` exists.
    """
    options = options or FinetuneOptions()
    check_free(out, overwrite=overwrite)
    started = time.monotonic()
    base = find(options.base)
    corpus = LabelledCorpus(patterns, text_column=text_column, label_column=label_column)
    with tempfile.TemporaryDirectory(prefix="kindred-") as work, new_folder(out) as aside:
        data = prepare(
            corpus,
            Path(work),
            validation=options.validation,
            seed=options.seed,
            ordinal=options.ordinal,
            nominal=options.nominal,
        )
        from search.training import train

        trained = train(data, base, Path(work), options, progress)
        report = {
            "rows": len(data.classes),
            "training_rows": len(data.train),
            "labels": data.counts(),
            "scale": str(data.labels.scale),
            "epochs": trained.epochs,
            "best_epoch": trained.best_epoch,
            "validation": trained.validation,
            "base": {"name": options.base, "fingerprint": fingerprint(base)},
            "data": [
                {"name": Path(one.name).name, "rows": one.sentences, "sha256": one.sha256} for one in data.sources
            ],
            "options": asdict(options),
            "seconds": round(time.monotonic() - started, 1),
        }
        trained.model.save(str(aside), create_model_card=False)
        summary = {key: report[key] for key in ("rows", "best_epoch", "validation")}
        Card(data.labels, trained.temperature, report=summary).write(aside)
        write_json(Layout(aside).report, report)
    return report
