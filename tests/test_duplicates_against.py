"""Two corpora: what of one is in the other already."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from search.duplicates import Duplicates, find_duplicates
from search.errors import IndexFolderError
from search.exact import normalised
from search.index import Index
from search.near import share
from tests.test_duplicates import guard, score_of
from tests.toy import ToyEncoder, TrainedToy

KNOWN = ["good room", "room  good", "food food room", "price", "noise", "noise", "love pool 2"]
NEW = ["good  room", "food room", "staff", "price love", "noise", "food room", "bad room", "love pool 3", "noise"]


def made(folder: Path, texts: Sequence[str], encoder: ToyEncoder | None = None) -> Index:
    """Return an index of texts."""
    index = Index.create(folder, encoder=encoder or ToyEncoder())
    if texts:
        index.add(texts, source=folder.name)
    return index


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[tuple[Index, Index]]:
    """Give the index to look at and the one to compare it with."""
    with made(tmp_path / "new", NEW) as new, made(tmp_path / "known", KNOWN) as known:
        yield new, known


def texts_of(found: Duplicates) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return of each cluster the survivor, and its members with their levels."""
    return [
        (
            cluster.survivor.sentence.source,
            cluster.survivor.sentence.text,
            [(one.sentence.text, link.level) for one, link in zip(cluster.members, cluster.links, strict=True)],
        )
        for cluster in found.clusters
    ]


@pytest.mark.parametrize("threshold", [-1.0, 0.7, 0.9, 1.0])
def test_pairs_equal_a_brute_force_search(sides: tuple[Index, Index], threshold: float) -> None:
    """Pairs are of a known text and each new sentence that is equal, near or at the threshold; none is of one side."""
    new, known = sides
    found = find_duplicates(new, against=known, threshold=threshold, weight=0.3)
    expected = []
    leaders = {normalised(text): (text, row) for row, text in reversed(list(enumerate(KNOWN)))}
    groups: dict[str, list[str]] = {}
    for text in NEW:
        groups.setdefault(normalised(text), []).append(text)
    for (plain, (a, _)), (other, texts) in itertools.product(leaders.items(), groups.items()):
        score = score_of(a, min(texts), 0.3)
        level = "exact" if plain == other else "near" if share(a, texts[0]) >= 0.9 else "semantic"
        if level != "semantic" or score >= threshold:
            expected += [(1.0 if level == "exact" else score, level, a, text) for text in texts]
    told = [(pair.score, pair.level, pair.a.sentence.text, pair.b.sentence.text) for pair in found.pairs]
    assert sorted(told) == sorted(expected)
    assert {pair.a.sentence.source for pair in found.pairs} == {"known"}
    assert {pair.b.sentence.source for pair in found.pairs} == {"new"}
    assert found.count == len(NEW)


def test_clusters(sides: tuple[Index, Index]) -> None:
    """What is known survives; every new sentence with a pair goes, to what it is nearest to, equal ones together."""
    new, known = sides
    found = find_duplicates(new, against=known, threshold=0.9, weight=0.0)
    noise, food, *others = texts_of(found)
    assert noise == ("known", "noise", [("noise", "exact"), ("noise", "exact")]), "as large, and tighter"
    assert food == ("known", "food food room", [("food room", "semantic"), ("food room", "semantic")])
    assert sorted(others) == [
        ("known", "good room", [("good  room", "exact")]),
        ("known", "love pool 2", [("love pool 3", "semantic")]),
        ("known", "price", [("price love", "semantic")]),
        ("known", "room  good", [("bad room", "semantic")]),
    ]
    removed = {member.row for cluster in found.clusters for member in cluster.members}
    assert removed == {pair.b.row for pair in found.pairs}
    assert found.removed == len(removed)


def test_the_guard_looks_at_them_too(sides: tuple[Index, Index]) -> None:
    """A refused new sentence stays."""
    new, known = sides
    found = find_duplicates(new, against=known, threshold=0.9, weight=0.0, guard=guard)
    (refusal,) = [one for one in found.refused if one.reason == "number"]
    assert (refusal.a.sentence.text, refusal.b.sentence.text) == ("love pool 2", "love pool 3")
    assert not any("love pool 3" in {one.sentence.text for one in cluster.members} for cluster in found.clusters)


def test_order_of_input_decides_nothing(tmp_path: Path, sides: tuple[Index, Index]) -> None:
    """Either side shuffled, the digest is the same."""
    digest = find_duplicates(sides[0], against=sides[1], threshold=0.8).digest
    for seed in range(3):
        draw = np.random.default_rng(seed)
        new = made(tmp_path / f"{seed}", draw.permutation(NEW).tolist())
        with new, made(tmp_path / f"k{seed}", draw.permutation(KNOWN).tolist()) as known:
            assert find_duplicates(new, against=known, threshold=0.8).digest == digest


def test_nothing_in_common(tmp_path: Path) -> None:
    """Equal sentences of one side are no matter here, and an index without sentences has nothing."""
    with made(tmp_path / "a", ["room", "room"]) as new, made(tmp_path / "b", ["food", "food"]) as known:
        found = find_duplicates(new, against=known)
        assert (found.pairs, found.clusters, found.count) == ((), (), 2)
    with made(tmp_path / "c", []) as none, made(tmp_path / "d", ["food"]) as known:
        assert find_duplicates(none, against=known).pairs == ()
        assert find_duplicates(known, against=none).pairs == ()


def test_another_encoder_is_refused(tmp_path: Path) -> None:
    """Rows of two encoders are not compared; of two that make the same rows, they are."""
    with made(tmp_path / "a", ["room"]) as new:
        with (
            made(tmp_path / "b", ["room"], TrainedToy(1.0)) as known,
            pytest.raises(IndexFolderError, match="was made by the encoder toy"),
        ):
            find_duplicates(new, against=known)
        with made(tmp_path / "c", ["room"], ToyEncoder(fingerprint="copied")) as known:
            assert len(find_duplicates(new, against=known).pairs) == 1
