"""Duplicates: which pairs there are, who is put with whom, and that the order of the input decides nothing."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.corpus import Corpus
from search.duplicates import DEFAULT_THRESHOLD, Duplicates, find_duplicates
from search.encoder import Encoded
from search.errors import EncoderError, OptionError
from search.exact import normalised
from search.index import Index
from search.indexing import build_index
from search.keeping import Keeping
from search.similarity import unit
from tests.toy import EMOTIONS, ToyEncoder

Find = Callable[..., Duplicates]

TEXTS = [
    "good room", "good  room", "\uff47ood room", "room good", "bad room", "food food room", "food room room",
    "food room", "price", "the price", "price love", "hate price", "noise", "caf\u00e9 food", "cafe\u0301 food",
    "noise", "staff pool",
]  # fmt: skip


class DirectionEncoder(ToyEncoder):
    """The meaning of a text that begins with an angle in degrees is that direction; no feeling is said."""

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode n texts."""
        encoded = super().encode(texts)
        begins = [text.split()[0] for text in texts]
        angles = np.radians([float(begin) if begin.isdecimal() else 0.0 for begin in begins])  # canaries have none
        encoded.rows[:, : self.passport.meaning_dim] = 0.0
        encoded.rows[:, :2] = unit(np.stack([np.cos(angles), np.sin(angles)], axis=1))
        return encoded


@pytest.fixture
def find(tmp_path: Path) -> Find:
    """Give a function that finds duplicates among texts, a line each."""
    numbers = itertools.count()

    def found(
        texts: Sequence[str],
        encoder: ToyEncoder | None = None,
        *,
        threshold: float = DEFAULT_THRESHOLD,
        weight: float | None = None,
        **options: Any,
    ) -> Duplicates:
        path = tmp_path / f"{next(numbers)}.txt"
        path.write_text("\n".join(texts), encoding="utf-8")
        build_index(Corpus([str(path)]), path.with_suffix(""), encoder or ToyEncoder())
        with Index(path.with_suffix("")) as index:
            return find_duplicates(index, threshold=threshold, weight=weight, **options)

    return found


def clusters_of(found: Duplicates) -> list[list[str]]:
    """Return the texts of each cluster, the survivor first, the others sorted."""
    return [
        [cluster.survivor.sentence.text, *sorted(member.sentence.text for member in cluster.members)]
        for cluster in found.clusters
    ]


def score_of(a: str, b: str, weight: float) -> float:
    """Score two texts in float64."""
    rows = ToyEncoder().encode([a, b]).rows.astype(np.float64)
    d = ToyEncoder().passport.meaning_dim
    meaning, sentiment = np.round([rows[0, :d] @ rows[1, :d], rows[0, d:] @ rows[1, d:]], 6)
    return float(np.round((1 - weight) * meaning + weight * sentiment, 6))


def test_normalised() -> None:
    """Compatibility forms and white space make no difference; case, accents and words do."""
    assert normalised("\uff21\u00a0\n b\u3000") == normalised("A b") == "A b"
    assert normalised("cafe\u0301") == normalised("caf\u00e9") == "café"
    assert len({normalised(text) for text in ("a b", "A b", "ab", "á b", "b a")}) == 5


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("threshold", [0.7, 0.9, 1.0, -1.0])
def test_pairs_equal_a_brute_force_search(find: Find, threshold: float, weight: float) -> None:
    """The pairs are all that score the threshold, one text of each exact group standing for it, best first."""
    found = find(TEXTS, threshold=threshold, weight=weight)
    groups: dict[str, list[int]] = {}
    for row, text in enumerate(TEXTS):
        groups.setdefault(normalised(text), []).append(row)
    leaders = [min(rows, key=lambda row: (TEXTS[row], row)) for rows in groups.values()]
    expected = [
        (1.0, "exact", min(leader, row), max(leader, row))
        for leader, rows in zip(leaders, groups.values(), strict=True)
        for row in rows
        if row != leader
    ]
    for a, b in itertools.combinations(sorted(leaders), 2):
        score = score_of(TEXTS[a], TEXTS[b], weight)
        if score >= threshold:
            expected.append((score, "semantic", a, b))
    expected.sort(key=lambda pair: (-pair[0], *pair[1:]))
    assert [(pair.score, pair.level, pair.a.row, pair.b.row) for pair in found.pairs] == expected
    assert all(
        (TEXTS[pair.a.row], TEXTS[pair.b.row]) == (pair.a.sentence.text, pair.b.sentence.text) for pair in found.pairs
    )
    assert (found.count, found.threshold, found.weight) == (len(TEXTS), threshold, weight)


