"""Contrastive training: texts of one label draw together, others apart. Needs torch and sentence-transformers.

    loss = supervised contrast of meanings in the batch + keep_meaning * mean(1 - cosine(meaning, the base's))

The pairs are those of the batch, made when it is there: n texts, read once, give all n * (n - 1) of them, and no list
of pairs exists. Source of the contrast: Khosla et al. 2020, "Supervised Contrastive Learning".
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.sampler import DefaultBatchSampler
from torch import Tensor
from torch.nn import functional

from search.training_watch import CountedLoss

__all__ = ["ContrastiveLoss", "LabelSampler", "batches", "contrast"]

_SHARPNESS = 10.0
"""What cosines are multiplied with before they are compared: the inverse of the contrast's temperature."""

_READ_TOGETHER = 8
"""Texts of like length that are read at once: a batch of few texts would be padding for the most part."""

_LEAST_BATCHES = 8


def contrast(meaning: Tensor, classes: Tensor) -> Tensor:
    """Return the supervised contrastive loss of n texts.

    For each text, the mean negative log-probability of the others of its label among all others.

    Args:
        meaning: (n, d), of any length.
        classes: (n,) label numbers; a text whose label no other has counts as 0.
    """
    directions = functional.normalize(meaning, dim=1)
    cosines = _SHARPNESS * directions @ directions.T
    self_ = torch.eye(len(classes), dtype=torch.bool, device=classes.device)
    log_shares = functional.log_softmax(cosines.masked_fill(self_, -torch.inf), dim=1).masked_fill(self_, 0.0)
    same = (classes[:, None] == classes[None, :]) & ~self_
    return -((log_shares * same).sum(dim=1) / same.sum(dim=1).clamp(min=1)).mean()


class ContrastiveLoss(CountedLoss):
    """The contrastive loss over rows that are named by number."""

    def __init__(
        self,
        model: SentenceTransformer,
        classes: npt.NDArray[np.int64],
        base_meaning: npt.NDArray[np.float32],
        keep_meaning: float,
    ) -> None:
        """Hold the targets of the n rows.

        Args:
            model: from `joint_model`; its logits are left alone.
            classes: (n,) label numbers.
            base_meaning: (n, d) meaning of the frozen base.
            keep_meaning: how much moving away from it costs.
        """
        super().__init__()
        self.model = model
        self._classes = torch.from_numpy(classes)
        self._base_meaning = torch.from_numpy(base_meaning)
        self._keep = keep_meaning

    def forward(self, features: Iterable[dict[str, Tensor]], labels: Tensor) -> dict[str, Tensor]:
        """Return the parts of the loss of a batch; `labels` are the batch's row numbers."""
        numbers = labels.cpu()
        (texts,) = features
        base = self._base_meaning[numbers].to(labels.device)
        meaning = self._read(texts)[:, : base.shape[1]].float()
        losses = {"contrast": contrast(meaning, self._classes[numbers].to(labels.device))}
        if self._keep:
            losses["meaning"] = self._keep * (1.0 - functional.cosine_similarity(meaning, base)).mean()
        return self.counted(losses)

    def _read(self, texts: dict[str, Tensor]) -> Tensor:
        """Return the model's output of a batch, read in groups of like length without what is padding in all of it."""
        mask = texts["attention_mask"]
        order = mask.sum(dim=1).argsort(stable=True)
        outputs = []
        for rows in torch.split(order, _READ_TOGETHER):
            used = mask[rows].any(dim=0)
            group = {name: value[rows][:, used] for name, value in texts.items() if isinstance(value, Tensor)}
            outputs.append(self.model(group)["sentence_embedding"])
        return torch.cat(outputs)[order.argsort()]


class LabelSampler(DefaultBatchSampler):
    """Random batches with as many rows of each label as of any other, or all rows where one batch holds them."""

    def __init__(
        self, dataset: Dataset, batch_size: int, drop_last: bool, classes: npt.NDArray[np.int64], **kwargs: Any
    ) -> None:
        """Take the (n,) label numbers of the data set's rows; the trainer gives the other arguments."""
        super().__init__(dataset, batch_size, drop_last, **kwargs)
        self._of_label = [np.flatnonzero(classes == label) for label in np.unique(classes)]
        self._count = len(classes)

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the batches of an epoch; the same seed and epoch give the same batches."""
        random = np.random.default_rng([self.seed or 0, self.epoch])
        if self._count <= self.batch_size:
            for _ in range(len(self)):
                yield list(range(self._count))
            return
        share = max(2, self.batch_size // len(self._of_label))
        waiting: list[list[int]] = [[] for _ in self._of_label]
        for _ in range(len(self)):
            for label, rows in enumerate(self._of_label):
                while len(waiting[label]) < share:
                    waiting[label] += random.permutation(rows).tolist()
            yield [row for label in range(len(waiting)) for row in sorted(set(waiting[label][:share]))]
            waiting = [rows[share:] for rows in waiting]

    def __len__(self) -> int:
        """Return the number of batches of an epoch: as many as hold all rows, and eight at least.

        Rows of a rare label are in several of them, and some of a frequent one in none: labels, not rows, are even.
        """
        return batches(self._count, self.batch_size)


def batches(rows: int, batch_size: int) -> int:
    """Return the number of batches of an epoch."""
    return max(_LEAST_BATCHES, -(-rows // batch_size))
