"""Duplicates of served indexes: found in a thread, once for a generation and a threshold, in nobody's way."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search import duplicates_once
from search.duplicates import find_duplicates
from search.duplicates_once import DuplicatesOnce
from search.errors import IndexFolderError, OptionError
from search.guard import PairGuard
from search.index import Index
from search.once import Step
from search.report import report_data
from search.service import Asked, Service
from tests.cli_runner import toy_index
from tests.toy import ToyEncoder

TEXTS = ["good room 5", "good room 6", "good room five", "bad room 5", "food", "food ", "the pool", "a pool"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an index of the texts."""
    return toy_index(tmp_path / "hotels", TEXTS, ToyEncoder())


@pytest.fixture
def service(folder: Path) -> Iterator[Service]:
    """Give a service of one index."""
    with Service({"hotels": folder}, load=lambda _: ToyEncoder()) as service:
        yield service


@pytest.fixture
def once(service: Service) -> Iterator[DuplicatesOnce]:
    """Give its duplicates."""
    with DuplicatesOnce(service) as once:
        yield once


class Held:
    """`find_duplicates`, which waits for a sign, and counts how often it is asked."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self.thresholds: list[float] = []

    def __call__(self, *given: Any, **options: Any) -> Any:
        """Wait at each step, as a long job takes time, then find."""
        self.thresholds.append(options["threshold"])
        self.begun.set()
        options["progress"].start("comparing", 7, "blocks")
        while not self.go.wait(0.01):
            options["progress"].advance(3)
        return find_duplicates(*given, **options)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    """Hold every search until it is let go."""
    held = Held()
    monkeypatch.setattr(duplicates_once, "find_duplicates", held)
    return held


def answer(once: DuplicatesOnce, lowest: float | None = None) -> dict[str, Any]:
    """Ask until it is found."""
    end = time.monotonic() + 20
    while isinstance(found := once.ask("hotels", lowest), Step):
        assert time.monotonic() < end
        time.sleep(0.01)
    value: dict[str, Any] = json.loads(found)
    return value


def test_it_finds_what_the_command_finds(once: DuplicatesOnce, folder: Path) -> None:
    """The same data as a report of the job at that threshold, with the slider at the usual one."""
    with Index(folder) as index:
        found = find_duplicates(index, threshold=0.8, guard=PairGuard())
        expected = json.loads(report_data(found, encoder="toy", threshold=0.9))
    assert answer(once, 0.8) == expected
    assert answer(once) == expected, "0.1 below the usual one is where it begins"
    assert expected["threshold"] == 900_000
    assert {row[4] for row in expected["refused"]} == {"number"}
    assert answer(once, 0.95)["threshold"] == 950_000


def test_once_for_each_generation_and_threshold(once: DuplicatesOnce, held: Held, folder: Path) -> None:
    """Who asks again gets what is there; another threshold, or a new generation, is searched."""
    held.go.set()
    for lowest in (0.8, 0.8, 0.9, 0.8, 0.9):
        answer(once, lowest)
    assert held.thresholds == [0.8, 0.9]
    with Index.open(folder, encoder=ToyEncoder()) as index:
        index.add(["good room 7"])
    assert answer(once, 0.8)["count"] == len(TEXTS) + 1
    assert held.thresholds == [0.8, 0.9, 0.8]


def test_queries_are_answered_meanwhile(once: DuplicatesOnce, held: Held, service: Service) -> None:
    """While a search runs it says how far it is, and everybody else is served."""
    while not isinstance(step := once.ask("hotels", 0.8), Step) or step.done < 3:
        time.sleep(0.01)
    assert step == Step("comparing", 3, 7, "blocks")
    (hits,) = service.search("hotels", ["the pool"], Asked(k=1))
    assert hits[0].entry.sentence.text == "the pool"
    held.go.set()
    assert answer(once, 0.8)["count"] == len(TEXTS)


def test_no_more_than_a_few_are_kept_or_wait(once: DuplicatesOnce, held: Held) -> None:
    """Of a hundred thresholds asked for at once four are taken on; the others get their turn, the oldest is let go."""
    for number in range(100):
        assert isinstance(once.ask("hotels", number / 100), Step)
    assert len(once._once._jobs) == 4
    held.go.set()
    for number in (0, 1, 2, 3, 50, 0):
        answer(once, number / 100)
    assert held.thresholds == [0.0, 0.01, 0.02, 0.03, 0.5, 0.0]
    assert len(once._once._jobs) == 4


def test_the_end_of_the_server_ends_a_search(service: Service, held: Held) -> None:
    """What runs stops at its next step; nothing else is begun."""
    once = DuplicatesOnce(service)
    once.ask("hotels", 0.8)
    once.ask("hotels", 0.9)
    assert held.begun.wait(20)
    begin = time.monotonic()
    once.close()
    assert time.monotonic() - begin < 5
    assert held.thresholds == [0.8]


def test_limits_are_told(once: DuplicatesOnce, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many sentences, too many pairs, of meaning or of all levels, no such index or threshold: both numbers."""
    for bad, said in ((1.5, "between -1 and 1"), (float("nan"), "between -1 and 1")):
        with pytest.raises(OptionError, match=said):
            once.ask("hotels", bad)
    with pytest.raises(OptionError, match="No index 'other'"):
        once.ask("other")
    monkeypatch.setattr(duplicates_once, "MOST_PAIRS", 2)
    with pytest.raises(OptionError, match=r"More than 2 pairs score 0\.5 or more; choose a higher threshold"):
        answer(once, 0.5)
    monkeypatch.setattr(duplicates_once, "MOST_PAIRS", 0)
    with pytest.raises(OptionError, match=r"1 pairs at 1, .*--out unique"):
        answer(once, 1.0)
    monkeypatch.setattr(duplicates_once, "MOST_SENTENCES", 7)
    with pytest.raises(OptionError, match=r"hotels has 8 sentences; a server looks through 7\. Run: kindred dup"):
        once.ask("hotels")


def test_what_can_be_mended_is_tried_anew(once: DuplicatesOnce, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged index is told to who asks; once it is whole the next question finds."""

    def damaged(*_: Any, **__: Any) -> Any:
        raise IndexFolderError("row 3 is damaged")

    monkeypatch.setattr(duplicates_once, "find_duplicates", damaged)
    with pytest.raises(IndexFolderError, match="row 3"):
        answer(once)
    monkeypatch.setattr(duplicates_once, "find_duplicates", find_duplicates)
    assert answer(once)["count"] == len(TEXTS)
