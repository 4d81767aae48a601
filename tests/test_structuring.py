"""An index with a search structure: chosen and told, committed whole, kept up with the rows, and done without."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from search import approximate, structuring
from search.choosing import Bench, Candidate, Trial
from search.compacting import compact_index
from search.corpus import Corpus
from search.errors import OptionError
from search.index import Index
from search.index_writer import IndexWriter
from search.indexing import build_index
from search.manifest import Layout, Manifest
from search.repairing import repair_index
from search.store_record import FLAT, StoreRecord, StoreWish, store_wish
from search.verifying import verify_index
from tests.cli_runner import run, succeed, tree
from tests.toy import TOPICS, ToyEncoder

ENOUGH = 1500
LISTS = StoreWish("IVF16,SQ8", 0.9)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let structures be made, and asked, of few rows."""
    monkeypatch.setattr(structuring, "BORDER", 1200)
    monkeypatch.setattr(approximate, "FEW", 50)


def _texts(count: int, seed: int = 0) -> list[str]:
    random = np.random.default_rng(seed)
    words = [*TOPICS, "good", "bad", "love", "hate", "quite"]
    return [f"{' '.join(random.choice(words, size=5))} {number}" for number in range(count)]


def _index(folder: Path, count: int = ENOUGH, wish: StoreWish | None = LISTS, name: str = "a.txt") -> Manifest:
    """Index so many sentences from a file."""
    (folder / name).write_text("\n".join(_texts(count, ord(name[0]))) + "\n", encoding="utf-8")
    return build_index(Corpus([str(folder / name)]), folder / "i", ToyEncoder(), store=wish).manifest


def _search(folder: Path, *, exact: bool = False) -> list[list[tuple[int, float]]]:
    with Index(folder / "i", ToyEncoder()) as index:
        found = index.search(["good room", "bad food pool", "the price"], k=5, exact=exact)
    return [[(hit.entry.row, hit.score) for hit in hits] for hits in found]


def _file(folder: Path) -> Path:
    (path,) = (folder / "i" / "faiss").iterdir()
    return path


def test_a_structure_is_chosen_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was asked, chosen and measured is in the manifest and in `info`; the file is the one it names."""
    manifest = _index(tmp_path)
    store = manifest.store
    assert (store.wish, store.spec, store.rows) == (LISTS, "IVF16,SQ8", ENOUGH)
    assert list(store.recalls) == ["opposite 0.7", "opposite 0.3", "same 0.7", "same 0.3", "same 0"]
    assert 0.9 <= store.recall == min(store.recalls.values())
    assert list(store.efforts) == ["0", "0.3", "0.7"]
    assert all(1 <= one <= 16 for one in store.efforts.values())
    assert store.file is not None
    assert (_file(tmp_path).name, _file(tmp_path).stat().st_size) == (store.file.name, store.file.size)
    assert StoreRecord.from_json(json.loads(json.dumps(store.to_json()))) == store
    info = json.loads(succeed(capsys, "info", tmp_path / "i", "--json"))
    assert (info["store"], info["recall"], info["structure"]["efforts"]) == (
        "IVF16,SQ8",
        store.recall,
        store.efforts,
    )
    told = succeed(capsys, "info", tmp_path / "i")
    efforts = "/".join(map(str, dict.fromkeys(store.efforts.values())))
    assert f"IVF16,SQ8, effort {efforts}, recall {store.recall:.3f} (asked 0.9)" in told
    assert "(opposite 0.7)" in told


def test_one_effort_for_all_weights_is_read() -> None:
    """So it was told before each weight had its own."""
    record = StoreRecord.from_json({"kind": "HNSW32,SQ8", "recall": 0.98, "effort": 1448, "rows": 9})
    assert (record.spec, record.rows, record.efforts) == ("HNSW32,SQ8", 9, {"0": 1448})


def test_hits_are_scored_as_in_exact_search(tmp_path: Path) -> None:
    """A hit's score is that of its row, and never better than exact search has at its rank."""
    _index(tmp_path)
    with Index(tmp_path / "i", ToyEncoder()) as index:
        assert index.nearest is not index.exact
        for found, truth in zip(_search(tmp_path), _search(tmp_path, exact=True), strict=True):
            assert all(score <= best for (_, score), (_, best) in zip(found, truth, strict=True))
            assert found[0][1] >= 0.9 * truth[0][1]


def test_below_the_border_it_is_exact(tmp_path: Path) -> None:
    """Few rows get no structure, whoever asks; more get one where a structure is named, or above the border."""
    assert _index(tmp_path, 999).store == StoreRecord(LISTS)
    assert _index(tmp_path, 1100, StoreWish()).store.file is None
    assert _index(tmp_path, 1100, LISTS).store.spec == "IVF16,SQ8"
    assert not (tmp_path / "i" / "nothing").exists()


