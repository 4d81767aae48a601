"""One run of the sentence-transformers trainer, whatever is learned. Needs torch; imported when a run begins."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from datasets import Dataset
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.base.sampler import BatchSamplers, DefaultBatchSampler
from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator
from transformers import PrinterCallback, TrainerCallback, set_seed
from transformers.integrations.integration_utils import TensorBoardCallback
from transformers.utils import logging

from search.checkpoint import Card
from search.errors import OptionError
from search.joint import HEAD_PARAMETERS, HEAD_RATE
from search.processes import processes
from search.progress import Progress
from search.training_options import FinetuneOptions
from search.training_watch import STEPS, CountedLoss, Watch, came_apart, last_step

__all__ = ["Sampler", "Trained", "begin", "encode", "none_reaches", "run", "shortened"]

Sampler = BatchSamplers | Callable[..., DefaultBatchSampler]
"""How the trainer is told to make batches: by name, or by what makes the sampler."""

_BATCH = 64
_WARM_UP = 0.1

_FEWEST_WARM = 30
"""The first step of a warm-up has a learning rate of 0: of fewer steps, none is to spare."""

_LOGGED = 10


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run gave: the model, its card (None without labels), and its part of the report."""

    model: SentenceTransformer
    card: Card | None
    report: dict[str, Any]

    @property
    def width(self) -> int:
        """Return how many numbers the model's meaning has: all but the logits."""
        return int(self.model.get_embedding_dimension() or 0) - (len(self.card.labels.names) if self.card else 0)


def begin(options: FinetuneOptions) -> None:
    """Fix the seed, and leave the terminal to our own progress."""
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    set_seed(options.seed)


@contextmanager
def shortened(model: SentenceTransformer, length: int) -> Iterator[None]:
    """Read texts up to `length` tokens in the block; after it whole again, since their meaning was kept."""
    whole = model.max_seq_length
    model.max_seq_length = min(length, whole or length)
    yield
    model.max_seq_length = whole


def encode(model: SentenceTransformer, texts: list[str]) -> npt.NDArray[np.float32]:
    """Return the (n, d + C) output of the model as it stands."""
    return np.asarray(model.encode(texts, batch_size=_BATCH, show_progress_bar=False), dtype=np.float32)


def run(
    model: SentenceTransformer,
    loss: CountedLoss,
    rows: Dataset,
    sampler: Sampler,
    measure: SentenceEvaluator | None,
    chosen_by: str,
    work: Path,
    options: FinetuneOptions,
    progress: Progress,
    *,
    fixed_head: bool = False,
    saved: bool = True,
) -> dict[str, Any]:
    """Train the model, leave it at its best epoch, and return the report: epochs, best_epoch, stopped.

    Saved steps are kept in `work`; where there are some, the run goes on from the last of them.

    Args:
        model: what is trained.
        loss: over batches of `rows`.
        rows: what is trained on; a column `label` goes to the loss, the others are texts.
        sampler: how batches are made of them.
        measure: gives the figures of each epoch; None: nothing is measured and the last epoch is kept.
        chosen_by: which of these figures decides.
        work: the working folder.
        options: how to train.
        progress: is told what goes on.
        fixed_head: the head is not there, or stays as it is; else it learns faster than the rest.
        saved: keep steps to go on from; a run that is over before the first of them need not.

    Raises:
        OptionError: the rows do not make one step, or the loss or the model is no number any more.
    """
    model.model_card_data.widget = [{}]  # not empty, so that the trainer does not look for examples behind a bar
    watch = Watch(model, loss, chosen_by, work, options, progress)
    trainer = SentenceTransformerTrainer(
        model=model,
        args=_arguments(
            sampler, work, options, len(rows), measured=measure is not None, fixed_head=fixed_head, saved=saved
        ),
        train_dataset=rows,
        loss=loss,
        evaluator=measure,
        callbacks=[watch, *_tensorboard(options)],
    )
    trainer.remove_callback(PrinterCallback)  # it prints to standard output, which is for results
    step = last_step(work / STEPS)
    if step is not None:
        watch.resume(step)
        if processes().main:
            progress.tell(f"Goes on from step {step.name.rpartition('-')[2]}.")
    trainer.train(resume_from_checkpoint=str(step) if step else None)
    if trainer.state.global_step == 0:
        raise OptionError(
            f"Not one step was trained: {len(rows)} rows, in batches of {options.batch_size}, in {processes().count} "
            "process(es). Give more rows, a smaller --batch-size, or fewer processes."
        )
    if not np.isfinite(encode(model, ["?"])).all():
        raise came_apart(f"After {trainer.state.global_step} steps the model gives no numbers", work, options)
    best = watch.best_model()
    if best is not None:
        model.load_state_dict(SentenceTransformer(str(best), local_files_only=True).state_dict())
    best_epoch = watch.best["epoch"] if watch.best else len(watch.epochs)
    return {"epochs": watch.epochs, "best_epoch": best_epoch, "stopped": watch.stopped}


def none_reaches(report: Mapping[str, Any], figure: str, before: Mapping[str, float] | None) -> bool:
    """Say whether every epoch of a run's report is below the base's own figure, so that the base is better left."""
    measured = [epoch[figure] for epoch in report["epochs"] if figure in epoch]
    return bool(measured) and before is not None and max(measured) < before[figure]


def _arguments(
    sampler: Sampler,
    work: Path,
    options: FinetuneOptions,
    rows: int,
    *,
    measured: bool,
    fixed_head: bool,
    saved: bool,
) -> SentenceTransformerTrainingArguments:
    gpu = torch.cuda.is_available()
    steps = options.passes * -(-rows // (options.batch_size * options.accumulate * processes().count))
    return SentenceTransformerTrainingArguments(
        output_dir=str(work / STEPS),
        num_train_epochs=options.passes,
        per_device_train_batch_size=options.batch_size,
        gradient_accumulation_steps=options.accumulate,
        learning_rate=options.learning_rate,
        learning_rate_mapping={} if fixed_head else {HEAD_PARAMETERS: options.learning_rate * HEAD_RATE},
        warmup_steps=_WARM_UP if steps >= _FEWEST_WARM else 0,
        weight_decay=0.0,
        seed=options.seed,
        use_cpu=not gpu,
        bf16=gpu,
        dataloader_pin_memory=gpu,
        batch_sampler=sampler,
        eval_strategy="epoch" if measured else "no",
        save_strategy="steps" if saved else "no",
        save_steps=options.save_steps,
        save_total_limit=2,
        logging_strategy="steps" if options.tensorboard else "no",
        logging_steps=_LOGGED,
        report_to="none",
        disable_tqdm=True,
    )


def _tensorboard(options: FinetuneOptions) -> list[TrainerCallback]:
    """Return the trainer's own TensorBoard callback, where it is asked for."""
    if options.tensorboard is None:
        return []
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as exc:
        raise OptionError("--tensorboard needs a package: pip install tensorboard.") from exc
    return [TensorBoardCallback(SummaryWriter(options.tensorboard))]  # type: ignore[no-untyped-call]
