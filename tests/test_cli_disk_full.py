"""A disk that fills up: a clear message, exit code 1, and what was there before is as it was.

The disk is a limit on the size of a file, which every Unix has. SQLite, FAISS, safetensors and Python each report it
in their own way; which of them meets it first depends on the limit.
"""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from search.compacting import compact_index
from search.corpus import Corpus
from search.errors import OutputError
from search.index import Index
from search.index_writer import IndexWriter
from search.indexing import build_index
from search.repairing import repair_index
from search.verifying import verify_index
from tests.cli_runner import refuse, run, start, succeed, tree
from tests.test_index import content_of
from tests.toy import ToyEncoder

resource = pytest.importorskip("resource", reason="a limit on the size of files needs Unix")


@contextmanager
def _files_up_to(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _lines(count: int) -> str:
    return "".join(f"the room {number} was good{' and very clean' * 9}\n" for number in range(count))


@pytest.mark.slow
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    "limit",
    [
        pytest.param(1_000, id="sqlite-schema"),
        pytest.param(50_000, id="vectors"),
        pytest.param(66_000, id="sqlite-rows"),
    ],
)
def test_an_index_that_finds_no_room_leaves_the_folder_as_it_was(
    limit: int, overwrite: bool, tmp_path: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever file of the index meets the limit, the old index, or nothing, is there afterwards."""
    corpus, out = tmp_path / "corpus.txt", tmp_path / "out"
    if overwrite:
        corpus.write_text("an old sentence\n", encoding="utf-8")
        succeed(capsys, "index", corpus, "--out", out, "--encoder", small_bert)
    corpus.write_text(_lines(500), encoding="utf-8")
    before = tree(tmp_path)
    with _files_up_to(limit):
        message = refuse(capsys, "index", corpus, "--out", out, "--encoder", small_bert, *["--overwrite"] * overwrite)
    assert "what was committed before is as it was" in message
    assert "room" in message
    assert tree(tmp_path) == before


def test_a_writer_that_cannot_begin_leaves_nothing(tmp_path: Path, toy: ToyEncoder) -> None:
    """Files and folders made before the limit is met are removed by the writer itself."""
    with (
        _files_up_to(1_000),
        pytest.raises(OutputError, match=r"sentences-000001\.sqlite: cannot be written"),
        IndexWriter(tmp_path / "out", toy) as writer,
    ):
        writer.commit(finished=True)
    assert tree(tmp_path) == {}


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Index two files, one of which has changed since it was indexed first, so that some rows do not count."""
    (tmp_path / "new.txt").write_text(_lines(90).replace("room", "food"), encoding="utf-8")
    for name, text in (("b.txt", "old room\n"), ("a.txt", _lines(60)), ("b.txt", _lines(20).replace("room", "pool"))):
        (tmp_path / name).write_text(text, encoding="utf-8")
        build_index(Corpus([str(tmp_path / name)]), tmp_path / "index", ToyEncoder())
    return tmp_path / "index"


def _update(folder: Path) -> None:
    build_index(Corpus([str(folder.parent / "new.txt")]), folder, ToyEncoder())


def _overwrite(folder: Path) -> None:
    build_index(Corpus([str(folder.parent / "new.txt")]), folder, ToyEncoder(), overwrite=True)


_JOBS: dict[str, Callable[[Path], object]] = {
    "update": _update,
    "overwrite": _overwrite,
    "compact": compact_index,
    "repair": repair_index,
}


def _refusal(job: str, folder: Path) -> str:
    """Do a job; return why it could not be done, "" where it is done."""
    try:
        _JOBS[job](folder)
    except OutputError as exc:
        return str(exc)
    return ""


def _holds(folder: Path) -> tuple[list[str], set[str]]:
    """Return the sentences of an index, each checked with its row, and its files."""
    with Index(folder) as opened:
        entries = opened.entries([row for row, _ in opened.texts()])
        assert verify_index(folder, ToyEncoder()).problems == ()
    return [entry.sentence.text for entry in entries], content_of(folder) - {"writer.lock"}


@pytest.mark.parametrize("job", _JOBS)
def test_a_job_that_finds_no_room_leaves_the_index_as_it_was(job: str, index: Path) -> None:
    """From no room at all to enough, whichever file meets the limit: an error of ours, or the job is done."""
    before, largest = _holds(index), max(path.stat().st_size for path in index.rglob("*") if path.is_file())
    refused = 0
    for limit in range(500, 4 * largest, largest // 12):
        with _files_up_to(limit):
            told = _refusal(job, index)
        if not told:
            break
        refused += 1
        assert "cannot be written" in told
        assert "See that the disk has room" in told
        assert _holds(index) == before
    assert told == ""
    assert refused > 5
    assert _holds(index) != before


@pytest.mark.parametrize("job", _JOBS)
def test_a_disk_that_fails_leaves_the_index_as_it_was(job: str, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each flush to the disk in turn fails: an error of ours, and the index is the old one or the new one, whole."""
    before, real = _holds(index), os.fsync
    failed = 0
    for number in range(20):
        calls = iter(range(100))

        def fail(descriptor: int, calls: Iterator[int] = calls, number: int = number) -> None:
            if next(calls) == number:
                raise OSError(errno.EIO, "Input/output error")
            real(descriptor)

        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", fail)
            told = _refusal(job, index)
        if _holds(index) != before:
            break
        assert "cannot be written (Input/output error)" in told
        failed += 1
    assert failed >= 3, "the rows, their folder, and the manifest"
    assert verify_index(index, ToyEncoder()).problems == ()


@pytest.mark.parametrize("job", _JOBS)
def test_a_folder_that_may_not_be_written_to(job: str, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No lock can be taken there: an error that names the folder, and it can still be read."""
    before = _holds(index)

    def refuse_writing(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and str(path).startswith(str(index)):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, mode, dir_fd=dir_fd)

    real = os.open
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse_writing)
        assert f"{index} cannot be written to (Read-only file system)" in _refusal(job, index)
    assert _holds(index) == before


@pytest.mark.slow
@pytest.mark.parametrize("limit", [pytest.param(300, id="texts"), pytest.param(30_000, id="weights")])
def test_a_checkpoint_that_finds_no_room_leaves_the_folder_as_it_was(
    limit: int,
    tmp_path: Path,
    small_bert: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Training that cannot write its texts, or its weights, changes nothing at the place of the result."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    labels, out = tmp_path / "labels.csv", tmp_path / "out"
    labels.write_text("text,label\ngood room,1\nlovely food,1\nbad room,0\nawful food,0\n", encoding="utf-8")
    with _files_up_to(limit):
        message = refuse(capsys, "finetune", labels, "--base", small_bert, "--out", out, "--epochs", 1)
    assert "nothing was changed" in message
    assert "room" in message
    assert not out.exists()


@pytest.mark.slow
def test_a_build_that_finds_no_room_leaves_the_checkpoint_whole(
    tmp_path: Path, small_bert: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is room for the checkpoint, but not for its int8 build: it is there, and why it has none is said."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    labels, out = tmp_path / "labels.csv", tmp_path / "out"
    labels.write_text("text,label\ngood room,1\nlovely food,1\nbad room,0\nawful food,0\n", encoding="utf-8")
    with _files_up_to(150_000):
        outcome = run(capsys, "finetune", labels, "--base", small_bert, "--out", out, "--epochs", 1)
    assert outcome.code == 0, outcome.err
    assert "No fast build: " in outcome.err
    assert "The checkpoint is whole and runs with torch" in outcome.err
    assert (out / "model.safetensors").exists()
    assert not (out / "openvino").exists()


def test_an_output_that_takes_nothing_more_ends_with_a_message(tmp_path: Path) -> None:
    """Printing to a full disk (/dev/full) is exit code 1 with a message, not a traceback."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        process = start(tmp_path, "--help", stdout=full.fileno())
        _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Error: the disk is full" in told
    assert "Traceback" not in told
