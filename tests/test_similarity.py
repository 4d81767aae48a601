"""The score is the weighed sum of two cosines, and one inner product."""

import math

import numpy as np
import pytest

from search.errors import EncoderError, OptionError
from search.similarity import (
    Labels,
    Scale,
    Vectors,
    check_weight,
    label_block,
    opposite,
    parts,
    polarity,
    sentiment_blocks,
    softmax,
    total,
    unit,
    weigh,
)
from tests.toy import EMOTIONS, FEELINGS

WEIGHTS = (0.0, 0.3, 0.5, 0.7, 1.0)
STARS = Labels(("1", "2", "3", "4", "5"), Scale.ORDINAL)


def random_rows(count: int, meaning_dim: int, labels: Labels, seed: int = 0) -> Vectors:
    """Make rows of a random unit meaning and the block of random probabilities."""
    random = np.random.default_rng(seed)
    meaning = unit(random.normal(size=(count, meaning_dim)))
    probabilities = random.dirichlet(np.ones(len(labels.names)), size=count)
    return np.hstack([meaning, sentiment_blocks(probabilities, labels)])


def test_unit_rows_have_length_one() -> None:
    """Rows are divided by their length, to contiguous float32; a zero row stays zero."""
    rows = unit(np.array([[3.0, 4.0], [0.0, 0.0], [-0.5, 0.0]])[:, ::-1])
    np.testing.assert_allclose(rows, [[0.8, 0.6], [0.0, 0.0], [0.0, -1.0]], rtol=1e-7)
    assert rows.dtype == np.float32
    assert rows.flags.c_contiguous
    assert unit(np.empty((0, 3))).shape == (0, 3)


