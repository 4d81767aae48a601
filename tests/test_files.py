"""Files and folders are written whole or not at all."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from search import files
from search.errors import InputError, OutputError
from search.files import check_free, new_folder, read_json, sha256_of_file, write_json, write_text


def names(folder: Path) -> list[str]:
    """List a folder, hidden entries too."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_hash_is_the_contents_at_every_block_border(tmp_path: Path, size: int) -> None:
    """A file read in blocks has the SHA-256 of its bytes."""
    content = os.urandom(size)
    (tmp_path / "file").write_bytes(content)
    assert sha256_of_file(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_text_is_written_as_given(tmp_path: Path) -> None:
    """Characters outside ASCII and the lack of a last line end survive, and nothing else lies beside the file."""
    write_text(tmp_path / "a.txt", "Grüße, 世界 🙂\n\nlast")
    assert (tmp_path / "a.txt").read_bytes() == "Grüße, 世界 🙂\n\nlast".encode()
    write_text(tmp_path / "a.txt", "")
    assert (tmp_path / "a.txt").read_bytes() == b""
    assert names(tmp_path) == ["a.txt"]


def test_text_that_cannot_be_encoded_leaves_the_old_file(tmp_path: Path) -> None:
    """A lone surrogate after a megabyte already written changes nothing and leaves nothing."""
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "x" * (1 << 20) + "\ud800")
    assert path.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_text_interrupted_before_the_rename_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """The old content is read whole when flushing the new one fails."""
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail(_: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(type(error)):
        write_text(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["a.txt"]


def test_text_in_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    """The folder is not made, and the error is the system's."""
    with pytest.raises(FileNotFoundError):
        write_text(tmp_path / "none" / "a.txt", "new")
    assert names(tmp_path) == []


def test_json_comes_back_equal_and_readable(tmp_path: Path) -> None:
    """A nested object with non-ASCII text is read as it was written, unescaped, with a line end."""
    value = {"größe": [1, 2.5, None, True], "世界": {"🙂": "line\nbreak"}}
    write_json(tmp_path / "a.json", value)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert read_json(tmp_path / "a.json") == value
    assert text.startswith('{\n  "größe": [')
    assert text.endswith("}\n")


def test_json_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    """A value JSON does not know is refused before the file is touched."""
    write_json(tmp_path / "a.json", {"a": 1})
    with pytest.raises(TypeError, match="set"):
        write_json(tmp_path / "a.json", {"a": {1}})
    assert read_json(tmp_path / "a.json") == {"a": 1}
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not valid JSON"),
        (b'{"a": 1', "not valid JSON"),
        (b'{"a": "\xff"}', "not valid JSON"),
        (b"[1]", "holds a list, expected a JSON object"),
        (b"null", "holds a NoneType"),
    ],
)
def test_what_is_no_json_object_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    """Broken JSON, bytes that are no UTF-8 and other values are input errors that name the file."""
    path = tmp_path / "card.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        read_json(path)
    assert str(path) in str(caught.value)


def test_check_free_allows_what_is_new_or_empty(tmp_path: Path) -> None:
    """A missing folder, an empty one, and a full one with `overwrite` may be written."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    check_free(tmp_path / "none", overwrite=False)
    check_free(tmp_path / "empty", overwrite=False)
    check_free(tmp_path / "full", overwrite=True)
    with pytest.raises(OutputError, match=r"full exists.*--overwrite"):
        check_free(tmp_path / "full", overwrite=False)


@pytest.mark.parametrize("overwrite", [False, True])
def test_check_free_never_replaces_a_file(tmp_path: Path, overwrite: bool) -> None:
    """A file where a folder should be is refused, also with `overwrite`."""
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is a file"):
        check_free(tmp_path / "file", overwrite=overwrite)


def test_new_folder_appears_when_the_block_ends(tmp_path: Path) -> None:
    """Readers see nothing until all is written; parents are made."""
    target = tmp_path / "deep" / "er" / "out"
    with new_folder(target) as aside:
        (aside / "inner").mkdir()
        (aside / "inner" / "file").write_text("new", encoding="utf-8")
        assert not target.exists()
        assert aside.parent == target.parent
    assert (target / "inner" / "file").read_text(encoding="utf-8") == "new"
    assert names(target.parent) == ["out"]


def test_new_folder_replaces_the_old_one_whole(tmp_path: Path) -> None:
    """No file of the old folder is left among the new ones, and leftovers of a killed job do not stand in the way."""
    with new_folder(tmp_path / "out") as aside:
        (aside / "old").touch()
        shutil.copytree(aside, aside.with_suffix(".old"))
        leftover = aside
    leftover.mkdir()
    (leftover / "half").touch()
    with new_folder(tmp_path / "out") as aside:
        (aside / "new").touch()
        assert names(tmp_path / "out") == ["old"]
    assert names(tmp_path / "out") == ["new"]
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("error", [RuntimeError("no memory"), KeyboardInterrupt(), SystemExit(1)])
@pytest.mark.parametrize("before", [[], ["old"]])
def test_new_folder_keeps_the_old_one_on_error(tmp_path: Path, before: list[str], error: BaseException) -> None:
    """However the block ends early, the old folder is as it was and nothing lies beside it."""
    for name in before:
        with new_folder(tmp_path / "out") as aside:
            (aside / name).touch()

    def job() -> None:
        with new_folder(tmp_path / "out") as aside:
            (aside / "new").touch()
            raise error

    with pytest.raises(type(error)):
        job()
    assert names(tmp_path) == ["out"] * len(before)
    assert [name for path in tmp_path.iterdir() for name in names(path)] == before


@pytest.mark.parametrize("error", [OSError("denied"), KeyboardInterrupt()])
def test_new_folder_puts_the_old_one_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """An interruption between the two renames of the last step does not lose the old folder."""
    with new_folder(tmp_path / "out") as aside:
        (aside / "old").touch()
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self.name.endswith(".aside"):
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(type(error)), new_folder(tmp_path / "out") as aside:
        (aside / "new").touch()
    assert names(tmp_path / "out") == ["old"]
    assert names(tmp_path) == ["out"]


def test_everything_is_flushed_before_the_folder_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file and folder within, and the folder itself, reach the disk before the rename; its parent after."""
    flushed: list[tuple[str, bool]] = []
    target = tmp_path / "out"
    monkeypatch.setattr(files, "sync", lambda path: flushed.append((path.name, target.exists())))
    with new_folder(target) as aside:
        (aside / "inner").mkdir()
        (aside / "inner" / "file").write_text(json.dumps({}), encoding="utf-8")
    assert sorted(flushed) == sorted(
        [(aside.name, False), ("inner", False), ("file", False), (tmp_path.name, True)],
    )
