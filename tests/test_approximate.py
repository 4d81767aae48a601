"""Search structures: what they find is scored exactly, filters and newer rows count, the file is the same twice."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from search.approximate import ApproximateStore
from search.choosing import Bench, Candidate, Trial, best, candidates, named, quick
from search.encoder import Passport
from search.errors import OptionError
from search.nearest import Nearest
from search.similarity import Vectors, parts, sentiment_blocks, total, unit
from search.store import Among
from search.store_faiss import FaissStore
from search.structure_faiss import Rows, Structure, build, check_spec, codes, divide, extend, write
from tests.toy import FEELINGS

D = 14
COUNT = 6000
CODES = f"IVF36,{codes(D + 2)}"
SPECS = ["IVF16,SQ8", CODES, "HNSW16,SQ8"]
PASSPORT = Passport("toy", "toy", D, FEELINGS, 0.3, "toy")


def rows_of(count: int, seed: int = 1, copies: float = 0.0) -> Vectors:
    """Make rows in clusters, a share of them copies of one."""
    random = np.random.default_rng(seed)
    middles = random.normal(size=(40, D))
    meaning = unit(middles[random.integers(40, size=count)] + 0.7 * random.normal(size=(count, D)))
    rows = np.hstack([meaning, sentiment_blocks(random.dirichlet(np.ones(3), size=count), FEELINGS)])
    rows[random.random(count) < copies] = rows[0]
    return np.ascontiguousarray(rows)


def structure_of(rows: Vectors, spec: str, path: Path) -> Structure:
    """Build a structure of rows in a file, and open it."""
    lists = int(spec[3:].partition(",")[0]) if spec.startswith("IVF") else 0
    write(build(spec, rows, divide(rows, lists, D) if lists else None), path)
    return Structure(path, width=rows.shape[1], count=len(rows))


def nearest_of(rows: Vectors, structure: Structure, *, effort: int = 400, few: int = 0) -> Nearest:
    """Search rows with a structure of the first of them."""
    return Nearest(rows, D, ApproximateStore(rows, structure, efforts={0.3: effort}, spare=8, few=few))


def exact_of(rows: Vectors) -> Nearest:
    """Search rows exactly."""
    return Nearest(rows, D, FaissStore(rows))


def recall(rows: Vectors, structure: Structure, queries: Vectors, weight: float, among: Among | None = None) -> float:
    """Return the share of the ten nearest found, with every score and the order checked."""
    shares = []
    found = nearest_of(rows, structure).top(queries, 10, weight, among)
    for query, one, truth in zip(queries, found, exact_of(rows).top(queries, 10, weight, among), strict=True):
        scores = total(*parts(rows[one.rows], query[None, :], D), weight)
        np.testing.assert_array_equal(one.scores, scores)
        assert list(zip(-one.scores, one.rows, strict=True)) == sorted(zip(-one.scores, one.rows, strict=True))
        assert among is None or among[one.rows].all()
        assert len(one.rows) == len(truth.rows)
        shares.append(np.mean(one.scores >= truth.scores[-1]))
    return float(np.mean(shares))


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("weight", [0.0, 0.3, 0.7, 1.0])
def test_what_is_found_is_scored_exactly(spec: str, weight: float, tmp_path: Path) -> None:
    """Nearly all of the nearest are found, each with the score and in the order of exact search."""
    rows = rows_of(COUNT)
    structure = structure_of(rows, spec, tmp_path / "s")
    assert recall(rows, structure, np.vstack([rows[5:30], rows_of(25, seed=2)]), weight) >= 0.97


@pytest.mark.parametrize("spec", SPECS)
def test_little_effort_finds_less(spec: str, tmp_path: Path) -> None:
    """The effort is what a structure is asked with: with 1 it misses rows that it finds with 400."""
    rows = rows_of(COUNT)
    structure = structure_of(rows, spec, tmp_path / "s")
    queries = rows_of(50, seed=3)
    truth = [set(one.rows.tolist()) for one in exact_of(rows).top(queries, 10, 0.3)]
    hit = [
        sum(len(set(one.rows.tolist()) & two) for one, two in zip(found, truth, strict=True))
        for found in (nearest_of(rows, structure, effort=effort).top(queries, 10, 0.3) for effort in (1, 400))
    ]
    assert hit[0] < hit[1]


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("share", [1e-5, 1e-3, 0.02, 0.5, 0.9])
def test_a_filter_leaves_the_nearest_that_fit(spec: str, share: float, tmp_path: Path) -> None:
    """Whether one row fits or most do: only such rows are found, as many as there are, nearly always the nearest."""
    rows = rows_of(COUNT)
    structure = structure_of(rows, spec, tmp_path / "s")
    among = np.zeros(COUNT, dtype=np.bool_)
    among[np.random.default_rng(4).permutation(COUNT)[: max(1, round(share * COUNT))]] = True
    assert recall(rows, structure, rows_of(40, seed=5), 0.3, among) >= (1.0 if share < 0.1 else 0.97)


@pytest.mark.parametrize("selected", [1, 7, 300])
def test_few_rows_that_fit_are_searched_exactly(selected: int, tmp_path: Path) -> None:
    """Below the bound nothing is left to the structure: with an effort that finds next to nothing, all are found."""
    rows = rows_of(COUNT)
    structure = structure_of(rows, "IVF64,SQ8", tmp_path / "s")
    among = np.zeros(COUNT, dtype=np.bool_)
    among[np.random.default_rng(6).permutation(COUNT)[:selected]] = True
    queries = rows_of(20, seed=7)
    few = nearest_of(rows, structure, effort=1, few=300)
    for one, truth in zip(few.top(queries, 10, 0.3, among), exact_of(rows).top(queries, 10, 0.3, among), strict=True):
        assert one.rows.tolist() == truth.rows.tolist()


@pytest.mark.parametrize("spec", SPECS)
def test_newer_rows_are_found_beside_the_structure(spec: str, tmp_path: Path) -> None:
    """Rows that came after the structure find themselves, with and without a filter on the old ones."""
    rows = rows_of(COUNT)
    structure = structure_of(rows[:-500], spec, tmp_path / "s")
    new = np.arange(COUNT - 500, COUNT)
    for one, row in zip(nearest_of(rows, structure).top(rows[new], 1, 0.3), new.tolist(), strict=True):
        assert one.scores[0] == 1.0
        assert one.rows[0] <= row
    assert recall(rows, structure, rows[new[:40]], 0.3) >= 0.97
    only_new = np.zeros(COUNT, dtype=np.bool_)
    only_new[new] = True
    assert recall(rows, structure, rows[new[:40]], 0.3, only_new) == 1.0


def test_ties_are_in_the_order_of_the_rows(tmp_path: Path) -> None:
    """Of some hundred copies the first are found, as in exact search, though the structure knows no order of them."""
    rows = rows_of(COUNT, copies=0.1)
    structure = structure_of(rows, "IVF16,SQ8", tmp_path / "s")
    assert recall(rows, structure, rows[:40], 0.3) >= 0.97
    (found,), (truth,) = (nearest.top(rows[:1], 20, 0.3) for nearest in (nearest_of(rows, structure), exact_of(rows)))
    assert found.rows.tolist() == truth.rows.tolist()
    assert set(found.scores.tolist()) == {1.0}


def test_above_is_exact(tmp_path: Path) -> None:
    """A threshold finds every row that reaches it, be the effort ever so small."""
    rows = rows_of(COUNT)
    nearest = nearest_of(rows, structure_of(rows, "IVF64,SQ8", tmp_path / "s"), effort=1)
    for one, truth in zip(nearest.above(rows[:9], 0.8, 0.3), exact_of(rows).above(rows[:9], 0.8, 0.3), strict=True):
        assert one.rows.tolist() == truth.rows.tolist()


@pytest.mark.parametrize("k", [1, 100, 5999, 6000, 20_000])
def test_as_many_as_there_are(k: int, tmp_path: Path) -> None:
    """There are min(k, n) hits, also where the lists looked at hold fewer."""
    rows = rows_of(COUNT)
    nearest = nearest_of(rows, structure_of(rows, "IVF64,SQ8", tmp_path / "s"), effort=1)
    (found,) = nearest.top(rows_of(1, seed=8), k, 0.3)
    assert len(found.rows) == len(set(found.rows.tolist())) == min(k, COUNT)


@pytest.mark.parametrize("spec", SPECS)
def test_the_same_rows_make_the_same_file(spec: str, tmp_path: Path) -> None:
    """Built twice, a structure's file is the same to the byte."""
    rows = rows_of(COUNT)
    for name in "ab":
        structure_of(rows, spec, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("spec", SPECS)
def test_an_extended_structure_finds_as_much(spec: str, tmp_path: Path) -> None:
    """Half of the rows added later are found as well as if all had been there, and the file is the same each time."""
    rows = rows_of(COUNT)
    structure_of(rows[: COUNT // 2], spec, tmp_path / "half")
    for name in "ab":
        write(extend(tmp_path / "half", rows), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    structure = Structure(tmp_path / "a", width=rows.shape[1], count=COUNT)
    queries = np.vstack([rows[5:30], rows[-25:], rows_of(25, seed=2)])
    anew = recall(rows, structure_of(rows, spec, tmp_path / "anew"), queries, 0.3)
    assert recall(rows, structure, queries, 0.3) >= anew - 0.01


def test_rows_lie_in_the_nearest_list() -> None:
    """Nearest by distance: what the middle's inner product is largest with is another one for many rows."""
    rows = rows_of(COUNT)
    division = divide(rows, 64, D)
    index = build("IVF64,SQ8", rows, division)
    distances = ((rows[:, None] - division.middles[None]) ** 2).sum(axis=2)
    products = rows @ division.middles.T
    assert np.count_nonzero(distances.argmin(axis=1) != products.argmax(axis=1)) > 10
    for number, of_list in enumerate(index.invlists.list_size(one) for one in range(64)):
        assert of_list == np.count_nonzero(distances.argmin(axis=1) == number)


def test_lists_part_meaning_and_sentiment() -> None:
    """Eight parts of the sentiment, each with the same parts of the meaning; without a sentiment, of meaning alone."""
    rows = rows_of(COUNT)
    middles = divide(rows, 64, D).middles
    assert len(middles) == 64
    assert len(np.unique(middles[:, D:], axis=0)) == 8
    assert len(np.unique(middles[:, :D], axis=0)) == 8
    assert len(np.unique(divide(rows, 64, D + 2).middles, axis=0)) == 64


def test_what_was_built_is_measured_again_for_more_candidates(tmp_path: Path) -> None:
    """A second candidate of the same structure is not built again."""
    bench = Bench(rows_of(COUNT), PASSPORT)
    first = bench.try_out(Candidate(CODES, 1), 0.98, tmp_path / "a")
    more = bench.try_out(Candidate(CODES, 8), 0.98, tmp_path / "b")
    assert (first.path, more.path) == (tmp_path / "a", tmp_path / "a")
    assert min(more.recalls.values()) > min(first.recalls.values())


@pytest.mark.parametrize(
    "spec", ["IVF1k,SQ8", "IVF64(IVF8,Flat),SQ8", "Flat", "PQ8", "IVF16", "nonsense", "", "PCA4,IVF16,SQ8"]
)
def test_what_is_no_structure_is_refused(spec: str) -> None:
    """A name that FAISS does not know, or that cannot be asked here, is an error that repeats it."""
    with pytest.raises(OptionError, match="structure"):
        check_spec(spec, 16)


@pytest.mark.parametrize("candidate", [named(spec) for spec in ("IVF64,SQ8", CODES, "HNSW16,SQ8")])
@pytest.mark.parametrize("asked", [0.7, 0.98])
def test_the_least_effort_with_the_recall_is_found(candidate: Candidate, asked: float, tmp_path: Path) -> None:
    """Every question reaches the recall with the effort found, which is near that of other queries."""
    rows = rows_of(COUNT + 200)
    rows, others = rows[:COUNT], rows[COUNT:]
    bench = Bench(rows, PASSPORT)
    assert [one.name for one in bench.asked] == ["opposite 0.7", "opposite 0.3", "same 0.7", "same 0.3", "same 0"]
    trial = bench.try_out(candidate, asked, tmp_path / "s")
    assert trial.reached
    assert min(trial.recalls.values()) >= asked
    assert sorted(trial.efforts) == [0.0, 0.3, 0.7]
    assert trial.milliseconds > 0
    structure = Structure(trial.path, width=D + 2, count=COUNT)
    found = nearest_of(rows, structure, effort=trial.efforts[0.3]).top(others, 10, 0.3)
    truth = exact_of(rows).top(others, 10, 0.3)
    share = np.mean([np.mean(a.scores >= b.scores[-1]) for a, b in zip(found, truth, strict=True)])
    assert share >= asked - (0.05 if asked > 0.9 else 0.1)  # little effort finds more or less by chance


def test_a_graph_that_copies_spoil_is_not_taken(tmp_path: Path) -> None:
    """Of very many copies a graph finds little else; that is measured, and lists are taken, which do not mind."""
    bench = Bench(rows_of(COUNT, copies=0.3), PASSPORT)
    graph, lists = (bench.try_out(Candidate(spec, 1), 0.98, tmp_path / spec) for spec in ("HNSW16,SQ8", "IVF64,SQ8"))
    assert not graph.reached
    assert lists.reached
    assert best([graph, lists], 1000.0) is lists


def test_more_recall_needs_more_effort(tmp_path: Path) -> None:
    """What is asked for is what is searched with."""
    bench = Bench(rows_of(COUNT), PASSPORT)
    less, more = (bench.try_out(named(CODES), asked, tmp_path / "s") for asked in (0.5, 0.99))
    assert less.reached
    assert more.reached
    assert all(less.efforts[weight] < more.efforts[weight] for weight in (0.0, 0.3, 0.7))


def test_an_encoder_without_labels_is_asked_by_meaning_alone() -> None:
    """There is one question then, of weight 0."""
    passport = Passport("toy", "toy", D + 2, None, 0.3, "toy")
    assert [one.name for one in Bench(rows_of(COUNT), passport).asked] == ["any 0"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the efforts that structures are asked with."""
    efforts: list[int] = []
    real = Structure.candidates

    def candidates_of(one: Structure, queries: Vectors, fetch: int, effort: int, among: Among | None) -> Rows:
        efforts.append(effort)
        return real(one, queries, fetch, effort, among)

    monkeypatch.setattr(Structure, "candidates", candidates_of)
    return efforts


@pytest.mark.parametrize(
    ("weight", "effort"), [(0.0, 5), (0.1, 9), (0.3, 9), (0.5, 9), (0.7, 2), (0.72, 2), (0.76, None), (1.0, None)]
)
def test_a_weight_is_asked_as_those_measured_beside_it(
    weight: float, effort: int | None, tmp_path: Path, asked: list[int]
) -> None:
    """Between two the greater effort is taken; so near to 1 that no structure tells rows apart, search is exact."""
    rows = rows_of(COUNT)
    structure = structure_of(rows, "IVF64,SQ8", tmp_path / "s")
    store = ApproximateStore(rows, structure, efforts={0.0: 5, 0.3: 9, 0.7: 2}, spare=1, few=0)
    assert len(store.at(weight).search(rows[:1], 10)[0].rows) == 10
    assert asked == ([] if effort is None else [effort])


@pytest.mark.parametrize(
    ("k", "share", "effort"),
    [(32, 1.0, 5), (128, 1.0, 10), (32, 0.2, 25), (128, 0.2, 50), (32, 0.05, None), (999, 1, 28)],
)
def test_more_hits_and_filters_need_more_effort(
    k: int, share: float, effort: int | None, tmp_path: Path, asked: list[int]
) -> None:
    """The root of as many more, and as many more lists as rows are left out; of a twentieth, exactly."""
    rows = rows_of(COUNT)
    structure = structure_of(rows, "IVF64,SQ8", tmp_path / "s")
    store = ApproximateStore(rows, structure, efforts={0.3: 5}, spare=1, few=0)
    among = np.arange(COUNT) < share * COUNT
    store.search(rows[:1], k, None if share == 1 else among)
    assert asked == ([] if effort is None else [effort])


@pytest.mark.parametrize(("k", "exactly"), [(1000, False), (1001, True)])
def test_very_many_hits_are_searched_exactly(tmp_path: Path, asked: list[int], k: int, *, exactly: bool) -> None:
    """Where so many candidates would be scored, all rows are."""
    rows = rows_of(COUNT)
    store = ApproximateStore(rows, structure_of(rows, "IVF64,SQ8", tmp_path / "s"), efforts={0.3: 64}, spare=1, few=0)
    assert len(store.search(rows[:1], k)[0].rows) == k
    assert bool(asked) is not exactly


def _trial(milliseconds: float, *, reached: bool = True) -> Trial:
    return Trial("IVF", 1, Path(), 0.0, {0.0: 4}, reached, {}, milliseconds)


@pytest.mark.parametrize(
    ("times", "chosen"),
    [([2.0, 1.0], 1), ([2.0, 1.9], 0), ([11.0, 9.0], 1), ([11.0, 12.0], None), ([], None), ([1.0, 2.0], 0)],
)
def test_the_fastest_is_taken(times: Sequence[float], chosen: int | None) -> None:
    """The fastest of those faster than exact search, here 10 ms; one hardly faster than an earlier one is not."""
    tried = [_trial(one) for one in times]
    assert best(tried, 10.0) is (None if chosen is None else tried[chosen])


@pytest.mark.parametrize(
    ("trial", "enough"), [(_trial(2.0), True), (_trial(3.0), False), (_trial(2.0, reached=False), False)]
)
def test_no_more_is_built_where_one_is_quick(trial: Trial, enough: bool) -> None:
    """Quick is a structure that has the recall in a quarter of the time of exact search, here 10 ms."""
    assert quick(trial, 10.0) is enough


def test_what_misses_the_recall_is_not_taken() -> None:
    """However fast it is."""
    slow = _trial(5.0)
    assert best([_trial(1.0, reached=False), slow], 10.0) is slow
    assert best([_trial(1.0, reached=False)], 10.0) is None


@pytest.mark.parametrize(("count", "lists"), [(200_000, 1024), (1_000_000, 2048), (4_000_000, 4096)])
def test_candidates_follow_the_number_of_rows(count: int, lists: int) -> None:
    """Lists grow with the root of the rows; a graph of very many rows is not tried, it takes too much memory."""
    specs = [one.spec for one in candidates(count, 386)]
    assert specs[0] == f"IVF{lists},PQ200x4fsr"
    assert ("HNSW32,SQ8" in specs) is (count < 2_500_000)
