"""Kills at random moments, in the way of `benchmarks/crash_trials.py` and by it."""

import json
import subprocess
import sys

import pytest

from tests.cli_runner import ROOT

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("structure", ["auto", "HNSW16,SQ8"])
def test_an_index_survives_25_kills(structure: str) -> None:
    """Killed while it builds, updates or replaces: it opens with what was committed, and the next run ends the same."""
    options = ["--trials", "25", "--seed", "7", "--structure", structure]
    command = [sys.executable, "benchmarks/crash_trials.py", *options]
    done = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert (result["trials"], result["failures"]) == (25, [])
    assert sum(count for what, count in result["counts"].items() if what.endswith("killed")) >= 15