def test_auto_takes_a_structure_only_where_it_is_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of so few rows exact search is as fast as any structure or faster; that, too, is kept, and not tried again."""
    monkeypatch.setattr(structuring, "best", lambda tried, limit: None)  # noqa: ARG005
    store = _index(tmp_path, ENOUGH, StoreWish()).store
    assert (store.spec, store.rows, store.recall, store.file) == (FLAT, ENOUGH, 1.0, None)
    assert not (tmp_path / "i" / "faiss").exists()
    monkeypatch.setattr(structuring, "Bench", None)  # to try would be an error
    assert _index(tmp_path, ENOUGH, StoreWish()).store == store


def test_what_was_asked_lasts(tmp_path: Path) -> None:
    """Asked for nothing, an index is searched as was asked last; "flat" drops the structure; the digest is the same."""
    made = _index(tmp_path)
    again = _index(tmp_path, wish=None)
    assert (again.store, again.generation) == (made.store, made.generation)
    flat = _index(tmp_path, wish=StoreWish(FLAT))
    assert flat.store == StoreRecord(StoreWish(FLAT))
    assert not (tmp_path / "i" / "faiss").exists()
    assert _index(tmp_path, wish=None).store == flat.store
    assert made.digest == flat.digest
    assert store_wish(LISTS, None, 0.5) == StoreWish("IVF16,SQ8", 0.5)
    assert store_wish(LISTS, FLAT, None) == StoreWish(FLAT, 0.9)


def test_newer_rows_are_found_and_then_built_in(tmp_path: Path) -> None:
    """Up to a tenth more rows are searched beside the structure; with more it is built again, and the old file goes."""
    first = _index(tmp_path)
    old = _file(tmp_path)
    few = _index(tmp_path, 100, None, "b.txt")
    assert (few.store, few.rows) == (first.store, ENOUGH + 100)
    with Index(tmp_path / "i", ToyEncoder()) as index:
        (hits,) = index.search([_texts(100, ord("b"))[50]], k=1)
        assert (hits[0].score, hits[0].entry.row) == (1.0, ENOUGH + 50)
    more = _index(tmp_path, 101, None, "cc.txt")
    assert more.store.rows == more.rows == ENOUGH + 201
    assert _file(tmp_path) != old


def _never(*_: object) -> Trial:
    raise AssertionError("all is built anew")


@pytest.mark.parametrize("spec", ["IVF16,SQ8", "IVF16,PQ8x4fsr", "HNSW16,SQ8"])
def test_newer_rows_are_added_to_the_structure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str) -> None:
    """More than a tenth of newer rows go into the structure there is, which is measured again, and nothing is built."""
    wish = StoreWish(spec, 0.9)
    first = _index(tmp_path, wish=wish)
    monkeypatch.setattr(Bench, "try_out", _never)
    more = _index(tmp_path, 400, None, "b.txt")
    assert (more.store.rows, more.store.spec, more.store.wish) == (ENOUGH + 400, spec, wish)
    assert more.store.recall >= 0.9
    assert more.store.recalls != first.store.recalls
    assert verify_index(tmp_path / "i").problems == ()
    with Index(tmp_path / "i", ToyEncoder()) as index:
        (hits,) = index.search([_texts(400, ord("b"))[50]], k=1)
        assert (hits[0].score, hits[0].entry.row) == (1.0, ENOUGH + 50)
    assert len(list((tmp_path / "i" / "faiss").iterdir())) == 1


def test_what_cannot_be_extended_is_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged structure, one of another wish, and one that with the newer rows misses the recall."""
    _index(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Bench, "try_extended", _never)
        _flip(_file(tmp_path))
        assert _index(tmp_path, 400, None, "b.txt").store.rows == ENOUGH + 400
        assert _index(tmp_path, 400, StoreWish("IVF16,SQ8", 0.8), "b.txt").store.wish.recall == 0.8
    assert verify_index(tmp_path / "i").problems == ()

    def worse(bench: Bench, candidate: Candidate, old: Path, recall: float, path: Path) -> Trial:
        assert old.exists()
        return replace(bench.try_out(candidate, recall, path), reached=False, recalls={"same 0": 0.0})

    monkeypatch.setattr(Bench, "try_extended", worse)
    store = _index(tmp_path, 700, None, "c.txt").store
    assert (store.rows, store.spec) == (ENOUGH + 1100, "IVF16,SQ8")
    assert store.recall >= 0.8
    assert len(list((tmp_path / "i" / "faiss").iterdir())) == 1


def test_dead_rows_are_never_found(tmp_path: Path) -> None:
    """After a file has changed, its old rows are in the structure still, and in no answer."""
    _index(tmp_path)
    _index(tmp_path, 60, None, "b.txt")
    (tmp_path / "b.txt").write_text("good room\n", encoding="utf-8")
    build_index(Corpus([str(tmp_path / "b.txt")]), tmp_path / "i", ToyEncoder())
    with Index(tmp_path / "i", ToyEncoder()) as index:
        (hits,) = index.search([_texts(60, ord("b"))[7]], k=20)
        assert all(hit.entry.row < ENOUGH or hit.entry.row == ENOUGH + 60 for hit in hits)


