"""Standard input and output as pipes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli_runner import ROOT, start, succeed

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
    """`kindred query ... | head -1` prints its line and nothing else; the query itself ends with 0."""
    with start(tmp_path, "query", index, "the room", "-k", 2000, *form) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read()
    assert process.returncode == 0
    assert told == ""
    assert first.startswith('{"query": "the room", "rank": 1,' if form else "      score  meaning  sentence")


def test_standard_input_is_a_corpus_and_the_head_of_the_output_is_enough(tmp_path: Path, small_bert: Path) -> None:
    """`-` reads a pipe: its lines are indexed under the name "-", and a second pipe takes only one line."""
    if shutil.which("head") is None:
        pytest.skip("this system has no head")
    command = (
        'printf "the room was good\\n\\nthe food was bad\\n" | "$1" -m search index - --out index --encoder "$2" --json'
        ' && printf "the room was good\\nthe food" | "$1" -m search query index --file - --json | head -1'
    )
    shell = ["sh", "-c", command, "sh", sys.executable, str(small_bert)]
    done = subprocess.run(
        shell,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    built, hit = map(json.loads, done.stdout.splitlines())
    assert built["count"] == 2
    assert (hit["query"], hit["rank"], hit["text"]) == ("the room was good", 1, "the room was good")
    assert (hit["source"], hit["line"], hit["score"]) == ("-", 1, 1.0)
    assert "Traceback" not in done.stderr
