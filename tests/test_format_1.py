"""An index of format 1, as the first version wrote it, becomes one of this version's without encoding anything."""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from search.compacting import compact_index
from search.corpus import Corpus
from search.encoder import best_labels
from search.errors import IndexFolderError
from search.index import Index
from search.indexing import build_index
from search.manifest import Manifest
from search.query import Searcher
from search.repairing import repair_index
from search.verifying import verify_index
from tests.cli_runner import refuse, succeed, tree
from tests.test_index import NEW, OLD, build_files, content_of, texts_of
from tests.toy import ToyEncoder

_SCHEMA = """
CREATE TABLE sentences (
    row INTEGER PRIMARY KEY,
    text TEXT NOT NULL,
    hash BLOB NOT NULL,
    source TEXT NOT NULL,
    line INTEGER NOT NULL,
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    label TEXT,
    probability REAL,
    metadata TEXT NOT NULL
);
CREATE INDEX sentences_hash ON sentences (hash);
"""


def sha256(path: Path) -> str:
    """Return the hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_format_1(folder: Path, names: Sequence[str], encoder: ToyEncoder) -> None:
    """Index files of a sentence a line as the first version did, as its fourth generation."""
    (folder / "vectors").mkdir(parents=True)
    (folder / "faiss").mkdir()
    lines = [(name, *line) for name in names for line in enumerate(Path(name).read_text(encoding="utf-8").split("\n"))]
    lines = [line for line in lines if line[2]]
    texts = [text for _, _, text in lines]
    encoded = encoder.encode(texts)
    labels = best_labels(encoded, encoder.passport)
    connection = sqlite3.connect(folder / "sentences-000004.sqlite")
    connection.executescript(_SCHEMA)
    starts = dict.fromkeys(names, 0)
    for row, ((name, line, text), label) in enumerate(zip(lines, labels, strict=True)):
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        span = (starts[name], starts[name] + len(text))
        starts[name] = span[1] + 1
        values = (row, text, digest, name, line + 1, *span, *label, json.dumps({"n": row}))
        connection.execute("INSERT INTO sentences VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    connection.commit()
    connection.close()
    (folder / "vectors" / "000004.f32").write_bytes(encoded.rows.tobytes())
    (folder / "faiss" / "000004.faiss").write_bytes(b"a flat index")
    files = ["sentences-000004.sqlite", "vectors/000004.f32", "faiss/000004.faiss"]
    manifest = {
        "format": 1,
        "generation": 4,
        "encoder": encoder.passport.to_json(),
        "count": len(texts),
        "digest": "0" * 64,
        "store": {"kind": "flat", "recall": 1.0},
        "sources": [
            {
                "name": name,
                "size": Path(name).stat().st_size,
                "sha256": sha256(Path(name)),
                "sentences": sum(one == name for one, _, _ in lines),
            }
            for name in names
        ],
        "files": [
            {"name": one, "size": (folder / one).stat().st_size, "sha256": sha256(folder / one)} for one in files
        ],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Index two files in the current folder as the first version did."""
    monkeypatch.chdir(tmp_path)
    for name, texts in (("a.txt", OLD), ("b.txt", NEW)):
        (tmp_path / name).write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    write_format_1(tmp_path / "i", ["a.txt", "b.txt"], ToyEncoder())
    return tmp_path / "i"


def test_it_is_refused_with_both_ways_out(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """To open it, or to compact it, says how to convert it and how to index the files again, and changes nothing."""
    before = tree(index)
    for command in ("query", "compact", "verify", "info"):
        told = refuse(capsys, command, index, *["room"] * (command == "query"))
        assert f"Convert it, which encodes nothing: kindred repair {index}; or index the files again: " in told
    assert tree(index) == before


def test_repair_converts_it(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows, places, labels and metadata are those it had; it is whole, and only this version's files are left."""
    assert "6 sentences are whole; nothing was lost." in succeed(capsys, "repair", index)
    assert content_of(index) == build_files(5)
    assert texts_of(index) == [*OLD, *NEW]
    assert verify_index(index, ToyEncoder()).problems == ()
    encoder = ToyEncoder()
    with Index(index, encoder) as opened:
        (entry,) = opened.entries([3])
        sentence = entry.sentence
        assert (sentence.source, sentence.line, sentence.start, sentence.end) == ("a.txt", 4, 29, 35)
        assert (dict(sentence.metadata), entry.label, entry.probability) == ({"n": 3}, "neutral", 0.9647)
        assert Searcher(opened, encoder).search(["hate noise"], k=1)[0][0].entry.sentence.text == "hate noise"
    manifest = Manifest.read(index)
    assert (manifest.generation, manifest.finished, manifest.origin.canaries) == (5, True, None)
    assert [maker.fingerprint for maker in manifest.origin.makers] == ["toy"]


def test_the_next_run_encodes_nothing(index: Path) -> None:
    """The files are read once more, since nobody knows how they were read; a second time they are the same."""
    repair_index(index)
    encoder = ToyEncoder()
    done = build_index(Corpus(["a.txt", "b.txt"]), index, encoder)
    assert (done.changed, done.new, encoder.calls) == (2, 0, [[]])
    assert texts_of(index) == [*OLD, *NEW]
    assert build_index(Corpus(["a.txt", "b.txt"]), index, encoder).same == 2
    assert compact_index(index).manifest.rows == 6


@pytest.mark.parametrize("name", ["sentences-000004.sqlite", "vectors/000004.f32"])
@pytest.mark.parametrize("gone", [True, False])
def test_a_damaged_one_is_not_converted(index: Path, name: str, gone: bool) -> None:
    """Without proofs of its sentences, a file that is not what was written is not trusted, and nothing is changed."""
    path = index / name
    if gone:
        path.unlink()
    else:
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    before = {name: content for name, content in tree(index).items() if content}
    with pytest.raises(IndexFolderError, match=rf"{path.name} is missing, or not what was written.*--overwrite"):
        repair_index(index)
    (index / "writer.lock").unlink(missing_ok=True)
    assert {name: content for name, content in tree(index).items() if content} == before


@pytest.mark.parametrize("lacks", ["sources", "files", "generation", "encoder"])
def test_a_damaged_manifest_is_told(index: Path, lacks: str) -> None:
    """A manifest that lacks something is an error that names it."""
    path = index / "manifest.json"
    value = json.loads(path.read_text(encoding="utf-8"))
    del value[lacks]
    path.write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(IndexFolderError, match=rf"manifest\.json: damaged .*{lacks}"):
        repair_index(index)
