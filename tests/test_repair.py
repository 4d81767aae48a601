"""Repair: what is whole is kept, what can be made anew of it is, what cannot is said; stopped, it is gone on with."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from search import indexing, rewriting
from search.corpus import Corpus
from search.encoder import Encoder, Passport
from search.errors import EncoderError, IndexFolderError
from search.index import Index
from search.indexing import build_index
from search.manifest import Layout, Manifest
from search.repairing import repair_index
from search.rewriting import Part, Remake
from search.verifying import verify_index
from tests.cli_runner import refuse, run, succeed
from tests.test_index import build_files, content_of, corpus_of, texts_of
from tests.test_index_interrupted import InterruptedEncoder, encoded
from tests.test_verify import flip
from tests.toy import ToyEncoder, TrainedToy

A = [f"good room {number}" for number in range(8)]
B = ["bad food", "the pool", "good room 0", "fine price"]
WIDTH = 4 * ToyEncoder().passport.width


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Index two files, 12 sentences, of which one text comes twice."""
    build_index(corpus_of(tmp_path, A), tmp_path / "i", ToyEncoder())
    build_index(corpus_of(tmp_path, B, "b.txt"), tmp_path / "i", ToyEncoder())
    return tmp_path / "i"


def by(encoder: Encoder) -> Remake:
    """Give an encoder when it is asked for."""
    return lambda _: encoder


def never(_: Passport) -> Encoder:
    """Fail when an encoder is asked for."""
    raise AssertionError


def vectors_of(index: Path) -> Path:
    """Name the file of the rows."""
    return Layout(index).vectors(Manifest.read(index).build)


def cut(index: Path, rows: int) -> None:
    """Cut the file of vectors off in the middle of a row."""
    path = vectors_of(index)
    path.write_bytes(path.read_bytes()[: rows * WIDTH + 5])


def change(index: Path, statement: str) -> None:
    """Do something to the SQLite file behind kindred's back."""
    with sqlite3.connect(Layout(index).sentences(Manifest.read(index).build)) as file:
        file.execute(statement)
    file.close()


def parts(found: tuple[Part, ...]) -> dict[str, int]:
    """Return how many sentences of each file."""
    return {Path(one.source.name).name: one.sentences for one in found}


@pytest.mark.parametrize(
    ("harm", "lost"),
    [
        (lambda index: cut(index, 6), [*A[6:], *B[:2], B[3]]),
        (lambda index: vectors_of(index).unlink(), [*A, *B[:2], B[3]]),
        (lambda index: flip(vectors_of(index), 9 * WIDTH + 3), ["the pool"]),
        (lambda index: vectors_of(index).write_bytes(b"\0" * 12 * WIDTH), [*A, *B[:2], B[3]]),
    ],
    ids=["cut off", "gone", "a bit", "zeros"],
)
def test_lost_vectors_are_made_anew(index: Path, harm: Callable[[Path], object], lost: list[str]) -> None:
    """Just the texts whose vectors are lost are encoded, each once; the index is what it was, and nothing is lost."""
    before, encoder = Manifest.read(index), ToyEncoder()
    with Index(index) as opened:
        labels = [(one.label, one.probability) for one in opened.entries(range(12))]
    harm(index)
    done = repair_index(index, by(encoder))
    assert encoded(encoder) == lost
    assert (done.lost, sum(parts(done.remade).values())) == ((), len(lost) + (len(lost) > 1))
    assert (done.manifest.digest, done.manifest.count, done.manifest.finished) == (before.digest, 12, True)
    assert done.manifest.origin == before.origin
    assert texts_of(index) == [*A, *B]
    with Index(index) as opened:
        assert [(one.label, one.probability) for one in opened.entries(range(12))] == labels
    assert verify_index(index, ToyEncoder()).problems == ()
    assert content_of(index) == build_files(2)


def test_the_encoder_is_asked_only_where_it_is_needed(index: Path) -> None:
    """A whole index, one without words, and one that has lost a sentence are repaired without an encoder."""
    assert repair_index(index, never).remade == ()
    change(index, "DROP TABLE words")
    assert repair_index(index, never).remade == ()
    change(index, "UPDATE sentences SET text = 'good roof' WHERE row = 1")
    assert parts(repair_index(index, never).lost) == {"a.txt": 1}
    assert texts_of(index) == [*A[:1], *A[2:], *B]


@pytest.mark.parametrize("column", ["text", "metadata", "line", "end", "label", "probability", "proof", "hash"])
def test_a_sentence_that_is_not_as_written_is_lost_with_its_vector(index: Path, column: str) -> None:
    """Without its vector a sentence counts only if all of it is proven; nothing else vouches for what was changed."""
    cut(index, 3)
    change(index, f"UPDATE sentences SET {column} = 7 WHERE row = 4")  # noqa: S608 - a column of ours
    done = repair_index(index, by(ToyEncoder()))
    if column == "hash":  # which is made of the text
        assert (done.lost, texts_of(index)) == ((), [*A, *B])
        return
    assert (parts(done.lost), parts(done.remade)) == ({"a.txt": 1}, {"a.txt": 4, "b.txt": 4})
    assert texts_of(index) == [*A[:4], *A[5:], *B]
    again = ToyEncoder()
    files = Corpus([str(index.parent / "a.txt"), str(index.parent / "b.txt")])
    assert build_index(files, index, again).manifest.count == 12
    assert encoded(again) == [A[4]]


