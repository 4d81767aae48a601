"""Labelled texts, or pairs, to a checkpoint: the fine-tuning job, which a later run takes up where it was killed."""

import hashlib
import importlib.util
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.checkpoint import Card, Layout, find, fingerprint
from search.corpus import expand
from search.errors import OptionError, OutputError
from search.files import check_free, new_folder, read_json, write_json, write_text
from search.labelled import LabelledCorpus
from search.methods import Choice, choose
from search.model_card import draw_curves, model_card
from search.pair_data import prepare_pairs
from search.pairs import PairCorpus, holds_pairs
from search.processes import Processes, processes
from search.progress import SILENT, Progress
from search.records import Source
from search.training_data import TrainingData, prepare
from search.training_options import FinetuneOptions, Method

if TYPE_CHECKING:
    from search.training_run import Trained

__all__ = ["finetune", "working_folder"]

_JOB = "job.json"
_NEEDED = ("accelerate", "datasets", "matplotlib", "pyarrow")

_NO_ROOM = ("inline_container", "iostream error")
"""What torch's RuntimeError says when a file cannot be written."""


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
    """Fine-tune an encoder on labelled texts, or on pairs; write the checkpoint and return its report.

    Pairs are what has the columns sentence1 and sentence2, with score, label (1 or 0) or neither (all say the same).

    A run that was killed or interrupted goes on from its last saved step when it is called again with the same files
    and options, and ends with the same weights.

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
        OutputError: `out` exists and may not be replaced, or there is no room to write.
    """
    _check_installed()
    options = options or FinetuneOptions()
    group = processes()
    check_free(out, overwrite=overwrite)
    if out.is_dir() and any(out.iterdir()) and not Layout(out).modules.exists():
        raise OutputError(f"{out} exists and is not a checkpoint; choose another --out.")
    started = time.monotonic()
    base = find(options.base)
    names = expand(patterns)
    base_print = fingerprint(base)
    identity = partial(_identity, base_print, options, (text_column, label_column))
    with _work(out, group) as work, _room():
        texts = work / f"texts-{group.rank}.arrow"
        if holds_pairs(names[0]):
            _check_pair_options(names[0], options, (text_column, label_column))
            pairs = prepare_pairs(PairCorpus(names), texts, validation=options.held_back, seed=options.seed)
            sources = pairs.sources
            about: dict[str, Any] = {"pairs": str(pairs.kind), "groups": len(set(pairs.groups.tolist()))}
            about["training_rows"] = len(pairs.train)
            _take_up(work, identity(sources), group)
            from search.pair_training import train_pairs

            trained = train_pairs(pairs, base, work, options, progress)
        else:
            data = prepare(
                LabelledCorpus(names, text_column=text_column, label_column=label_column),
                texts,
                validation=options.held_back,
                seed=options.seed,
                ordinal=options.ordinal,
                nominal=options.nominal,
            )
            card = Card.read(base)
            choice = choose(data, card.labels if card else None, options)
            _check_processes(choice, group)
            if choice.method != Method.JOINT and options.validation is None:
                data = data.whole()
            if group.main:
                progress.tell(f"Method: {choice.method} ({choice.why}).")
            sources, about = data.sources, {"labels": data.counts(), "scale": str(data.labels.scale)}
            about |= {"method": str(choice.method), "why": choice.why, "training_rows": len(data.train)}
            _take_up(work, identity(sources), group)
            options = replace(options, method=choice.method)
            trained = _train(data, base, work, options, progress)
        report: dict[str, Any] = {
            "rows": sum(source.sentences for source in sources),
            **about,
            **trained.report,
            "base": {"name": options.base, "fingerprint": base_print},
            "data": [{"name": Path(one.name).name, "rows": one.sentences, "sha256": one.sha256} for one in sources],
            "options": asdict(replace(options, epochs=options.passes)),
            "seconds": round(time.monotonic() - started, 1),
        }
        if group.main:
            with new_folder(out) as aside:
                trained.model.save(str(aside), create_model_card=False)
                if trained.card:
                    trained.card.write(aside)
                write_json(Layout(aside).report, report)
                write_text(Layout(aside).model_card, model_card(out.name, report))
                if len(report["epochs"]) > 1:
                    draw_curves(report["epochs"], Layout(aside).curves)
            shutil.rmtree(work)
        group.wait()
    return report


