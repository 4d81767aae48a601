"""An index stays true to its sources: what has changed is read again, what is gone goes when asked, nothing else."""

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from search import indexing
from search.corpus import Corpus
from search.errors import InputError, OptionError, OutputError
from search.index import Index
from search.indexing import Indexed, build_index, check_related
from search.progress import SILENT, Progress
from search.reading import Reading
from search.records import IndexedSource
from search.sources import State, state_of
from search.units import Unit
from tests.test_index import texts_of
from tests.test_index_interrupted import InterruptedEncoder
from tests.toy import ToyEncoder

FILES = {"a.txt": ["good room", "bad food"], "b.txt": ["good pool"], "c.txt": ["fine price", "the noise", "good room"]}


class Case:
    """A folder of files, and an index of it."""

    def __init__(self, folder: Path) -> None:
        """Write the files, long enough ago, and index them."""
        self.texts = folder / "texts"
        self.index = folder / "index"
        self.texts.mkdir()
        for name, texts in FILES.items():
            self.write(name, texts)
        self.run()

    def write(self, name: str, texts: list[str], *, seconds_ago: float = 60) -> Path:
        """Write a file that seems to have been changed so long ago."""
        path = self.texts / name
        path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
        when = time.time() - seconds_ago
        os.utime(path, (when, when))
        return path

    def run(
        self, *, prune: bool = False, gone: Sequence[object] = (), unit: Unit | None = None, told: Progress = SILENT
    ) -> tuple[Indexed, list[str]]:
        """Index the folder again; return what was done and what was encoded."""
        encoder = ToyEncoder()
        corpus = Corpus([str(self.texts)], unit=unit)
        done = build_index(corpus, self.index, encoder, prune=prune, gone=list(map(str, gone)), progress=told)
        return done, [text for call in encoder.calls for text in call]

    def states(self) -> dict[str, State]:
        """Return how each source is now."""
        with Index(self.index) as index:
            return {Path(source.name).name: state_of(source) for source in index.sources}

    def fresh(self, folder: Path) -> str:
        """Return the digest of an index of the same files that has no history."""
        return build_index(Corpus([str(self.texts)]), folder, ToyEncoder()).manifest.digest


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Give three files and their index."""
    return Case(tmp_path)


def counts(done: Indexed) -> tuple[int, int, int, int, int]:
    """Return how many files were new, changed, moved, the same, and removed."""
    return done.new, done.changed, done.moved, done.same, done.pruned


def test_nothing_changed_is_nothing_done(case: Case) -> None:
    """Run again, nothing is read or encoded, and the generation is the same."""
    with Index(case.index) as index:
        before = index.manifest
    done, encoded = case.run()
    assert counts(done) == (0, 0, 0, 3, 0)
    assert encoded == []
    assert done.manifest == before
    assert set(case.states().values()) == {State.SAME}


def test_a_changed_file_is_read_again_and_nothing_else(case: Case, tmp_path: Path) -> None:
    """Its old rows do not count any more, its new ones do; only texts the index never had are encoded."""
    case.write("b.txt", ["good pool", "bad pool", "the noise"])
    assert case.states() == {"a.txt": State.SAME, "b.txt": State.CHANGED, "c.txt": State.SAME}
    done, encoded = case.run()
    assert counts(done) == (0, 1, 0, 2, 0)
    assert encoded == ["bad pool"]
    assert texts_of(case.index) == [*FILES["a.txt"], *FILES["c.txt"], "good pool", "bad pool", "the noise"]
    assert done.manifest.digest == case.fresh(tmp_path / "fresh")
    assert (done.manifest.count, done.manifest.rows) == (8, 9)


def test_rows_that_do_not_count_are_never_found(case: Case) -> None:
    """Neither the nearest nor those above a threshold are rows of an old version."""
    case.write("a.txt", ["love food"])
    case.run()
    asked = ToyEncoder().encode(["bad food"]).rows
    with Index(case.index) as index:
        (nearest,) = index.nearest.top(asked, 10, 0.3)
        (above,) = index.nearest.above(asked, -1.0, 0.3)
        texts = [entry.sentence.text for entry in index.entries(nearest.rows.tolist())]
    assert sorted(texts) == sorted(["love food", *FILES["b.txt"], *FILES["c.txt"]])
    assert sorted(nearest.rows.tolist()) == sorted(above.rows.tolist()) == [2, 3, 4, 5, 6]


def test_the_same_size_and_time_is_looked_at_no_closer_unless_fresh(case: Case) -> None:
    """A change that leaves size and time as they were is passed over; one just after the reading is not."""
    path = case.texts / "b.txt"
    status = path.stat()
    path.write_text("bad  pool\n", encoding="utf-8")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert case.states()["b.txt"] == State.SAME
    case.write("b.txt", ["new pool1"], seconds_ago=0)
    case.run()
    fresh = path.stat()
    path.write_text("new pool2\n", encoding="utf-8")
    os.utime(path, ns=(fresh.st_atime_ns, fresh.st_mtime_ns))
    assert case.states()["b.txt"] == State.CHANGED


def test_a_touched_file_is_the_same(case: Case) -> None:
    """Another time with the same content is no change, and is noted, so that it is compared only once."""
    when = time.time() - 30
    os.utime(case.texts / "b.txt", (when, when))
    done, encoded = case.run()
    assert counts(done) == (0, 0, 0, 3, 0)
    assert encoded == []
    with Index(case.index) as index:
        noted = {Path(source.name).name: source.modified for source in index.sources}
    assert noted["b.txt"] == (case.texts / "b.txt").stat().st_mtime_ns


def test_a_file_that_is_gone_stays_until_prune(case: Case, tmp_path: Path) -> None:
    """Without --prune its sentences stay; with it they go, and the digest is that of a fresh index."""
    (case.texts / "a.txt").unlink()
    done, _ = case.run()
    assert counts(done) == (0, 0, 0, 2, 0)
    assert done.sources == 3
    assert case.states()["a.txt"] == State.GONE
    done, _ = case.run(prune=True)
    assert counts(done) == (0, 0, 0, 2, 1)
    assert texts_of(case.index) == [*FILES["b.txt"], *FILES["c.txt"]]
    assert done.manifest.digest == case.fresh(tmp_path / "fresh")


@pytest.mark.parametrize("how", ["missing", "empty", "forbidden"])
def test_a_folder_that_cannot_be_reached_deletes_nothing(case: Case, how: str, tmp_path: Path) -> None:
    """Its folder missing, or empty as an unmounted share's is, or no folder: --prune keeps every sentence."""
    shutil.rmtree(case.texts)
    if how == "empty":
        case.texts.mkdir()
    if how == "forbidden":
        case.texts.write_text("a file in the way", encoding="utf-8")
    other = tmp_path / "other.txt"
    other.write_text("clean bed\n", encoding="utf-8")
    assert set(case.states().values()) == {State.UNREACHABLE}
    done = build_index(Corpus([str(other)]), case.index, ToyEncoder(), prune=True)
    assert counts(done) == (1, 0, 0, 0, 0)
    assert texts_of(case.index) == [*(text for texts in FILES.values() for text in texts), "clean bed"]


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_moved_file_is_recognised(case: Case, what: str) -> None:
    """Renamed, or its whole folder, nothing is encoded and no row is written; its hits name the new place."""
    if what == "file":
        (case.texts / "b.txt").rename(case.texts / "z.txt")
    else:
        case.texts = case.texts.rename(case.texts.with_name("elsewhere"))
    done, encoded = case.run()
    assert counts(done) == ((0, 0, 1, 2, 0) if what == "file" else (0, 0, 3, 0, 0))
    assert encoded == []
    assert (done.manifest.count, done.manifest.rows) == (6, 6)
    with Index(case.index) as index:
        assert {entry.sentence.source for entry in index.entries([2])} == {
            str(case.texts / ("z.txt" if what == "file" else "b.txt"))
        }
    assert set(case.states().values()) == {State.SAME}


