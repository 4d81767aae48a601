"""The training run itself, on the sentence-transformers trainer. Needs torch; imported when a run begins."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator
from transformers import PrinterCallback, TrainerCallback, set_seed
from transformers.integrations.integration_utils import TensorBoardCallback
from transformers.utils import logging

from search.checkpoint import Card
from search.errors import OptionError
from search.joint import (
    HEAD_PARAMETERS,
    HEAD_RATE,
    JointLoss,
    LengthGroupedSampler,
    joint_model,
    load_base,
    meaning_dim,
)
from search.metrics import accuracy, calibration_error, cross_entropy, f1, fit_temperature, macro_f1
from search.processes import processes
from search.progress import Progress
from search.similarity import softmax, unit
from search.training_data import TrainingData
from search.training_options import FinetuneOptions
from search.training_watch import Watch, last_step

__all__ = ["Trained", "train"]

_BATCH = 64
_WARM_UP = 0.1
_STEPS = "steps"
_LOGGED = 10
_MISTAKES = 10


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run gave: the model of its best epoch, the figures of every epoch, and the last measurement."""

    model: SentenceTransformer
    temperature: float
    epochs: list[dict[str, Any]]
    best_epoch: int
    validation: dict[str, Any] | None
    stopped: str | None


def train(data: TrainingData, base: Path, work: Path, options: FinetuneOptions, progress: Progress) -> Trained:
    """Fine-tune the encoder in the folder `base`, or go on with the run whose saved steps are in `work`.

    Raises:
        EncoderError: the base cannot be loaded or fine-tuned.
    """
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    set_seed(options.seed)
    model = joint_model(load_base(base, options.dropout), Card.read(base), data.labels)
    full_length = model.max_seq_length
    model.max_seq_length = min(options.max_length, full_length or options.max_length)
    model.model_card_data.widget = [{}]  # not empty, so that the trainer does not look for examples behind a bar
    base_meaning = _base_meaning(model, data, work, progress) if options.keep_meaning else None
    loss = JointLoss(
        model,
        data.classes,
        base_meaning,
        options.keep_meaning,
        len(data.labels.names),
        _label_weights(data) if options.balance else None,
    )
    watch = Watch(model, loss, work, options, progress)
    trainer = SentenceTransformerTrainer(
        model=model,
        args=_arguments(work, options, measured=len(data.held_back) > 0),
        train_dataset=data.texts.select(data.train),
        loss=loss,
        evaluator=_Validation(data, base_meaning) if len(data.held_back) else None,
        callbacks=[watch, *_tensorboard(options)],
    )
    trainer.remove_callback(PrinterCallback)  # it prints to standard output, which is for results
    step = last_step(work / _STEPS)
    if step is not None:
        watch.resume(step)
    trainer.train(resume_from_checkpoint=str(step) if step else None)
    best = watch.best_model()
    if best is not None:
        model.load_state_dict(SentenceTransformer(str(best), local_files_only=True).state_dict())
    validation, temperature = _measure(model, data)
    model.max_seq_length = full_length  # longer texts are read whole again: their meaning was kept
    best_epoch = watch.best["epoch"] if watch.best else len(watch.epochs)
    return Trained(model, temperature, watch.epochs, best_epoch, validation, watch.stopped)


