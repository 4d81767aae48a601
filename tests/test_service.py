"""Indexes asked from many threads: together, in generations, and by row."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from search.encoder import Encoded, Tokens
from search.errors import EncoderError, IndexFolderError, OptionError
from search.index import Index
from search.service import Asked, Service, TogetherEncoder
from tests.cli_runner import toy_index
from tests.toy import ToyEncoder

TEXTS = ["good room", "bad room", "good food", "the pool", "staff staff", "good room"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an index of the texts."""
    return toy_index(tmp_path / "hotels", TEXTS, ToyEncoder())


@pytest.fixture
def service(folder: Path) -> Iterator[Service]:
    """Give a service of one index."""
    with Service({"hotels": folder}, load=lambda _: ToyEncoder()) as service:
        yield service


class Slow(ToyEncoder):
    """An encoder that waits for a sign before its first answer, and can break."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go = threading.Event(), threading.Event()

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode n texts once the sign is given."""
        self.begun.set()
        assert self.go.wait(20)
        if "break" in texts:
            raise RuntimeError("broken")
        return super().encode(texts)


def test_who_waits_is_encoded_together() -> None:
    """While one is encoded, five others come: they go in one call, and each gets its own rows."""
    slow = Slow()
    together = TogetherEncoder(slow)
    rows: dict[str, np.ndarray] = {}

    def ask(text: str) -> None:
        rows[text] = together.encode([text, "food"]).rows

    first = threading.Thread(target=ask, args=("room",))
    first.start()
    assert slow.begun.wait(20)
    others = [threading.Thread(target=ask, args=(f"pool {number}",)) for number in range(5)]
    for thread in others:
        thread.start()
    while len(together._waiting) < 5:
        pass
    slow.go.set()
    for thread in (first, *others):
        thread.join(20)
    assert [len(call) for call in slow.calls] == [2, 10]
    for text, found in rows.items():
        np.testing.assert_array_equal(found, ToyEncoder().encode([text, "food"]).rows)


def test_an_error_reaches_each_who_waited_and_the_next_is_served() -> None:
    """What breaks the encoder is raised by all whose texts went with it; later texts are encoded."""
    slow = Slow()
    together = TogetherEncoder(slow)
    slow.go.set()
    with pytest.raises(RuntimeError, match="broken"):
        together.encode(["break"])
    assert together.encode(["room"]).rows.shape == (1, slow.passport.width)


def test_a_server_loads_what_explains_before_anybody_asks(folder: Path) -> None:
    """Each encoder is asked for the tokens of nothing; one that cannot explain is left alone."""
    asked: list[Sequence[str]] = []

    class Explaining(ToyEncoder):
        def tokens(self, texts: Sequence[str]) -> list[Tokens]:
            asked.append(texts)
            raise EncoderError("This encoder cannot say where its tokens are.")

    with Service({"hotels": folder}, load=lambda _: Explaining()) as service:
        service.prepare()
    assert asked == [[]]


def test_a_new_generation_is_served_and_the_old_one_closed(folder: Path, service: Service) -> None:
    """What another process commits is found by the next question; who reads meanwhile keeps what he has."""
    with service.reading("hotels") as old:
        with Index.open(folder, encoder=ToyEncoder()) as index:
            index.add(["noise noise"])
        (hits,) = service.search("hotels", ["noise noise"], Asked(k=1))
        assert hits[0].entry.sentence.text == "noise noise"
        assert len(old.index) == len(TEXTS)
        assert [entry.sentence.text for entry in old.index.entries([0])] == ["good room"]
    with pytest.raises(Exception, match="closed"):
        old.index.entries([0])


def test_by_row_and_around(service: Service) -> None:
    """Like a row without itself; the sentences before and after it, within its source."""
    hits = service.similar("hotels", 0, Asked(k=2))
    assert (hits[0].rank, hits[0].entry.row) == (1, 5)
    assert 0 not in {hit.entry.row for hit in hits}
    (first, *_) = service.similar("hotels", 0, Asked(k=2, sentiment="opposite"))
    assert first.entry.sentence.text == "bad room"
    assert [entry.row for entry in service.around("hotels", 1, 2)] == [0, 1, 2, 3]
    for row in (-1, 6, 2**40):
        with pytest.raises(OptionError, match="No row"):
            service.similar("hotels", row, Asked())
    with pytest.raises(OptionError, match="No index 'other'; there are hotels"):
        service.search("other", ["x"], Asked())


def test_duplicates_of_a_text_are_looked_at_by_the_guard(tmp_path: Path) -> None:
    """What scores alike is the same, or refused for a number, a feeling or a negation; the words are told."""
    texts = ["good room 5 km", "good room  5 km", "good room 6 km", "not good room 5 km", "bad room 5 km", "food"]
    folder = toy_index(tmp_path / "towns", texts, ToyEncoder())
    with Service({"towns": folder}, load=lambda _: ToyEncoder()) as service:
        found = service.duplicates("towns", "good room 5 km", 0.6, None)
    told = {one.hit.entry.sentence.text: (one.verdict["verdict"], one.verdict["reason"]) for one in found}
    assert told == {
        texts[0]: ("same", None), texts[1]: ("same", None), texts[2]: ("refused", "number"),
        texts[3]: ("refused", "negation"), texts[4]: ("refused", "opposite"),
    }  # fmt: skip
    (number,) = [one for one in found if one.verdict["reason"] == "number"]
    assert number.verdict["words"] == ["5 km", "6 km"]
    assert [one.hit.rank for one in found] == [1, 2, 3, 4, 5]


def test_the_guard_knows_feelings(tmp_path: Path) -> None:
    """Two texts whose words give no reason are refused for what the encoder finds them to feel."""
    folder = toy_index(tmp_path / "hotels", ["room hate", "room love"], ToyEncoder())
    with Service({"hotels": folder}, load=lambda _: ToyEncoder()) as service:
        found = service.duplicates("hotels", "room joy", 0.0, None)
    assert [one.verdict["reason"] for one in found] == [None, "feeling"]


def test_too_many_candidates_are_refused(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody gets a whole index by a low threshold; both numbers are told."""
    monkeypatch.setattr("search.service.MOST_CANDIDATES", 5)
    with pytest.raises(OptionError, match="6 sentences score -1 or more, over 5"):
        service.duplicates("hotels", "room", -1.0, None)


def test_an_index_that_goes_is_told(folder: Path, service: Service) -> None:
    """A folder that is removed is an error of the next question, not of the server."""
    (folder / "manifest.json").unlink()
    with pytest.raises(IndexFolderError):
        service.search("hotels", ["room"], Asked())


def test_many_threads_and_a_writer(folder: Path, service: Service) -> None:
    """Eight readers while another commits ten times: every answer is whole."""
    wrong: list[object] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                (hits,) = service.search("hotels", ["good room"], Asked(k=3))
                if hits[0].score != 1.0:
                    wrong.append(hits[0])
            except Exception as exc:  # noqa: BLE001 - whatever it is, it is wrong
                wrong.append(exc)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    with Index.open(folder, encoder=ToyEncoder()) as index:
        for number in range(10):
            index.add([f"price {number}"])
    done.set()
    for thread in threads:
        thread.join(20)
    assert wrong == []
