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
from transformers.utils import logging

from search.checkpoint import Card
from search.joint import (
    HEAD_PARAMETERS,
    HEAD_RATE,
    JointLoss,
    LengthGroupedSampler,
    joint_model,
    load_base,
    meaning_dim,
)
from search.metrics import accuracy, calibration_error, cross_entropy, fit_temperature, macro_f1
from search.progress import Progress
from search.similarity import softmax, unit
from search.training_data import TrainingData
from search.training_options import FinetuneOptions

__all__ = ["Trained", "train"]

_BATCH = 64
_WARM_UP = 0.1
_CHOSEN_BY = "macro_f1"


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run gave: the model of its best epoch, the figures of every epoch, and the last measurement."""

    model: SentenceTransformer
    temperature: float
    epochs: list[dict[str, Any]]
    best_epoch: int
    validation: dict[str, float] | None


def train(data: TrainingData, base: Path, work: Path, options: FinetuneOptions, progress: Progress) -> Trained:
    """Fine-tune the encoder in the folder `base`; intermediate files go to `work`.

    Raises:
        EncoderError: the base cannot be loaded or fine-tuned.
    """
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    set_seed(options.seed)
    model = joint_model(load_base(base, options.max_length, options.dropout), Card.read(base), data.labels)
    model.model_card_data.generate_widget_examples = False
    label_count = len(data.labels.names)
    base_meaning = _base_meaning(model, data, work, progress) if options.keep_meaning else None
    loss = JointLoss(model, data.classes, base_meaning, options.keep_meaning, label_count)
    watch = _Watch(loss, options.epochs, progress)
    measured = len(data.held_back) > 0
    choose = measured and options.epochs > 1
    trainer = SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(
            output_dir=str(work / "steps"),
            num_train_epochs=options.epochs,
            per_device_train_batch_size=options.batch_size,
            learning_rate=options.learning_rate,
            learning_rate_mapping={HEAD_PARAMETERS: options.learning_rate * HEAD_RATE},
            warmup_steps=_WARM_UP,
            weight_decay=0.0,
            seed=options.seed,
            use_cpu=not torch.cuda.is_available(),
            bf16=torch.cuda.is_available(),
            batch_sampler=LengthGroupedSampler,
            eval_strategy="epoch" if measured else "no",
            save_strategy="epoch" if choose else "no",
            save_total_limit=1,
            load_best_model_at_end=choose,
            metric_for_best_model=f"eval_{_CHOSEN_BY}" if choose else None,
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
            dataloader_pin_memory=torch.cuda.is_available(),
        ),
        train_dataset=data.texts.select(data.train),
        loss=loss,
        evaluator=_Validation(data, base_meaning) if measured else None,
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)  # it prints to standard output, which is for results
    trainer.train()
    best = max(watch.epochs, key=lambda epoch: epoch[_CHOSEN_BY])["epoch"] if choose else options.epochs
    validation, temperature = _measure(model, data)
    return Trained(model, temperature, watch.epochs, best, validation)


def _encode(model: SentenceTransformer, texts: list[str]) -> npt.NDArray[np.float32]:
    """Return the (n, d + C) output of the model as it stands."""
    return np.asarray(model.encode(texts, batch_size=_BATCH, show_progress_bar=False), dtype=np.float32)


def _held_back(model: SentenceTransformer, data: TrainingData) -> npt.NDArray[np.float32]:
    return np.concatenate([_encode(model, texts) for texts in data.blocks(data.held_back)])


def _base_meaning(
    model: SentenceTransformer, data: TrainingData, work: Path, progress: Progress
) -> npt.NDArray[np.float16]:
    """Return the (n, d) meaning of every row before training, computed once; on disk, in half precision."""
    count = len(data.classes)
    width = meaning_dim(model)
    meaning = np.memmap(work / "base.f16", dtype=np.float16, mode="w+", shape=(count, width))
    progress.start("reading the base's meaning", count, "texts")
    done = 0
    for texts in data.blocks(np.arange(count)):
        meaning[done : done + len(texts)] = unit(_encode(model, texts)[:, :width])
        done += len(texts)
        progress.advance(done)
    progress.finish()
    return meaning


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


class _Watch(TrainerCallback):
    """Follows the trainer: draws progress, and keeps each epoch's figures."""

    def __init__(self, loss: JointLoss, epochs: int, progress: Progress) -> None:
        self.epochs: list[dict[str, Any]] = []
        self._loss = loss
        self._count = epochs
        self._progress = progress

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._progress.start("fine-tuning", state.max_steps, "steps")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        epoch = min(self._count, int(state.epoch or 0) + 1)
        self._progress.advance(state.global_step, f"epoch {epoch}/{self._count}, loss {self._loss.recent:.3f}")

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.epochs.append({"epoch": round(state.epoch), "training_loss": round(self._loss.take_mean(), 4)})

    def on_evaluate(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        metrics: dict[str, float] = given["metrics"]
        for name in ("accuracy", "macro_f1", "label_loss", "meaning_cosine"):
            if f"eval_{name}" in metrics:
                self.epochs[-1][name] = round(metrics[f"eval_{name}"], 4)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._progress.finish()


def _measure(model: SentenceTransformer, data: TrainingData) -> tuple[dict[str, float] | None, float]:
    """Fit the temperature on the rows held back; return their figures with it, and the temperature."""
    if not len(data.held_back):
        return None, 1.0
    count = len(data.labels.names)
    logits = _held_back(model, data)[:, -count:]
    gold = data.classes[data.held_back]
    temperature = round(fit_temperature(logits, gold), 4)
    probabilities = softmax(logits, temperature)
    predicted = probabilities.argmax(axis=1)
    figures = {
        "rows": len(gold),
        "accuracy": round(accuracy(predicted, gold), 4),
        "macro_f1": round(macro_f1(predicted, gold, count), 4),
        "label_loss": round(cross_entropy(probabilities, gold), 4),
        "calibration_error": round(calibration_error(probabilities, gold), 4),
        "temperature": temperature,
    }
    return figures, temperature
