"""Verify, repair and compact: what is damaged is found, what is whole is kept, what does not count goes."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from search.builds import check_target
from search.compacting import compact_index
from search.corpus import Corpus
from search.errors import IndexFolderError, InputError
from search.index import Index
from search.index_writer import IndexWriter
from search.indexing import build_index
from search.manifest import Manifest
from search.records import Sentence
from search.repairing import repair_index
from search.verifying import Verified, verify_index
from tests.test_index import build_files, content_of, corpus_of, texts_of
from tests.toy import ToyEncoder, TrainedToy

TEXTS = [f"{word} {topic}" for topic in ("room", "food", "pool") for word in ("good", "bad", "the")]


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Index two files, and one of them again when it has changed."""
    build_index(corpus_of(tmp_path, ["old room"], "b.txt"), tmp_path / "i", ToyEncoder())
    build_index(corpus_of(tmp_path, TEXTS, "a.txt"), tmp_path / "i", ToyEncoder())
    build_index(corpus_of(tmp_path, ["new room", "fine price"], "b.txt"), tmp_path / "i", ToyEncoder())
    return tmp_path / "i"


def flip(path: Path, at: int) -> None:
    """Change one bit of a file."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_a_whole_index_has_no_problem(index: Path) -> None:
    """All sentences are looked at, all of so few are encoded again, so are the canaries, and nothing is wrong."""
    assert verify_index(index, ToyEncoder()) == Verified(11, 11 + 12, ())
    assert verify_index(index) == Verified(11, 0, ())


def test_an_encoder_that_makes_other_rows_is_found(index: Path) -> None:
    """Canaries and sentences tell an encoder that only claims to be the same; one that makes other rows is refused."""
    problems = verify_index(index, TrainedToy(1.0, fingerprint="toy")).problems
    assert any("the encoder makes another row of its sentence" in problem for problem in problems)
    assert any("the encoder makes other rows of the canaries" in problem for problem in problems)
    with pytest.raises(IndexFolderError, match="is another"):
        verify_index(index, TrainedToy(1.0))


def test_an_empty_index_has_its_canaries(tmp_path: Path) -> None:
    """An encoder that only claims to be the same is told even where there is no sentence."""
    with IndexWriter(tmp_path / "i", ToyEncoder()) as writer:
        writer.commit(finished=True)
    assert verify_index(tmp_path / "i", ToyEncoder()) == Verified(0, 12, ())
    (problem,) = verify_index(tmp_path / "i", TrainedToy(temperature=3, fingerprint="toy")).problems
    assert "the encoder makes other rows of the canaries" in problem


def test_a_damaged_vector_is_found_and_repaired(index: Path, tmp_path: Path) -> None:
    """The row is named, repair drops it and says whose it was; indexing again encodes that one text alone."""
    digest = Manifest.read(index).digest
    width = ToyEncoder().passport.width * 4
    flip(index / "vectors" / "000001.f32", 3 * width + 2)
    problems = verify_index(index, ToyEncoder()).problems
    assert problems == (
        "rows 1 to 9 are not as they were written",
        f"row 3 ({tmp_path / 'a.txt'}:3) is damaged: its sentence or its vector",
    )
    with pytest.raises(IndexFolderError, match=r"a\.txt: a sentence is damaged"):
        compact_index(index)
    done = repair_index(index)
    assert [(Path(one.source.name).name, one.sentences) for one in done.lost] == [("a.txt", 1)]
    assert verify_index(index, ToyEncoder()).problems == ()
    assert texts_of(index) == [*TEXTS[:2], *TEXTS[3:], "new room", "fine price"]
    encoder = ToyEncoder()
    files = [str(tmp_path / name) for name in ("a.txt", "b.txt")]
    assert build_index(Corpus(files), index, encoder).manifest.digest == digest
    assert [text for call in encoder.calls for text in call] == [TEXTS[2]]
    assert verify_index(index, encoder).problems == ()


@pytest.mark.parametrize("how", ["gone", "damaged", "half"])
def test_a_manifest_is_made_again(index: Path, how: str) -> None:
    """A manifest that is missing, changed or cut short is repaired from its copy, and nothing is lost."""
    path = index / "manifest.json"
    before, texts = Manifest.read(index), texts_of(index)
    if how == "gone":
        path.unlink()
    elif how == "damaged":
        path.write_text(path.read_text(encoding="utf-8").replace('"count": 11', '"count": 10'), encoding="utf-8")
    else:
        path.write_text(path.read_text(encoding="utf-8")[:100], encoding="utf-8")
    with pytest.raises(IndexFolderError, match=r"repair|unfinished"):
        verify_index(index)
    done = repair_index(index)
    assert (done.lost, done.manifest.digest) == ((), before.digest)
    assert sorted(texts_of(index)) == sorted(texts)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_lost_manifest_loses_no_sentence(index: Path, tmp_path: Path, *, overwrite: bool) -> None:
    """Indexed again without it, an index is gone on with; an --overwrite that fails leaves it as it was."""
    before, texts = Manifest.read(index), texts_of(index)
    (index / "manifest.json").unlink()
    told = check_target(index, overwrite=overwrite)
    assert told == (None if overwrite else before)
    (tmp_path / "bad.txt").write_bytes(b"\0\1")
    with pytest.raises(InputError):
        build_index(Corpus([str(tmp_path / "bad.txt")]), index, ToyEncoder(), overwrite=overwrite)
    assert texts_of(index) == texts
    (index / "manifest.json").unlink()
    assert build_index(corpus_of(tmp_path, ["new pool"], "c.txt"), index, ToyEncoder()).sources == 3
    assert texts_of(index) == [*texts, "new pool"]


@pytest.mark.parametrize("how", ["gone", "empty", "another"])
def test_an_index_without_its_sentences_is_not_begun_anew(index: Path, tmp_path: Path, how: str) -> None:
    """Indexing files into it is refused, rather than to leave out all that it had; repair says what to do."""
    path = index / "sentences-000001.sqlite"
    path.unlink()
    if how == "empty":
        path.touch()
    if how == "another":
        build_index(corpus_of(tmp_path, ["new pool"], "c.txt"), tmp_path / "other", ToyEncoder())
        shutil.copy(tmp_path / "other" / path.name, path)
    with pytest.raises(IndexFolderError, match=r"sentences-000001\.sqlite.*Try: kindred repair"):
        build_index(corpus_of(tmp_path, ["new pool"], "c.txt"), index, ToyEncoder())
    if how == "another":
        assert repair_index(index).manifest.count == 0
        return
    with pytest.raises(IndexFolderError, match=r"sentences-000001\.sqlite.*nothing can be repaired.*--overwrite"):
        repair_index(index)


def test_a_damaged_source_takes_no_other_with_it(index: Path, tmp_path: Path) -> None:
    """What is noted of a file is damaged: repair lets go of its sentences, says how many, and keeps the others."""
    path = index / "sentences-000001.sqlite"
    name = str(tmp_path / "a.txt").encode()
    path.write_bytes(path.read_bytes().replace(name, name[:-1] + b"x"))
    with pytest.raises(IndexFolderError, match=r"damaged \(source"):
        verify_index(index)
    assert [one.sentences for one in repair_index(index).lost] == [9]
    assert texts_of(index) == ["new room", "fine price"]
    assert verify_index(index, ToyEncoder()).problems == ()


def test_what_was_to_replace_an_index_is_not_taken_for_it(index: Path, tmp_path: Path) -> None:
    """Beside a damaged manifest a stopped --overwrite has left its own beginning: the index is repaired, not that."""
    texts = texts_of(index)
    with IndexWriter(index, ToyEncoder(), overwrite=True) as writer:
        writer.begin("n", str(tmp_path / "n.txt"), "")
        rows = ToyEncoder().encode(["new"]).rows
        writer.append([Sentence("new", "n", 1, 0, 3)], rows, [("neutral", 0.5)])
        writer.commit(finished=False)
    (index / "manifest.json").write_text("{", encoding="utf-8")
    assert repair_index(index).lost == ()
    assert sorted(texts_of(index)) == sorted(texts)


def test_a_newer_format_is_not_repaired(index: Path) -> None:
    """It is not damaged, and is left as it is."""
    path = index / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"format": 2', '"format": 3'), encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(IndexFolderError, match="format 3, this version reads up to 2"):
        repair_index(index)
    assert path.read_bytes() == before


def test_rows_that_were_cut_off_are_lost_and_the_rest_is_kept(index: Path) -> None:
    """A file of vectors cut in the middle: what is before the cut is repaired."""
    path = index / "vectors" / "000001.f32"
    width = ToyEncoder().passport.width * 4
    path.write_bytes(path.read_bytes()[: 5 * width + 3])
    with pytest.raises(IndexFolderError, match=f"{5 * width + 3} bytes long"):
        verify_index(index)
    done = repair_index(index)
    assert {Path(one.source.name).name: one.sentences for one in done.lost} == {"a.txt": 5, "b.txt": 2}
    assert texts_of(index) == TEXTS[:4]
    assert verify_index(index, ToyEncoder()).problems == ()


def test_metadata_that_are_no_json_any_more_are_told(index: Path) -> None:
    """As a damaged row, like anything else of a sentence."""
    path = index / "sentences-000001.sqlite"
    with sqlite3.connect(path) as file:
        file.execute("UPDATE sentences SET metadata = '{' WHERE row = 1")
    file.close()
    (problem,) = verify_index(index, ToyEncoder()).problems
    assert "row 1 " in problem
    assert [one.sentences for one in repair_index(index).lost] == [1]


def test_sentences_that_were_cut_off_are_lost_and_the_rest_is_kept(tmp_path: Path) -> None:
    """A SQLite file cut in the middle, which SQLite refuses as a whole: what is before the cut is repaired."""
    texts = [f"good room {number} " + "food " * 20 for number in range(900)]
    build_index(corpus_of(tmp_path, texts), tmp_path / "i", ToyEncoder())
    path = tmp_path / "i" / "sentences-000001.sqlite"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(IndexFolderError, match=r"damaged .*Try: kindred repair"):
        verify_index(tmp_path / "i")
    done = repair_index(tmp_path / "i")
    assert 100 < done.manifest.count < 900
    assert done.manifest.count + sum(one.sentences for one in done.lost) == 900
    assert verify_index(tmp_path / "i", ToyEncoder()).problems == ()
    again = ToyEncoder()
    assert build_index(corpus_of(tmp_path, texts), tmp_path / "i", again).manifest.count == 900
    assert sum(map(len, again.calls)) == 900 - done.manifest.count


def test_without_sentences_there_is_nothing_to_repair(index: Path) -> None:
    """The vectors alone say nothing; the message names the file."""
    (index / "sentences-000001.sqlite").unlink()
    with pytest.raises(IndexFolderError, match=r"sentences-000001\.sqlite"):
        repair_index(index)


def test_compacted_an_index_has_only_what_counts(index: Path) -> None:
    """The digest and the sentences stay, rows that did not count go, and a reader goes on with what it has."""
    before, texts = Manifest.read(index), texts_of(index)
    assert (before.rows, before.count) == (12, 11)
    with Index(index) as reader:
        done = compact_index(index)
        assert [text for _, text in reader.texts()] == texts
        assert reader.refresh()
        assert [text for _, text in reader.texts()] == texts
    assert (done.rows_before, done.manifest.rows, done.manifest.count) == (12, 11, 11)
    assert done.manifest.digest == before.digest
    assert done.manifest.generation == before.generation + 1
    assert content_of(index) == build_files(2)
    assert verify_index(index, ToyEncoder()).problems == ()
