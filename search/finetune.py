"""Labelled texts, or pairs, to a checkpoint: the fine-tuning job, which a later run takes up where it was killed."""

import importlib.util
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.checkpoint import Card, Layout, find, fingerprint
from search.corpus import expand
from search.errors import InputError, OptionError, OutputError
from search.files import check_free, new_folder, write_json, write_text
from search.labelled import LabelledCorpus
from search.methods import Choice, choose
from search.model_card import draw_curves, model_card
from search.pair_data import prepare_pairs
from search.pairs import PairCorpus, holds_pairs
from search.processes import processes
from search.progress import SILENT, Progress
from search.records import Source
from search.settling import few_steps, settle, settle_pairs, used
from search.training_data import TrainingData, prepare
from search.training_folder import identity, room, take_up, work_in
from search.training_options import FinetuneOptions, Method

if TYPE_CHECKING:
    from search.training_run import Trained

__all__ = ["finetune"]

_NEEDED = ("accelerate", "datasets", "matplotlib", "pyarrow")

_SHOWN = 80
"""Characters of a text that is shown as an example."""


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
    columns = (text_column, label_column)
    with work_in(out, group, progress) as work, room():

        def ready(sources: Sequence[Source]) -> None:
            take_up(work, identity(base_print, options, columns, sources), group)

        texts = work / f"texts-{group.rank}.arrow"
        if _all_pairs(names):
            learned = _from_pairs(names, texts, base, options, columns, progress, ready)
        else:
            corpus = LabelledCorpus(names, text_column=text_column, label_column=label_column)
            learned = _from_labels(corpus, texts, base, options, progress, ready)
        trained, sources = learned.trained, learned.sources
        report: dict[str, Any] = {
            "rows": sum(source.sentences for source in sources),
            **learned.about,
            **trained.report,
            "base": {"name": options.base, "fingerprint": base_print},
            "data": [{"name": Path(one.name).name, "rows": one.sentences, "sha256": one.sha256} for one in sources],
            "options": used(learned.options),
            "seconds": round(time.monotonic() - started, 1),
        }
        if group.main:
            with new_folder(out) as aside:
                trained.model.save(str(aside), create_model_card=False)
                if trained.card:
                    trained.card.write(aside)
                write_json(Layout(aside).report, report)
                told = model_card(out.absolute().name, report, trained.card, trained.width, at=out)
                write_text(Layout(aside).model_card, told)
                if len(report["epochs"]) > 1:
                    draw_curves(report["epochs"], Layout(aside).curves)
            shutil.rmtree(work)
        group.wait()
    return report


@dataclass(frozen=True, slots=True)
class _Learned:
    """What a run gave, from which files, what the report says of them, and the options it used."""

    trained: "Trained"
    sources: tuple[Source, ...]
    about: dict[str, Any]
    options: FinetuneOptions


_Ready = Callable[[Sequence[Source]], None]
"""Makes the working folder ready for a run on these files."""


def _from_pairs(
    names: Sequence[str],
    texts: Path,
    base: Path,
    options: FinetuneOptions,
    columns: tuple[str | None, str | None],
    progress: Progress,
    ready: _Ready,
) -> _Learned:
    """Train on pairs."""
    _check_pair_options(names[0], options, columns)
    corpus = PairCorpus(names)
    if processes().main:
        progress.tell(f"Pairs: {corpus.told}.")
    data = prepare_pairs(corpus, texts, validation=options.validation, seed=options.seed)
    card = Card.read(base)
    chosen = settle_pairs(options, data, card.labels if card else None)
    ready(data.sources)
    from search.pair_training import train_pairs

    about = {"pairs": str(data.kind), "groups": len(set(data.groups.tolist())), "training_rows": len(data.train)}
    return _Learned(train_pairs(data, base, texts.parent, chosen, progress), data.sources, about, chosen)


def _from_labels(
    corpus: LabelledCorpus, texts: Path, base: Path, options: FinetuneOptions, progress: Progress, ready: _Ready
) -> _Learned:
    """Choose how to learn the labels, and train."""
    asked = options.validation
    data = prepare(corpus, texts, validation=asked, seed=options.seed, ordinal=options.ordinal, nominal=options.nominal)
    card = Card.read(base)
    choice = choose(data, card.labels if card else None, options)
    _check_processes(choice)
    if choice.method != Method.JOINT and asked is None:
        data = data.whole()
    chosen = settle(options, choice, data)
    contradicted = data.contradicted()
    if processes().main:
        progress.tell(f"Method: {choice.method} ({choice.why}).")
        for row, names in list(contradicted.items())[:1]:
            progress.tell(_contradiction(len(contradicted), data.texts[row]["text"], names))
        if told := few_steps(chosen, len(data.train)):
            progress.tell(told)
    ready(data.sources)
    about: dict[str, Any] = {"labels": data.counts(), "scale": str(data.labels.scale)}
    about |= {"method": str(choice.method), "why": choice.why, "training_rows": len(data.train)}
    about |= {"contradicted_texts": len(contradicted)}
    return _Learned(_train(data, base, texts.parent, chosen, progress), data.sources, about, chosen)


def _train(data: TrainingData, base: Path, work: Path, options: FinetuneOptions, progress: Progress) -> "Trained":
    """Train by the method chosen."""
    if options.method == Method.JOINT:
        from search.training import train

        return train(data, base, work, options, progress)
    from search.few import train_few

    return train_few(data, base, work, options, progress)


def _contradiction(count: int, text: str, labels: Sequence[str]) -> str:
    """Say that texts have more than one label, with one of them."""
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 1].rstrip() + "…"
    return (
        f"{count:,} text(s) have more than one label, for example {shown!r} ({', '.join(labels)}): whatever is learned "
        "is wrong of some of their rows."
    )


def _all_pairs(names: Sequence[str]) -> bool:
    """Say whether the files hold pairs, not labels.

    Raises:
        InputError: some do and some do not; names one of each.
    """
    pairs = [holds_pairs(name) for name in names]
    if any(pairs) and not all(pairs):
        raise InputError(
            f"{names[pairs.index(True)]} holds pairs (sentence1, sentence2), {names[pairs.index(False)]} does not: one "
            "run learns from pairs or from labels. Give them one after the other, the second with --base the first's "
            "checkpoint."
        )
    return all(pairs)


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


def _check_processes(choice: Choice) -> None:
    """Refuse several processes for few rows, whose small batches they would drop.

    Raises:
        OptionError: naming the method, why it was chosen, and what to do.
    """
    count = processes().count
    if choice.method != Method.JOINT and count > 1:
        raise OptionError(
            f"Method {choice.method} ({choice.why}) runs in one process, not in {count}. Run it without "
            "torchrun, or with --method joint."
        )
