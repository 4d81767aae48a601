"""Rows in two dimensions: the same each time, alike ones near each other, whatever the rows are."""

import numpy as np
import numpy.typing as npt
import pytest

from search.projection import Projected, project
from search.similarity import Vectors, unit


def clusters(count: int, kinds: int = 6, *, seed: int = 1) -> tuple[Vectors, npt.NDArray[np.int64]]:
    """Return rows of 12 numbers of meaning about some centres, and two of feeling; and each row's centre."""
    chance = np.random.default_rng(seed)
    centres = chance.normal(size=(kinds, 12))
    own = chance.integers(kinds, size=count)
    angle = chance.integers(2, size=count) * np.pi / 2
    feeling = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    meaning = unit(centres[own] + 0.35 * chance.normal(size=(count, 12)))
    return np.ascontiguousarray(np.hstack([meaning, feeling]), dtype=np.float32), own


def laid(rows: Vectors, *, weight: float = 0.0, fitted: int = 20_000) -> Projected:
    """Lay out all of some rows."""
    return project(rows, np.arange(len(rows)), weight=weight, meaning_dim=12, fitted=fitted)


def same_kind(points: Vectors, kinds: npt.NDArray[np.int64]) -> float:
    """Return how many of the 5 nearest points of each are of its own kind."""
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return float(np.mean(kinds[np.argsort(distances, axis=1)[:, :5]] == kinds[:, None]))


def test_neighbours_stay_neighbours() -> None:
    """Of six groups a point's nearest are its own group's, far more than chance's sixth; twice the same."""
    rows, kinds = clusters(240)
    found = laid(rows)
    assert found.points.shape == (240, 2)
    assert found.points.dtype == np.float32
    assert np.abs(found.points).max() <= 1
    assert found.fitted == 240
    assert same_kind(found.points, kinds) > 0.9
    assert found.trustworthiness is not None
    assert found.trustworthiness > 0.85
    np.testing.assert_array_equal(laid(rows).points, found.points)


def test_those_beside_the_sample_stand_among_their_like() -> None:
    """Where a third is laid out, the others' neighbours are still of their kind; this too is the same each time."""
    rows, kinds = clusters(240)
    found = laid(rows, fitted=80)
    assert found.fitted == 80
    assert same_kind(found.points, kinds) > 0.85
    np.testing.assert_array_equal(laid(rows, fitted=80).points, found.points)


def test_the_weight_lets_feelings_take_part() -> None:
    """With all weight on feeling, points of one feeling stand together, which they do not by meaning alone."""
    rows, _ = clusters(160)
    feelings = (rows[:, 12] > 0.5).astype(np.int64)
    assert same_kind(laid(rows).points, feelings) < 0.75
    assert same_kind(laid(rows, weight=0.9).points, feelings) > 0.9


def test_only_some_rows() -> None:
    """Rows that are not asked for have no part in it."""
    rows, _ = clusters(120)
    changed = rows.copy()
    changed[60:] = changed[60:][::-1]
    some = np.arange(60)
    first = project(rows, some, weight=0.0, meaning_dim=12)
    np.testing.assert_array_equal(project(changed, some, weight=0.0, meaning_dim=12).points, first.points)
    assert len(first.points) == 60


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 40])
@pytest.mark.parametrize("equal", [False, True])
def test_few_rows_and_equal_ones(count: int, *, equal: bool) -> None:
    """One row, two, and rows that are all the same have finite places in the frame."""
    rows, _ = clusters(count)
    if equal:
        rows[:] = rows[0]
    found = laid(rows)
    assert found.points.shape == (count, 2)
    assert np.isfinite(found.points).all()
    assert np.abs(found.points).max() <= 1
