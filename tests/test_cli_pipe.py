"""Standard input and output as pipes."""

import io
import json
import subprocess
from pathlib import Path

import pytest

from tests.cli_runner import start, succeed

pytestmark = pytest.mark.slow


@pytest.fixture
def index(tmp_path: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Index more than a pipe holds at once."""
    lines = "".join(f"the room {number} was good and the food was not\n" for number in range(2000))
    (tmp_path / "corpus.txt").write_text(lines, encoding="utf-8")
    succeed(capsys, "index", tmp_path / "corpus.txt", "--out", tmp_path / "index", "--encoder", small_bert)
    return tmp_path / "index"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_reader_that_goes_away_is_no_failure(form: list[str], index: Path, tmp_path: Path) -> None:
    """`kindred query ... | head -1` prints its line and, beside it, which encoder runs; the query ends with 0."""
    with start(tmp_path, "query", index, "the room", "-k", 2000, *form) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read()
    assert process.returncode == 0
    assert told.startswith("Encoder: ")
    assert told.count("\n") == 1
    assert first.startswith(
        '{"query": "the room", "number": 1, "rank": 1,' if form else "      score  meaning  sentence"
    )


def test_standard_input_is_a_corpus(
    tmp_path: Path, small_bert: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` reads a pipe: its lines are indexed under the name "-"; and a pipe of queries is asked line by line."""
    with start(tmp_path, "index", "-", "--out", "index", "--encoder", small_bert, stdin=subprocess.PIPE) as process:
        out, told = process.communicate("the room was good\n\nfood, caf\u00e9\n", timeout=120)
    assert (process.returncode, out) == (0, f"2 sentences of 1 file(s) with {small_bert}: index\n"), told
    queries = io.TextIOWrapper(io.BytesIO("the room was good\n\nfood, caf\u00e9".encode()))
    monkeypatch.setattr("sys.stdin", queries)
    found = succeed(capsys, "query", tmp_path / "index", "--file", "-", "-k", 1, "--json")
    hits = [json.loads(line) for line in found.splitlines()]
    assert [(hit["query"], hit["score"], hit["source"], hit["line"], hit["start"]) for hit in hits] == [
        ("the room was good", 1.0, "-", 1, 0),
        ("food, caf\u00e9", 1.0, "-", 3, 19),
    ]
