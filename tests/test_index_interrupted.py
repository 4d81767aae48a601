"""An index is whole at every moment: what stopped and killed runs leave behind, and how they are gone on with."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from search import files, indexing
from search.canaries import CANARIES
from search.corpus import Corpus
from search.encoder import Encoded
from search.errors import IndexFolderError, InputError, OutputError
from search.index import Index
from search.indexing import build_index
from search.manifest import Manifest
from tests.test_index import NEW, OLD, build_files, content_of, corpus_of, texts_of
from tests.toy import ToyEncoder

TEXTS = [f"room {number}" for number in range(10)]


class InterruptedEncoder(ToyEncoder):
    """Fails when it has encoded so often."""

    def __init__(self, error: BaseException, after: int = 1) -> None:
        """Fail with this error."""
        super().__init__()
        self._error = error
        self._after = after

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode, or fail."""
        if len(self.calls) == self._after and list(texts) != list(CANARIES):
            raise self._error
        return super().encode(texts)


def encoded(encoder: ToyEncoder) -> list[str]:
    """Return every text that was encoded, in order."""
    return [text for call in encoder.calls for text in call]


@pytest.mark.parametrize("error", [RuntimeError("lost"), KeyboardInterrupt()])
def test_a_first_build_that_commits_nothing_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    """Failed or interrupted in its first window, there is no folder, or the empty one that there was."""
    for there in (False, True):
        folder = tmp_path / f"i{there}"
        if there:
            folder.mkdir()
        with pytest.raises(type(error)):
            build_index(corpus_of(tmp_path, NEW), folder, InterruptedEncoder(error, after=0))
        assert folder.exists() == there
        assert not there or not list(folder.iterdir())


@pytest.mark.parametrize("error", [RuntimeError("lost"), KeyboardInterrupt()])
@pytest.mark.parametrize("after", range(1, 5))
def test_a_stopped_build_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, after: int
) -> None:
    """What was committed opens, unfinished; the same call encodes the rest alone, to the same rows and digest."""
    monkeypatch.setattr(indexing, "_WINDOW", 3)
    whole = build_index(corpus_of(tmp_path, TEXTS), tmp_path / "whole", ToyEncoder()).manifest
    folder = tmp_path / "i"
    if after == 4:
        build_index(corpus_of(tmp_path, TEXTS), folder, InterruptedEncoder(error, after))
    else:
        with pytest.raises(type(error)):
            build_index(corpus_of(tmp_path, TEXTS), folder, InterruptedEncoder(error, after))
        assert texts_of(folder) == TEXTS[: 3 * after]
        manifest = Manifest.read(folder)
        assert (manifest.finished, manifest.count) == (False, 3 * after)
    again = ToyEncoder()
    done = build_index(corpus_of(tmp_path, TEXTS), folder, again).manifest
    assert encoded(again) == TEXTS[3 * after :]
    assert (done.finished, done.digest, done.rows) == (True, whole.digest, 10)
    assert texts_of(folder) == TEXTS
    assert content_of(folder) == build_files(1)


def test_a_file_that_changed_since_the_stop_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is not any more what was half read is read whole; what was encoded of it is not encoded again."""
    monkeypatch.setattr(indexing, "_WINDOW", 3)
    folder = tmp_path / "i"
    with pytest.raises(KeyboardInterrupt):
        build_index(corpus_of(tmp_path, TEXTS), folder, InterruptedEncoder(KeyboardInterrupt(), 2))
    assert texts_of(folder) == TEXTS[:6]
    changed = ["new room", *TEXTS[:8]]
    again = ToyEncoder()
    done = build_index(corpus_of(tmp_path, changed), folder, again).manifest
    assert encoded(again) == ["new room", "room 6", "room 7"]
    assert texts_of(folder) == changed
    assert done.digest == build_index(corpus_of(tmp_path, changed), tmp_path / "whole", ToyEncoder()).manifest.digest


def test_a_half_read_file_waits_while_others_come_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another file indexed in between does no harm: the half read one is read to its end, nothing encoded twice."""
    monkeypatch.setattr(indexing, "_WINDOW", 3)
    folder = tmp_path / "i"
    with pytest.raises(KeyboardInterrupt):
        build_index(corpus_of(tmp_path, TEXTS), folder, InterruptedEncoder(KeyboardInterrupt(), 2))
    build_index(corpus_of(tmp_path, NEW, "b.txt"), folder, ToyEncoder())
    assert texts_of(folder) == [*TEXTS[:6], *NEW]
    again = ToyEncoder()
    build_index(corpus_of(tmp_path, TEXTS), folder, again)
    assert encoded(again) == TEXTS[6:]
    assert texts_of(folder) == [*NEW, *TEXTS]


