"""Rows in two dimensions, near where they score alike: t-SNE, the same each time.

Distances are those of the score: rows whose blocks are scaled by the roots of 1-w and w have the score as their inner
product, so that |a - b|^2 = 2 - 2 score. Of many rows a sample, drawn with a fixed seed, is laid out by t-SNE, and each
of the others stands among those of the sample that it is nearest to. Only neighbourhoods mean something: distances
across the map, sizes of groups and the empty space between them do not.

Source: van der Maaten and Hinton 2008, "Visualizing Data using t-SNE"; the start from principal components and the
learning rate of n/12 are those of Kobak and Berens 2019, "The art of using t-SNE for single-cell transcriptomics".
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from search.errors import OptionError
from search.progress import SILENT, Progress
from search.similarity import Vectors
from search.store_faiss import FaissStore

__all__ = ["FITTED", "Projected", "project"]

FITTED = 20_000
"""Rows that are laid out by t-SNE at most; `benchmarks/map.md` tells what more would cost and bring."""

_SEED = 5
_PERPLEXITY = 30
_STEPS = ((250, 12.0, 0.5), (500, 1.0, 0.8))
"""Steps of the descent, exaggeration and momentum, as openTSNE has them."""

_TOLD_EVERY = 10
_NEAREST = 10
"""Rows of the sample that another row stands among."""

_SHARPNESS = 0.03
"""How much a score may fall until a neighbour counts 1/e of the nearest."""

_JUDGED, _JUDGED_NEAREST = 2000, 10
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Projected:
    """n points.

    Attributes:
        points: (n, 2) float32 in [-1, 1].
        fitted: how many of them t-SNE laid out itself.
        trustworthiness: of 2,000 of the points at most, how far their 10 nearest on the map are near by score too: 1
            where they all are, about 0.5 by chance (Venna and Kaski 2001); None for fewer than 30 points.
    """

    points: Vectors
    fitted: int
    trustworthiness: float | None


def project(
    vectors: Vectors,
    rows: npt.NDArray[np.int64],
    *,
    weight: float,
    meaning_dim: int,
    fitted: int = FITTED,
    progress: Progress = SILENT,
) -> Projected:
    """Lay out some rows in two dimensions.

    Args:
        vectors: (m, d+s) rows of unit blocks, which may be a memory map.
        rows: (n,) which of them.
        weight: how much sentiment counts, in [0, 1].
        meaning_dim: d.
        fitted: how many of the rows t-SNE lays out at most.
        progress: is told the steps.

    Raises:
        OptionError: openTSNE is not installed.
    """
    chance = np.random.default_rng(_SEED)
    count = len(rows)
    chosen = np.sort(chance.choice(count, min(count, fitted), replace=False))
    sample = _scaled(vectors, rows[chosen], weight, meaning_dim)
    laid = _laid_out(sample, progress)
    points = (
        laid if len(chosen) == count else _placed(vectors, rows, chosen, sample, laid, weight, meaning_dim, progress)
    )
    points = _framed(points)
    judged = np.sort(chance.choice(count, min(count, _JUDGED), replace=False))
    return Projected(points, len(chosen), _trust(_scaled(vectors, rows[judged], weight, meaning_dim), points[judged]))


def _scaled(vectors: Vectors, rows: npt.NDArray[np.int64], weight: float, meaning_dim: int) -> Vectors:
    """Return rows whose inner product is the score at a weight."""
    scaled = np.array(vectors[rows], dtype=np.float32)
    scaled[:, :meaning_dim] *= np.float32(np.sqrt(1.0 - weight))
    scaled[:, meaning_dim:] *= np.float32(np.sqrt(weight))
    return scaled


def _laid_out(sample: Vectors, progress: Progress) -> Vectors:
    """Return (n, 2) points of n rows."""
    count = len(sample)
    begin = _principal(sample)
    perplexity = min(_PERPLEXITY, (count - 1) // 3)
    if perplexity < 2:  # noqa: PLR2004 - too few for neighbourhoods
        return begin
    return _descended(begin, _affinities(sample, perplexity, progress), progress)


def _principal(sample: Vectors) -> Vectors:
    """Return the first two principal components, the larger one of standard deviation 1; 0 where nothing differs."""
    centred = sample.astype(np.float64) - sample.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :2]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), range(axes.shape[1])])  # or a sign would be chance
    points = np.zeros((len(sample), 2))
    points[:, : axes.shape[1]] = centred @ axes
    spread = float(points[:, 0].std())
    return np.asarray(points / spread if spread > 1e-6 else np.zeros_like(points), dtype=np.float32)  # noqa: PLR2004


def _affinities(sample: Vectors, perplexity: int, progress: Progress) -> Any:
    """Return how much each row is drawn to its nearest, by exact search."""
    try:
        from openTSNE.affinity import PerplexityBasedNN
        from openTSNE.nearest_neighbors import PrecomputedNeighbors
    except ImportError as exc:
        raise OptionError("A map needs openTSNE; install with: pip install 'kindred[map]'") from exc
    count, k = len(sample), min(len(sample) - 1, 3 * perplexity)
    nearest, squared = np.empty((count, k), np.int64), np.empty((count, k))
    store = FaissStore(sample)
    norms = np.einsum("ij,ij->i", sample, sample)
    progress.start("neighbours", count, "sentences")
    for start in range(0, count, _BLOCK):
        for number, found in enumerate(store.search(sample[start : start + _BLOCK], k + 1), start=start):
            others = np.flatnonzero(found.rows != number)[:k]  # of equal rows, it may itself not be among the found
            nearest[number] = found.rows[others]
            squared[number] = norms[number] + norms[nearest[number]] - 2 * found.scores[others]
        progress.advance(min(count, start + _BLOCK))
    progress.finish()
    distances = np.sqrt(np.maximum(squared, 0))
    known = PrecomputedNeighbors(nearest, distances)
    return PerplexityBasedNN(knn_index=known, perplexity=perplexity, n_jobs=1)


def _descended(begin: Vectors, affinities: Any, progress: Progress) -> Vectors:
    """Return the points that t-SNE moves the first ones to; on one processor, so that they are the same each time."""
    from openTSNE import TSNEEmbedding

    total = sum(steps for steps, _, _ in _STEPS)
    progress.start("layout", total, "steps")
    chance = np.random.default_rng(_SEED)
    start = begin.astype(np.float64) * 1e-4 + chance.normal(scale=1e-6, size=begin.shape)  # equal rows must part
    embedding = TSNEEmbedding(
        start, affinities, n_jobs=1, random_state=_SEED, negative_gradient_method=_method(len(begin))
    )
    done = 0

    def tell(iteration: int, _error: float, _points: Any) -> bool:
        progress.advance(done + iteration)
        return False

    for steps, exaggeration, momentum in _STEPS:
        embedding.optimize(
            n_iter=steps,
            exaggeration=exaggeration,
            momentum=momentum,
            learning_rate=max(200.0, len(begin) / 12),
            callbacks=tell,
            callbacks_every_iters=_TOLD_EVERY,
            inplace=True,
        )
        done += steps
    progress.finish()
    return np.asarray(embedding, dtype=np.float32)


def _method(count: int) -> str:
    """Return how forces between all points are summed: by a tree, or for many by interpolation (FIt-SNE)."""
    return "bh" if count < 10_000 else "fft"  # noqa: PLR2004 - where openTSNE itself changes over


def _placed(
    vectors: Vectors,
    rows: npt.NDArray[np.int64],
    chosen: npt.NDArray[np.int64],
    sample: Vectors,
    laid: Vectors,
    weight: float,
    meaning_dim: int,
    progress: Progress,
) -> Vectors:
    """Return points of all rows: those of the sample as laid out, each other one among its nearest of them."""
    points = np.empty((len(rows), 2), np.float32)
    points[chosen] = laid
    others = np.setdiff1d(np.arange(len(rows)), chosen)
    store = FaissStore(sample)
    progress.start("placing", len(others), "sentences")
    for start in range(0, len(others), _BLOCK):
        some = others[start : start + _BLOCK]
        found = store.search(_scaled(vectors, rows[some], weight, meaning_dim), _NEAREST)
        nearest = np.stack([one.rows for one in found])
        scores = np.stack([one.scores for one in found])
        shares = np.exp((scores - scores[:, :1]) / np.float32(_SHARPNESS))
        shares /= shares.sum(axis=1, keepdims=True)
        points[some] = np.einsum("ij,ijk->ik", shares, laid[nearest])
        progress.advance(start + len(some))
    progress.finish()
    return points


def _framed(points: Vectors) -> Vectors:
    """Return points in [-1, 1], both directions by their own scale; far outliers stand at the edge."""
    low, high = np.quantile(points, [0.0005, 0.9995], axis=0)
    half = np.maximum((high - low) / 2, np.float32(1e-9))
    framed = np.clip((points - (high + low) / 2) / half, -1, 1)
    return np.ascontiguousarray(np.where(high > low, framed, 0), dtype=np.float32)


def _trust(sample: Vectors, points: Vectors) -> float | None:
    from sklearn.manifold import trustworthiness

    if len(sample) < 3 * _JUDGED_NEAREST:
        return None
    return float(trustworthiness(sample, points, n_neighbors=_JUDGED_NEAREST))
