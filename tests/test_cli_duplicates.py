"""`kindred duplicates`, what it reads, what it writes, what it refuses."""

import json
from pathlib import Path

import pytest

from search.index import Index
from search.threshold import FILE, How, Threshold
from tests.cli_runner import refuse, run, succeed, toy_index, tree
from tests.toy import TOPICS, ToyEncoder

TEXTS = ["good room", "good  room", "food", "bad pool"]


@pytest.fixture(autouse=True)
def toys_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands load the toy encoder."""
    monkeypatch.setattr("search.cli.duplicates_inputs.load", lambda *_: ToyEncoder())


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Give an index."""
    return toy_index(tmp_path / "known", TEXTS, ToyEncoder())


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """Give a table of new texts."""
    path = tmp_path / "new.csv"
    path.write_text("text,n\nfood,1\nstaff,2\nroom good,3\nstaff,4\n", encoding="utf-8")
    return path


def test_new_texts_against_an_index(index: Path, new: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What of a file is in an index already; the file is written without it; the index is as it was."""
    before = tree(index)
    out = tmp_path / "fresh.csv"
    printed = succeed(capsys, "duplicates", new, "--against", index, "--out", out, "--json")
    objects = [json.loads(line) for line in printed.splitlines()]
    assert [(one["kind"], one["level"], one["a"]["text"], one["b"]["line"]) for one in objects[:2]] == [
        ("pair", "exact", "food", 2),
        ("pair", "semantic", "good  room", 4),
    ]
    assert [one["survivor"]["text"] for one in objects[2:4]] == ["food", "good  room"]
    (summary,) = objects[4:]
    assert summary | {"digest": ""} == {
        "kind": "summary", "sentences": 4, "survive": 2, "pairs": 2, "refused": 0, "clusters": 2, "threshold": 0.9,
        "weight": 0.3, "recall": 1.0, "digest": "",
    }  # fmt: skip
    assert out.read_text(encoding="utf-8") == "text,n\nstaff,2\nstaff,4\n"
    assert tree(index) == before


@pytest.mark.parametrize("order", [("new", "index"), ("index", "new"), ("new", "new"), ("index", "index")])
def test_any_two_sides(order: tuple[str, str], index: Path, new: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Indexes and files are compared with indexes and files; a corpus is in itself."""
    places = {"new": new, "index": index}
    printed = succeed(capsys, "duplicates", places[order[0]], "--against", places[order[1]])
    assert "4 sentences" in printed
    assert ("0 sentences survive" in printed) == (order[0] == order[1])


def test_files_without_their_duplicates(new: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--out` writes the survivors, `--keep` chooses them, and what was written is told."""
    out = tmp_path / "out.csv"
    outcome = run(capsys, "duplicates", new, "--out", out, "--keep", "n")
    assert outcome.code == 0, outcome.err
    assert out.read_text(encoding="utf-8") == "text,n\nfood,1\nroom good,3\nstaff,4\n"
    assert f"3 sentences survive: {out} (1 file)" in outcome.err
    assert "1 pair at 0.9 (weight 0.3): 1 exact; 1 cluster; 3 sentences survive. Digest " in outcome.out


def test_the_input_is_replaced_only_when_told(new: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--out` over the input needs `--overwrite`."""
    before = new.read_bytes()
    assert "exists; choose another --out" in refuse(capsys, "duplicates", new, "--out", new)
    assert new.read_bytes() == before
    succeed(capsys, "duplicates", new, "--out", new, "--overwrite")
    assert new.read_text(encoding="utf-8") == "text,n\nfood,1\nstaff,2\nroom good,3\n"


def test_an_index_of_records_is_not_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Records have no file to be written like."""
    with Index.create(tmp_path / "records", encoder=ToyEncoder()) as made:
        made.add(TEXTS)
    message = refuse(capsys, "duplicates", tmp_path / "records", "--out", tmp_path / "out.txt")
    assert "some sentences come from none" in message


def test_files_are_replaced_only_when_told(new: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--csv` and `--report` over a file that is there need `--overwrite`, and are refused before any work."""
    for option, path in (("--csv", tmp_path / "found.csv"), ("--report", tmp_path / "found.html")):
        path.write_text("old", encoding="utf-8")
        message = f"{path} exists; choose another {option}, or replace it with --overwrite."
        assert message in refuse(capsys, "duplicates", new, option, path)
        assert path.read_text(encoding="utf-8") == "old"
        succeed(capsys, "duplicates", new, option, path, "--overwrite")
        assert "staff" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "message", "code"),
    [
        (["--near", "0.5"], "near is 0.5; it must lie between 0.8 and 1", 1),
        (["--keep", "price"], "No sentence that has a duplicate has a column 'price'; the columns are: n.", 1),
        (["--date-column", "n"], "A date column is for keeping the newest, not 'most-central'.", 1),
        (["--against", "known", "--keep", "first"], "leave --keep and --date-column out", 2),
        (["--against", "known", "--against", "other"], "Give one index, or files: known, other.", 2),
        (["--against", "known", "--encoder", "x"], "known is an index and has its encoder", 2),
        (["--against", "nowhere"], "nowhere: no such file or folder.", 1),
        (["--csv", "new.csv"], "new.csv is read by this job; choose another --csv.", 1),
        (["--against", "other.txt", "--csv", "./other.txt"], "other.txt is read by this job; choose another --csv.", 1),
        (["--csv", "x.html", "--report", "x.html"], "x.html is what --csv writes; choose another --report.", 1),
        (["--csv", "x.csv", "--out", "x.csv"], "x.csv is what --out writes; choose another --csv.", 1),
        (["--csv", "none/x.csv"], "none/x.csv: there is no folder none; make it, or choose another --csv.", 1),
        (["--csv", "known"], "known is a folder; name a file with --csv.", 1),
        (["--calibrate", "new.csv", "--precision", "2"], "precision is 2; it must lie above 0 and not above 1.", 1),
        (["--out", "x.txt"], "the format is not changed; give --out a name with .csv", 1),
    ],
)
def test_what_is_refused(
    options: list[str], message: str, code: int, index: Path, new: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """The message names what is wrong; nothing is left."""
    monkeypatch.chdir(index.parent)
    Path("other.txt").write_text("food\n", encoding="utf-8")
    before = tree(index.parent)
    assert message in refuse(capsys, "duplicates", new, *options, code=code)
    assert tree(index.parent) == before


def test_new_texts_by_the_known_threshold(
    index: Path, new: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was found for an index that is compared with is used; files have kept none."""
    toy = ToyEncoder().passport
    Threshold(0.9999, How.GIVEN, toy.fingerprint, toy.default_weight).write(index)
    assert "1 pair at 0.9999 (weight 0.3): 1 exact" in succeed(capsys, "duplicates", new, "--against", index)
    assert "pair at 0.9 " in succeed(capsys, "duplicates", new)


MANY = [f"{topic} {other} {n}" for n in range(4) for topic in TOPICS for other in TOPICS]


def test_a_threshold_is_found_for_many_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By itself, told, and found anew each time; asked for by name it is kept, told the next time, and overruled."""
    index = toy_index(tmp_path / "many", MANY, ToyEncoder())
    first = run(capsys, "duplicates", index, "--json")
    assert (first.code, "found without labels" in first.err) == (0, True)
    assert not (index / FILE).exists()
    asked = run(capsys, "duplicates", index, "--json", "--threshold", "auto", "--precision", "0.8")
    assert f"Kept in {index / FILE}" not in asked.err
    value = json.loads((index / FILE).read_text(encoding="utf-8"))["value"]
    assert json.loads(asked.out.splitlines()[-1])["threshold"] == value
    again = run(capsys, "duplicates", index, "--json")
    assert f"Threshold {value:g}, found without labels" in again.err
    assert f"Kept in {index / FILE}; --threshold overrules it." in again.err
    given = run(capsys, "duplicates", index, "--json", "--threshold", "0.97")
    assert (json.loads(given.out.splitlines()[-1])["threshold"], given.err) == (0.97, "")


def test_a_threshold_that_cannot_be_kept_is_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The job goes on, and says what to give the next time."""
    index = toy_index(tmp_path / "many", MANY, ToyEncoder())
    (index / FILE).mkdir()
    (index / FILE / "in the way").touch()
    outcome = run(capsys, "duplicates", index, "--threshold", "auto", "--json")
    assert outcome.code == 0, outcome.err
    value = json.loads(outcome.out.splitlines()[-1])["threshold"]
    assert f"It cannot be kept in {index} (Is a directory); next time give --threshold {value:g}" in outcome.err


def test_what_runs_the_encoder(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--backend` is used where an index's encoder is needed; where none is, that is said."""
    asked: list[tuple[str, str]] = []

    def load(name: str, backend: str) -> ToyEncoder:
        asked.append((name, backend))
        return ToyEncoder()

    monkeypatch.setattr("search.cli.duplicates_inputs.load", load)
    outcome = run(capsys, "duplicates", index, "--backend", "torch")
    assert "Nothing was encoded, so that --backend torch made no difference." in outcome.err
    assert asked == []
    many = toy_index(tmp_path / "many", MANY, ToyEncoder())
    outcome = run(capsys, "duplicates", many, "--backend", "torch", "--threshold", "auto")
    assert "made no difference" not in outcome.err
    assert asked == [("toy", "torch")]


def test_processes_are_told_apart(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A number of processes that is none is refused before any work."""
    assert "processes is 0; give 1 or more" in refuse(capsys, "duplicates", index, "--processes", "0")


def test_units_are_for_files(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An index is cut into sentences already."""
    assert "--unit, --text-column and --encoding are for files" in refuse(
        capsys, "duplicates", index, "--unit", "line", code=2
    )
