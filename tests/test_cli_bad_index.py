"""Folders that are no index for this program and this encoder."""

import json
from pathlib import Path

import pytest

from tests.cli_runner import refuse, succeed, toy_index, tree
from tests.toy import ToyEncoder


@pytest.fixture
def index(tmp_path: Path, toy: ToyEncoder) -> Path:
    """Index two sentences with the toy encoder."""
    return toy_index(tmp_path / "index", ["the room was good", "the food was bad"], toy)


def _manifest(index: Path, **changes: object) -> None:
    path = index / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


def test_a_name_that_is_nowhere_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bare name is looked for in indexes/, and the message says so and how to build it."""
    monkeypatch.chdir(tmp_path)
    message = refuse(capsys, "query", "hotels", "the room")
    assert "indexes/hotels: no such index. Build one with: kindred index FILES --out indexes/hotels" in message


@pytest.mark.parametrize("command", [["query"], ["info"]])
def test_a_folder_that_is_no_index_is_refused(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder without a manifest is named, and what it lacks."""
    (tmp_path / "notes").mkdir()
    message = refuse(capsys, *command, tmp_path / "notes")
    assert f"{tmp_path / 'notes'} is not an index: it has no manifest.json." in message


def test_a_file_is_no_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file given as an index is refused as one."""
    (tmp_path / "a.txt").write_text("good", encoding="utf-8")
    assert f"{tmp_path / 'a.txt'}: no such index" in refuse(capsys, "info", tmp_path / "a.txt")


@pytest.mark.parametrize("command", [["query"], ["info"], ["duplicates"]])
def test_a_newer_format_is_refused(command: list[str], index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An index of a later version is not guessed at: both format numbers are named."""
    _manifest(index, format=3)
    message = refuse(capsys, *command, index)
    assert f"{index / 'manifest.json'}: format 3, this version reads up to 2. Upgrade kindred." in message


def test_a_newer_format_is_not_overwritten(
    index: Path, small_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even --overwrite replaces what this version cannot read."""
    _manifest(index, format=3)
    (tmp_path / "new.txt").write_text("good\n", encoding="utf-8")
    before = tree(tmp_path)
    options = ["--out", index, "--encoder", small_bert, "--overwrite"]
    assert "format 3, this version reads up to 2" in refuse(capsys, "index", tmp_path / "new.txt", *options)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "manifest.json: not valid JSON"), ("[]", "manifest.json: holds a list"), ("{}", "manifest.json: damaged")],
)
def test_a_damaged_manifest_is_refused(
    content: str, message: str, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A manifest that cannot be read is named, and what may help."""
    (index / "manifest.json").write_text(content, encoding="utf-8")
    told = refuse(capsys, "info", index)
    assert message in told
    assert f"Try: kindred repair {index}" in told


@pytest.mark.parametrize("name", ["sentences-000001.sqlite", "vectors/000001.f32"])
def test_an_index_that_lacks_a_file_is_refused(name: str, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each of the two files is named when it is gone, and when it is empty."""
    (index / name).write_bytes(b"")
    assert f"{name} is 0 bytes long, the manifest says " in refuse(capsys, "query", index, "the room")
    (index / name).unlink()
    assert f"{index / name} is missing. Try: kindred repair {index}" in refuse(capsys, "query", index, "the room")


@pytest.mark.slow
def test_another_encoder_is_refused(index: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows of one encoder are not compared with those of another; both are named with their fingerprints."""
    message = refuse(capsys, "query", index, "the room", "--encoder", small_bert)
    assert f"{index} was made by the encoder toy (toy); {small_bert} (" in message
    assert f"index the files again with --encoder {small_bert}" in message


@pytest.mark.slow
def test_a_changed_encoder_is_refused(small_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An encoder folder that was trained on since is another encoder, though its name is the same."""
    import torch
    from transformers import BertConfig, BertModel

    (tmp_path / "a.txt").write_text("the room was good\n", encoding="utf-8")
    encoder = tmp_path / "encoder"
    encoder.mkdir()
    for file in small_bert.iterdir():
        (encoder / file.name).write_bytes(file.read_bytes())
    succeed(capsys, "index", tmp_path / "a.txt", "--out", tmp_path / "index", "--encoder", encoder)
    torch.manual_seed(8)
    BertModel(BertConfig.from_pretrained(encoder)).save_pretrained(encoder)
    message = refuse(capsys, "query", tmp_path / "index", "the room")
    assert f"was made by the encoder {encoder}" in message
    assert "is another, whose scores would mean nothing here" in message


def test_an_encoder_that_is_gone_is_named(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A query whose encoder is nowhere says what was looked for, where, and how to get it."""
    message = refuse(capsys, "query", index, "the room")
    assert "No encoder 'toy'. Looked for: a folder " in message
    assert "hf download toy" in message
