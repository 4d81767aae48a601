"""Files indexed for one duplicates job: nothing is left of a job that ends, and a stopped one goes on."""

import json
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from search.canaries import CANARIES
from search.corpus import Corpus
from search.duplicates import find_duplicates
from search.encoder import Encoded
from search.working_index import KEPT_DAYS, WORTH_KEEPING, index_of_files
from tests.cli_runner import start, wait_until
from tests.toy import ToyEncoder

LINES = 2 * WORTH_KEEPING


class Told:
    """Notes what is told, and no more."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def tell(self, what: str) -> None:
        """Note it."""
        self.said.append(what)

    def start(self, what: str, total: float | None, unit: str) -> None:
        """Begin."""

    def advance(self, done: float, note: str = "") -> None:
        """Go on."""

    def finish(self) -> None:
        """End."""


class Stopping(ToyEncoder):
    """A toy encoder that is interrupted when it has encoded so many texts."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode n texts, or stop."""
        if list(texts) != list(CANARIES) and sum(map(len, self.calls)) + len(texts) > self._limit:
            raise KeyboardInterrupt
        return super().encode(texts)


@pytest.fixture(autouse=True)
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder in which jobs keep what they need to go on."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "kindred" / "duplicates"


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Give a file of many lines, and a small one."""
    (tmp_path / "a.txt").write_text("".join(f"room {n}\n" for n in range(LINES)), encoding="utf-8")
    (tmp_path / "b.txt").write_text("room\nfood\nroom\n", encoding="utf-8")
    return Corpus([str(tmp_path / "a.txt"), str(tmp_path / "b.txt")])


def left(jobs: Path) -> list[str]:
    """Name what is in the folder of jobs."""
    return sorted(path.name for path in jobs.iterdir()) if jobs.exists() else []


def test_nothing_is_left_of_a_job_that_ends(tmp_path: Path, jobs: Path) -> None:
    """While it runs it is in the cache folder; then its folder is gone."""
    path = tmp_path / "a.txt"
    path.write_text("room\nfood\nroom\n", encoding="utf-8")
    with index_of_files(Corpus([str(path)]), ToyEncoder()) as index:
        assert index.folder.parent.parent == jobs
        assert [pair.b.row for pair in find_duplicates(index).pairs] == [2]
    assert left(jobs) == []


def test_a_stopped_job_goes_on(corpus: Corpus, jobs: Path) -> None:
    """Interrupted after a window, it says what it keeps; started again it encodes only the rest, and ends clean."""
    told = Told()
    with pytest.raises(KeyboardInterrupt), index_of_files(corpus, Stopping(WORTH_KEEPING), progress=told):
        pass
    assert f"{WORTH_KEEPING:,} encoded sentences are kept for when this is run again: {jobs}" in told.said[-1]
    again, told = ToyEncoder(), Told()
    with index_of_files(corpus, again, progress=told) as index:
        assert [text for _, text in index.texts()] == [*(f"room {n}" for n in range(LINES)), "room", "food", "room"]
    assert told.said == [f"Going on with {WORTH_KEEPING:,} sentences that a stopped run has encoded."]
    assert sum(map(len, again.calls)) == LINES + 2 - WORTH_KEEPING
    assert left(jobs) == []


def test_what_was_found_on_the_way_is_no_reason_to_encode_again(corpus: Corpus, jobs: Path) -> None:
    """An error after the encoding, such as a column that is not there, leaves all of it for the next run."""
    with pytest.raises(ValueError, match="column"), index_of_files(corpus, ToyEncoder()):
        raise ValueError("column")
    again = ToyEncoder()
    with index_of_files(corpus, again) as index:
        assert len(index) == LINES + 3
    assert again.calls == []
    assert left(jobs) == []


def test_other_files_and_other_encoders_begin_anew(corpus: Corpus, tmp_path: Path) -> None:
    """A file that has changed, and an encoder that makes other rows, have nothing to go on with."""
    with pytest.raises(KeyboardInterrupt), index_of_files(corpus, Stopping(WORTH_KEEPING)):
        pass
    other, told = ToyEncoder(fingerprint="other"), Told()
    with index_of_files(corpus, other, progress=told):
        assert sum(map(len, other.calls)) == LINES + 2
    (tmp_path / "b.txt").write_text("pool\n", encoding="utf-8")
    changed = ToyEncoder()
    with index_of_files(corpus, changed, progress=told) as index:
        assert [text for _, text in index.texts()][-1] == "pool"
    assert sum(map(len, changed.calls)) == LINES + 1
    assert told.said == []


def test_little_is_not_kept(tmp_path: Path, jobs: Path) -> None:
    """What is encoded again in a second is not left in the cache folder."""
    path = tmp_path / "a.txt"
    path.write_text("room\nfood\n", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt), index_of_files(Corpus([str(path)]), ToyEncoder()):
        raise KeyboardInterrupt
    assert left(jobs) == []


def test_a_second_job_at_the_same_time_is_on_its_own(corpus: Corpus, jobs: Path) -> None:
    """It has a temporary folder, and takes nothing from the first."""
    with index_of_files(corpus, ToyEncoder()) as first:
        with index_of_files(corpus, ToyEncoder()) as second:
            assert second.folder.parent.parent != jobs
            assert len(second) == len(first) == LINES + 3
        assert not second.folder.exists()
        assert len(list(first.texts())) == LINES + 3
    assert left(jobs) == []


def test_a_damaged_rest_is_not_gone_on_with(corpus: Corpus, jobs: Path) -> None:
    """Of a stopped job whose files are damaged, all is encoded again."""
    with pytest.raises(KeyboardInterrupt), index_of_files(corpus, Stopping(WORTH_KEEPING)):
        pass
    for path in jobs.rglob("*.f32"):
        path.write_bytes(b"")
    again = ToyEncoder()
    with index_of_files(corpus, again) as index:
        assert len(index) == LINES + 3
    assert sum(map(len, again.calls)) == LINES + 2


def test_what_is_never_gone_on_with_goes(corpus: Corpus, jobs: Path, tmp_path: Path) -> None:
    """What a job left long ago is removed by the next, whatever that is about; what is newer stays."""
    for name, days in (("old", KEPT_DAYS + 1), ("new", KEPT_DAYS - 1)):
        (jobs / name).mkdir(parents=True)
        then = time.time() - days * 86_400
        os.utime(jobs / name, (then, then))
    with index_of_files(Corpus([str(tmp_path / "b.txt")]), ToyEncoder()):
        pass
    assert corpus.names
    assert left(jobs) == ["new"]


def test_no_cache_folder_is_no_hindrance(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be kept, the job does without."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "b.txt"))
    with index_of_files(corpus, ToyEncoder()) as index:
        folder = index.folder
        assert len(index) == LINES + 3
    assert not folder.exists()


@pytest.mark.slow
def test_a_killed_command_goes_on(tmp_path: Path, jobs: Path) -> None:
    """Killed while it encodes, the same command goes on from what was committed, and finds what another would have."""
    draw = random.Random(1)  # noqa: S311 - texts, not a secret
    lines = ["".join(draw.choices("abcdefgh ", k=24)) for _ in range(6500)]
    (tmp_path / "new.txt").write_text("\n".join(["room", *lines, "room"]) + "\n", encoding="utf-8")
    command = ["duplicates", "new.txt", "--threshold", 1, "--json"]
    process = start(tmp_path, *command)
    wait_until(lambda: bool(list(jobs.glob("files-*/index/manifest.json"))), process, 300)
    process.kill()
    process.communicate(timeout=60)
    outputs = []
    for gone_on_with in (True, False):
        process = start(tmp_path, *command)
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert ("sentences that a stopped run has encoded." in err) == gone_on_with
        assert left(jobs) == []
        outputs.append(out)
    assert outputs[0] == outputs[1]
    assert json.loads(outputs[0].splitlines()[-1])["sentences"] == 6502