def test_a_file_is_the_same_by_any_name(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reached through `..`, from another folder, or twice in one command, a file is one source."""
    inner = case.texts / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    corpus = Corpus(["..", "../../texts/a.txt", str(case.texts / "b.txt")])
    assert len(corpus.names) == 3
    assert counts(build_index(corpus, case.index, ToyEncoder(), prune=True)) == (0, 0, 0, 3, 0)
    (case.texts / "link").symlink_to(inner)
    assert Corpus(["../link/../c.txt"]).place("../link/../c.txt") == str(case.texts / "c.txt")


def test_a_file_that_cannot_be_looked_at_is_neither_gone_nor_moved(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share that answers with an error, or a folder without permission, stops no other file and loses no sentence."""
    other = tmp_path / "other.txt"
    shutil.copy(case.texts / "b.txt", other)
    real = Path.stat

    def refused(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.parent == case.texts:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", refused)
    done = build_index(Corpus([str(other)]), case.index, ToyEncoder(), prune=True)
    assert (counts(done), done.sources) == ((1, 0, 0, 0, 0), 4)
    assert set(case.states().values()) == {State.UNREACHABLE, State.SAME}


def test_every_file_that_cannot_be_used_is_told_where_none_can(tmp_path: Path) -> None:
    """Not the first alone."""
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_bytes(b"\0\1")
    with pytest.raises(InputError, match=r"a\.txt:1: a zero byte[^\n]*\n.*b\.txt:1: a zero byte"):
        build_index(Corpus([str(tmp_path)]), tmp_path / "i", ToyEncoder(), strict=False)
    assert not (tmp_path / "i").exists()


def test_many_files_take_no_longer_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice as many files, indexed and then moved, are compared twice as often, not four times."""
    looked = [0]

    def counted(source: IndexedSource) -> str:
        looked[0] += 1
        return source.path or source.name

    monkeypatch.setattr(IndexedSource, "key", property(counted))
    found = []
    for number in (50, 100):
        texts = tmp_path / str(number)
        texts.mkdir()
        for one in range(number):
            (texts / f"{one}.txt").write_text(f"room {one:03d}\n", encoding="utf-8")
        looked[0] = 0
        build_index(Corpus([str(texts)]), tmp_path / f"i{number}", ToyEncoder())
        texts = texts.rename(tmp_path / f"moved{number}")
        assert build_index(Corpus([str(texts)]), tmp_path / f"i{number}", ToyEncoder()).moved == number
        found.append(looked[0])
    assert found[1] < 2.5 * found[0]


def test_a_copy_is_no_move(case: Case) -> None:
    """A second file of the same content has rows of its own, of which none is encoded."""
    shutil.copy(case.texts / "a.txt", case.texts / "z.txt")
    done, encoded = case.run()
    assert counts(done) == (1, 0, 0, 3, 0)
    assert encoded == []
    assert texts_of(case.index)[-2:] == FILES["a.txt"]


def test_files_that_only_have_the_name_of_an_index_are_not_added_to_it(case: Case, tmp_path: Path) -> None:
    """Where none of the files is in the index, that is told, with what to do; where one is, all may be added."""
    other = tmp_path / "other.txt"
    other.write_text("clean bed\n", encoding="utf-8")
    with pytest.raises(OutputError, match=r"is an index of other files \(.*a\.txt\)\. To add these .* --out"):
        check_related(Corpus([str(other)]), case.index)
    check_related(Corpus([str(other), str(case.texts / "b.txt")]), case.index)


class Told:
    """Keeps what a job tells."""

    def __init__(self) -> None:
        """Hear nothing yet."""
        self.heard: list[str] = []

    def tell(self, what: str) -> None:
        """Keep it."""
        self.heard.append(what)

    def start(self, what: str, total: float | None, unit: str) -> None:
        """Pass over it."""

    def advance(self, done: float, note: str = "") -> None:
        """Pass over it."""

    def finish(self) -> None:
        """Pass over it."""


def test_a_deleted_folder_goes_when_it_is_named(case: Case, tmp_path: Path) -> None:
    """--prune keeps what was in it, and says how to let go of it: named, it goes, and with it nothing that is there."""
    old = case.texts / "old" / "er"
    old.mkdir(parents=True)
    for name in ("old/x.txt", "old/er/y.txt"):
        case.write(name, [f"the {name}"])
    case.run()
    shutil.rmtree(case.texts / "old")
    told = Told()
    done, _ = case.run(prune=True, told=told)
    assert (done.pruned, done.sources) == (0, 5)
    (heard,) = told.heard
    assert heard.startswith(f"2 file(s) below {case.texts / 'old'} stay in the index")
    assert heard.endswith(f"If it is gone for good, say so with: --gone {case.texts / 'old'}")
    done, encoded = case.run(gone=[case.texts / "old" / "er", case.texts / "old"])
    assert (counts(done), done.sources, encoded) == ((0, 0, 0, 3, 2), 3, [])
    assert done.manifest.digest == case.fresh(tmp_path / "fresh")


def test_nothing_that_is_there_or_was_never_there_is_gone(case: Case) -> None:
    """A name that is mistaken is refused, with what is wrong with it; of a folder, what is there stays."""
    with pytest.raises(OptionError, match=r"--gone .*txets: the index has no file there \(/.*info says"):
        case.run(gone=[case.texts.with_name("txets")])
    with pytest.raises(OptionError, match=r"--gone .*: the 3 file\(s\) that the index has of it are all there"):
        case.run(gone=[case.texts])
    (case.texts / "b.txt").unlink()
    done, _ = case.run(gone=[case.texts])
    assert (counts(done), done.sources) == ((0, 0, 0, 2, 1), 2)


def test_what_was_in_a_folder_that_is_gone_may_have_moved(case: Case) -> None:
    """A file of it that is somewhere else now keeps its rows."""
    case.write("old.txt", ["clean bed"])
    inner = case.texts / "inner"
    inner.mkdir()
    (case.texts / "old.txt").rename(inner / "old.txt")
    case.write("inner/lost.txt", ["dirty bed"])
    case.run()
    (inner / "old.txt").rename(case.texts / "new.txt")
    shutil.rmtree(inner)
    done, encoded = case.run(gone=[inner])
    assert (counts(done), encoded) == ((0, 0, 1, 3, 1), [])


def test_how_a_file_was_read_is_remembered(tmp_path: Path) -> None:
    """Without the options of the last time a file is the same; changed, it is read with them, which is told.

    Another file is read as is asked now, and the same one when it is asked for otherwise.
    """
    path, index = tmp_path / "a.csv", tmp_path / "i"
    path.write_text("text,opinion\nA,der Käse\nB,schön. gut.\n", encoding="cp437")
    asked = Corpus([str(path)], encoding="cp437", text_column="opinion", unit=Unit.SENTENCE)
    build_index(asked, index, ToyEncoder())
    assert texts_of(index) == ["der Käse", "schön.", "gut."]
    told = Told()
    assert build_index(Corpus([str(path)]), index, ToyEncoder(), progress=told).same == 1
    assert told.heard == []
    path = path.rename(tmp_path / "b.csv")
    assert build_index(Corpus([str(path)]), index, ToyEncoder(), progress=told).moved == 1
    with path.open("a", encoding="cp437") as file:
        file.write("C,größer\n")
    other = tmp_path / "other.csv"
    other.write_text("text\nder Käse. ja.\n", encoding="utf-8")
    assert build_index(Corpus([str(path), str(other)]), index, ToyEncoder(), progress=told).changed == 1
    assert texts_of(index) == ["der Käse", "schön.", "gut.", "größer", "der Käse. ja."]
    options = "--text-column opinion --encoding cp437"
    assert told.heard == [f"1 file(s) read as the last time, with --unit sentence {options}"]
    build_index(Corpus([str(path)], unit=Unit.LINE), index, ToyEncoder(), progress=told)
    assert texts_of(index) == ["der Käse. ja.", "der Käse", "schön. gut.", "größer"]
    assert told.heard[1:] == [f"1 file(s) read as the last time, with {options}"]
    build_index(Corpus([str(other)]), index, ToyEncoder(), overwrite=True)
    assert texts_of(index) == ["der Käse. ja."]


@pytest.mark.parametrize("noted", ["format 1", '{"records": null}', "[1]", '{"unit": "verse"}', "7"])
def test_what_does_not_say_how_a_file_was_read_says_nothing(noted: str) -> None:
    """Notes of an earlier version, of records, or of a unit that is none, stop nothing."""
    assert Reading.from_json(noted) == Reading()


def test_a_file_that_was_read_in_part_is_incomplete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is neither changed nor the same; gone on with it is new, gone it is gone."""
    monkeypatch.setattr(indexing, "_WINDOW", 3)
    case = Case(tmp_path)
    path = case.write("z.txt", [f"z {number}" for number in range(9)])
    with pytest.raises(KeyboardInterrupt):
        build_index(Corpus([str(case.texts)]), case.index, InterruptedEncoder(KeyboardInterrupt(), 2))
    assert case.states() == dict.fromkeys(FILES, State.SAME) | {"z.txt": State.INCOMPLETE}
    hidden = path.rename(path.with_suffix(".hidden"))
    assert case.states()["z.txt"] == State.GONE
    hidden.rename(path)
    done, _ = case.run()
    assert counts(done) == (1, 0, 0, 3, 0)
    assert set(case.states().values()) == {State.SAME}


def test_another_way_of_reading_is_a_change(case: Case) -> None:
    """Asked for another unit, files that are the same are read again, as that unit."""
    done, _ = case.run(unit=Unit.DOCUMENT)
    assert counts(done) == (0, 3, 0, 0, 0)
    assert texts_of(case.index) == ["\n".join(texts) for texts in FILES.values()]


def test_a_reader_keeps_its_generation(case: Case) -> None:
    """While files change and rows are committed a reader sees what it opened; asked to, it sees what there is now."""
    with Index(case.index) as reader:
        before = [text for _, text in reader.texts()]
        case.write("b.txt", ["bad pool"])
        (case.texts / "a.txt").unlink()
        case.run(prune=True)
        assert [text for _, text in reader.texts()] == before
        assert [entry.sentence.text for entry in reader.entries([0, 2])] == ["good room", "good pool"]
        assert len(reader.nearest.top(reader.vectors[:1], 10, 0.3)[0].rows) == 6
        assert reader.refresh()
        assert [text for _, text in reader.texts()] == [*FILES["c.txt"], "bad pool"]
