"""An index folder: what is written is what is read, row for row, and whatever is wrong with a folder is told."""

import itertools
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from search import indexing
from search.builds import check_target
from search.corpus import Corpus
from search.encoder import best_labels
from search.errors import IndexFolderError, OutputError
from search.index import Index
from search.index_writer import IndexWriter
from search.indexing import build_index, default_name
from search.manifest import Manifest
from search.records import Sentence, Source
from search.units import Unit
from tests.toy import FEELINGS, ToyEncoder, TrainedToy

OLD = ["good room", "bad food", "good room", "käse 😀"]
NEW = ["hate noise", "fine pool"]


def corpus_of(folder: Path, texts: Sequence[str], name: str = "a.txt") -> Corpus:
    """Write texts to a file, a line each, and open it."""
    path = folder / name
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return Corpus([str(path)])


def texts_of(folder: Path) -> list[str]:
    """Open an index and read its texts, and with them its rows, which must be theirs."""
    with Index(folder) as index:
        rows, texts = zip(*index.texts(), strict=True) if len(index) else ((), ())
        assert [entry.sentence.text for entry in index.entries(rows)] == list(texts)
        expected = ToyEncoder(index.passport.labels).encode(texts).rows
        np.testing.assert_array_equal(index.vectors[list(rows)], expected)
    return list(texts)


def content_of(folder: Path) -> set[str]:
    """List everything under a folder, with the folders of an index that are empty left out."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def build_files(number: int) -> set[str]:
    """Name the files of an index that has been made anew so many times, when nobody writes to it."""
    return {"manifest.json", "writer.lock", f"sentences-{number:06d}.sqlite", f"vectors/{number:06d}.f32"}


@pytest.mark.parametrize("labels", [FEELINGS, None])
def test_entries(tmp_path: Path, labels: object) -> None:
    """Row i is sentence i, with source, line, span, most likely label and its probability; asked order is kept."""
    encoder = ToyEncoder(FEELINGS if labels else None)
    corpus = corpus_of(tmp_path, OLD)
    build_index(corpus, tmp_path / "i", encoder)
    assert texts_of(tmp_path / "i") == OLD
    best = best_labels(encoder.encode(OLD), encoder.passport)
    with Index(tmp_path / "i") as index:
        assert len(index) == 4
        assert index.passport == encoder.passport
        entries = index.entries([3, 0, 3])
        assert [(one.row, one.sentence.text, one.sentence.line, one.sentence.end) for one in entries] == [
            (3, "käse 😀", 4, 35),
            (0, "good room", 1, 9),
            (3, "käse 😀", 4, 35),
        ]
        assert [(one.label, one.probability) for one in index.entries(range(4))] == best
        assert best[:2] == ([("positive", 0.9647), ("negative", 0.9647)] if labels else [(None, None)] * 2)
        assert index.entries([]) == []


def test_who_may_not_write_reads_what_is_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another user's writer is at work, whose last commit is still beside the file of sentences, and after it."""
    build_index(corpus_of(tmp_path, OLD), tmp_path / "i", ToyEncoder())
    monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.W_OK)
    assert texts_of(tmp_path / "i") == OLD
    with IndexWriter(tmp_path / "i", ToyEncoder()) as writer:
        writer.begin("n", "", "")
        rows = ToyEncoder().encode(["new"]).rows
        writer.append([Sentence("new", "n", 1, 0, 3)], rows, [("neutral", 0.5)])
        writer.complete(Source("n", 3, "0", 1), None)
        writer.commit(finished=True)
        assert texts_of(tmp_path / "i") == [*OLD, "new"]
    assert texts_of(tmp_path / "i") == [*OLD, "new"]


def test_many_entries_and_metadata(tmp_path: Path) -> None:
    """More rows than fit one SQL statement come in the order asked for, each with its metadata."""
    path = tmp_path / "a.jsonl"
    lines = [json.dumps({"text": f"room {n} \0" if n == 7 else f"room {n}", "n": n, "ü": ["é"]}) for n in range(2000)]
    path.write_text("\n".join(lines), encoding="utf-8")
    build_index(Corpus([str(path)]), tmp_path / "i", ToyEncoder())
    with Index(tmp_path / "i") as index:
        entries = index.entries(range(1999, -1, -1))
    assert [entry.row for entry in entries] == list(range(1999, -1, -1))
    assert [dict(entry.sentence.metadata) for entry in entries] == [{"n": n, "ü": ["é"]} for n in range(1999, -1, -1)]
    assert entries[-8].sentence.text == "room 7 \0"