def test_compaction_keeps_what_was_asked(tmp_path: Path) -> None:
    """A compacted index has a structure of its rows, and the old one is gone."""
    _index(tmp_path)
    _index(tmp_path, 1400)
    store = compact_index(tmp_path / "i").manifest.store
    assert (store.wish, store.spec, store.rows) == (LISTS, "IVF16,SQ8", 1400)
    assert store.file is not None
    assert _file(tmp_path).name == store.file.name


class _Killed(BaseException):
    """Stands for the end of the process."""


def test_killed_between_structure_and_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows are committed and searched exactly; the next run builds the structure, and clears what was left."""

    def die(*_: object) -> Manifest:
        raise _Killed

    with monkeypatch.context() as patch:
        patch.setattr(IndexWriter, "keep_store", die)
        with pytest.raises(_Killed):
            _index(tmp_path)
    assert Manifest.read(tmp_path / "i").store.file is None
    left = _file(tmp_path)
    (left.parent / ".000001-000002.faiss.77.0.aside").write_bytes(b"half")
    assert _search(tmp_path) == _search(tmp_path, exact=True)
    assert verify_index(tmp_path / "i").problems == ()
    manifest = _index(tmp_path)
    assert manifest.store.file is not None
    assert _file(tmp_path).name == manifest.store.file.name


def test_what_was_asked_outlasts_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed when the rows are committed and the structure is not, a build or a compaction still knows what to make."""

    def die(*_: object) -> Manifest:
        raise _Killed

    _index(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(IndexWriter, "keep_store", die)
        with pytest.raises(_Killed):
            compact_index(tmp_path / "i")
        assert Manifest.read(tmp_path / "i").store == StoreRecord(LISTS)
        (tmp_path / "new").mkdir()
        with pytest.raises(_Killed):
            _index(tmp_path / "new")
    for folder in (tmp_path, tmp_path / "new"):
        assert _index(folder, wish=None).store.spec == LISTS.spec


def _flip(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 255]))


def _cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 100)


@pytest.mark.parametrize(
    ("harm", "told"), [(_flip, "is damaged"), (_cut, "is damaged"), (Path.unlink, "is missing")], ids=str
)
def test_without_its_structure_an_index_is_searched_exactly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], harm: Callable[[Path], None], told: str
) -> None:
    """Damaged or missing, it is named by info and verify, a query is exact, and repair makes it anew."""
    _index(tmp_path)
    harm(_file(tmp_path))
    with Index(tmp_path / "i", ToyEncoder()) as index:
        assert told in index.notice
    assert _search(tmp_path) == _search(tmp_path, exact=True)
    (problem,) = verify_index(tmp_path / "i").problems
    assert told in problem
    outcome = run(capsys, "info", tmp_path / "i")
    assert outcome.code == 0
    assert f"{told}. Queries search exactly. Try: kindred repair" in outcome.err
    repaired = repair_index(tmp_path / "i")
    assert repaired.lost == ()
    assert repaired.manifest.store.spec == "IVF16,SQ8"
    assert verify_index(tmp_path / "i").problems == ()


def test_a_copied_index_has_its_structure(tmp_path: Path) -> None:
    """A file that is as it was, but for its time, is used."""
    _index(tmp_path)
    path = _file(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content)
    with Index(tmp_path / "i", ToyEncoder()) as index:
        assert index.notice == ""


def test_a_lost_structure_is_made_again_by_the_next_run(tmp_path: Path) -> None:
    """The file gone, `index` on unchanged files builds it."""
    _index(tmp_path)
    _file(tmp_path).unlink()
    _index(tmp_path, wish=None)
    with Index(tmp_path / "i", ToyEncoder()) as index:
        assert index.notice == ""


@pytest.mark.parametrize("recall", [0.0, -0.1, 1.01, float("nan")])
def test_a_recall_that_is_none(recall: float) -> None:
    """A recall lies above 0 and is at most 1."""
    with pytest.raises(OptionError, match="recall is"):
        StoreWish("auto", recall)


def test_what_is_no_store_is_refused_before_any_work(tmp_path: Path) -> None:
    """A structure that there is not is an error, and nothing is written."""
    with pytest.raises(OptionError, match="'IVF,what': a structure is IVF"):
        _index(tmp_path, wish=StoreWish("IVF,what"))
    assert not (tmp_path / "i").exists()


def test_the_layout_names_what_is_its_own(tmp_path: Path) -> None:
    """Structures, finished or not, belong to the index, so that an overwrite clears them."""
    _index(tmp_path)
    assert _file(tmp_path) in Layout(tmp_path / "i").own()
    build_index(Corpus([str(tmp_path / "a.txt")]), tmp_path / "i", ToyEncoder(), overwrite=True)
    assert (
        sorted(tree(tmp_path / "i"))
        == [
            "manifest.json",
            "sentences-000002.sqlite",
            "vectors",
            "vectors/000002.f32",
            "writer.lock",
        ]
        or (tmp_path / "i" / "faiss").exists()
    )
