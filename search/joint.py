"""Joint training: one encoder that learns labels and keeps its meaning. Needs torch and sentence-transformers.

    loss = cross_entropy(logits) + keep_meaning * mean(1 - cosine(meaning, the frozen base's meaning))

The model is `Transformer -> Pooling(cls + mean) -> Dense(2h -> h + C)`. The Dense carries the meaning (the base's own
pooling) through unchanged and appends one logit a label, read from CLS and mean together.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from datasets import Dataset
from safetensors import SafetensorError
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.sentence_transformer.modules import Dense, Pooling
from torch import Tensor, nn
from torch.nn import functional

from search.checkpoint import Card
from search.errors import EncoderError
from search.methods import known_labels
from search.processes import processes
from search.similarity import Labels
from search.training_watch import CountedLoss

__all__ = [
    "HEAD_PARAMETERS",
    "HEAD_RATE",
    "UNLABELLED",
    "JointLoss",
    "LengthGroupedSampler",
    "dense_of",
    "joint_model",
    "load_base",
    "meaning_dim",
]

HEAD_PARAMETERS = r"^model\.2\."
"""The names of the head's parameters: it is the third module of the loss's model."""

HEAD_RATE = 20.0
"""The head starts at zero while the encoder is trained already: it learns this many times as fast."""

UNLABELLED = -1
"""The class of a row without a label."""

_WINDOW = 64
"""How many batches' texts are sorted by length together: enough to save padding, few enough to stay random."""