def test_exact_and_semantic(find: Find) -> None:
    """Texts equal when normalised are exact whatever their rows; texts of equal rows only are semantic, also at 1.0."""
    found = find(["good room", "room good", "good\u00a0 room", "bad pool"], threshold=1.0)
    assert [(pair.level, pair.score, pair.a.row, pair.b.row) for pair in found.pairs] == [
        ("exact", 1.0, 0, 2),
        ("semantic", 1.0, 0, 1),
    ]
    assert [pair.reason for pair in found.pairs] == ["equal text", "score at or above 1"]
    assert clusters_of(found) == [["good room", "good\u00a0 room", "room good"]]
    assert found.removed == 2


def test_threshold(find: Find) -> None:
    """A pair exactly at the threshold counts, and one a millionth below does not."""
    score = score_of("food room", "food food room", 0.3)
    assert 0.8 < score < 1.0
    texts = ["food room", "food food room"]
    assert [pair.score for pair in find(texts, threshold=score).pairs] == [score]
    assert find(texts, threshold=score + 1e-6).pairs == ()


def test_no_chaining(find: Find) -> None:
    """With A near B and B near C only, B survives for both; along a chain, none reaches further than its survivor."""
    options = {"threshold": float(np.cos(np.radians(11))), "weight": 0.0, "encoder": DirectionEncoder()}
    assert clusters_of(find(["0 a", "10 b", "20 c"], **options)) == [["10 b", "0 a", "20 c"]]
    assert clusters_of(find(["0 a", "10 b", "20 c", "30 d"], **options)) == [["10 b", "0 a", "20 c"]]
    assert clusters_of(find([f"{angle} x" for angle in range(0, 60, 10)], **options)) == [
        ["10 x", "0 x", "20 x"],
        ["40 x", "30 x", "50 x"],
    ]
    # With a copy of the last, the third has most sentences around it.
    assert clusters_of(find(["0 a", "10 b", "20 c", "30 d", "30 d"], **options)) == [["20 c", "10 b", "30 d", "30 d"]]


def test_clusters_hold_together(find: Find) -> None:
    """Every sentence is in one cluster at most, and each member, or its exact equal, scores against the survivor."""
    found = find(TEXTS, threshold=0.8)
    everyone = [entry.row for cluster in found.clusters for entry in (cluster.survivor, *cluster.members)]
    assert len(everyone) == len(set(everyone)) == sum(cluster.size for cluster in found.clusters) > 10
    assert found.removed == len(everyone) - len(found.clusters)
    for cluster in found.clusters:
        assert [member.row for member in cluster.members] == sorted(member.row for member in cluster.members)
        survivor = cluster.survivor.sentence.text
        for member in cluster.members:
            leader = min(text for text in TEXTS if normalised(text) == normalised(member.sentence.text))
            assert leader == survivor or score_of(survivor, leader, 0.3) >= 0.8
    sizes = [cluster.size for cluster in found.clusters]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("threshold", [0.75, 0.85, 0.95, 0.998])
def test_order_of_input_decides_nothing(find: Find, threshold: float) -> None:
    """Shuffled, the same sentences give the same clusters with the same survivors, and as many pairs."""
    first = find(TEXTS, threshold=threshold)
    assert first.clusters
    for seed in range(4):
        again = find(np.random.default_rng(seed).permutation(TEXTS).tolist(), threshold=threshold)
        assert clusters_of(again) == clusters_of(first)
        assert sorted(pair.score for pair in again.pairs) == sorted(pair.score for pair in first.pairs)


