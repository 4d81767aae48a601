"""The threshold and the guard of `kindred duplicates`: given, learned, found, kept; and what is refused why."""

import csv
import json
import random
from collections import defaultdict
from pathlib import Path

import pytest

from search.threshold import FILE
from tests.cli_runner import ROOT, refuse, run, succeed

SUPPORT = ROOT / "corpora" / "support.txt"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write labelled pairs of the support questions: all of each group, and as many of different groups."""
    groups: dict[str, list[str]] = defaultdict(list)
    with (ROOT / "corpora" / "support_groups.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            groups[row["group"]].append(row["text"])
    same = [(a, b) for texts in groups.values() for number, a in enumerate(texts) for b in texts[number + 1 :]]
    draw, names = random.Random(3), sorted(groups)  # noqa: S311 - a sample, not a secret
    other = []
    for _ in same:
        one, two = draw.sample(names, 2)
        other.append((draw.choice(groups[one]), draw.choice(groups[two])))
    path = tmp_path_factory.mktemp("pairs") / "pairs.tsv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow(["sentence1", "sentence2", "label"])
        writer.writerows([(a, b, 1) for a, b in same] + [(a, b, 0) for a, b in other])
    return path


@pytest.mark.slow
def test_a_learned_threshold_is_kept_and_used(pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is told with its interval, finds more than the usual one, is kept for the weight, and refused for another."""
    index = tmp_path / "support"
    succeed(capsys, "index", SUPPORT, "--out", index)
    usual = run(capsys, "duplicates", index, "--json", "--threshold", "0.9").out
    learned = run(capsys, "duplicates", index, "--calibrate", pairs, "--json")
    assert learned.code == 0, learned.err
    assert "labelled pairs: F1 0." in learned.err
    assert learned.out.count('"kind": "pair"') > usual.count('"kind": "pair"')
    kept = json.loads((index / FILE).read_text(encoding="utf-8"))
    assert (kept["how"], kept["weight"]) == ("f1", 0.3)
    assert run(capsys, "duplicates", index, "--json").out == learned.out
    assert run(capsys, "duplicates", index, "--json", "--threshold", "0.9").out == usual
    message = refuse(capsys, "duplicates", index, "--weight", "0")
    assert "was found at weight 0.3, this job has weight 0" in message
    succeed(capsys, "verify", index)


@pytest.mark.slow
def test_a_threshold_is_found_without_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the texts alone, the same each time; and the near misses among the questions are refused, each told why."""
    found = run(capsys, "duplicates", SUPPORT, "--threshold", "auto", "--json")
    assert found.code == 0, found.err
    assert "found without labels" in found.err
    assert "wrong merges expected [" in found.err
    assert "of slightly changed texts score it" in found.err
    by_itself = run(capsys, "duplicates", SUPPORT, "--json")
    assert "Used is 0.8, unless --threshold auto" in by_itself.err, "nothing is asked for, nothing kept, 0.772 found"
    assert by_itself.out == run(capsys, "duplicates", SUPPORT, "--json", "--threshold", "0.8").out
    assert "of slightly changed texts" not in by_itself.err
    refused = [one for one in map(json.loads, found.out.splitlines()) if one["kind"] == "refusal"]
    assert {"opposite", "number", "negation"} <= {one["reason"] for one in refused}
    assert all(one["words"] for one in refused)
    lines = {frozenset((one["a"]["line"], one["b"]["line"])) for one in refused}
    assert frozenset((34, 65)) in lines  # mw-2 and mw-3
    few = tmp_path / "few.txt"
    few.write_text("one\ntwo\n", encoding="utf-8")
    assert "2 different texts are too few" in refuse(capsys, "duplicates", few, "--threshold", "auto")


@pytest.mark.slow
def test_a_kind_of_guard_can_be_switched_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What differs in a number is merged where that is asked for; without all kinds nothing is refused."""
    path = tmp_path / "a.txt"
    path.write_text("The refund of 500 euros was approved.\nThe refund of 5000 euros was approved.\n", encoding="utf-8")
    assert "1 pair refused: number 1" in succeed(capsys, "duplicates", path)
    for kind in ("number", "all"):
        assert "1 cluster;" in succeed(capsys, "duplicates", path, "--no-guard", kind)
    assert "1 pair refused" in succeed(capsys, "duplicates", path, "--no-guard", "negation")


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--threshold", "high"], 1, "threshold is 'high'; give a number from -1 to 1, or auto"),
        (["--threshold", "2"], 1, "threshold is 2; scores lie between -1 and 1"),
        (["--no-guard", "nots"], 1, "No kind 'nots' of guard; there are negation"),
        (["--calibrate", "x.tsv", "--threshold", "0.9"], 2, "leave --threshold out"),
        (["--precision", "0.9"], 2, "--precision is for --calibrate FILE and --threshold auto"),
        (["--calibrate", "none.json"], 1, "there is no such file of decisions"),
        (["--calibrate", str(SUPPORT)], 1, "support.txt"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_done(
    options: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The option and what is wrong with it are named."""
    assert said in refuse(capsys, "duplicates", SUPPORT, *options, code=code)
