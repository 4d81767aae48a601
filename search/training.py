"""Training on labels: the joint loss, the figures of the rows held back, and the temperature. Needs torch."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator

from search.checkpoint import Card
from search.joint import JointLoss, LengthGroupedSampler, joint_model, load_base, meaning_dim
from search.label_figures import base_figures, label_figures
from search.methods import known_labels
from search.metrics import accuracy, cross_entropy, fit_temperature, macro_f1
from search.processes import processes
from search.progress import Progress
from search.similarity import softmax, unit
from search.training_data import TrainingData
from search.training_options import FinetuneOptions
from search.training_run import Trained, begin, encode, none_reaches, run, shortened

__all__ = ["held_back_figures", "known_figures", "label_weights", "train"]


def train(
    data: TrainingData,
    base: Path,
    work: Path,
    options: FinetuneOptions,
    progress: Progress,
    *,
    kept: Path | None = None,
) -> Trained:
    """Fine-tune the encoder in the folder `base` on labels, or go on with the run whose saved steps are in `work`.

    The meaning that is kept is the base's own, or that of the encoder in the folder `kept`.
    Where no epoch is as good as a base that knows the labels, its weights are left, and `best_epoch` is 0; not where
    `kept` is given, for such a base is an earlier stage's, and may have seen the rows held back.

    Raises:
        EncoderError: the base cannot be loaded or fine-tuned.
    """
    begin(options)
    card = Card.read(base)
    model = joint_model(load_base(base, options.dropout), card, data.labels)
    with shortened(model, options.max_length):
        before = known_figures(model, data, card)
        keeper = model if kept is None else load_base(kept)
        base_meaning = _base_meaning(keeper, data, work, progress) if options.keep_meaning else None
        weights = label_weights(data) if options.balance else None
        count = len(data.labels.names)
        loss = JointLoss(model, data.classes, base_meaning, options.keep_meaning, count, weights)
        measure = _Validation(data, base_meaning) if len(data.held_back) else None
        rows = data.texts.select(data.train)
        report = run(model, loss, rows, LengthGroupedSampler, measure, "macro_f1", work, options, progress)
        if kept is None and none_reaches(report, "macro_f1", before):
            model.load_state_dict(joint_model(load_base(base), card, data.labels).state_dict())
            report["best_epoch"] = 0
        validation, temperature = held_back_figures(model, data, before)
    summary = {"rows": len(data.classes), "best_epoch": report["best_epoch"]}
    return Trained(model, Card(data.labels, temperature, report=summary), report | {"validation": validation})


def label_weights(data: TrainingData) -> npt.NDArray[np.float32]:
    """Return (C,) weights that make all labels count alike, 1 on average over the rows."""
    counts = np.array(list(data.counts().values()), dtype=np.float32)
    weights: npt.NDArray[np.float32] = counts.sum() / (len(counts) * counts)
    return weights


def _held_back(model: SentenceTransformer, data: TrainingData) -> npt.NDArray[np.float32]:
    return np.concatenate([encode(model, texts) for texts in data.blocks(data.held_back)])


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
            meaning[done : done + len(texts)] = unit(encode(model, texts)[:, : shape[1]])
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


def known_figures(model: SentenceTransformer, data: TrainingData, card: Card | None) -> dict[str, float] | None:
    """Return what the base says of the rows held back, before `model`, from `joint_model`, learns.

    None where the base does not know the labels, or nothing is held back.
    """
    if card is None or known_labels(card.labels, data.labels) is None or not len(data.held_back):
        return None
    logits = _held_back(model, data)[:, -len(data.labels.names) :]
    return base_figures(logits, card.temperature, data.classes[data.held_back])


def held_back_figures(
    model: SentenceTransformer, data: TrainingData, before: dict[str, float] | None
) -> tuple[dict[str, Any] | None, float]:
    """Fit the temperature on the rows held back; return their figures with it, those of the base beside it, and it."""
    if not len(data.held_back):
        return None, 1.0
    logits = _held_back(model, data)[:, -len(data.labels.names) :]
    temperature = round(fit_temperature(logits, data.classes[data.held_back]), 4)
    figures = label_figures(logits, temperature, data, data.held_back) | {"temperature": temperature}
    return figures | ({} if before is None else {"before": before}), temperature