def test_weight_separates_feelings(find: Find) -> None:
    """Weighed, one topic with opposite feelings is no duplicate; by meaning alone, it is."""
    texts = ["good room", "bad room", "love room", "hate room"]
    assert [sorted(one) for one in clusters_of(find(texts, weight=0.0, threshold=0.95))] == [sorted(texts)]
    weighed = find(texts, weight=0.5, threshold=0.95)
    assert sorted(sorted(one) for one in clusters_of(weighed)) == [
        ["bad room", "hate room"],
        ["good room", "love room"],
    ]
    assert find(texts, threshold=0.95).weight == 0.3


def test_nothing_alike(find: Find) -> None:
    """One sentence, or sentences that differ, give no pair and no cluster."""
    for texts in (["room"], ["room", "food", "pool"]):
        found = find(texts)
        assert (found.pairs, found.clusters, found.removed, found.count) == ((), (), 0, len(texts))
    assert found.threshold == DEFAULT_THRESHOLD == 0.9


def test_as_json(find: Find) -> None:
    """Pairs and clusters as programs read them name both places."""
    found = find(["room", "food", "room"])
    source = found.pairs[0].a.sentence.source
    a, b = ({"text": "room", "source": source, "line": row + 1, "row": row} for row in (0, 2))
    assert [pair.to_dict() for pair in found.pairs] == [
        {"score": 1.0, "level": "exact", "a": a, "b": b, "reason": "equal text"}
    ]
    member = {**b, "score": 1.0, "level": "exact"}
    assert [cluster.to_dict() for cluster in found.clusters] == [{"survivor": a, "members": [member]}]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 1.01}, "threshold is 1.01; scores lie between -1 and 1"),
        ({"threshold": float("nan")}, "threshold is nan"),
        ({"weight": -0.5}, "weight is -0.5"),
    ],
)
def test_options_out_of_range(find: Find, options: dict[str, float], message: str) -> None:
    """A threshold that no score can have, or a weight out of range, is an error."""
    with pytest.raises(OptionError, match=message):
        find(["room", "food"], **options)


def test_other_labels(find: Find) -> None:
    """Nominal labels weigh too; an encoder without labels compares meaning alone and refuses a weight."""
    texts = ["joy room", "anger room"]
    assert find(texts, ToyEncoder(EMOTIONS), weight=0.6).pairs == ()
    assert len(find(texts, ToyEncoder(EMOTIONS), weight=0.0).pairs) == 1
    plain = find(texts, ToyEncoder(None))
    assert (len(plain.pairs), plain.weight) == (1, 0.0)
    with pytest.raises(EncoderError, match="knows meaning only"):
        find(texts, ToyEncoder(None), weight=0.2)


def test_a_near_pair(find: Find) -> None:
    """Texts of nearly the same letters are a near pair whatever they score, and say how much they have in common."""
    long = "good " + " ".join(f"{number} nights" for number in range(10, 60))
    texts = [long, long.replace("good", "bad"), long.upper()]
    found = find(texts, threshold=0.999, weight=0.5)
    pairs = {(pair.a.row, pair.b.row): pair for pair in found.pairs}
    assert pairs.keys() == {(0, 1), (0, 2), (1, 2)}
    assert {pair.level for pair in found.pairs} == {"near"}
    assert pairs[0, 2].reason == "100% of their pieces of text in common"
    assert pairs[0, 1].score == score_of(long, texts[1], 0.5) < 0.8
    assert [pair.b.row for pair in find(texts, threshold=0.999, near=None).pairs] == []
    assert [pair.b.row for pair in find(texts, threshold=0.999, near=1.0).pairs] == [2]
    with pytest.raises(OptionError, match=r"near is 0\.5"):
        find(texts, near=0.5)


@dataclass(frozen=True)
class Difference:
    """Why the guard of these tests refuses."""

    reason: str
    words: tuple[str, ...]