def test_proofs_of_an_earlier_version_are_read(index: Path) -> None:
    """They stand for sentence and vector together: both are read, and without its vector a sentence is not proven."""
    change(index, "UPDATE sentences SET proof = substr(proof, 9)")
    assert texts_of(index) == [*A, *B]
    assert verify_index(index, ToyEncoder()).problems == ()
    flip(vectors_of(index), 9 * WIDTH + 3)
    assert parts(repair_index(index, never).lost) == {"b.txt": 1}
    flip(vectors_of(index), 9 * WIDTH + 3)
    assert parts(repair_index(index, by(ToyEncoder())).remade) == {"b.txt": 1}, "repair has written the proofs anew"


def test_another_encoder_does_not_repair(index: Path) -> None:
    """One that makes other rows is refused, with both named, and every file is as it was."""
    cut(index, 6)
    before = {path: (index / path).read_bytes() for path in content_of(index)}
    with pytest.raises(IndexFolderError, match=r"made by the encoder toy \(toy\); toy \(trained\) is another"):
        repair_index(index, by(TrainedToy(1.0)))
    assert {path: (index / path).read_bytes() for path in content_of(index)} == before
    done = repair_index(index, by(TrainedToy(fingerprint="saved anew")))
    assert [maker.fingerprint for maker in done.manifest.origin.makers] == ["toy", "saved anew"]


@pytest.mark.parametrize("error", [RuntimeError("lost"), KeyboardInterrupt()])
@pytest.mark.parametrize("after", range(1, 4))
def test_a_stopped_repair_is_gone_on_with(
    index: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, after: int
) -> None:
    """The damaged index stays as it was; the same call encodes the rest alone, and counts what the first one made."""
    monkeypatch.setattr(rewriting, "_WINDOW", 3)
    change(index, "UPDATE sentences SET line = 7 WHERE row = 1")
    vectors_of(index).unlink()
    before = Manifest.read(index)
    with pytest.raises(type(error)) as stopped:
        repair_index(index, by(InterruptedEncoder(error, after)))
    told = "" if after == 0 else f"{3 * after} sentences of the new index are committed; the same command goes on"
    assert isinstance(error, RuntimeError) or told in "".join(stopped.value.__notes__)
    assert Manifest.read(index) == before
    again = ToyEncoder()
    done = repair_index(index, by(again))
    texts = [A[0], *A[2:], *B]
    assert encoded(again) == [text for text in texts[3 * after :] if text != "good room 0"]
    assert (parts(done.remade), parts(done.lost)) == ({"a.txt": 7, "b.txt": 4}, {"a.txt": 1})
    assert texts_of(index) == texts
    assert verify_index(index, ToyEncoder()).problems == ()
    assert (done.manifest.rows, done.manifest.rewrites) == (11, None)
    assert content_of(index) == build_files(2)


