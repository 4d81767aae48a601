"""Thresholds chosen on labelled pairs or without labels, and kept beside an index."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from search.changes import changed
from search.encoder import Passport
from search.errors import IndexFolderError, InputError, OptionError
from search.guard import Kind, Refusal
from search.joining import Scoring
from search.metrics import best_f1, f1
from search.records import Sentence
from search.refusals import Guard
from search.similarity import Vectors
from search.threshold import FEWEST, FILE, REFUSED, How, Threshold, calibrate, exact_interval, labelled_pairs
from search.threshold_auto import FEWEST_TEXTS, Texts, automatic
from tests.toy import FEELINGS, TOPICS, ToyEncoder

PASSPORT = Passport("toy", "abc", 4, FEELINGS, 0.3, "toy")
KEPT = Threshold(0.8, How.F1, "abc", 0.3, 0.9, 0.85, 0.95, 100, 0.7)


def drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw pairs: those that say the same score around 0.8, others around 0.5."""
    random = np.random.default_rng(seed)
    same = random.random(count) < 0.5
    return np.clip(random.normal(np.where(same, 0.8, 0.5), 0.12), -1, 1), same


@given(st.integers(0, 30), st.integers(1, 30))
def test_the_interval_is_exact(hits: int, more: int) -> None:
    """It is that of scipy's binomial test."""
    reference = binomtest(hits, hits + more).proportion_ci(0.95, "exact")
    assert exact_interval(hits, hits + more) == pytest.approx((reference.low, reference.high))


def test_best_f1_is_chosen_and_holds_on_other_pairs() -> None:
    """On the pairs themselves hardly a threshold is better, and on others it is within 0.02 of the best."""
    scores, same = drawn(2000, 0)
    found = calibrate(scores, same)
    best, _ = best_f1(scores, same.astype(int))
    assert best - 0.005 < found.estimate == f1(scores >= found.value, same) <= best
    assert found.low < found.estimate < found.high
    assert found.pairs == 2000
    others, gold = drawn(2000, 1)
    assert f1(others >= found.value, gold) > best_f1(others, gold.astype(int))[0] - 0.02


def test_on_other_pairs_it_is_better_than_the_best_of_these() -> None:
    """Chosen on few pairs, it loses less on many others than the threshold that is best on the few, on average."""
    others, gold = drawn(20_000, 99)
    best, _ = best_f1(others, gold.astype(int))
    lost: dict[str, float] = {"calibrated": 0.0, "best": 0.0}
    for seed in range(30):
        scores, same = drawn(150, seed)
        for name, value in (
            ("calibrated", calibrate(scores, same).value),
            ("best", best_f1(scores, same.astype(int))[1]),
        ):
            lost[name] += (best - f1(others >= value, gold)) / 30
    assert lost["calibrated"] < 0.8 * lost["best"]


def test_the_lowest_threshold_of_a_precision_is_chosen() -> None:
    """It has the precision, a lower one between two scores has not, and the interval is the exact one."""
    scores, same = drawn(2000, 2)
    found = calibrate(scores, same, precision=0.95)
    merged = scores >= found.value
    assert found.estimate == found.precision == same[merged].mean() >= 0.95
    assert (found.low, found.high) == exact_interval(int(same[merged].sum()), int(merged.sum()))
    lower = [same[scores >= one].mean() for one in scores[scores < found.value]]
    assert max(lower) < 0.95
    assert calibrate(scores, same, precision=0.8).value < found.value


def test_refused_pairs_are_merged_at_no_threshold() -> None:
    """A pair that the guard refuses counts as not merged, however low the threshold."""
    same = np.array([True] * 30 + [False] * 30)
    scores = np.where(same, 0.5, REFUSED)
    found = calibrate(scores, same)
    assert (found.estimate, found.precision, found.recall) == (1.0, 1.0, 1.0)
    assert -1.0 <= found.value <= 0.5


def test_too_few_pairs_are_told() -> None:
    """Fewer than FEWEST of a label are refused, with both counts; so is a precision that no threshold has."""
    same = np.array([True] * FEWEST + [False] * (FEWEST - 1))
    with pytest.raises(InputError, match=f"{FEWEST} pairs say the same and {FEWEST - 1} do not"):
        calibrate(np.linspace(1, 0, len(same)), same)
    scores, gold = drawn(400, 3)
    with pytest.raises(OptionError, match="the best that 20 pairs or more have"):
        calibrate(-scores, gold, precision=0.99)
    with pytest.raises(OptionError, match="precision is 1"):
        calibrate(scores, gold, precision=1.5)


