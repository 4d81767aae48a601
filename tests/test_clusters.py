"""Clusters hold together, the order of the input decides nothing, and what was refused is never put together."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.clusters import Grouped, clusters, nearest_known
from search.levels import Edges

Scores = dict[tuple[int, int], int]


def edges_of(scores: Scores) -> Edges:
    """Return pairs with their scores, all of one level."""
    ends = np.asarray(list(scores), dtype=np.int64).reshape(-1, 2)
    return Edges(ends[:, 0], ends[:, 1], np.asarray(list(scores.values()), np.int64), np.full(len(scores), 2, np.int8))


def grouped(
    scores: Scores, count: int, refused: tuple[tuple[int, int], ...] = (), **options: object
) -> list[list[int]]:
    """Return the survivor of each cluster and its members, in the order of making."""
    sizes = np.asarray(options.pop("sizes", [1] * count), dtype=np.int64)
    found = clusters(edges_of(scores), edges_of(dict.fromkeys(refused, 900_000)), sizes, **options)  # type: ignore[arg-type]
    return [[one.survivor, *one.members] for one in found]


graphs = st.integers(2, 9).flatmap(
    lambda count: st.tuples(
        st.just(count),
        st.dictionaries(st.sampled_from(list(itertools.combinations(range(count), 2))), st.integers(900, 903)),
        st.sets(st.sampled_from(list(itertools.combinations(range(count), 2)))),
    )
)


@given(graphs, st.booleans(), st.randoms())
@settings(deadline=None, max_examples=300)
def test_what_holds_of_every_graph(
    graph: tuple[int, Scores, set[tuple[int, int]]], preferred: bool, random: object
) -> None:
    """Members are paired with the survivor, refused pairs apart, no two survivors a pair; in any order of pairs."""
    count, scores, refused = graph
    scores = {pair: score for pair, score in scores.items() if pair not in refused}
    preference = [(float(-one),) for one in range(count)] if preferred else None
    found = grouped(scores, count, tuple(refused), preference=preference)
    everyone = list(itertools.chain(*found))
    assert len(everyone) == len(set(everyone))
    for survivor, *members in found:
        assert members
        assert all(tuple(sorted((survivor, one))) in scores for one in members)
        assert refused.isdisjoint(itertools.combinations(sorted((survivor, *members)), 2))
        assert not preferred or all(survivor > one for one in members)
    if not refused:
        kept = set(range(count)) - {one for _, *members in found for one in members}
        assert not any(set(pair) <= kept for pair in scores), "two survivors are a pair"
    items = list(scores.items())
    random.shuffle(items)  # type: ignore[attr-defined]
    assert grouped(dict(items), count, tuple(refused), preference=preference) == found


def test_largest_first_among_what_is_left() -> None:
    """What another cluster has taken does not count any more: 4 has two left around it, and 2, of three, only one."""
    scores = {(0, 1): 1, (0, 2): 1, (0, 3): 1, (2, 4): 1, (2, 5): 1, (4, 6): 1, (4, 7): 1, (0, 8): 1}
    assert grouped(scores, 9) == [[0, 1, 2, 3, 8], [4, 6, 7]]


def test_tightest_first_then_text() -> None:
    """Of as many around, the higher scores win; of equal scores the lower number, whose text sorts first."""
    assert grouped({(0, 1): 950, (1, 2): 960, (2, 3): 970}, 4) == [[2, 3, 1]]
    assert grouped({(0, 1): 950, (1, 2): 950, (2, 3): 950}, 4) == [[1, 0, 2]]


def test_equal_sentences_weigh() -> None:
    """A text that is there three times counts three times, and is a cluster of its own where it has no pair."""
    assert grouped({(0, 1): 950, (1, 2): 950, (2, 3): 950}, 5, sizes=[1, 1, 1, 3, 2]) == [[2, 1, 3], [4]]


def test_refused_members_are_apart() -> None:
    """Two that are near a third but refused with one another do not both go to it; the nearer one does."""
    assert grouped({(0, 1): 950, (0, 2): 960}, 3, ((1, 2),)) == [[0, 2]]
    assert grouped({(0, 1): 950, (0, 2): 960, (1, 3): 940}, 4, ((1, 2),)) == [[0, 2], [1, 3]]


def test_preference_decides_who_survives() -> None:
    """The preferred takes all around it, even if another has more."""
    scores = {(0, 1): 950, (1, 2): 950, (2, 3): 950}
    assert grouped(scores, 4, preference=[(0.0,), (1.0,), (1.0,), (1.0,)]) == [[0, 1], [2, 3]]
    assert grouped(scores, 4, preference=[(3.0,), (2.0,), (1.0,), (0.0,)]) == [[3, 2], [1, 0]]


def test_nearest_known() -> None:
    """Each higher one goes to the lower one it scores best with; of equal scores, to the exact, then to the first."""
    edges = Edges(
        np.asarray([0, 1, 1, 0, 1, 0, 1], np.int64),
        np.asarray([2, 2, 3, 4, 4, 5, 5], np.int64),
        np.asarray([900, 950, 920, 990, 990, 970, 970], np.int64),
        np.asarray([2, 2, 2, 2, 0, 2, 2], np.int8),
    )
    assert nearest_known(edges) == [Grouped(1, [2, 3, 4], [1, 2, 4]), Grouped(0, [5], [5])]
    assert nearest_known(edges_of({})) == []


@pytest.mark.parametrize("count", [0, 1, 3])
def test_nothing_to_group(count: int) -> None:
    """Without pairs and equal texts there is no cluster."""
    assert grouped({}, count) == []
