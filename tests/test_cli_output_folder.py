"""Where results go: never over something that is there, unless that is asked for, and only over the same kind."""

import json
from pathlib import Path

import pytest

from tests.cli_runner import refuse, succeed, tree

pytestmark = pytest.mark.slow

LABELLED = "text,label\nthe room was good,1\nlovely food,1\nthe room was bad,0\nawful food,0\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with something to index and something to learn from."""
    (tmp_path / "hotels.txt").write_text("the room was good\nthe food was bad\n", encoding="utf-8")
    (tmp_path / "feelings.csv").write_text(LABELLED, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _arguments(command: str, small_bert: Path) -> list[object]:
    if command == "index":
        return ["index", "hotels.txt", "--encoder", small_bert]
    return ["finetune", "feelings.csv", "--base", small_bert, "--epochs", 1, "--no-fast"]


def test_a_second_index_run_goes_on_with_the_first(
    folder: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By default the result goes to a folder of the input's name; run again it is brought up to date, in place."""
    out = folder / "indexes" / "hotels"
    assert "2 sentences of 1 file(s)" in succeed(capsys, *_arguments("index", small_bert))
    first = tree(out)
    again = succeed(capsys, "index", "hotels.txt")
    assert f"2 sentences of 1 file(s) with {small_bert}: indexes/hotels (1 same)" in again
    assert tree(out) == first
    (folder / "hotels.txt").write_text("the pool was cold\n", encoding="utf-8")
    (folder / "more.txt").write_text("the bed was clean\n", encoding="utf-8")
    told = succeed(capsys, "index", "hotels.txt", "more.txt", "--json")
    assert {name: json.loads(told)[name] for name in ("count", "new", "changed", "same")} == {
        "count": 2, "new": 1, "changed": 1, "same": 0
    }  # fmt: skip
    (folder / "more.txt").unlink()
    assert "2 sentences of 2 file(s)" in succeed(capsys, "index", "hotels.txt")
    assert "1 sentences of 1 file(s)" in succeed(capsys, "index", "hotels.txt", "--prune")
    succeed(capsys, *_arguments("index", small_bert), "--overwrite")
    assert sorted(path.name for path in out.rglob("*") if path.is_file()) == [
        "000002.f32", "manifest.json", "sentences-000002.sqlite", "writer.lock"
    ]  # fmt: skip


def test_a_checkpoint_that_exists_is_kept_unless_overwrite_is_asked(
    folder: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By default the result goes to a folder of the input's name; a second run is refused, --overwrite replaces it."""
    out = "checkpoints/feelings"
    arguments = _arguments("finetune", small_bert)
    succeed(capsys, *arguments)
    first = tree(folder / out)
    assert first
    message = refuse(capsys, *arguments)
    assert f"{out} exists; choose another --out" in message
    assert "--overwrite" in message
    assert tree(folder / out) == first
    (folder / "feelings.csv").write_text(LABELLED.replace("1", "joy").replace("0", "anger"), encoding="utf-8")
    succeed(capsys, *arguments, "--overwrite")
    second = tree(folder / out)
    assert second != first
    assert [path.name for path in (folder / out).parent.iterdir()] == [Path(out).name]


@pytest.mark.parametrize("command", ["index", "finetune"])
@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_a_file_is_never_replaced_by_a_folder(
    command: str, overwrite: list[str], folder: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An --out that is a file is refused, with and without --overwrite."""
    before = tree(folder)
    message = refuse(capsys, *_arguments(command, small_bert), "--out", "hotels.txt", *overwrite)
    assert "hotels.txt is a file; name a folder with --out." in message
    assert tree(folder) == before


@pytest.mark.parametrize("command", ["index", "finetune"])
@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_a_folder_of_something_else_is_never_replaced(
    command: str, overwrite: list[str], folder: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--overwrite replaces a result of the same kind, not a folder of somebody's photographs."""
    (folder / "photos").mkdir()
    (folder / "photos" / "a.jpg").write_bytes(b"\xff\xd8")
    before = tree(folder)
    assert "photos exists" in refuse(capsys, *_arguments(command, small_bert), "--out", "photos", *overwrite)
    assert tree(folder) == before


@pytest.mark.parametrize("command", ["index", "finetune"])
def test_an_empty_folder_is_filled(
    command: str, folder: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An output folder that exists and is empty needs no --overwrite."""
    (folder / "out").mkdir()
    succeed(capsys, *_arguments(command, small_bert), "--out", "out")
    assert {"index": "manifest.json", "finetune": "kindred.json"}[command] in tree(folder / "out")


@pytest.mark.parametrize("command", ["index", "finetune"])
@pytest.mark.parametrize("parent", ["hotels.txt", "/proc"])
def test_a_place_that_cannot_be_written_to_is_named(
    command: str, parent: str, folder: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Below a file, or where the system forbids it even to root, the message names the place."""
    if not Path(parent).exists():
        pytest.skip(f"this system has no {parent}")
    before = tree(folder)
    message = refuse(capsys, *_arguments(command, small_bert), "--out", f"{parent}/out")
    assert f"{parent}/" in message
    assert tree(folder) == before


def test_a_report_that_cannot_be_written_is_named(
    folder: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`duplicates --csv` below a file names the place."""
    message = refuse(capsys, "duplicates", "hotels.txt", "--encoder", small_bert, "--csv", "hotels.txt/pairs.csv")
    assert "hotels.txt/" in message