@pytest.mark.parametrize("error", [RuntimeError("lost"), KeyboardInterrupt()])
def test_a_stopped_overwrite_leaves_the_old_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """The old index opens as it was; the same call goes on with the new one, which then replaces it."""
    monkeypatch.setattr(indexing, "_WINDOW", 3)
    folder = tmp_path / "i"
    build_index(corpus_of(tmp_path, OLD, "old.txt"), folder, ToyEncoder())
    before = Manifest.read(folder)
    with pytest.raises(type(error)):
        build_index(corpus_of(tmp_path, TEXTS), folder, InterruptedEncoder(error, 2), overwrite=True)
    assert Manifest.read(folder) == before
    assert texts_of(folder) == OLD
    again = ToyEncoder()
    build_index(corpus_of(tmp_path, TEXTS), folder, again, overwrite=True)
    assert encoded(again) == TEXTS[6:]
    assert texts_of(folder) == TEXTS
    assert content_of(folder) == build_files(2)


def test_an_update_gives_up_an_unfinished_overwrite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexing into the old index without --overwrite removes what was to replace it."""
    monkeypatch.setattr(indexing, "_WINDOW", 3)
    folder = tmp_path / "i"
    build_index(corpus_of(tmp_path, OLD, "old.txt"), folder, ToyEncoder())
    with pytest.raises(KeyboardInterrupt):
        build_index(corpus_of(tmp_path, TEXTS), folder, InterruptedEncoder(KeyboardInterrupt(), 2), overwrite=True)
    build_index(corpus_of(tmp_path, NEW, "new.txt"), folder, ToyEncoder())
    assert texts_of(folder) == [*OLD, *NEW]
    assert content_of(folder) == build_files(1)


def test_bad_file(tmp_path: Path) -> None:
    """A file that cannot be read half way, in the first window, leaves no index."""
    path = tmp_path / "a.csv"
    path.write_text("text,n\na,1\nb,2,3\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.csv:3"):
        build_index(Corpus([str(path)]), tmp_path / "i", ToyEncoder())
    assert not (tmp_path / "i").exists()


@pytest.mark.parametrize("window", [1, 2, 100])
def test_a_bad_file_among_others_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: int) -> None:
    """Not strict, a file that breaks off is told with its reason and leaves no sentence; the others are there."""
    monkeypatch.setattr(indexing, "_WINDOW", window)
    good, other = corpus_of(tmp_path, OLD), corpus_of(tmp_path, NEW, "z.txt")
    bad = tmp_path / "b.csv"
    bad.write_text("text,n\na,1\nb,2\nc,3\nd,4,5\n", encoding="utf-8")
    corpus = Corpus([*good.names, str(bad), *other.names])
    with pytest.raises(InputError, match=r"b\.csv:5: 3 cells"):
        build_index(corpus, tmp_path / "strict", ToyEncoder())
    done = build_index(corpus, tmp_path / "i", ToyEncoder(), strict=False)
    assert [str(reason).partition(": ")[0] for reason in done.failed] == [f"{bad}:5"]
    assert (done.new, done.sources, done.manifest.finished) == (2, 2, True)
    assert texts_of(tmp_path / "i") == [*OLD, *NEW]
    with pytest.raises(InputError, match=r"b\.csv:5"):
        build_index(Corpus([str(bad)]), tmp_path / "alone", ToyEncoder(), strict=False)
    bad.write_text("text,n\na,1\n", encoding="utf-8")
    assert build_index(corpus, tmp_path / "i", ToyEncoder(), strict=False).new == 1
    bad.write_text("text,n\na,1,2\n", encoding="utf-8")
    spoilt = build_index(corpus, tmp_path / "i", ToyEncoder(), strict=False)
    assert (spoilt.changed, spoilt.same, len(spoilt.failed)) == (0, 2, 1)
    assert texts_of(tmp_path / "i") == [*OLD, *NEW, "a"], "what was read of it before stays"


@pytest.mark.parametrize("overwrite", [True, False])
def test_interrupted_right_after_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overwrite: bool) -> None:
    """Interrupted when the manifest is in place but not yet flushed, the index opens, and the next run ends well."""
    folder = tmp_path / "i"
    build_index(corpus_of(tmp_path, OLD), folder, ToyEncoder())
    real = files.sync

    def interrupt(path: Path) -> None:
        if path == folder:
            raise KeyboardInterrupt
        real(path)

    monkeypatch.setattr(files, "sync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build_index(corpus_of(tmp_path, NEW), folder, ToyEncoder(), overwrite=overwrite)
    monkeypatch.undo()
    assert texts_of(folder) == (OLD if overwrite else NEW)
    build_index(corpus_of(tmp_path, NEW), folder, ToyEncoder(), overwrite=overwrite)
    assert texts_of(folder) == NEW


@pytest.mark.parametrize("built", [0, 1, 3])
def test_leftovers_of_killed_builds_go(tmp_path: Path, built: int) -> None:
    """Files of any other build and manifests not put in place, as kills leave them, go with the next run."""
    folder = tmp_path / "i"
    for _ in range(built):
        build_index(corpus_of(tmp_path, OLD), folder, ToyEncoder(), overwrite=True)
    for number in {1, 2, built + 1, 9} - {built}:
        for name in (f"sentences-{number:06d}.sqlite", f"vectors/{number:06d}.f32"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"half")
    (folder / ".manifest.json.4321.aside").write_text("{", encoding="utf-8")
    if built:
        assert texts_of(folder) == OLD
    else:
        with pytest.raises(IndexFolderError, match="unfinished: its first build was stopped before anything"):
            Index(folder)
    build_index(corpus_of(tmp_path, NEW), folder, ToyEncoder(), overwrite=True)
    assert content_of(folder) == build_files(10)
    assert texts_of(folder) == NEW


@pytest.mark.slow
def test_a_second_writer_is_told_who_the_first_is(tmp_path: Path) -> None:
    """While a process writes, another is refused with its number, readers read; killed, it is in nobody's way."""
    folder = tmp_path / "i"
    build_index(corpus_of(tmp_path, OLD), folder, ToyEncoder())
    source = corpus_of(tmp_path, ["x", "y", "z"], "b.txt").names[0]
    command = [sys.executable, "-c", CHILD, source, str(folder)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "busy\n"
        try:
            with pytest.raises(OutputError, match=f"is being written to by process {child.pid};"):
                build_index(corpus_of(tmp_path, NEW), folder, ToyEncoder(), wait=0.2)
            assert texts_of(folder) == [*OLD, "x", "y"]
        finally:
            child.kill()
        assert child.wait() == -signal.SIGKILL
    assert texts_of(folder) == [*OLD, "x", "y"]
    again = ToyEncoder()
    build_index(Corpus([source]), folder, again)
    assert encoded(again) == ["z"]
    assert texts_of(folder) == [*OLD, "x", "y", "z"]
    assert content_of(folder) == build_files(1)


CHILD = """
import sys, time
from pathlib import Path
from search import indexing
from search.corpus import Corpus
from tests.toy import ToyEncoder

class Slow(ToyEncoder):
    def encode(self, texts):
        if len(self.calls) == 2:
            print("busy", flush=True)
            time.sleep(600)
        return super().encode(texts)

indexing._WINDOW = 1
indexing.build_index(Corpus([sys.argv[1]]), Path(sys.argv[2]), Slow())
"""