def _arguments(work: Path, options: FinetuneOptions, *, measured: bool) -> SentenceTransformerTrainingArguments:
    gpu = torch.cuda.is_available()
    return SentenceTransformerTrainingArguments(
        output_dir=str(work / _STEPS),
        num_train_epochs=options.epochs,
        per_device_train_batch_size=options.batch_size,
        gradient_accumulation_steps=options.accumulate,
        learning_rate=options.learning_rate,
        learning_rate_mapping={HEAD_PARAMETERS: options.learning_rate * HEAD_RATE},
        warmup_steps=_WARM_UP,
        weight_decay=0.0,
        seed=options.seed,
        use_cpu=not gpu,
        bf16=gpu,
        dataloader_pin_memory=gpu,
        batch_sampler=LengthGroupedSampler,
        eval_strategy="epoch" if measured else "no",
        save_strategy="steps",
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


def _label_weights(data: TrainingData) -> npt.NDArray[np.float32]:
    """Return (C,) weights that make all labels count alike, 1 on average over the rows."""
    counts = np.array(list(data.counts().values()), dtype=np.float32)
    weights: npt.NDArray[np.float32] = counts.sum() / (len(counts) * counts)
    return weights


def _encode(model: SentenceTransformer, texts: list[str]) -> npt.NDArray[np.float32]:
    """Return the (n, d + C) output of the model as it stands."""
    return np.asarray(model.encode(texts, batch_size=_BATCH, show_progress_bar=False), dtype=np.float32)


def _held_back(model: SentenceTransformer, data: TrainingData) -> npt.NDArray[np.float32]:
    return np.concatenate([_encode(model, texts) for texts in data.blocks(data.held_back)])


def _base_meaning(
    model: SentenceTransformer, data: TrainingData, work: Path, progress: Progress
) -> npt.NDArray[np.float16]:
    """Return the (n, d) meaning of every row before training, computed once; on disk, in half precision.

    One process computes it; a run that goes on finds it there.
    """
    path, shape = work / "base.f16", (len(data.classes), meaning_dim(model))
    group = processes()
    if group.main and not path.exists():
        aside = path.with_suffix(".aside")
        meaning = np.memmap(aside, dtype=np.float16, mode="w+", shape=shape)
        progress.start("reading the base's meaning", shape[0], "texts")
        done = 0
        for texts in data.blocks(np.arange(shape[0])):
            meaning[done : done + len(texts)] = unit(_encode(model, texts)[:, : shape[1]])
            done += len(texts)
            progress.advance(done)
        progress.finish()
        meaning.flush()
        aside.rename(path)
    group.wait()
    return np.memmap(path, dtype=np.float16, mode="r", shape=shape)


class _Validation(SentenceEvaluator):
    """Measures the rows held back after every epoch."""

    def __init__(self, data: TrainingData, base_meaning: npt.NDArray[np.float16] | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._data = data
        self._base = None if base_meaning is None else base_meaning[data.held_back].astype(np.float32)

    def __call__(  # type: ignore[override]  # the base class names arguments that are not needed
        self, model: SentenceTransformer, *_: Any, **__: Any
    ) -> dict[str, float]:
        """Return accuracy, macro-F1, loss, and the mean cosine of meaning to the base's."""
        count = len(self._data.labels.names)
        gold = self._data.classes[self._data.held_back]
        raw = _held_back(model, self._data)
        probabilities = softmax(raw[:, -count:])
        predicted = probabilities.argmax(axis=1)
        figures = {
            "accuracy": accuracy(predicted, gold),
            "macro_f1": macro_f1(predicted, gold, count),
            "label_loss": cross_entropy(probabilities, gold),
        }
        if self._base is not None:
            figures["meaning_cosine"] = float((unit(raw[:, :-count]) * self._base).sum(axis=1).mean())
        return figures


def _measure(model: SentenceTransformer, data: TrainingData) -> tuple[dict[str, Any] | None, float]:
    """Fit the temperature on the rows held back; return their figures with it, and the temperature."""
    if not len(data.held_back):
        return None, 1.0
    names = data.labels.names
    logits = _held_back(model, data)[:, -len(names) :]
    gold = data.classes[data.held_back]
    temperature = round(fit_temperature(logits, gold), 4)
    probabilities = softmax(logits, temperature)
    predicted = probabilities.argmax(axis=1)
    confusion = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(confusion, (gold, predicted), 1)
    figures = {
        "rows": len(gold),
        "accuracy": round(accuracy(predicted, gold), 4),
        "macro_f1": round(macro_f1(predicted, gold, len(names)), 4),
        "label_loss": round(cross_entropy(probabilities, gold), 4),
        "calibration_error": round(calibration_error(probabilities, gold), 4),
        "temperature": temperature,
        "f1": {name: round(f1(predicted == label, gold == label), 4) for label, name in enumerate(names)},
        "confusion": {
            name: dict(zip(names, confusion[label].tolist(), strict=True)) for label, name in enumerate(names)
        },
        "worst_mistakes": _worst_mistakes(data, probabilities, gold),
    }
    return figures, temperature


def _worst_mistakes(
    data: TrainingData, probabilities: npt.NDArray[np.float32], gold: npt.NDArray[np.int64]
) -> list[dict[str, Any]]:
    """Return the texts that were given another label with most confidence."""
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != gold)
    worst = wrong[np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")][:_MISTAKES]
    names = data.labels.names
    return [
        {
            "text": data.texts[int(data.held_back[row])]["text"],
            "label": names[gold[row]],
            "given": names[predicted[row]],
            "probability": round(float(probabilities[row, predicted[row]]), 4),
        }
        for row in worst.tolist()
    ]