def test_equal_texts_are_encoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a window and across windows each text is encoded once, and all its rows are equal."""
    monkeypatch.setattr(indexing, "_WINDOW", 3)
    toy = ToyEncoder()
    texts = ["a", "b", "a", "b", "c", "a", "a", "a", "b", "d"]
    build_index(corpus_of(tmp_path, texts), tmp_path / "i", toy)
    assert list(itertools.chain(*toy.calls)) == ["a", "b", "c", "d"]
    assert texts_of(tmp_path / "i") == texts


def test_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest depends on sentences, order and source content; not on windows, file name, encoder or rebuilding."""

    def digest(texts: Sequence[str], name: str = "a.txt", encoder: ToyEncoder | None = None) -> str:
        corpus = corpus_of(tmp_path, texts, name)
        return build_index(corpus, tmp_path / "i", encoder or ToyEncoder(), overwrite=True).manifest.digest

    first = digest(OLD)
    assert first == digest(OLD) == digest(OLD, "b.txt") == digest(OLD, encoder=ToyEncoder(None))
    monkeypatch.setattr(indexing, "_WINDOW", 1)
    assert first == digest(OLD)
    others = [digest(OLD[::-1]), digest(OLD[:3]), digest([*OLD, ""]), digest(["", *OLD]), digest([*OLD[:3], "kase 😀"])]
    split = build_index(Corpus([str(tmp_path / "a.txt")], unit=Unit.DOCUMENT), tmp_path / "d", ToyEncoder())
    assert len({first, split.manifest.digest, *others}) == 7


def test_overwrite(tmp_path: Path) -> None:
    """Made anew, an index leaves only its own files; a reader of the old one sees the new one when it asks."""
    folder = tmp_path / "an index?#1%20"
    assert build_index(corpus_of(tmp_path, OLD), folder, ToyEncoder()).manifest.generation == 1
    assert content_of(folder) == build_files(1)
    with Index(folder) as reader:
        manifest = build_index(corpus_of(tmp_path, NEW), folder, ToyEncoder(None), overwrite=True).manifest
        assert [text for _, text in reader.texts()] == OLD, "a reader keeps its generation"
        assert reader.nearest.top(reader.vectors[1:2], 1, 0.3)[0].rows.tolist() == [1]
        assert reader.refresh()
        assert [text for _, text in reader.texts()] == NEW
        assert not reader.refresh()
    assert (manifest.generation, manifest.count) == (2, 2)
    assert manifest == Manifest.read(folder)
    assert content_of(folder) == build_files(2)
    assert texts_of(folder) == NEW


def test_another_encoder_does_not_add_to_an_index(tmp_path: Path) -> None:
    """An index goes on with the encoder that made it; another is refused, both named, and nothing is changed."""
    folder = tmp_path / "i"
    build_index(corpus_of(tmp_path, OLD), folder, ToyEncoder())
    with pytest.raises(IndexFolderError, match=r"encoder toy \(toy\); toy \(trained\) is another.*--overwrite"):
        build_index(corpus_of(tmp_path, NEW), folder, TrainedToy(1.0))
    assert texts_of(folder) == OLD
    assert content_of(folder) == build_files(1)


def test_not_an_index(tmp_path: Path) -> None:
    """A folder that is missing, a file, or holds something else is refused, for reading and for writing."""
    file = tmp_path / "file"
    file.write_text("mine", encoding="utf-8")
    for folder, message in [(tmp_path / "gone", "no such index"), (file, "no such index"), (tmp_path, "no manifest")]:
        with pytest.raises(IndexFolderError, match=message):
            Index(folder)
    for folder, message in [(file, "is a file"), (tmp_path, "exists and is not an index")]:
        with pytest.raises(OutputError, match=message):
            build_index(corpus_of(tmp_path, OLD), folder, ToyEncoder(), overwrite=True)
    assert file.read_text(encoding="utf-8") == "mine"
    assert check_target(tmp_path / "gone", overwrite=False) is None


@pytest.mark.parametrize("name", ["sentences-000001.sqlite", "vectors/000001.f32"])
def test_a_file_that_lacks_something_is_told(tmp_path: Path, name: str) -> None:
    """A file of the index that is missing, empty or too short is named, with both sizes."""
    build_index(corpus_of(tmp_path, OLD), tmp_path / "i", ToyEncoder())
    path = tmp_path / "i" / name
    if path.suffix == ".f32":
        size = path.stat().st_size
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(IndexFolderError, match=rf"{path.name} is {size - 1} bytes long, the manifest says {size}"):
            Index(tmp_path / "i")
    path.write_bytes(b"")
    with pytest.raises(IndexFolderError, match=rf"{path.name} is 0 bytes long, the manifest says \d+"):
        Index(tmp_path / "i")
    path.unlink()
    with pytest.raises(IndexFolderError, match=rf"{path.name} is missing"):
        Index(tmp_path / "i")


