"""What programs read: the fields of hits, pairs and clusters, by name and in order."""

import dataclasses
import json
from typing import Any

import pytest

from search.records import Cluster, Entry, Hit, Link, Pair, Refused, Sentence, Source

ROOM = Sentence("Das Zimmer war eiskalt 🥶", "corpora/hôtels.txt", 7, 120, 144, {"stars": 2, "größe": None})
POOL = Sentence("The pool is warm.", "corpora/hotels.txt", 9, 0, 17)
COLD = Entry(3, ROOM, "negative", 0.9)
WARM = Entry(5, POOL, None, None)

COLD_PLACE = {"text": "Das Zimmer war eiskalt 🥶", "source": "corpora/hôtels.txt", "line": 7, "row": 3}
WARM_PLACE = {"text": "The pool is warm.", "source": "corpora/hotels.txt", "line": 9, "row": 5}


def test_a_hit_is_one_flat_object() -> None:
    """Every field has its own value and name, in the order that is printed."""
    hit = Hit(1, 0.75, 0.6, -0.25, COLD)
    assert list(hit.to_dict().items()) == [
        ("rank", 1),
        ("score", 0.75),
        ("meaning", 0.6),
        ("sentiment", -0.25),
        ("label", "negative"),
        ("probability", 0.9),
        ("text", "Das Zimmer war eiskalt 🥶"),
        ("source", "corpora/hôtels.txt"),
        ("line", 7),
        ("start", 120),
        ("end", 144),
        ("row", 3),
        ("metadata", {"stars": 2, "größe": None}),
    ]


def test_a_hit_without_labels_says_none() -> None:
    """Sentiment, label and probability are there and null, metadata is an empty object."""
    found = Hit(2, 0.5, 0.5, None, WARM).to_dict()
    assert {name for name, value in found.items() if value is None} == {"sentiment", "label", "probability"}
    assert found["metadata"] == {}


def test_changing_what_a_hit_gave_changes_no_sentence() -> None:
    """The metadata printed are a copy."""
    hit = Hit(1, 0.75, 0.6, -0.25, COLD)
    hit.to_dict()["metadata"]["stars"] = 5
    assert hit.to_dict()["metadata"] == {"stars": 2, "größe": None}


def test_a_pair_names_both_places() -> None:
    """A pair prints score, level, a, b and reason, each side with text, source, line and row."""
    pair = Pair(0.91, "semantic", COLD, WARM, "both are cold")
    assert list(pair.to_dict().items()) == [
        ("score", 0.91),
        ("level", "semantic"),
        ("a", COLD_PLACE),
        ("b", WARM_PLACE),
        ("reason", "both are cold"),
    ]
    assert list(COLD.place()) == ["text", "source", "line", "row"]


@pytest.mark.parametrize(("members", "size"), [((), 1), ((WARM,), 2), ((WARM, WARM), 3)])
def test_a_cluster_is_its_survivor_and_the_others(members: tuple[Entry, ...], size: int) -> None:
    """The survivor counts, and is not among the members."""
    cluster = Cluster(COLD, members, (Link(0.95, "semantic"),) * len(members))
    assert cluster.size == size
    member = {**WARM_PLACE, "score": 0.95, "level": "semantic"}
    assert list(cluster.to_dict().items()) == [("survivor", COLD_PLACE), ("members", [member] * (size - 1))]


def test_a_refusal_is_a_pair_with_a_reason_and_words() -> None:
    """A refusal prints what a pair does, the guard's code for the reason, and the words that caused it."""
    refused = Refused(0.91, "near", COLD, WARM, "number", ("2", "3"))
    assert refused.to_dict() == {**Pair(0.91, "near", COLD, WARM, "number").to_dict(), "words": ["2", "3"]}


@pytest.mark.parametrize(
    "record",
    [
        Hit(1, 1.0, 1.0, None, COLD),
        Pair(1.0, "exact", COLD, WARM, "equal"),
        Cluster(COLD, (WARM,), (Link(1.0, "exact"),)),
    ],
)
def test_what_is_printed_is_json(record: Hit | Pair | Cluster) -> None:
    """The object comes back equal from JSON, characters outside ASCII included."""
    assert json.loads(json.dumps(record.to_dict(), ensure_ascii=False)) == record.to_dict()


@pytest.mark.parametrize("record", [ROOM, COLD, Source("a", 1, "b", 2), Cluster(COLD, (), ())])
def test_records_do_not_change(record: Any) -> None:
    """No field can be set, and none added."""
    for name in (*(field.name for field in dataclasses.fields(record)), "other"):
        with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
            setattr(record, name, None)
    assert not hasattr(record, "__dict__")


def test_sentences_do_not_share_their_metadata() -> None:
    """A sentence without metadata has an empty mapping of its own."""
    one, other = Sentence("a", "b", 1, 0, 1), Sentence("a", "b", 1, 0, 1)
    assert one == other
    assert one.metadata is not other.metadata