def test_equal_seeds_give_equal_results() -> None:
    """The interval is drawn from the seed alone."""
    scores, same = drawn(300, 4)
    assert calibrate(scores, same, seed=5) == calibrate(scores, same, seed=5)
    assert calibrate(scores, same, seed=5).low != calibrate(scores, same, seed=6).low


def test_kept_beside_an_index(tmp_path: Path) -> None:
    """What is written is read again; none is None."""
    assert Threshold.read(tmp_path) is None
    KEPT.write(tmp_path)
    assert Threshold.read(tmp_path) == KEPT
    assert json.loads((tmp_path / FILE).read_text(encoding="utf-8"))["how"] == "f1"


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 1}', '{"format": 1, "value": "x", "how": "f1"}'])
def test_a_damaged_file_is_told(tmp_path: Path, content: str) -> None:
    """The error names the file."""
    (tmp_path / FILE).write_text(content, encoding="utf-8")
    with pytest.raises(IndexFolderError, match=FILE):
        Threshold.read(tmp_path)


def test_a_newer_format_is_told(tmp_path: Path) -> None:
    """The error names both formats."""
    (tmp_path / FILE).write_text('{"format": 2}', encoding="utf-8")
    with pytest.raises(IndexFolderError, match="format 2, this version reads 1"):
        Threshold.read(tmp_path)


def test_another_encoder_or_weight_is_refused() -> None:
    """A threshold is good for the scores it was found on."""
    KEPT.check(PASSPORT, 0.3)
    with pytest.raises(OptionError, match=r"found at weight 0\.3, this job has weight 0\.5"):
        KEPT.check(PASSPORT, 0.5)
    with pytest.raises(OptionError, match=r"found for the encoder abc, these rows are of toy \(other\)"):
        KEPT.check(Passport("toy", "other", 4, FEELINGS, 0.3, "toy"), 0.3)


def test_labelled_pairs_are_read(tmp_path: Path) -> None:
    """Rows with labels are read; a file without them is refused by name."""
    file = tmp_path / "pairs.tsv"
    file.write_text("sentence1\tsentence2\tlabel\na b\tb a\t1\na\tc\t0\n", encoding="utf-8")
    assert [(one.a, one.b, one.value) for one in labelled_pairs([str(file)])] == [("a b", "b a", 1.0), ("a", "c", 0.0)]
    file.write_text("sentence1\tsentence2\na\tb\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"pairs\.tsv.*column label"):
        labelled_pairs([str(file)])


def texts_of(
    said: Sequence[str],
    rows: Vectors,
    *,
    weight: float = 0.3,
    dim: int = 8,
    sources: Sequence[str] = (),
    known: int | None = None,
) -> Texts:
    """Make texts with rows of their own something to find a threshold for."""
    names = sources or ["a.txt"] * len(said)
    sentences = [Sentence(text, name, 1, 0, len(text)) for text, name in zip(said, names, strict=True)]
    scoring = Scoring(lambda places: rows[places], dim, weight)
    return Texts(len(said), known, lambda places: [sentences[place] for place in places], scoring)


def sphere(count: int, *, copies: int = 0, noise: float = 0.05) -> Vectors:
    """Draw rows evenly on a sphere in 16 dimensions; the last ones are copies of the first, a little moved."""
    random = np.random.default_rng(1)
    rows = random.normal(size=(count, 16))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[count - copies :] = rows[:copies] + noise * random.normal(size=(copies, 16))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32)


def found_for(rows: Vectors, *, known: int | None = None, guard: Guard | None = None, **options: Any) -> Threshold:
    """Find the threshold of rows without labels, whose texts are their numbers."""
    said = [f"text {number}" for number in range(len(rows))]
    passport = Passport("toy", "toy", 16, None, 0.0, "toy")
    texts = texts_of(said, rows, weight=0.0, dim=16, known=known)
    return automatic(texts, passport, guard=guard, **options)


