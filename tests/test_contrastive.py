"""The contrast: its value by hand, batches with every label, and no list of pairs."""

import numpy as np
import pytest
from datasets import Dataset

from search.contrastive import LabelSampler, batches, contrast

pytestmark = pytest.mark.slow  # importing torch takes seconds


def test_the_contrast_by_hand() -> None:
    """Equal to the sum written out in numpy; lengths do not count; a text alone with its label counts as 0."""
    import torch

    meaning = np.random.default_rng(0).normal(size=(5, 4))
    classes = np.array([0, 0, 1, 1, 2])
    units = meaning / np.linalg.norm(meaning, axis=1, keepdims=True)
    losses = []
    for i, label in enumerate(classes):
        others = [j for j in range(5) if j != i]
        total = sum(np.exp(10 * units[i] @ units[j]) for j in others)
        same = [-np.log(np.exp(10 * units[i] @ units[j]) / total) for j in others if classes[j] == label]
        losses.append(np.mean(same) if same else 0.0)
    given = contrast(torch.from_numpy(7 * meaning), torch.from_numpy(classes))
    assert float(given) == pytest.approx(np.mean(losses), abs=1e-9)


def _sampler(classes: np.ndarray, batch_size: int) -> LabelSampler:
    dataset = Dataset.from_dict({"text": [str(number) for number in range(len(classes))]})
    return LabelSampler(dataset, batch_size, drop_last=False, classes=classes, seed=3)


def test_a_batch_that_holds_all_rows_holds_all_pairs() -> None:
    """Sixteen rows: each of the eight batches is all of them."""
    drawn = list(_sampler(np.arange(16) % 2, 32))
    assert drawn == [list(range(16))] * 8


def test_batches_have_as_many_rows_of_each_label() -> None:
    """Of three uneven labels each batch has as many; the same seed draws the same, another epoch others."""
    classes = np.repeat([0, 1, 2], [150, 30, 20])
    sampler = _sampler(classes, 30)
    drawn = list(sampler)
    assert len(drawn) == len(sampler) == 8
    for batch in drawn:
        assert len(set(batch)) == len(batch)
        counts = np.bincount(classes[batch], minlength=3)
        assert counts[0] == 10
        assert counts.min() >= 5
    assert list(_sampler(classes, 30)) == drawn
    sampler.set_epoch(1)
    assert list(sampler) != drawn


def test_an_epoch_sees_every_row_of_even_labels() -> None:
    """With as many rows of each label, a pass over the data leaves none out."""
    drawn = list(_sampler(np.arange(400) % 2, 20))
    assert len(drawn) == batches(400, 20) == 20
    assert sorted(row for batch in drawn for row in batch) == list(range(400))


def test_no_list_of_pairs_is_made() -> None:
    """A sampler over 100,000 rows of two labels, which have 5 billion pairs, draws its batches in a few MB."""
    import tracemalloc

    classes = np.arange(100_000) % 2
    tracemalloc.start()
    sampler = _sampler(classes, 64)
    for _, batch in zip(range(50), sampler, strict=False):
        assert len(batch) == 64
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6
