"""Batches of token numbers: every text once, whole, in shapes that are few and no larger than is said."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from search.padding import FEW, MANY, Padder, Shapes

PAD, LONGEST = 9, 256

TOKENS = st.lists(st.integers(1, LONGEST).map(lambda length: list(range(10, 10 + length))), max_size=60)


@given(TOKENS, st.sampled_from([FEW, MANY]))
def test_every_text_is_in_one_batch_whole(tokens: list[list[int]], shapes: Shapes) -> None:
    """What the mask leaves is the text; the rest is padding; a row of nothing has one token that counts."""
    found: dict[int, list[int]] = {}
    for batch in Padder(PAD, LONGEST).batches(tokens, shapes):
        assert batch.numbers.shape == batch.mask.shape
        assert (batch.numbers[batch.mask == 0] == PAD).all()
        assert batch.mask.any(axis=1).all()
        for text, numbers, mask in zip(batch.texts, batch.numbers, batch.mask, strict=False):
            assert text not in found
            found[text] = numbers[mask == 1].tolist()
    assert found == dict(enumerate(tokens))


@given(TOKENS)
def test_batches_are_bounded(tokens: list[list[int]]) -> None:
    """No more tokens than 1,024, nor pairs of tokens than 65,536, unless one text alone has more."""
    for batch in Padder(PAD, LONGEST).batches(tokens, MANY):
        size, length = batch.numbers.shape
        assert size * length <= 1024
        assert size == 1 or size * length**2 <= 65_536


def test_shapes_are_few() -> None:
    """However many texts of all lengths up to 64 there are: whole batches, halves and what is left of odd halves."""
    draw = np.random.default_rng(1)
    sizes: dict[int, set[int]] = {}
    for count in range(2000, 3000, 50):
        tokens = [[1] * int(length) for length in draw.integers(1, 65, count)]
        for batch in Padder(PAD, LONGEST).batches(tokens, MANY):
            size, length = batch.numbers.shape
            sizes.setdefault(length, set()).add(size)
    assert set(sizes) == set(range(4, 65, 4))
    for length, some in sizes.items():
        most = 1024 // length
        assert some <= {1, most // 2, most // 2 * 2, most}


def test_few_texts_make_fewer_lengths_where_these_change_nothing() -> None:
    """Up to 32 tokens by 8 instead of 4; beyond, the length is the text's own."""
    padder = Padder(PAD, LONGEST)
    assert [padder.length(tokens, FEW.step) for tokens in (1, 9, 20, 32)] == [8, 16, 24, 32]
    assert [padder.length(tokens) for tokens in (1, 9, 20, 32)] == [4, 12, 20, 32]
    for tokens in range(33, LONGEST + 1):
        assert padder.length(tokens, FEW.step) == padder.length(tokens) >= tokens


def test_a_text_alone_has_nothing_beside_it() -> None:
    """One row, of the length asked for."""
    batch = Padder(PAD, LONGEST).alone([5, 6, 7], 8)
    assert batch.numbers.tolist() == [[5, 6, 7, PAD, PAD, PAD, PAD, PAD]]
    assert batch.mask.tolist() == [[1, 1, 1, 0, 0, 0, 0, 0]]