def test_the_wrong_merges_are_as_many_as_expected() -> None:
    """Of copies among rows on a sphere, most are found; no more are wrong than was asked, and than was expected."""
    rows = sphere(1500, copies=300)
    for precision in (0.9, 0.7):
        found = found_for(rows, precision=precision)
        scores = np.triu(rows @ rows.T, 1)
        merged = np.argwhere(scores >= found.value)
        right = int((merged[:, 1] - merged[:, 0] == 1200).sum())
        wrong = len(merged) - right
        assert right > 0.9 * 300
        assert wrong <= 1.5 * (1 - precision) * len(merged)
        assert found.estimate is not None
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.estimate <= found.high
        assert found.estimate / 3 < wrong < found.estimate * 1.5
        assert found.merges == pytest.approx(len(merged), rel=0.35), "two of three texts were looked at"


def test_the_threshold_follows_the_duplicates() -> None:
    """Higher for a higher precision, with fewer duplicates, with more texts; with none it merges next to nothing."""
    usual = found_for(sphere(900, copies=200, noise=0.12)).value
    assert found_for(sphere(900, copies=200, noise=0.12), precision=0.99).value > usual
    assert found_for(sphere(900, copies=20, noise=0.12)).value > usual
    assert found_for(sphere(4000, copies=200, noise=0.12)).value > usual
    rows = sphere(900)
    assert int((np.triu(rows @ rows.T, 1) >= found_for(rows).value).sum()) <= 1


def test_what_the_guard_refuses_is_no_merge() -> None:
    """Pairs that it would refuse do not speak for a low threshold."""
    rows = sphere(900, copies=200, noise=0.12)
    asked: list[tuple[str, str]] = []

    def refuse_all(first: str, second: str, _: object) -> Refusal:
        asked.append((first, second))
        return Refusal(Kind.NUMBER, ())

    found = found_for(rows, guard=refuse_all)
    assert (found.value, found.merges) == (0.99, 0.0)
    assert len(asked) <= 4000
    assert ("text 0", "text 700") in asked or ("text 700", "text 0") in asked
    kept = found_for(rows, guard=lambda *_: None)
    assert kept.value == pytest.approx(found_for(rows).value, abs=0.02), "some pairs stand for all"


def test_one_side_against_another() -> None:
    """Only pairs across the two count: what is copied within a side says nothing."""
    rows = sphere(1000, copies=200)
    across = found_for(rows, known=500)
    within = found_for(np.concatenate([rows[:500], rows[200:700]]), known=500)
    assert across.merges is not None
    assert across.merges > 180
    assert across.value < 0.95
    assert within.pairs == across.pairs == 500 * 500
    with pytest.raises(OptionError, match="40 different texts are too few"):
        found_for(rows, known=960)


def test_it_is_repeatable_and_knows_its_encoder() -> None:
    """The same texts give the same threshold; changed texts are encoded where an encoder is given, and not else."""
    encoder = ToyEncoder()
    said = [f"The {' and '.join(np.random.default_rng(n).choice(TOPICS, 3))} were seen, {n}" for n in range(120)]
    texts = texts_of(said, encoder.encode(said).rows)
    found = automatic(texts, encoder.passport, encoder=encoder)
    assert found == automatic(texts, encoder.passport, encoder=encoder)
    assert (found.how, found.encoder, found.weight) == (How.AUTOMATIC, "toy", 0.3)
    assert 0.5 <= found.value <= 0.99
    assert found.recall is not None
    assert 0 <= found.recall <= 1
    assert automatic(texts, encoder.passport).recall is None


def test_sources_count() -> None:
    """With several sources only pairs across them are taken to be unlike."""
    encoder = ToyEncoder()
    said = [f"room {number} food" for number in range(200)]
    rows = encoder.encode(said).rows
    one = automatic(texts_of(said, rows), encoder.passport)
    across = automatic(texts_of(said, rows, sources=["a", "b"] * 100), encoder.passport)
    assert (one.pairs, across.pairs) == (200 * 199 / 2, 100 * 100)


def test_too_few_texts_are_told() -> None:
    """The count and the fewest are named; so is a precision that is none."""
    with pytest.raises(OptionError, match=f"{FEWEST_TEXTS - 1} different texts are too few.*needs {FEWEST_TEXTS}"):
        found_for(sphere(FEWEST_TEXTS - 1))
    with pytest.raises(OptionError, match="precision is 2"):
        found_for(sphere(100), precision=2.0)


@given(st.text(max_size=40), st.integers(0, 50))
def test_changes_are_small_and_repeatable(text: str, seed: int) -> None:
    """A change is the same for the same seed, leaves at most one word out, and adds none."""
    other = changed(text, [seed])
    assert other == changed(text, [seed])
    assert len(text.split()) - 2 <= len(other.split()) <= len(text.split()) + 1
