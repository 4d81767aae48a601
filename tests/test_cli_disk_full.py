"""A disk that fills up: a clear message, exit code 1, and what was there before is as it was.

The disk is a limit on the size of a file, which every Unix has. SQLite, FAISS, safetensors and Python each report it
in their own way; which of them meets it first depends on the limit.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from search.errors import OutputError
from search.index_writer import IndexWriter
from tests.cli_runner import refuse, start, succeed, tree
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


@pytest.mark.slow
@pytest.mark.parametrize(
    "limit", [pytest.param(300, id="texts"), pytest.param(30_000, id="weights"), pytest.param(150_000, id="state")]
)
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
