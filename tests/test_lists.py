"""Many sentences: lists of like rows find what all with all finds, and a stopped job goes on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import search.levels
from search.committed import Committed, work_folder
from search.duplicates import find_duplicates
from search.index import Index
from search.joining import Joined, Scoring, Task, every_pair, joined
from search.lists import ENOUGH, sorted_into_lists
from search.similarity import Vectors, unit
from tests.toy import ToyEncoder

WIDTH, DIM = 18, 16


def rows(count: int, seed: int = 0) -> Vectors:
    """Return rows of which every third is a little beside another."""
    draw = np.random.default_rng(seed)
    meaning = draw.normal(size=(count, DIM))
    meaning[2::3] = meaning[: len(meaning[2::3])] + 0.1 * draw.normal(size=(len(meaning[2::3]), DIM))
    angle = draw.uniform(0, np.pi / 2, count)
    angle[2::3] = angle[: len(angle[2::3])]
    return np.hstack([unit(meaning), unit(np.stack([np.cos(angle), np.sin(angle)], axis=1))]).astype(np.float32)


def scoring(vectors: Vectors, weight: float = 0.3) -> Scoring:
    """Score those rows."""
    return Scoring(lambda positions: vectors[positions], DIM, weight)


def pairs_of(found: Sequence[Joined]) -> set[tuple[int, int, float]]:
    """Return the pairs."""
    return {pair for one in found for pair in zip(one.a.tolist(), one.b.tolist(), one.score.tolist(), strict=True)}


@pytest.mark.parametrize("known", [None, 2500])
@pytest.mark.parametrize("weight", [0.0, 0.3])
def test_lists_find_what_all_with_all_finds(known: int | None, weight: float) -> None:
    """What they promise of all pairs holds, every score is the same, and no pair is of one side only."""
    scored = scoring(rows(4000), weight)
    expected = pairs_of([joined(scored, task, 0.9) for task in every_pair(4000, known)])
    lists = sorted_into_lists(scored, 4000, known, 0.9)
    assert lists is not None
    assert lists.recall >= ENOUGH
    tasks = list(lists.tasks())
    found = pairs_of([joined(scored, task, 0.9) for task in tasks])
    assert len(expected) > 300
    assert found <= expected
    assert len(found) >= 0.995 * len(expected)
    compared = sum(len(task.queries) * len(task.others) for task in tasks)
    assert compared < 0.5 * (4000**2 if known is None else known * (4000 - known))


def test_lists_that_gain_nothing_are_left() -> None:
    """Where like rows are nowhere together, all are compared with all."""
    draw = np.random.default_rng(1)
    noise = np.hstack([unit(draw.normal(size=(2000, DIM))), np.eye(1, 2).repeat(2000, axis=0)])
    assert sorted_into_lists(scoring(noise.astype(np.float32), 0.0), 2000, None, 0.0) is None


def test_every_pair_is_one_task_s() -> None:
    """Blocks of all with all give each pair once, also across their borders."""
    vectors = rows(2100)
    found = [joined(scoring(vectors), task, 0.95) for task in every_pair(2100, None)]
    pairs = [(a, b) for one in found for a, b in zip(one.a.tolist(), one.b.tolist(), strict=True)]
    products = vectors[:, :DIM].astype(float) @ vectors[:, :DIM].T * 0.7 + vectors[:, DIM:] @ vectors[:, DIM:].T * 0.3
    expected = {(int(a), int(b)) for a, b in np.argwhere(np.triu(products, 1) >= 0.95)}
    assert len(found) == 3
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == expected


def test_the_job_is_the_same_by_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made to use lists, shuffled or not, the job finds what it finds without them, and says how much it looks for."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    words = ("room", "food", "staff", "noise", "price", "pool")
    pairs = [f"{one} {other}" for one in words for other in words]
    texts = [f"{pairs[one % 36]} {pairs[one // 36]} {one}" for one in range(900)]
    digests = []
    for name, order, limit in (("a", 0, 10**9), ("b", 0, 1000), ("c", 1, 1000)):
        monkeypatch.setattr(search.levels, "ALL_WITH_ALL", limit)
        with Index.create(tmp_path / name, encoder=ToyEncoder()) as index:
            index.add(np.random.default_rng(order).permutation(texts).tolist())
            found = find_duplicates(index, threshold=0.998, near=None)
        assert len(found.pairs) > 500
        digests.append(found.digest)
    assert len(set(digests)) == 1
    assert not list((tmp_path / "cache").rglob("*.npy"))


def test_a_stopped_job_goes_on(tmp_path: Path) -> None:
    """What was committed is not done again, and the pairs are those of a job that was not stopped."""
    scored = scoring(rows(3500))
    tasks = list(every_pair(3500, None))
    expected = pairs_of([joined(scored, task, 0.9) for task in tasks])
    seen: list[Task] = []

    def work(task: Task) -> Joined:
        if len(seen) == 2:
            seen.append(task)
            raise KeyboardInterrupt
        seen.append(task)
        return joined(scored, task, 0.9)

    with pytest.raises(KeyboardInterrupt):
        list(Committed(tmp_path, seconds=0.0).run(tasks, work))
    assert len(list(tmp_path.glob("*.npy"))) == 2
    seen = [tasks[0]] * 5
    found = list(Committed(tmp_path, seconds=0.0).run(tasks, work))
    assert [done for done, _ in found] == [1, 2, 3, 4]
    assert len(seen) == 5 + len(tasks) - 2
    assert pairs_of([pairs for _, pairs in found]) == expected


def test_the_folder_of_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays when the job is stopped, and is gone when the job ends well."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def job(*, stopped: bool) -> None:
        with work_folder("job") as folder:
            folder.mkdir(parents=True, exist_ok=True)
            if stopped:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        job(stopped=True)
    assert (tmp_path / "kindred" / "duplicates" / "job").exists()
    job(stopped=False)
    assert not (tmp_path / "kindred" / "duplicates" / "job").exists()