def _train(data: TrainingData, base: Path, work: Path, options: FinetuneOptions, progress: Progress) -> "Trained":
    """Train by the method chosen."""
    if options.method == Method.JOINT:
        from search.training import train

        return train(data, base, work, options, progress)
    from search.few import train_few

    return train_few(data, base, work, options, progress)


def _check_installed() -> None:
    """Refuse to begin what could not be ended.

    Raises:
        OptionError: a library that fine-tuning needs is not installed; says which and how to get it.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise OptionError(f"Fine-tuning needs {', '.join(missing)}; install with: pip install 'kindred[train]'.")


def _check_pair_options(name: str, options: FinetuneOptions, columns: tuple[str | None, str | None]) -> None:
    """Refuse what is meant for labels.

    Raises:
        OptionError: naming the option and what to do.
    """
    if options.method != Method.AUTO:
        raise OptionError(f"--method {options.method} is for labels; {name} holds pairs. Leave it out.")
    if any(column is not None for column in columns):
        raise OptionError(
            f"{name} holds pairs: name their columns sentence1, sentence2, and score or label; leave --text-column and "
            "--label-column out."
        )


def _check_processes(choice: Choice, group: Processes) -> None:
    """Refuse several processes for few rows, whose small batches they would drop.

    Raises:
        OptionError: naming the method, why it was chosen, and what to do.
    """
    if choice.method != Method.JOINT and group.count > 1:
        raise OptionError(
            f"Method {choice.method} ({choice.why}) runs in one process, not in {group.count}. Run it without "
            "torchrun, or with --method joint."
        )


def working_folder(out: Path) -> Path:
    """Return where a run keeps what it needs to go on, beside its checkpoint."""
    out = out.absolute()
    return out.with_name(f".{out.name}.training")


@contextmanager
def _work(out: Path, group: Processes) -> Iterator[Path]:
    """Give the working folder; left early, it stays only if there is a saved step to go on from."""
    work = working_folder(out)
    work.mkdir(parents=True, exist_ok=True)
    group.wait()
    try:
        yield work
    finally:
        if group.main and not any(work.glob("steps/checkpoint-*")):
            shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _room() -> Iterator[None]:
    """Turn what safetensors and torch say of a full disk into our error."""
    from safetensors import SafetensorError

    try:
        yield
    except (SafetensorError, RuntimeError) as exc:
        if isinstance(exc, RuntimeError) and not any(sign in str(exc) for sign in _NO_ROOM):
            raise
        reason = str(exc).splitlines()[0]
        raise OutputError(
            f"The model cannot be written ({reason}); nothing was changed. Make room on the disk and run it again."
        ) from exc


def _identity(
    base: str, options: FinetuneOptions, columns: tuple[str | None, str | None], sources: Sequence[Source]
) -> dict[str, str]:
    """Return what two runs must share for the one to go on where the other was killed."""
    told = asdict(options) | {"max_minutes": None, "tensorboard": None, "save_steps": None}
    content = [(source.sha256, source.sentences) for source in sources]
    text = json.dumps([told, content, base, columns], default=str)
    return {"job": hashlib.sha256(text.encode()).hexdigest()}


def _take_up(work: Path, identity: dict[str, str], group: Processes) -> None:
    """Keep the saved steps of the same job; remove those of another."""
    job = work / _JOB
    if group.main and (not job.exists() or read_json(job) != identity):
        for path in work.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.suffix != ".arrow":
                path.unlink()
        write_json(job, identity)
    group.wait()
