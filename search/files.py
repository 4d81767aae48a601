"""Files written whole or not at all, and the hashes that name their content."""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from search.errors import InputError, OutputError

__all__ = [
    "absolute",
    "cache_folder",
    "check_file",
    "check_free",
    "check_new_file",
    "new_file",
    "new_folder",
    "read_json",
    "sha256_of_file",
    "sync",
    "write_bytes",
    "write_json",
    "write_text",
]

_BLOCK = 1 << 20


def sha256_of_file(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's bytes, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def absolute(name: str) -> Path:
    """Return where a file is, by one name however it was reached: without `..`. Symbolic links stay."""
    path = Path(name).absolute()
    if ".." not in path.parts:
        return path
    plain = Path(os.path.normpath(path))
    linked = path.exists() and not (plain.exists() and plain.samefile(path))  # `..` of a link leads elsewhere
    return path.parent.resolve() / path.name if linked else plain


def sync(path: Path) -> None:
    """Flush a file's, or a folder's, content to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes as a file, whole or not at all."""
    with new_file(path) as file:
        file.write(content)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file to fill beside `path`; flush it and put it in place when the block ends well.

    A reader sees the old content or the new.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.aside")
    try:
        with aside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        sync(path.parent)
    finally:
        aside.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write a value as readable JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InputError: the file is not a JSON object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as exc:
        raise InputError(f"{path}: not valid JSON ({exc}).") from exc
    if not isinstance(value, dict):
        raise InputError(f"{path}: holds a {type(value).__name__}, expected a JSON object.")
    return value


def cache_folder() -> Path:
    """Return the user's folder for what can be made again; it need not exist."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "kindred" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "kindred"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kindred"


def check_file(path: Path, option: str, *, overwrite: bool) -> None:
    """Refuse a place that a file cannot be written to, before any work is done; `option` is what names it.

    Raises:
        OutputError: it is a folder, there is no folder to write it into, or it exists and `overwrite` is false.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder; name a file with {option}.")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}; make it, or choose another {option}.")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists; choose another {option}, or replace it with --overwrite.")


def check_new_file(path: Path, option: str, *, kinds: Sequence[str], overwrite: bool) -> None:
    """Refuse a file that cannot be written, or must not be, before any work is done.

    Args:
        path: the file.
        option: what names it.
        kinds: the suffixes that it may have.
        overwrite: whether it may exist.

    Raises:
        OutputError: saying what to do.
    """
    if path.suffix.lower() not in kinds:
        raise OutputError(f"{path}: name a file that ends in {' or '.join(kinds)} with {option}.")
    check_file(path, option, overwrite=overwrite)


def check_free(folder: Path, *, overwrite: bool) -> None:
    """Refuse an output folder that exists, before any work is done.

    Raises:
        OutputError: the folder exists and `overwrite` is false, or it is a file.
    """
    if folder.is_file():
        raise OutputError(f"{folder} is a file; name a folder with --out.")
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise OutputError(f"{folder} exists; choose another --out, or replace it with --overwrite.")


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to fill beside `folder`; put it in place when the block ends well.

    An existing `folder` is replaced in the last step, so that an interrupted job leaves the old one as it was.
    """
    folder = folder.absolute()  # "." has no name to put others beside
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f".{folder.name}.{os.getpid()}.aside")
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    shutil.rmtree(aside, ignore_errors=True)  # a killed job with the same process id left it
    aside.mkdir()
    try:
        yield aside
        for path in (aside, *aside.rglob("*")):
            sync(path)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
            folder.rename(old)
        aside.rename(folder)
        sync(folder.parent)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
