"""Training on pairs: meaning moves, by the losses of sentence-transformers; a labelled encoder's feelings stay.

Positive pairs: in-batch negatives (MultipleNegativesRankingLoss), no two pairs of a batch from one group, so that a
text that says the same never serves as a negative. Labelled pairs: OnlineContrastiveLoss. Scored pairs: CoSENTLoss.
To that comes, for an encoder with labels, keep_meaning * KL(base's probabilities || its own) of both sentences.
"""

import math
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from datasets import Dataset
from scipy.stats import spearmanr
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.sampler import BatchSamplers, DefaultBatchSampler
from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator
from sentence_transformers.sentence_transformer.losses import (
    CoSENTLoss,
    MultipleNegativesRankingLoss,
    OnlineContrastiveLoss,
)
from torch import Tensor, nn
from torch.nn import functional

from search.checkpoint import Card
from search.joint import joint_model, load_base, meaning_dim
from search.metrics import average_precision, reciprocal_rank
from search.pair_data import PairData
from search.pairs import PairKind
from search.processes import processes
from search.progress import Progress
from search.similarity import unit
from search.training_options import FinetuneOptions
from search.training_run import Sampler, Trained, begin, encode, run, shortened
from search.training_watch import CountedLoss

__all__ = ["PairLoss", "PairSampler", "train_pairs"]

_LOSSES = {
    PairKind.POSITIVE: MultipleNegativesRankingLoss,
    PairKind.LABELLED: OnlineContrastiveLoss,
    PairKind.SCORED: CoSENTLoss,
}
_FIGURES = {PairKind.POSITIVE: "mrr", PairKind.LABELLED: "average_precision", PairKind.SCORED: "spearman"}


def train_pairs(data: PairData, base: Path, work: Path, options: FinetuneOptions, progress: Progress) -> Trained:
    """Fine-tune the meaning of the encoder in the folder `base` on pairs, or go on with the run in `work`.

    Raises:
        EncoderError: the base cannot be loaded or fine-tuned.
    """
    begin(options)
    card = Card.read(base)
    loaded = load_base(base, options.dropout)
    model = loaded if card is None else joint_model(loaded, card, card.labels)
    if card is not None:
        model[-1].requires_grad_(False)  # noqa: FBT003 - torch's signature
    with shortened(model, options.max_length):
        width = meaning_dim(model)
        measure = _Validation(data, width) if len(data.held_back) else None
        before = measure(model) if measure else None
        frozen = None if card is None else _log_probabilities(model, data, width, progress)
        loss = PairLoss(model, data, width, frozen, options.keep_meaning)
        rows = data.texts.select(data.train)
        sampler: Sampler = BatchSamplers.BATCH_SAMPLER
        if data.kind is PairKind.POSITIVE:
            sampler = partial(PairSampler, groups=data.groups[data.train])
            _tell_small_batches(data, options.batch_size, progress)
        report = run(model, loss, rows, sampler, measure, _FIGURES[data.kind], work, options, progress, fixed_head=True)
        after = measure(model) if measure else None
    validation = None if before is None or after is None else {"rows": len(data.held_back), "before": before} | after
    return Trained(model, card, report | {"validation": validation})


def _tell_small_batches(data: PairData, batch_size: int, progress: Progress) -> None:
    """Say so where one group is so large that batches, in which no two of it may be, are smaller than was asked."""
    groups = data.groups[data.train]
    pairs, largest, batches = len(groups), int(np.bincount(groups).max()), _batches(groups, batch_size)
    if processes().main and batches > math.ceil(pairs / batch_size):
        told = f"{largest} of {pairs} pairs say one and the same; no two of them are in one batch, so batches are small"
        left_out = f", and each epoch leaves out {largest - batches} of them, others each time"
        progress.tell(f"{told}{left_out if largest > batches else ''}.")


def _batches(groups: npt.NDArray[np.int64], batch_size: int) -> int:
    """Return the number of batches of an epoch of n pairs of these groups."""
    largest = int(np.unique(groups, return_counts=True)[1].max())
    others = len(groups) - largest
    return max(1, others) if largest > others else max(math.ceil(len(groups) / batch_size), largest)


def _log_probabilities(
    model: SentenceTransformer, data: PairData, width: int, progress: Progress
) -> npt.NDArray[np.float32]:
    """Return the (2, n, C) log-probabilities of both sentences of every pair by the untrained model."""
    found = []
    for column in ("sentence1", "sentence2"):
        progress.start(f"reading the base's labels of {column}", len(data.values), "texts")
        raw = encode(model, list(data.texts[column]))
        found.append(functional.log_softmax(torch.from_numpy(raw[:, width:]), dim=1).numpy())
        progress.finish()
    return np.stack(found)