@pytest.mark.parametrize("what", ["vectors", "text", "label", "metadata", "line"])
def test_a_damaged_row_is_never_a_hit(tmp_path: Path, what: str) -> None:
    """One bit of a row's vector, or anything else in its sentence: reading the row is an error that names it."""
    folder = tmp_path / "i"
    build_index(corpus_of(tmp_path, OLD), folder, ToyEncoder())
    if what == "vectors":
        path = folder / "vectors" / "000001.f32"
        data = bytearray(path.read_bytes())
        data[len(data) // 4 + 2] ^= 1
        path.write_bytes(data)
    else:
        path = folder / "sentences-000001.sqlite"
        old, new = {
            "text": (b"bad food", b"bad foot"),
            "label": (b"negative", b"negativE"),
            "metadata": (b"{}", b"[]"),
            "line": (b"bad food", b"bad food"),
        }[what]
        data = bytearray(path.read_bytes())
        at = data.index(b"bad food")
        if what == "line":
            data[at + len(b"bad food") + 8] ^= 3
        else:
            at = data.index(old, at)
            data[at : at + len(old)] = new
        path.write_bytes(data)
    with Index(folder) as index:
        assert [one.sentence.text for one in index.entries([0, 2, 3])] == [OLD[0], *OLD[2:]]
        with pytest.raises(IndexFolderError, match=r"row 1 is damaged"):
            index.entries([1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 3}, "format 3, this version reads up to 2. Upgrade"),
        ({"format": 1}, "format 1, of an earlier version of kindred; .* repair .* --overwrite"),
        ({"count": 3}, "damaged .its checksum"),
        ({"encoder": {}}, "damaged .its checksum"),
        (None, "not valid JSON"),
    ],
)
def test_bad_manifest(tmp_path: Path, change: dict[str, object] | None, message: str) -> None:
    """Another format, a changed field, and half a manifest are each told apart."""
    build_index(corpus_of(tmp_path, OLD), tmp_path / "i", ToyEncoder())
    path = tmp_path / "i" / "manifest.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[:100] if change is None else json.dumps({**json.loads(text), **change}), encoding="utf-8")
    with pytest.raises(IndexFolderError, match=message):
        Index(tmp_path / "i")


def test_an_index_of_format_1_can_be_replaced(tmp_path: Path) -> None:
    """What an earlier version wrote is no index to go on with; --overwrite replaces it and leaves none of its files."""
    folder = tmp_path / "i"
    for name in ("sentences-000004.sqlite", "vectors/000004.f32", "faiss/000004.faiss"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"old")
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "generation": 4}), encoding="utf-8")
    with pytest.raises(IndexFolderError, match="--overwrite"):
        build_index(corpus_of(tmp_path, NEW), folder, ToyEncoder())
    assert build_index(corpus_of(tmp_path, NEW), folder, ToyEncoder(), overwrite=True).manifest.generation == 5
    assert content_of(folder) == build_files(5)
    assert texts_of(folder) == NEW


def test_default_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index is called after its file without suffixes, its folder, or its glob without wildcards."""
    (tmp_path / "v1.2").mkdir()
    monkeypatch.chdir(tmp_path / "v1.2")
    assert default_name("corpora/hotels.tar.txt") == "hotels"
    assert default_name("corpora/reviews-*.csv") == "reviews"
    assert default_name("corpora/*.txt") == default_name("-") == "index"
    assert default_name("../v1.2") == default_name(".") == "v1.2"
    assert default_name("..") == tmp_path.name


def test_damaged_sentences_are_told(tmp_path: Path) -> None:
    """A database of the right size whose pages are overwritten is an error that names the file, not a wrong answer."""
    folder = tmp_path / "index"
    build_index(corpus_of(tmp_path, ["the room was good", "the food was bad"]), folder, ToyEncoder())
    path = folder / "sentences-000001.sqlite"
    path.write_bytes(b"\xff" * path.stat().st_size)
    with pytest.raises(IndexFolderError, match=r"sentences-000001\.sqlite"), Index(folder) as index:
        index.entries([0])


def test_a_damaged_schema_is_told(tmp_path: Path) -> None:
    """What SQLite quotes of a damaged file need not be UTF-8: the error names the file all the same."""
    folder = tmp_path / "index"
    build_index(corpus_of(tmp_path, OLD), folder, ToyEncoder())
    path = folder / "sentences-000001.sqlite"
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE sources", b"CREATE TABLE \xc5\xc5 (;\xc5"))
    with pytest.raises(IndexFolderError, match=r"sentences-000001\.sqlite: damaged"):
        Index(folder)