def test_what_a_stopped_repair_has_is_given_up_where_more_is_lost_since(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that goes on failing: each sentence is there once, and what was encoded is not encoded again."""
    monkeypatch.setattr(rewriting, "_WINDOW", 3)
    vectors_of(index).unlink()
    with pytest.raises(RuntimeError):
        repair_index(index, by(InterruptedEncoder(RuntimeError("lost"), 2)))
    change(index, "UPDATE sentences SET line = 7 WHERE row = 1")
    again = ToyEncoder()
    done = repair_index(index, by(again))
    assert encoded(again) == [*A[6:], *B[:2], B[3]]
    assert parts(done.lost) == {"a.txt": 1}
    assert texts_of(index) == [A[0], *A[2:], *B]
    assert verify_index(index, ToyEncoder()).problems == ()


def test_no_other_job_goes_on_with_a_stopped_repair(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An --overwrite begins anew after it, and it does after a stopped --overwrite."""
    monkeypatch.setattr(rewriting, "_WINDOW", 3)
    monkeypatch.setattr(indexing, "_WINDOW", 3)
    cut(index, 0)
    with pytest.raises(RuntimeError):
        repair_index(index, by(InterruptedEncoder(RuntimeError("lost"), 1)))
    new = corpus_of(index.parent, [f"the noise {number}" for number in range(9)], "c.txt")
    with pytest.raises(RuntimeError):
        build_index(new, index, InterruptedEncoder(RuntimeError("lost"), 1), overwrite=True)
    assert Manifest.read_file(index / "next.json").rewrites is None
    assert parts(repair_index(index, by(ToyEncoder())).remade) == {"a.txt": 8, "b.txt": 4}
    assert texts_of(index) == [*A, *B]


def test_a_lost_manifest_is_not_taken_from_a_stopped_repair(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an unfinished index, whose copy is as unfinished: the index's own is taken."""
    monkeypatch.setattr(rewriting, "_WINDOW", 3)
    monkeypatch.setattr(indexing, "_WINDOW", 3)
    more = corpus_of(tmp_path, [f"the noise {number}" for number in range(9)], "c.txt")
    with pytest.raises(RuntimeError):
        build_index(more, index, InterruptedEncoder(RuntimeError("lost"), 1))
    cut(index, 0)
    with pytest.raises(RuntimeError):
        repair_index(index, by(InterruptedEncoder(RuntimeError("lost"), 1)))
    (index / "manifest.json").unlink()
    assert repair_index(index, by(ToyEncoder())).manifest.count == 15


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("before", [None, ["old room", "old food"]])
def test_an_unfinished_index_stays_unfinished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: list[str] | None, *, lost: bool
) -> None:
    """Repaired between a stopped run and the same one again, it is gone on with: the rest alone is encoded.

    So it is where the file that was being read has changed: its old sentences count until the new ones are all there.
    """
    monkeypatch.setattr(indexing, "_WINDOW", 3)
    index = tmp_path / "i"
    if before is not None:
        build_index(corpus_of(tmp_path, before), index, ToyEncoder())
    with pytest.raises(RuntimeError):
        build_index(corpus_of(tmp_path, A), index, InterruptedEncoder(RuntimeError("lost"), 2))
    there = before or A[:6]
    rows = Manifest.read(index).rows
    if lost:
        cut(index, rows - 2)
    done = repair_index(index, by(ToyEncoder()))
    assert (done.manifest.finished, done.lost, parts(done.remade)) == (False, (), {"a.txt": 2} if lost else {})
    assert texts_of(index) == there
    assert not (index / "next.json").exists()
    again = ToyEncoder()
    finished = build_index(corpus_of(tmp_path, A), index, again).manifest
    assert encoded(again) == A[6:]
    assert texts_of(index) == A
    assert finished.finished
    assert finished.digest == build_index(corpus_of(tmp_path, A), tmp_path / "whole", ToyEncoder()).manifest.digest


@pytest.mark.parametrize("harm", ["DROP TABLE words", "DELETE FROM words_data", "UPDATE words_data SET block = x'00'"])
def test_words_are_made_anew(index: Path, harm: str) -> None:
    """Damaged or gone, they are told by verify, and repair makes them of the sentences."""
    change(index, harm)
    assert any("words" in problem for problem in verify_index(index).problems)
    assert repair_index(index, never).lost == ()
    assert verify_index(index).problems == ()
    with Index(index) as opened:
        assert opened.with_words("pool", 5) == [9]


def test_the_command_says_what_was_encoded_again_and_what_was_lost(
    tmp_path: Path, small_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the index's own encoder, or where it is now; where there is none, nothing is dropped unless that is said."""
    (tmp_path / "a.txt").write_text("the room was good\nthe food was bad\nwe love the staff\n", encoding="utf-8")
    model = small_bert.rename(tmp_path / "model")
    try:
        index = tmp_path / "i"
        succeed(capsys, "index", tmp_path / "a.txt", "--out", index, "--encoder", model)
        vectors = vectors_of(index)
        vectors.write_bytes(vectors.read_bytes()[:-1])
        change(index, "UPDATE sentences SET line = 7 WHERE row = 0")
        model.rename(small_bert)
        told = refuse(capsys, "repair", index)
        assert "whose sentences are whole" in told
        assert "--encoder; or let go of these sentences with --no-encode" in told
        said = succeed(capsys, "repair", index, "--encoder", small_bert)
        assert said == (
            f"{tmp_path}/a.txt: 1 of 3 sentences encoded again\n{tmp_path}/a.txt: 1 of 3 sentences lost\n"
            "2 sentences are whole; read these files again with kindred index.\n"
        )
        vectors_of(index).write_bytes(b"")
        assert '"finished": true' in (out := succeed(capsys, "repair", index, "--no-encode", "--json"))
        assert f'"remade": [], "lost": [{{"source": "{tmp_path}/a.txt", "sentences": 2}}]' in out
        assert run(capsys, "repair", index).err == f"Next: kindred verify {index}\n"
    finally:
        if model.exists():
            model.rename(small_bert)


def test_an_encoder_that_cannot_be_loaded_leaves_the_index_as_it_was(index: Path) -> None:
    """So that it can be named, and nothing is dropped meanwhile."""
    cut(index, 6)
    before = content_of(index)

    def missing(_: Passport) -> Encoder:
        raise EncoderError("no such encoder")

    with pytest.raises(EncoderError):
        repair_index(index, missing)
    assert content_of(index) == before
    np.testing.assert_equal(vectors_of(index).stat().st_size, 6 * WIDTH + 5)
