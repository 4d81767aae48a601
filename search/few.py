"""Training on few rows: the logits are fitted to an encoder that stays, or that contrast has tuned. Needs torch.

Nothing is held back unless it is asked for, so figures and temperature come from cross-validation: each row's logits
by a head that was fitted without it. The temperature makes the checkpoint as sure as the head on the base's own
features was right; the tuned encoder has seen every row, and would be sure of all of them.
"""

from dataclasses import replace
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
from search.methods import known_labels
from search.metrics import accuracy, macro_f1, match_confidence
from search.progress import Progress
from search.similarity import Labels, unit
from search.training import held_back_figures, label_weights
from search.training_data import TrainingData
from search.training_options import FinetuneOptions, Method
from search.training_run import Trained, begin, encode, run, shortened

__all__ = ["train_few", "write_logits"]

_SHARES = (1.0, 0.5)
"""The lengths to which CLS and mean are brought, for a base read from CLS first; else the other way round."""

_RATE = 0.5
"""The learning rate of the contrast, by that of joint training."""

_BATCH = 2
"""The texts of its batches, by those of joint training: the more a batch holds, the more pairs it has."""


def train_few(data: TrainingData, base: Path, work: Path, options: FinetuneOptions, progress: Progress) -> Trained:
    """Fit logits to the encoder in the folder `base`, by contrast or as it is, or go on with the run in `work`.

    Raises:
        EncoderError: the base cannot be loaded or fine-tuned.
    """
    begin(options)
    card = Card.read(base)
    loaded = load_base(base, options.dropout)
    start = None if card is None else _known(loaded, card, data.labels)
    model = joint_model(loaded, card, data.labels)
    rows = data.train[data.classes[data.train] >= 0]
    classes = data.classes[rows]
    weights = label_weights(data) if options.balance else np.ones(len(data.labels.names), dtype=np.float32)
    shares = _SHARES if card or not _carries_mean(model) else _SHARES[::-1]
    cross = partial(cross_fitted, classes=classes, label_weights=weights, shares=shares, start=start)
    with shortened(model, options.max_length):
        features = _features(model, data, rows)
        logits = cross(features)
        figures = _cross_validation(logits, classes)
        report: dict[str, Any] = {"epochs": [], "best_epoch": 0, "stopped": None}
        if options.method == Method.CONTRASTIVE:
            report = _contrast(model, data, rows, features, work, options, progress)
            features = _features(model, data, rows)
            logits = cross(features)
        write_logits(model, fit_head(features, classes, weights, shares=shares, start=start))
        sure = (figures["accuracy"] * len(rows) + 1) / (len(rows) + len(weights))
        temperature = round(match_confidence(logits, sure), 4)
        validation = None
        if len(data.held_back):
            validation, temperature = held_back_figures(model, data)
    summary = {"rows": len(data.classes), "best_epoch": report["best_epoch"]}
    report |= {"validation": validation, "cross_validation": figures}
    return Trained(model, Card(data.labels, temperature, report=summary), report)


def write_logits(model: SentenceTransformer, head: Head) -> None:
    """Make the logits of a model from `joint_model` those of `head`; its meaning is left as it is."""
    linear = dense_of(model).linear
    logits = slice(-len(head.bias), None)
    with torch.no_grad():
        linear.weight[logits] = torch.from_numpy(head.weight).to(linear.weight)
        linear.bias[logits] = torch.from_numpy(head.bias).to(linear.bias)


def _known(base: SentenceTransformer, card: Card, labels: Labels) -> Head | None:
    """Return what a base knows of the labels, as logits whose softmax is its probabilities; None: not all of them."""
    numbers = known_labels(card.labels, labels)
    if numbers is None:
        return None
    linear = dense_of(base).linear
    weight, bias = (
        values.detach().double().numpy()[-len(card.labels.names) :] for values in (linear.weight, linear.bias)
    )
    return Head(weight[numbers] / card.temperature, bias[numbers] / card.temperature)


def _carries_mean(model: SentenceTransformer) -> bool:
    """Say whether the meaning is the mean of the tokens, not CLS."""
    width = meaning_dim(model)
    return bool(dense_of(model).linear.weight[0, width:].any())


def _features(model: SentenceTransformer, data: TrainingData, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the (n, 2h) CLS and mean of rows."""
    pooled = SentenceTransformer(modules=[model[0], model[1]], device=str(model.device))
    return np.concatenate([encode(pooled, texts) for texts in data.blocks(rows)]).astype(np.float64)


def _cross_validation(logits: npt.NDArray[np.float64], classes: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Return the figures of a head on the base's features, each row judged by one that was fitted without it."""
    given = logits.argmax(axis=1)
    return {
        "rows": len(classes),
        "accuracy": round(accuracy(given, classes), 4),
        "macro_f1": round(macro_f1(given, classes, logits.shape[1]), 4),
    }


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
    batch = options.batch_size * _BATCH
    chosen = replace(options, learning_rate=options.learning_rate * _RATE, batch_size=batch, patience=None)
    sampler = partial(LabelSampler, classes=data.classes[rows])
    saved = options.passes * batches(len(rows), batch) >= options.save_steps
    texts = data.texts.select(rows)
    return run(model, loss, texts, sampler, None, "", work, chosen, progress, fixed_head=True, saved=saved)
