"""Thresholds chosen on labelled pairs or without labels, and kept beside an index."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from search.changes import changed
from search.encoder import Passport
from search.errors import IndexFolderError, InputError, OptionError
from search.metrics import best_f1, f1
from search.threshold import FEWEST, FILE, REFUSED, How, Threshold, calibrate, exact_interval, labelled_pairs
from search.threshold_auto import FEWEST_TEXTS, automatic
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


def sentences(count: int) -> list[str]:
    """Write different sentences of a few topics each."""
    random = np.random.default_rng(0)
    return [f"The {' and '.join(random.choice(TOPICS, 3))} were seen, says {number}" for number in range(count)]


def test_automatic_is_repeatable_and_knows_its_encoder() -> None:
    """The same texts give the same threshold, in any order; it is inside its bounds and its interval holds it."""
    encoder, texts = ToyEncoder(), sentences(120)
    rows = encoder.encode(texts).rows
    found = automatic(rows, texts, encoder, weight=0.3).threshold
    assert found == automatic(rows, texts, encoder, weight=0.3).threshold
    backwards = automatic(rows[::-1].copy(), texts[::-1], encoder, weight=0.3).threshold
    assert backwards.value == pytest.approx(found.value, abs=1e-3)
    assert (found.how, found.encoder, found.weight) == (How.AUTOMATIC, "toy", 0.3)
    assert 0.5 <= found.value <= 0.99
    assert found.estimate is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.high
    assert found.recall is not None
    assert 0 <= found.recall <= 1


def test_the_law_is_that_of_the_scores() -> None:
    """Rows drawn evenly on a sphere have a known tail: what is expected is what all pairs have, to a factor of 1.5."""
    encoder = ToyEncoder(labels=None)
    texts = [f"text {number}" for number in range(1500)]
    rows = np.random.default_rng(1).normal(size=(1500, encoder.passport.meaning_dim)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = automatic(rows, texts, encoder, weight=0.0, false_share=0.2).threshold
    scores = rows @ rows.T
    real = int((scores[np.triu_indices(1500, 1)] >= found.value).sum())
    assert found.estimate == pytest.approx(300, rel=0.1)
    assert 300 / 1.5 < real < 300 * 1.5


def test_sources_and_shares_count() -> None:
    """Fewer wrong merges ask for a higher threshold; with sources only pairs across them are looked at."""
    encoder, texts = ToyEncoder(), sentences(200)
    rows = encoder.encode(texts).rows
    strict, loose = (automatic(rows, texts, encoder, weight=0.3, false_share=one).threshold for one in (0.001, 0.2))
    assert strict.value >= loose.value
    across = automatic(rows, texts, encoder, weight=0.3, sources=["a", "b"] * 100).threshold
    assert across.pairs < strict.pairs
    assert len(automatic(rows, texts, encoder, weight=0.3).borderline) <= 5


def test_too_few_texts_are_told() -> None:
    """Equal texts count once."""
    encoder, texts = ToyEncoder(), ["the same"] * FEWEST_TEXTS
    with pytest.raises(OptionError, match=f"1 different texts are too few.*needs {FEWEST_TEXTS}"):
        automatic(encoder.encode(texts).rows, texts, encoder, weight=0.3)
    with pytest.raises(OptionError, match="false_share is 2"):
        automatic(encoder.encode(texts).rows, texts, encoder, weight=0.3, false_share=2.0)


@given(st.text(max_size=40), st.integers(0, 50))
def test_changes_are_small_and_repeatable(text: str, seed: int) -> None:
    """A change is the same for the same seed, leaves at most one word out, and adds none."""
    other = changed(text, [seed])
    assert other == changed(text, [seed])
    assert len(text.split()) - 2 <= len(other.split()) <= len(text.split()) + 1
