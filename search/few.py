"""Training on few rows: the logits are fitted to an encoder that stays, or that contrast has tuned. Needs torch.

Nothing is held back unless it is asked for, so figures and temperature come from cross-validation: each row's logits
by a head that was fitted without it. The temperature makes the checkpoint as sure as the head on the base's own
features was right; the tuned encoder has seen every row, and would be sure of all of them.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from sentence_transformers import SentenceTransformer
from transformers import PreTrainedModel

from search.checkpoint import Card
from search.contrastive import ContrastiveLoss, LabelSampler, batches
from search.head import Head, cross_fitted, fit_head
from search.joint import dense_of, joint_model, load_base, meaning_dim
from search.label_figures import base_figures, label_figures
from search.methods import known_labels
from search.metrics import match_confidence
from search.progress import Progress
from search.similarity import Labels, unit
from search.training import held_back_figures, known_figures, label_weights
from search.training_data import TrainingData
from search.training_options import FinetuneOptions, Method
from search.training_run import Trained, begin, encode, run, shortened

__all__ = ["train_few", "write_logits"]

_SHARES = (1.0, 0.5)
"""The lengths to which CLS and mean are brought, for a base read from CLS first; else the other way round."""


def train_few(data: TrainingData, base: Path, work: Path, options: FinetuneOptions, progress: Progress) -> Trained:
    """Fit logits to the encoder in the folder `base`, by contrast or as it is, or go on with the run in `work`.

    Raises:
        EncoderError: the base cannot be loaded or fine-tuned.
    """
    begin(options)
    card = Card.read(base)
    loaded = load_base(base, options.dropout)
    model = joint_model(loaded, card, data.labels)
    rows = data.train[data.classes[data.train] >= 0]
    fitting = _Fitting(
        data.classes[rows],
        data.same[rows],
        label_weights(data) if options.balance else np.ones(len(data.labels.names), dtype=np.float32),
        _SHARES if card or not _carries_mean(model) else _SHARES[::-1],
        None if card is None else _known(model, card, data.labels),
    )
    with shortened(model, options.max_length):
        before = known_figures(model, data, card)
        features = _features(model, data, rows)
        logits = fitting.crossed(features)
        sure = _sureness(logits, fitting.classes)
        crossed = label_figures(logits, match_confidence(logits, sure), data, rows)
        if fitting.start is not None:
            crossed["before"] = base_figures(fitting.start.logits(features), 1.0, fitting.classes)
        report: dict[str, Any] = {"epochs": [], "best_epoch": 0, "stopped": None}
        if options.method == Method.CONTRASTIVE:
            report = _contrast(model, data, rows, features, work, options, progress)
            features = _features(model, data, rows)
            logits = fitting.crossed(features)
        write_logits(model, fitting.head(features))
        validation, temperature = held_back_figures(model, data, before)
    if validation is None:
        temperature = round(match_confidence(logits, sure), 4)
    summary = {"rows": len(data.classes), "best_epoch": report["best_epoch"]}
    report |= {"validation": validation, "cross_validation": crossed}
    return Trained(model, Card(data.labels, temperature, report=summary), report)


@dataclass(frozen=True, slots=True)
class _Fitting:
    """How logits are fitted, whatever the features: see `fit_head`."""

    classes: npt.NDArray[np.int64]
    same: npt.NDArray[np.int64]
    label_weights: npt.NDArray[np.float32]
    shares: tuple[float, float]
    start: Head | None

    def head(self, features: npt.NDArray[np.float64]) -> Head:
        """Fit the logits to all rows."""
        return fit_head(features, self.classes, self.label_weights, shares=self.shares, start=self.start)

    def crossed(self, features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return each row's logits by a head that was fitted without it."""
        return cross_fitted(
            features, self.classes, self.label_weights, shares=self.shares, start=self.start, same=self.same
        )


def write_logits(model: SentenceTransformer, head: Head) -> None:
    """Make the logits of a model from `joint_model` those of `head`; its meaning is left as it is."""
    linear = dense_of(model).linear
    logits = slice(-len(head.bias), None)
    with torch.no_grad():
        linear.weight[logits] = torch.from_numpy(head.weight).to(linear.weight)
        linear.bias[logits] = torch.from_numpy(head.bias).to(linear.bias)


def _known(model: SentenceTransformer, card: Card, labels: Labels) -> Head | None:
    """Return what a base knows of the labels, as logits whose softmax is its probabilities; None: not all of them.

    `model` is from `joint_model`, which starts from the base's logits of labels that it knows.
    """
    if known_labels(card.labels, labels) is None:
        return None
    linear = dense_of(model).linear
    weight, bias = (values.detach().double().numpy()[-len(labels.names) :] for values in (linear.weight, linear.bias))
    return Head(weight / card.temperature, bias / card.temperature)


def _carries_mean(model: SentenceTransformer) -> bool:
    """Say whether the meaning is the mean of the tokens, not CLS."""
    width = meaning_dim(model)
    return bool(dense_of(model).linear.weight[0, width:].any())


def _features(model: SentenceTransformer, data: TrainingData, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the (n, 2h) CLS and mean of rows."""
    pooled = SentenceTransformer(modules=[model[0], model[1]], device=str(model.device))
    return np.concatenate([encode(pooled, texts) for texts in data.blocks(rows)]).astype(np.float64)


def _sureness(logits: npt.NDArray[np.float64], classes: npt.NDArray[np.int64]) -> float:
    """Return how sure to be of n rows: the share that is right by heads that have not seen them, less than certain."""
    right = int((logits.argmax(axis=1) == classes).sum())
    return (right + 1) / (len(classes) + int(logits.shape[1]))


def _contrast(
    model: SentenceTransformer,
    data: TrainingData,
    rows: npt.NDArray[np.int64],
    features: npt.NDArray[np.float64],
    work: Path,
    options: FinetuneOptions,
    progress: Progress,
) -> dict[str, Any]:
    """Tune the encoder by contrast; return the report of the run."""
    width = meaning_dim(model)
    words = cast("PreTrainedModel", model[0].model).get_input_embeddings()  # half of a small encoder; few rows name few
    for fixed in (dense_of(model), words):
        fixed.requires_grad_(False)  # noqa: FBT003 - torch's signature
    base_meaning = np.zeros((len(data.classes), width), dtype=np.float32)
    base_meaning[rows] = unit(features[:, width:] if _carries_mean(model) else features[:, :width])
    loss = ContrastiveLoss(model, data.classes, base_meaning, options.keep_meaning)
    sampler = partial(LabelSampler, classes=data.classes[rows])
    saved = options.passes * batches(len(rows), options.batch_size) >= options.save_steps
    texts = data.texts.select(rows)
    return run(model, loss, texts, sampler, None, "", work, options, progress, fixed_head=True, saved=saved)
