"""Ctrl-C, and a kill, at a real process: the old result stays, a clear line, no traceback."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli_runner import start, succeed, tree, wait_until

pytestmark = pytest.mark.slow

INTERRUPTED = (130, -signal.SIGINT)
"""A shell shows 130 for both. Python ends itself by the signal where C code ran into the interrupt."""


@pytest.fixture
def folder(tmp_path: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Hold an old index and an old checkpoint, and so much new data that a run takes a while."""
    (tmp_path / "old.txt").write_text("the room was good\nthe food was bad\n", encoding="utf-8")
    (tmp_path / "new.txt").write_text("".join(f"the room {n} was cold\n" for n in range(60_000)), encoding="utf-8")
    rows = "".join(f"the room {n} was {'good,1' if n % 2 else 'bad,0'}\n" for n in range(3000))
    (tmp_path / "new.csv").write_text("text,label\n" + rows, encoding="utf-8")
    succeed(capsys, "index", tmp_path / "old.txt", "--out", tmp_path / "index", "--encoder", small_bert)
    (tmp_path / "checkpoint").mkdir()
    for name in ("modules.json", "kindred.json", "config.json", "model.safetensors"):
        (tmp_path / "checkpoint" / name).write_text("old", encoding="utf-8")
    return tmp_path


def _index(folder: Path, small_bert: Path) -> subprocess.Popen[str]:
    """Start to overwrite the index; return when rows have been committed."""
    process = start(folder, "index", "new.txt", "--out", "index", "--encoder", small_bert, "--overwrite")
    wait_until((folder / "index" / "next.json").exists, process)
    return process


def _interrupt(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=60)
    assert process.returncode in INTERRUPTED, told
    assert out == ""
    assert "Interrupted; what was there before is as it was." in told
    assert "Traceback" not in told
    return told


def test_an_interrupted_overwrite_leaves_the_old_index(folder: Path, small_bert: Path) -> None:
    """Ctrl-C while rows are written: not a byte of the old index differs, and no temporary file is left."""
    before = tree(folder / "index")
    told = _interrupt(_index(folder, small_bert))
    assert "sentences of the new index are committed; the same command goes on from there." in told
    after = tree(folder / "index")
    assert {name: after[name] for name in before} == before
    assert sorted(set(after) - set(before)) == ["next.json", "sentences-000002.sqlite", "vectors/000002.f32"]
    assert tree(folder / "tmp") == {}


def test_a_killed_overwrite_leaves_the_old_index(
    folder: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Killed while rows are written: every old file is as it was, and the next run clears the rest and succeeds."""
    before = tree(folder / "index")
    process = _index(folder, small_bert)
    process.kill()
    process.communicate(timeout=60)
    after = tree(folder / "index")
    assert {name: after[name] for name in before} == before
    assert json.loads(succeed(capsys, "info", folder / "index", "--json"))["count"] == 2
    again = ["index", folder / "old.txt", "--out", folder / "index", "--encoder", small_bert, "--overwrite"]
    succeed(capsys, *again)
    assert sorted(path.name for path in (folder / "index").rglob("*") if path.is_file()) == [
        "000002.f32",
        "manifest.json",
        "sentences-000002.sqlite",
        "writer.lock",
    ]
    assert json.loads(succeed(capsys, "info", folder / "index", "--json"))["count"] == 2


def test_an_interrupted_first_build_opens_as_far_as_it_came(
    folder: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C at a build into a new folder, when rows have been committed: they are there, and said to be not all."""
    process = start(folder, "index", "new.txt", "--out", "first", "--encoder", small_bert)
    wait_until((folder / "first" / "manifest.json").exists, process)
    told = _interrupt(process)
    info = json.loads(succeed(capsys, "info", folder / "first", "--json"))
    assert f"{info['count']:,} sentences are committed; the same command goes on from there." in told
    assert [source["state"] for source in info["sources"]] == ["incomplete"]
    assert (info["finished"], info["count"] % 4096) == (False, 0)
    assert info["count"] > 0


@pytest.mark.parametrize("how", ["interrupt", "kill"])
def test_a_stopped_fine_tuning_leaves_the_old_checkpoint(how: str, folder: Path, small_bert: Path) -> None:
    """Stopped in the middle of training, by Ctrl-C or a kill: not a byte of the old checkpoint differs."""
    before = tree(folder / "checkpoint")
    process = start(
        folder,
        "finetune",
        "new.csv",
        "--out",
        "checkpoint",
        "--base",
        small_bert,
        "--overwrite",
        *("--method", "joint", "--epochs", 90),
    )
    wait_until(lambda: bool(list(folder.rglob("base.f16"))), process)
    time.sleep(0.5)
    if how == "interrupt":
        _interrupt(process)
    else:
        process.kill()
        process.communicate(timeout=60)
    assert tree(folder / "checkpoint") == before


@pytest.mark.parametrize("seconds", [0.5, 2.0, 4.0])
def test_an_interrupt_while_libraries_are_imported_is_quiet(seconds: float, folder: Path, small_bert: Path) -> None:
    """Ctrl-C while torch and transformers come in, which takes seconds, is told like any other."""
    process = start(folder, "query", "index", "the room", "--encoder", small_bert)
    time.sleep(seconds)
    if process.poll() is not None:  # a quick machine has answered by then
        _, told = process.communicate(timeout=60)
        assert process.returncode == 0, told
        return
    _interrupt(process)
