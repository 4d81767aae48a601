"""The prompt of `kindred query`, at a real terminal."""

import contextlib
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli_runner import ROOT, succeed

pytestmark = pytest.mark.slow

PROMPT = "kindred> "
SENTENCES = ["the room was good", "bad food", "the staff were not so kind"]


class Terminal:
    """A person at a terminal: types lines, reads up to the next prompt."""

    def __init__(self, folder: Path, index: Path) -> None:
        """Start the prompt over an index, with `folder` as home."""
        self._end, theirs = pty.openpty()
        # A session's first process that opens a terminal by name gets its Ctrl-C.
        opened = 'exec "$1" -m search query "$2" < "$3" > "$3" 2>&1'
        self.process = subprocess.Popen(
            ["sh", "-c", opened, "sh", sys.executable, str(index), os.ttyname(theirs)],
            cwd=folder,
            env={**os.environ, "HOME": str(folder), "PYTHONPATH": str(ROOT), "TERM": "dumb", "HF_HUB_OFFLINE": "1"},
            start_new_session=True,
        )
        self._theirs = theirs

    def read(self, *, seconds: float = 60.0) -> str:
        """Return what is shown until the prompt comes, or the process ends."""
        shown = ""
        end = time.monotonic() + seconds
        while not shown.endswith(PROMPT):
            assert time.monotonic() < end, shown
            if select.select([self._end], [], [], 0.2)[0]:
                shown += os.read(self._end, 4096).decode("utf-8", "replace")
            elif self.process.poll() is not None:
                break
        return shown

    def type(self, line: str) -> str:
        """Type a line; return what is shown until the next prompt."""
        os.write(self._end, (line + "\n").encode())
        return self.read()

    def close(self) -> None:
        """Leave, whatever state it is in."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._end)
        os.close(self._theirs)


@pytest.fixture
def terminal(tmp_path: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    """Open the prompt over three sentences."""
    corpus = tmp_path / "in" / "hotels.txt"
    corpus.parent.mkdir()
    corpus.write_text("\n".join(SENTENCES) + "\n", encoding="utf-8")
    succeed(capsys, "index", corpus, "--out", tmp_path / "index", "--encoder", small_bert)
    opened = Terminal(tmp_path, tmp_path / "index")
    yield opened
    opened.close()


def test_questions_settings_mistakes_and_the_way_out(terminal: Terminal, tmp_path: Path) -> None:
    """One session: ask, change k, make mistakes that change nothing, ask again, leave; the history is kept."""
    assert "3 sentences. Ask, or type :help." in terminal.read()

    answer = terminal.type("bad food")
    assert all(sentence in answer for sentence in SENTENCES)
    assert answer.index("1.000") < answer.index("hotels.txt:2") < answer.index("hotels.txt:1")

    assert "k 1, sentiment default, weight default" in terminal.type(":k 1")
    for mistake, message in [
        (":k 0", "Error: k is 0; it must be 1 or more."),
        (":k many", "Error: :k needs a number, not 'many'."),
        (":sentiment nope", "Error: The encoder"),
        (":weight 2", "Error: weight is 2; it must lie between"),
        (":colour red", "Error: No setting :colour; type :help."),
    ]:
        assert message in terminal.type(mistake)
    assert "k 1, sentiment default, weight default" in terminal.type(":settings")
    assert ":sentiment opposite" in terminal.type(":help")
    assert terminal.type("").strip().endswith(PROMPT.strip())

    answer = terminal.type("bad food")
    assert "hotels.txt:2" in answer
    assert "hotels.txt:1" not in answer

    assert "Traceback" not in terminal.type(":quit")
    assert terminal.process.wait(timeout=20) == 0
    history = (tmp_path / ".kindred" / "history").read_text(encoding="utf-8")
    assert "bad food" in history


def test_the_end_of_the_input_is_a_way_out(terminal: Terminal) -> None:
    """Ctrl-D at the empty prompt ends with 0."""
    terminal.read()
    os.write(terminal._end, b"\x04")
    assert "Traceback" not in terminal.read()
    assert terminal.process.wait(timeout=20) == 0


def test_an_interrupt_at_the_prompt_is_quiet(terminal: Terminal) -> None:
    """Ctrl-C at the prompt ends with 130, or by the signal, and a line; no traceback."""
    terminal.read()
    for _ in range(20):  # one that comes before the prompt reads its keyboard may pass unseen, as it may for people
        os.write(terminal._end, b"\x03")
        with contextlib.suppress(subprocess.TimeoutExpired):
            terminal.process.wait(timeout=1)
            break
    shown = terminal.read()
    assert terminal.process.wait(timeout=20) in {130, -2}
    assert "Interrupted" in shown
    assert "Traceback" not in shown