def load_base(folder: Path, dropout: float = 0.0) -> SentenceTransformer:
    """Load the model to start from, with `dropout` in place of its own.

    Raises:
        EncoderError: it cannot be loaded, or is not a transformer with mean or CLS pooling.
    """
    try:
        model = SentenceTransformer(
            str(folder), local_files_only=True, model_kwargs={"use_safetensors": True, "dtype": torch.float32}
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as exc:
        raise EncoderError(f"{folder} cannot be loaded to be fine-tuned: {exc}") from exc
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = dropout
    return model


def meaning_dim(model: SentenceTransformer) -> int:
    """Return the width h of a base's token vectors, which is its meaning's."""
    return int(_pooling(model).embedding_dimension)


def _pooling(model: SentenceTransformer) -> Pooling:
    for module in model:
        if isinstance(module, Pooling):
            return cast("Pooling", module)
    raise EncoderError("The base has no pooling over tokens; fine-tuning needs a BERT-like encoder.")


def joint_model(base: SentenceTransformer, card: Card | None, labels: Labels) -> SentenceTransformer:
    """Put the joint head on a base. The base's transformer is taken over, not copied.

    Where the base knows all the labels, its logits of them are the start; else they start at zero.

    Args:
        base: from `load_base`.
        card: the base's card, or None.
        labels: what to learn.

    Raises:
        EncoderError: the base's meaning is not its mean or CLS pooling.
    """
    width = meaning_dim(base)
    modes = ("mean",) if card else _pooling(base).pooling_mode
    mode = modes if isinstance(modes, str) else "+".join(modes)
    if mode not in {"mean", "cls"}:
        raise EncoderError(f"The base pools by {mode}; fine-tuning carries mean or cls pooling through.")
    if card is None and _has_head(base):
        raise EncoderError("The base has a Dense layer of its own; fine-tuning starts from encoders without one.")
    weight = torch.zeros(width + len(labels.names), 2 * width)
    bias = torch.zeros(width + len(labels.names))
    carried = slice(width, 2 * width) if mode == "mean" else slice(0, width)
    weight[:width, carried] = torch.eye(width)
    known = None if card is None else known_labels(card.labels, labels)
    if known is not None:
        dense = dense_of(base)
        weight[width:] = dense.linear.weight.detach()[width:][known]
        bias[width:] = dense.linear.bias.detach()[width:][known]
    head = Dense(
        2 * width, width + len(labels.names), activation_function=nn.Identity(), init_weight=weight, init_bias=bias
    )
    trained = torch.zeros_like(weight)
    trained[width:] = 1.0
    _train_only(head.linear.weight, trained)
    _train_only(head.linear.bias, (torch.arange(len(bias)) >= width).float())
    return SentenceTransformer(modules=[base[0], Pooling(width, pooling_mode=("cls", "mean")), head])


def dense_of(model: SentenceTransformer) -> Dense:
    """Return the Dense of a checkpoint, which carries the meaning through and makes the logits."""
    return next(module for module in model if isinstance(module, Dense))


def _has_head(model: SentenceTransformer) -> bool:
    """Say whether a model carries logits beside its meaning."""
    return any(isinstance(module, Dense) for module in model)


def _train_only(parameter: Tensor, mask: Tensor) -> None:
    """Leave the weights where the mask is 0 as they are: no gradient reaches them (and there is no weight decay)."""
    parameter.register_hook(lambda gradient: gradient * mask.to(gradient.device))  # type: ignore[no-untyped-call]


class JointLoss(CountedLoss):
    """The joint loss over rows that are named by number, so that targets stay out of the data loader."""

    def __init__(
        self,
        model: SentenceTransformer,
        classes: npt.NDArray[np.int64],
        base_meaning: npt.NDArray[np.floating[Any]] | None,
        keep_meaning: float,
        label_count: int,
        label_weights: npt.NDArray[np.float32] | None = None,
    ) -> None:
        """Hold the targets of the n training rows.

        Args:
            model: from `joint_model`.
            classes: (n,) label numbers; UNLABELLED for rows that only keep their meaning.
            base_meaning: (n, d) meaning of the frozen base, may be a memory map; None where nothing is kept.
            keep_meaning: how much moving away from it costs.
            label_count: the number C of labels.
            label_weights: (C,) how much each label's rows count; None: alike.
        """
        super().__init__()
        self.model = model
        self.keep_meaning = keep_meaning
        self._classes = classes
        self._label_count = label_count
        self._label_weights = None if label_weights is None else torch.from_numpy(label_weights)
        self._base_meaning = base_meaning

    def forward(self, features: Iterable[dict[str, Tensor]], labels: Tensor) -> dict[str, Tensor]:
        """Return the two parts of the loss of a batch; `labels` are the batch's row numbers."""
        numbers = labels.cpu().numpy()
        (texts,) = features
        raw = self.model(texts)["sentence_embedding"]
        width = raw.shape[1] - self._label_count
        target = torch.from_numpy(self._classes[numbers]).to(raw.device)
        logits = raw[:, width:].float()
        weights = None if self._label_weights is None else self._label_weights.to(raw.device)
        labelled = functional.cross_entropy(logits, target, weights, ignore_index=UNLABELLED, reduction="sum")
        losses = {"label": labelled / len(target)}
        if self._base_meaning is not None:
            base = torch.from_numpy(self._base_meaning[numbers].astype(np.float32)).to(raw.device)
            moved = 1.0 - functional.cosine_similarity(raw[:, :width].float(), base)
            losses["meaning"] = self.keep_meaning * moved.mean()
        return self.counted(losses)


class LengthGroupedSampler(DefaultBatchSampler):
    """Batches of texts of like length, in random order: less padding at no loss of randomness between batches."""

    def __init__(self, dataset: Dataset, batch_size: int, drop_last: bool, **kwargs: Any) -> None:
        """Measure the texts; the trainer calls this with its own arguments."""
        super().__init__(dataset, batch_size, drop_last, **kwargs)
        self._lengths = _text_lengths(dataset)

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the batches of an epoch; the same seed and epoch give the same batches."""
        random = np.random.default_rng([self.seed or 0, self.epoch])
        order = random.permutation(len(self._lengths))
        if processes().count > 1:  # a round of batches with a shorter one would be dropped
            order = np.resize(order, -(-len(order) // self.batch_size) * self.batch_size)
        span = _WINDOW * self.batch_size
        windows = [order[start : start + span] for start in range(0, len(order), span)]
        batches = [
            ordered[start : start + self.batch_size]
            for window in windows
            for ordered in [window[np.argsort(self._lengths[window], kind="stable")]]
            for start in range(0, len(ordered), self.batch_size)
        ]
        for number in random.permutation(len(batches)):
            yield batches[number].tolist()

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        span = _WINDOW * self.batch_size
        whole, rest = divmod(len(self._lengths), span)
        return whole * _WINDOW + -(-rest // self.batch_size)


def _text_lengths(dataset: Dataset) -> npt.NDArray[np.int64]:
    """Return the (n,) lengths in characters of a data set's texts."""
    return np.array([len(text) for text in dataset["text"]], dtype=np.int64)