def guard(first: str, second: str, feelings: tuple[float, float] | None) -> Difference | None:
    """Refuse what has other digits, or feelings that differ by one."""
    digits = [tuple(sorted(filter(str.isdigit, text))) for text in (first, second)]
    if digits[0] != digits[1]:
        return Difference("number", digits[0] + digits[1])
    if feelings is not None and abs(feelings[0] - feelings[1]) >= 1:
        return Difference("feeling", tuple(f"{one:+.1f}" for one in feelings))
    return None


def test_refused_pairs(find: Find) -> None:
    """What the guard refuses is no pair and in no cluster with the other; it is listed with reason and words."""
    texts = ["room 2", "room 3", "3 room", "room  2", "good room 2", "bad room 2"]
    found = find(texts, threshold=0.9, weight=0.0, guard=guard)
    assert {one.reason for one in found.refused} == {"number", "feeling"}
    everyone = {(pair.a.row, pair.b.row) for pair in found.pairs} | {(one.a.row, one.b.row) for one in found.refused}
    unguarded = find(texts, threshold=0.9, weight=0.0)
    assert everyone == {(pair.a.row, pair.b.row) for pair in unguarded.pairs}
    assert unguarded.refused == ()
    refusal = next(one for one in found.refused if (one.a.row, one.b.row) == (1, 3))
    assert (refusal.level, refusal.reason, sorted(refusal.words)) == ("semantic", "number", ["2", "3"])
    assert refusal.score == score_of(texts[1], texts[3], 0.0)
    feeling = next(one for one in found.refused if one.reason == "feeling")
    assert sorted(feeling.words) == ["+0.9", "-0.9"], "polarities reach the guard"
    for cluster in found.clusters:
        together = {entry.row for entry in (cluster.survivor, *cluster.members)}
        assert not any({one.a.row, one.b.row} <= together for one in found.refused)
    assert [(pair.a.row, pair.b.row) for pair in found.pairs if pair.level == "exact"] == [(0, 3)]


def test_labels_without_an_order_give_the_guard_no_feelings(find: Find) -> None:
    """Nominal labels, and no labels, leave feelings out."""
    for labels in (EMOTIONS, None):
        asked: list[object] = []

        def note(_: str, __: str, feelings: object, asked: list[object] = asked) -> None:
            asked.append(feelings)

        find(["joy room", "anger room"], ToyEncoder(labels), weight=0.0, guard=note)
        assert asked == [None]


def test_the_digest_is_of_what_was_found(find: Find) -> None:
    """It is equal for any order of the input and any place of it, and another for other findings."""
    first = find(TEXTS, weight=0.0, guard=guard)
    assert first.refused
    assert len(first.digest) == 64
    for seed in range(3):
        shuffled = np.random.default_rng(seed).permutation(TEXTS).tolist()
        assert find(shuffled, weight=0.0, guard=guard).digest == first.digest
    others = [find(TEXTS, weight=0.0), find(TEXTS[1:], weight=0.0, guard=guard), find(TEXTS, guard=guard)]
    assert len({first.digest, *(one.digest for one in others)}) == 4


@pytest.mark.parametrize(
    ("keep", "survivors"),
    [
        ("most-central", ["cafe\u0301 food", "good room"]),
        ("first", ["caf\u00e9   food", "good room"]),
        ("longest", ["caf\u00e9   food", "room good  room"]),
    ],
)
def test_keep(keep: str, survivors: list[str], find: Find) -> None:
    """Who survives is the first or the longest of those that are paired; the clusters' sentences are the same."""
    texts = ["good room", "room good", "room good  room", "caf\u00e9   food", "cafe\u0301 food", "cafe\u0301 food"]
    found = find(texts, threshold=0.99, keeping=Keeping(keep))
    assert sorted(cluster.survivor.sentence.text for cluster in found.clusters) == sorted(survivors)
    assert sorted(cluster.size for cluster in found.clusters) == [3, 3]
