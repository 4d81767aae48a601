"""The contract of `Store`, over every store there is. A new store is one line in STORES."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from search.errors import OptionError
from search.similarity import Vectors, unit
from search.store import Found, Store
from search.store_faiss import FaissStore

ROUNDING = 2e-6


Backend = Callable[[Vectors], Store]
"""How a store is made of rows."""

STORES: dict[str, Backend] = {"faiss": FaissStore}


@pytest.fixture(params=list(STORES))
def backend(request: pytest.FixtureRequest) -> Backend:
    """Give every store in turn."""
    return STORES[request.param]


def rows_of(count: int, width: int = 16, seed: int = 0) -> Vectors:
    """Make random unit rows."""
    return unit(np.random.default_rng(seed).normal(size=(count, width)))


def products(rows: Vectors, query: Vectors) -> list[float]:
    """Return the inner products of all rows with a query, in float64."""
    return [float(product) for product in rows.astype(np.float64) @ query.astype(np.float64)]


def check(found: Found, rows: Vectors, query: Vectors) -> None:
    """Check that rows are there once, and that each score is the inner product of its own row."""
    assert found.rows.dtype == np.int64
    assert found.scores.dtype == np.float32
    assert len(found.rows) == len(found.scores) == len(set(found.rows.tolist()))
    assert found.scores.tolist() == pytest.approx([products(rows, query)[row] for row in found.rows], abs=ROUNDING)


def test_nearest_rows_are_those_of_brute_force(backend: Backend) -> None:
    """The k rows of the largest inner products, best first, for queries that are not unit rows too."""
    rows, queries = rows_of(500), 3 * rows_of(20, seed=1)
    store = backend(rows)
    assert store.count == 500
    for k in (1, 2, 50, 500):
        found = store.search(queries, k)
        assert len(found) == len(queries)
        for one, query in zip(found, queries, strict=True):
            exact = products(rows, query)
            assert one.rows.tolist() == np.argsort(-np.array(exact), kind="stable")[:k].tolist()
            check(one, rows, query)


@pytest.mark.parametrize("k", [4, 50, 10**12])
def test_more_than_there_is_gives_every_row_once(backend: Backend, k: int) -> None:
    """A k over n is not padded, and takes no more memory than n."""
    rows = rows_of(3)
    (found,) = backend(rows).search(rows[:1], k)
    assert sorted(found.rows.tolist()) == [0, 1, 2]
    check(found, rows, rows[0])


def test_equal_rows_are_all_kept(backend: Backend) -> None:
    """Of 30 rows in three tens of copies, k = 15 finds all ten of the nearest and five of the next."""
    rows = np.repeat(np.array([[1, 0], [0.5, 0], [0, 1]], np.float32), 10, axis=0)
    (found,) = backend(rows).search(rows[:1], 15)
    assert sorted(found.rows[:10].tolist()) == list(range(10))
    assert set(found.rows[10:].tolist()) < set(range(10, 20))
    assert found.scores.tolist() == [1.0] * 10 + [0.5] * 5


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [(-2.0, 6), (-1.0, 5), (0.0, 4), (0.25, 3), (0.49, 3), (0.5, 1), (0.999999, 1), (1.0, 0)],
)
def test_above_is_strictly_greater(backend: Backend, threshold: float, expected: int) -> None:
    """A row whose product is the threshold itself is not above it; any number of rows may be."""
    rows = np.array([[1, 0], [0.5, 0.5], [0.5, -0.5], [0.25, 1], [0, 1], [-1, 0]], np.float32)
    (found,) = backend(rows).above(rows[:1], threshold)
    assert sorted(found.rows.tolist()) == list(range(expected))
    check(found, rows, rows[0])


def test_above_answers_every_query_by_itself(backend: Backend) -> None:
    """Queries with many, one and no rows above keep their own answers, in the order asked."""
    rows = rows_of(400)
    queries = np.vstack([rows[7:8], np.zeros((1, 16), np.float32), rows[3:4], -rows[3:4]])
    found = backend(rows).above(queries, 0.3)
    expected = [[row for row, one in enumerate(products(rows, query)) if one > 0.3] for query in queries]
    assert [sorted(one.rows.tolist()) for one in found] == expected
    assert expected[1] == []
    assert 7 in expected[0]
    for one, query in zip(found, queries, strict=True):
        check(one, rows, query)


def test_no_rows_or_no_queries_give_nothing(backend: Backend) -> None:
    """An empty store answers every query with nothing; no query gives no answer."""
    empty, store = backend(np.empty((0, 4), np.float32)), backend(rows_of(5, 4))
    queries = rows_of(2, 4, seed=1)
    assert empty.count == 0
    for found in (empty.search(queries, 3), empty.above(queries, -2.0)):
        assert [one.rows.tolist() for one in found] == [[], []]
        check(found[0], queries, queries[0])
    assert store.search(queries[:0], 3) == []
    assert store.above(queries[:0], -2.0) == []


@pytest.mark.parametrize("shape", [(1, 3), (2, 5), (4,), (0, 3), (1, 1, 4)])
@pytest.mark.parametrize("count", [0, 5])
def test_a_wrong_width_is_refused(backend: Backend, shape: tuple[int, ...], count: int) -> None:
    """The message names the queries' shape and the rows' width."""
    store = backend(rows_of(count, 4))
    queries = np.zeros(shape, np.float32)
    with pytest.raises(OptionError) as caught:
        store.search(queries, 1)
    assert str(shape) in str(caught.value)
    assert "4 wide" in str(caught.value)
    with pytest.raises(OptionError, match="4 wide"):
        store.above(queries, 0.5)


def test_memory_layout_does_not_matter(backend: Backend, tmp_path: Path) -> None:
    """Rows of a memory map, reversed or column by column, and queries likewise, give the same answers."""
    rows = rows_of(50)
    rows.tofile(tmp_path / "rows")
    mapped = np.memmap(tmp_path / "rows", dtype=np.float32, mode="r", shape=(50, 16))
    (expected,) = backend(rows).search(rows[4:5], 10)
    for layout in (mapped, np.asfortranarray(rows), rows[::-1].copy()[::-1]):
        store = backend(layout)
        (found,) = store.search(np.repeat(rows[4:5], 2, axis=1)[:, ::2], 10)
        assert found.rows.tolist() == expected.rows.tolist()
        (above,) = store.above(layout[4:5], float(expected.scores[5]))
        assert sorted(above.rows.tolist()) == sorted(expected.rows[:5].tolist())


def test_rows_keep_their_numbers_beyond_a_block(backend: Backend) -> None:
    """With more rows than are read at once, each is found under its own number."""
    count = 70_001
    angle = np.linspace(0, np.pi, count)
    rows = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    store = backend(rows)
    assert store.count == count
    wanted = [0, 65_535, 65_536, 70_000]
    for row, found in zip(wanted, store.search(rows[wanted], 50), strict=True):
        assert row in found.rows.tolist()
        assert np.abs(found.rows - row).max() < 1000


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 1.0])
def test_only_the_rows_asked_for_are_searched(backend: Backend, share: float) -> None:
    """Among some rows, the nearest and all above are those of brute force over these rows alone."""
    rows, queries = rows_of(303), rows_of(30, seed=1)
    among = np.random.default_rng(2).random(303) < share
    store = backend(rows)
    for k in (1, 7, 2000):
        for one, query in zip(store.search(queries, k, among), queries, strict=True):
            exact = products(rows, query)
            ranked = sorted(np.flatnonzero(among).tolist(), key=lambda row: -exact[row])
            assert one.rows.tolist() == ranked[:k]
            check(one, rows, query)
    for one, query in zip(store.above(queries, 0.2, among), queries, strict=True):
        exact = products(rows, query)
        assert sorted(one.rows.tolist()) == [row for row in np.flatnonzero(among).tolist() if exact[row] > 0.2]


def test_one_core_answers_what_is_little_and_the_setting_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that wait for one another cost more than a small search takes; a large one gets what FAISS would use."""
    seen: list[int] = []
    ask = faiss.knn_inner_product

    def noted(*arguments: Any) -> Any:
        seen.append(faiss.omp_get_max_threads())
        return ask(*arguments)

    monkeypatch.setattr(faiss, "knn_inner_product", noted)
    monkeypatch.setattr("search.store_faiss._LITTLE", 3000)
    store = FaissStore(rows_of(1000))
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(3)
    try:
        for count in (1, 3, 4):
            store.search(rows_of(count, seed=1), 5)
        assert seen == [1, 1, 3]
        assert faiss.omp_get_max_threads() == 3
    finally:
        faiss.omp_set_num_threads(before)