def test_softmax_is_the_definition() -> None:
    """Probabilities are exp(logit / temperature) over their sum, also for logits whose exponential overflows."""
    logits = np.array([[0.0, math.log(3.0)], [1000.0, 1000.0]])
    np.testing.assert_allclose(softmax(logits), [[0.25, 0.75], [0.5, 0.5]], rtol=1e-6)
    np.testing.assert_allclose(softmax(logits[:1], 0.5), [[0.1, 0.9]], rtol=1e-6)
    assert softmax(np.empty((4, 0))).shape == (4, 0)
    assert softmax(np.empty((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [([1, 0, 0, 0, 0], -1.0), ([0, 1, 0, 0, 0], -0.5), ([0, 0, 0.5, 0.5, 0], 0.25), ([0.5, 0, 0, 0, 0.5], 0.0)],
)
def test_polarity_is_the_expected_position(probabilities: list[float], expected: float) -> None:
    """Five stars lie at -1, -0.5, 0, 0.5 and 1."""
    assert polarity([probabilities]).tolist() == pytest.approx([expected])


def test_ordinal_blocks_are_angles() -> None:
    """Certain labels agree with cos(0), cos(45 degrees) and cos(90 degrees), as they are 0, 1 or 2 steps apart."""
    blocks = sentiment_blocks(np.eye(3), FEELINGS)
    half = math.sqrt(0.5)
    np.testing.assert_allclose(blocks @ blocks.T, [[1, half, 0], [half, 1, half], [0, half, 1]], atol=1e-6)
    np.testing.assert_allclose(blocks, [[1.0, 0.0], [half, half], [0.0, 1.0]], atol=1e-6)


def test_nominal_agreement_is_bhattacharyya() -> None:
    """Agreement of nominal labels is the sum of the roots of the products of probabilities."""
    p = np.random.default_rng(1).dirichlet(np.ones(3), size=20)
    blocks = sentiment_blocks(p, EMOTIONS)
    np.testing.assert_allclose(blocks @ blocks.T, np.sqrt(p[:, None] * p[None]).sum(axis=2), atol=1e-6)
    np.testing.assert_allclose(sentiment_blocks(np.eye(3), EMOTIONS), np.eye(3))


@pytest.mark.parametrize("labels", [FEELINGS, EMOTIONS, STARS])
def test_blocks_are_as_wide_as_the_labels_say(labels: Labels) -> None:
    """Ordinal blocks are 2 wide, nominal ones a number a label; all are unit and never negative; none give none."""
    blocks = random_rows(50, 4, labels)[:, 4:]
    assert labels.width == (2 if labels.scale is Scale.ORDINAL else len(labels.names))
    assert blocks.shape == (50, labels.width)
    assert blocks.min() >= 0
    np.testing.assert_allclose(np.linalg.norm(blocks, axis=1), 1, rtol=1e-6)
    assert sentiment_blocks(np.empty((0, len(labels.names))), labels).shape == (0, labels.width)


@pytest.mark.parametrize("labels", [FEELINGS, EMOTIONS, STARS])
def test_a_labels_block_is_the_certain_sentences(labels: Labels) -> None:
    """Asking for a label by name is asking for the block of a sentence that surely has it."""
    certain = sentiment_blocks(np.eye(len(labels.names)), labels)
    for number, name in enumerate(labels.names):
        assert label_block(labels, name).tolist() == certain[number].tolist()


def test_an_unknown_label_is_refused() -> None:
    """The message names the label and those that exist."""
    with pytest.raises(OptionError, match=r"'happy'.*negative, neutral, positive"):
        label_block(FEELINGS, "happy")


def test_opposite_mirrors_the_polarity() -> None:
    """The opposite of probabilities is the block of the reversed probabilities; neutral is its own."""
    p = np.random.default_rng(2).dirichlet(np.ones(5), size=20)
    blocks = sentiment_blocks(p, STARS)
    np.testing.assert_allclose(opposite(blocks, STARS), sentiment_blocks(p[:, ::-1], STARS), atol=1e-6)
    assert opposite(opposite(blocks, STARS), STARS).tolist() == blocks.tolist()
    assert opposite(blocks, STARS).flags.c_contiguous
    neutral = label_block(FEELINGS, "neutral")[None]
    np.testing.assert_allclose(opposite(neutral, FEELINGS), neutral, atol=1e-6)


def test_nominal_labels_have_no_opposite() -> None:
    """The message names the labels."""
    with pytest.raises(EncoderError, match=r"nominal \(anger, fear, joy\)"):
        opposite(sentiment_blocks(np.eye(3), EMOTIONS), EMOTIONS)


@pytest.mark.parametrize("weight", [-0.01, 1.01, math.nan, math.inf])
def test_a_weight_out_of_range_is_refused(weight: float) -> None:
    """Weights lie between 0 and 1, which both are allowed."""
    check_weight(0.0)
    check_weight(1.0)
    with pytest.raises(OptionError, match="between 0"):
        check_weight(weight)
    with pytest.raises(OptionError, match=f"weight is {weight:g}"):
        weigh(random_rows(1, 3, FEELINGS), weight, 3)


@pytest.mark.parametrize("labels", [FEELINGS, EMOTIONS])
@pytest.mark.parametrize("weight", WEIGHTS)
def test_the_score_is_one_inner_product(weight: float, labels: Labels) -> None:
    """(1-w) cosine + w agreement, `weigh` with an inner product, and `total` of `parts` are the same number."""
    a, b = random_rows(40, 16, labels, 3), random_rows(40, 16, labels, 4)
    before = a.copy()
    cosine = [float(x[:16].astype(np.float64) @ y[:16]) for x, y in zip(a, b, strict=True)]
    agreement = [float(x[16:].astype(np.float64) @ y[16:]) for x, y in zip(a, b, strict=True)]
    expected = [(1 - weight) * m + weight * s for m, s in zip(cosine, agreement, strict=True)]
    weighed = weigh(a, weight, 16)
    np.testing.assert_allclose((weighed * b).sum(axis=1), expected, atol=1e-6)
    meaning, sentiment = parts(a, b, 16)
    assert meaning.tolist() == np.round(cosine, 6).tolist()
    assert sentiment.tolist() == np.round(agreement, 6).tolist()
    np.testing.assert_allclose(total(meaning, sentiment, weight), expected, atol=1.1e-6)
    assert a.tolist() == before.tolist()
    assert weighed.dtype == np.float32


@pytest.mark.parametrize("labels", [FEELINGS, EMOTIONS, STARS])
@pytest.mark.parametrize("meaning_dim", [2, 384])
def test_a_row_scores_exactly_one_against_itself(labels: Labels, meaning_dim: int) -> None:
    """Self-score is 1.0, not nearly, for every weight; no score leaves [-1, 1]."""
    rows = random_rows(300, meaning_dim, labels, 5)
    other = random_rows(300, meaning_dim, labels, 6)
    other[:150, :meaning_dim] = -rows[:150, :meaning_dim]
    for weight in WEIGHTS:
        assert set(total(*parts(rows, rows, meaning_dim), weight).tolist()) == {1.0}
        assert np.abs(total(*parts(rows, other, meaning_dim), weight)).max() <= 1.0


def test_a_pairs_score_does_not_depend_on_the_batch() -> None:
    """Alone, among others, in another memory layout or the other way round, a pair scores the same to the last bit."""
    a, b = random_rows(64, 384, FEELINGS, 7), random_rows(64, 384, FEELINGS, 8)
    meaning, sentiment = parts(a, b, 384)
    for layout in (np.asfortranarray(a), a[::-1][::-1]):
        assert parts(layout, b, 384)[0].tolist() == meaning.tolist()
    assert parts(b, a, 384)[0].tolist() == meaning.tolist()
    for row in range(64):
        alone = parts(a[row : row + 1], b[row : row + 1], 384)
        assert (alone[0][0], alone[1][0]) == (meaning[row], sentiment[row])


def test_without_a_meaning_only_sentiment_scores() -> None:
    """A text whose meaning is the zero vector scores the weight against itself, and no encoder part scores 0."""
    row = np.hstack([np.zeros((1, 3), np.float32), label_block(FEELINGS, "positive")[None]])
    assert total(*parts(row, row, 3), 0.3).tolist() == [0.3]
    plain = unit([[1.0, 2.0]])
    assert [one.tolist() for one in parts(plain, plain, 2)] == [[1.0], [0.0]]
