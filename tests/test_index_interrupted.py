"""An index is whole at every moment: what failed, interrupted and killed builds leave behind."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from search import files, indexing
from search.corpus import Corpus
from search.encoder import Encoded
from search.errors import IndexFolderError, InputError
from search.index import Index
from search.indexing import build_index
from search.manifest import Layout
from tests.test_index import NEW, OLD, content_of, corpus_of, generation_files, texts_of
from tests.toy import ToyEncoder


class InterruptedEncoder(ToyEncoder):
    """Fails at the second window."""

    def __init__(self, error: BaseException) -> None:
        """Fail with this error."""
        super().__init__()
        self._error = error

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode once, then fail."""
        if self.calls:
            raise self._error
        return super().encode(texts)


@pytest.mark.parametrize("error", [RuntimeError("lost"), KeyboardInterrupt()])
@pytest.mark.parametrize("old", [True, False])
def test_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, old: bool) -> None:
    """Failed or interrupted before the commit, the old index opens as it was and nothing else is left."""
    folder = tmp_path / "i"
    if old:
        build_index(corpus_of(tmp_path, OLD), folder, ToyEncoder())
    monkeypatch.setattr(indexing, "_WINDOW", 1)
    with pytest.raises(type(error)):
        build_index(corpus_of(tmp_path, NEW), folder, InterruptedEncoder(error), overwrite=True)
    assert folder.exists() == old
    if old:
        assert content_of(folder) == generation_files(1)
        assert texts_of(folder) == OLD


def test_bad_file(tmp_path: Path) -> None:
    """A file that cannot be read half way leaves no index."""
    path = tmp_path / "a.csv"
    path.write_text("text,n\na,1\nb,2,3\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.csv:3"):
        build_index(Corpus([str(path)]), tmp_path / "i", ToyEncoder())
    assert not (tmp_path / "i").exists()


def test_interrupted_right_after_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted when the new manifest is in place but not yet flushed, the new index is the one that opens."""
    folder = tmp_path / "i"
    build_index(corpus_of(tmp_path, OLD), folder, ToyEncoder())
    real = files.sync

    def interrupt(path: Path) -> None:
        if path == folder:
            raise KeyboardInterrupt
        real(path)

    monkeypatch.setattr(files, "sync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build_index(corpus_of(tmp_path, NEW), folder, ToyEncoder(), overwrite=True)
    assert texts_of(folder) == NEW


@pytest.mark.parametrize("built", [0, 1, 3])
def test_leftovers_of_killed_builds_go(tmp_path: Path, built: int) -> None:
    """Files of any other generation and manifests not put in place, as kills leave them, go with the next build."""
    folder = tmp_path / "i"
    for _ in range(built):
        build_index(corpus_of(tmp_path, OLD), folder, ToyEncoder(), overwrite=True)
    layout = Layout(folder)
    for generation in {1, 2, built + 1, 9} - {built}:
        for path in layout.all_files(generation):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"half")
    (folder / ".manifest.json.4321.aside").write_text("{", encoding="utf-8")
    if built:
        assert texts_of(folder) == OLD
    build_index(corpus_of(tmp_path, NEW), folder, ToyEncoder(), overwrite=True)
    assert content_of(folder) == generation_files(built + 1)
    assert texts_of(folder) == NEW


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
indexing.build_index(Corpus([sys.argv[1]]), Path(sys.argv[2]), Slow(), overwrite=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("old", [True, False])
def test_killed(tmp_path: Path, old: bool) -> None:
    """Killed in the middle of a build, the old index opens as it was, and the next build leaves no trace of it."""
    folder = tmp_path / "i"
    if old:
        build_index(corpus_of(tmp_path, OLD), folder, ToyEncoder())
    source = corpus_of(tmp_path, ["x", "y", "z"], "b.txt").names[0]
    command = [sys.executable, "-c", CHILD, source, str(folder)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "busy\n"
        child.kill()
        assert child.wait() == -signal.SIGKILL
    assert content_of(folder) > (generation_files(1) if old else set())
    if old:
        assert texts_of(folder) == OLD
    else:
        with pytest.raises(IndexFolderError, match="not an index"):
            Index(folder)
    build_index(corpus_of(tmp_path, NEW), folder, ToyEncoder(), overwrite=old)
    assert content_of(folder) == generation_files(1 + old)
    assert texts_of(folder) == NEW
