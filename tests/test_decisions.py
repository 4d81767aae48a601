"""Decisions on pairs: their file, what they make of a job, and what is learned from them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from search.decisions import Decision, Verdict, content_hash, decisions_object, guarded, labelled, read_decisions
from search.errors import InputError
from search.files import write_json

SAME = Decision("a room", "the room", same=True)
OTHER = Decision("3 euros", "4 euros", same=False)


def test_content_not_place_makes_the_key() -> None:
    """Neither order, nor spacing, nor Unicode form changes a decision's key; a word does."""
    assert SAME.key == Decision("the\u00a0room", "a  room", same=False).key
    assert SAME.key == tuple(sorted([content_hash("a room"), content_hash("the room")]))
    assert SAME.key != Decision("a room", "the rooms", same=True).key
    assert content_hash("a") == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    """Decisions come back, with each pair's lower hash first, whatever was decided first."""
    path = tmp_path / "decisions.json"
    write_json(path, decisions_object([OTHER, SAME]))
    again = read_decisions(path)
    assert {one.key: one.same for one in again} == {SAME.key: True, OTHER.key: False}
    assert decisions_object(again) == decisions_object([SAME, OTHER])
    for entry in json.loads(path.read_text(encoding="utf-8"))["decisions"]:
        assert entry["a"]["sha256"] < entry["b"]["sha256"]


def _spoil(change: Callable[[dict[str, Any]], Any]) -> str:
    value = json.loads(json.dumps(decisions_object([SAME, OTHER])))
    change(value)
    return json.dumps(value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "holds a list, expected a JSON object"),
        ("{}", 'not a file of decisions; one has "kind": "kindred decisions"'),
        (_spoil(lambda value: value.update(format=2)), "format 2; this version of kindred reads format 1"),
        (_spoil(lambda value: value["decisions"].insert(0, 7)), "entry 1 is a int, expected an object"),
        (_spoil(lambda value: value["decisions"][1].update(same="yes")), "entry 2: \"same\" is 'yes', expected true"),
        (_spoil(lambda value: value["decisions"][1].pop("a")), 'entry 2: "a" has no text'),
        (_spoil(lambda value: value["decisions"][0]["b"].update(text="x")), 'entry 1: the text of "b" is not that of'),
        (
            _spoil(lambda value: value["decisions"][1].update(a=value["decisions"][1]["b"])),
            "entry 2 decides on a text and itself",
        ),
        (
            _spoil(
                lambda value: value["decisions"].append(
                    {**value["decisions"][0], "same": not value["decisions"][0]["same"]}
                )
            ),
            "entry 3 contradicts entry 1",
        ),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    """The message names the file, and the entry where there is one."""
    path = tmp_path / "decisions.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_decisions(path)
    assert str(refused.value).startswith(str(path))
    assert message in str(refused.value)


def test_no_file(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(InputError, match=r"none\.json: there is no such file of decisions"):
        read_decisions(tmp_path / "none.json")


def test_said_twice_counts_once(tmp_path: Path) -> None:
    """The same decision in two entries, in either order of its texts, is one."""
    path = tmp_path / "decisions.json"
    value = decisions_object([SAME])
    (entry,) = value["decisions"]
    write_json(path, {**value, "decisions": [entry, {"a": entry["b"], "b": entry["a"], "same": True}]})
    assert len(read_decisions(path)) == 1


def test_a_decision_goes_before_the_guard() -> None:
    """Decided the same, it passes whatever the guard says; decided otherwise, never; the rest is the guard's."""

    def strict(a: str, b: str, feelings: tuple[float, float] | None) -> Verdict | None:
        return Verdict("number", (a, b)) if feelings == (1.0, -1.0) else None

    decide = guarded([SAME, OTHER], strict)
    assert decide("the  room", "a room", (1.0, -1.0)) is None
    assert decide("4 euros", "3\u00a0euros", None) == Verdict("decision", ())
    assert decide("a room", "4 euros", (1.0, -1.0)) == Verdict("number", ("a room", "4 euros"))
    assert decide("a room", "4 euros", None) is None
    alone = guarded([OTHER], None)
    assert [alone("3 euros", "4 euros", None), alone("a", "b", None)] == [Verdict(), None]


def test_labelled() -> None:
    """A decision teaches a threshold as a labelled pair."""
    pairs = labelled([SAME, OTHER], "decisions.json")
    assert [(pair.a, pair.b, pair.value, pair.source, pair.line) for pair in pairs] == [
        ("a room", "the room", 1.0, "decisions.json", 1),
        ("3 euros", "4 euros", 0.0, "decisions.json", 2),
    ]