class _Meaning(nn.Module):
    """The model as the library's losses should see it: meaning alone; what is cut off is kept for our own."""

    def __init__(self, model: SentenceTransformer, width: int) -> None:
        super().__init__()
        self.model = model
        self.logits: list[Tensor] = []
        self._width = width

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the meaning of a batch of texts."""
        raw = self.model(features)["sentence_embedding"]
        self.logits.append(raw[:, self._width :])
        return {"sentence_embedding": raw[:, : self._width]}


class PairLoss(CountedLoss):
    """The library's loss on meaning, and what keeps the labels, over pairs that are named by number."""

    def __init__(
        self,
        model: SentenceTransformer,
        data: PairData,
        width: int,
        frozen: npt.NDArray[np.float32] | None,
        keep: float,
    ) -> None:
        """Hold the targets of n pairs; `frozen` are the (2, n, C) log-probabilities to keep, or None."""
        super().__init__()
        self.model = model
        self._meaning = _Meaning(model, width)
        self._loss = _LOSSES[data.kind](self._meaning)
        self._values = data.values
        self._frozen = frozen
        self._keep = keep

    def forward(self, features: Iterable[dict[str, Tensor]], labels: Tensor) -> dict[str, Tensor]:
        """Return the parts of the loss of a batch; `labels` are the batch's row numbers."""
        numbers = labels.cpu().numpy()
        self._meaning.model, self._meaning.logits = self.model, []
        values = torch.from_numpy(self._values[numbers]).float().to(labels.device)
        losses = {"pairs": self._loss(list(features), values)}
        if self._frozen is not None and self._keep:
            kept = [
                functional.kl_div(
                    functional.log_softmax(logits.float(), dim=1),
                    torch.from_numpy(self._frozen[side][numbers]).to(logits.device),
                    log_target=True,
                    reduction="batchmean",
                )
                for side, logits in enumerate(self._meaning.logits)
            ]
            losses["labels"] = self._keep * torch.stack(kept).mean()
        return self.counted(losses)


class PairSampler(DefaultBatchSampler):
    """Batches in random order in which no two pairs are of one group, every pair in one of them.

    The pairs, group by group, are dealt to the batches in turn: to as many as hold them all, or as the largest group
    has pairs. Only of a group with more than half of all pairs some are left out of an epoch, others in each: there are
    not enough other pairs to tell them from.
    """

    def __init__(
        self, dataset: Dataset, batch_size: int, drop_last: bool, groups: npt.NDArray[np.int64], **kwargs: Any
    ) -> None:
        """Take the (n,) groups of the data set's rows; the trainer gives the other arguments."""
        super().__init__(dataset, batch_size, drop_last, **kwargs)
        self._groups = np.unique(groups, return_inverse=True)[1]
        self._count = _batches(groups, batch_size)
        pairs = np.minimum(np.bincount(self._groups), self._count).sum()
        self.batch_size = math.ceil(pairs / self._count)

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the batches of an epoch; the same seed and epoch give the same batches.

        Several processes take a batch each and drop a round with a shorter one: there, a pair of another group is
        added to those that lack one.
        """
        random = np.random.default_rng([self.seed or 0, self.epoch])
        places = random.permutation(int(self._groups.max()) + 1)[self._groups]
        order = np.lexsort((random.random(len(places)), places))
        begins = np.searchsorted(places[order], places[order])
        dealt = order[np.arange(len(order)) - begins < self._count]
        several = processes().count > 1
        for number in random.permutation(self._count):
            batch = dealt[number :: self._count].tolist()
            if several and len(batch) < self.batch_size:
                present = set(self._groups[batch].tolist())
                others = (int(dealt[place % len(dealt)]) for place in count(int(random.integers(len(dealt)))))
                batch.append(next(row for row in others if int(self._groups[row]) not in present))
            yield batch

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return self._count


class _Validation(SentenceEvaluator):
    """Measures the pairs held back, by meaning alone."""

    def __init__(self, data: PairData, width: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._data = data
        self._width = width

    def __call__(  # type: ignore[override]  # the base class names arguments that are not needed
        self, model: SentenceTransformer, *_: Any, **__: Any
    ) -> dict[str, float]:
        """Return the one figure of this kind of pairs."""
        rows = self._data.texts.select(self._data.held_back)
        a = unit(encode(model, list(rows["sentence1"]))[:, : self._width])
        b = unit(encode(model, list(rows["sentence2"]))[:, : self._width])
        values = self._data.values[self._data.held_back]
        name = _FIGURES[self._data.kind]
        if self._data.kind is PairKind.POSITIVE:
            groups = self._data.groups[self._data.held_back]
            order = np.argsort(-(a @ b.T), axis=1, kind="stable")
            ranks = [
                reciprocal_rank((groups[found] == group).astype(float))
                for found, group in zip(order, groups, strict=True)
            ]
            return {name: float(np.mean(ranks))}
        scores = (a * b).sum(axis=1)
        if self._data.kind is PairKind.LABELLED:
            return {name: average_precision(scores, values.astype(np.int64))}
        return {name: float(spearmanr(scores, values).statistic)}
