"""The near level: pieces, shares, and that the bands find what a comparison of all with all finds."""

import itertools
import random

import numpy as np
import pytest

from search.errors import OptionError
from search.near import band_keys, check_share, near_candidates, share, shingles


def test_shingles() -> None:
    """Pieces of five characters; case and white space do not count, punctuation does; a short text is one piece."""
    assert shingles("A  Room!") == {"a roo", " room", "room!"}
    assert shingles("C++") == {"c++"} != shingles("C#")
    assert shingles("") == {""}


def test_share() -> None:
    """Common pieces by all pieces."""
    assert share("a room!", "A ROOM!") == 1.0
    assert share("a room!", "a room?") == 2 / 4
    assert share("room", "pool") == 0.0


def _sentences(count: int) -> list[str]:
    """Return sentences, and copies of them with a letter changed here and there."""
    draw = random.Random(3)  # noqa: S311 - not a secret
    words = ["".join(draw.choices("abcdefghijklmnop", k=draw.randint(2, 9))) for _ in range(400)]
    texts = [" ".join(draw.choices(words, k=draw.randint(5, 30))) for _ in range(count)]
    for number in range(0, count, 3):
        letters = list(texts[number])
        for _ in range(draw.randint(1, 3)):
            letters[draw.randrange(len(letters))] = "z"
        texts.append("".join(letters))
    return texts


def test_bands_find_what_all_with_all_finds() -> None:
    """Of the pairs that share 0.9, all are candidates; each once, lower first, in order; the same every time."""
    texts = _sentences(360)
    pairs = itertools.combinations(range(len(texts)), 2)
    near = {(a, b) for a, b in pairs if share(texts[a], texts[b]) >= 0.9}
    assert len(near) > 20
    candidates = near_candidates(band_keys(texts))
    found = [tuple(pair) for pair in candidates.tolist()]
    assert found == sorted(set(found))
    assert all(a < b for a, b in found)
    assert near <= set(found)
    assert len(found) < 600
    assert np.array_equal(band_keys(texts[:50]), band_keys(texts)[:50])


def test_candidates_of_two_sides() -> None:
    """With a border, only pairs across it are looked at."""
    keys = band_keys(["the same line of text", "the same line of text", "the same line of text", "another"])
    assert near_candidates(keys).tolist() == [[0, 1], [0, 2], [1, 2]]
    assert near_candidates(keys, 1).tolist() == [[0, 1], [0, 2]]
    assert near_candidates(keys, 3).tolist() == []
    assert near_candidates(band_keys([]), 0).shape == (0, 2)


@pytest.mark.parametrize("value", [0.79, 1.01, float("nan")])
def test_a_share_out_of_range(value: float) -> None:
    """What the bands would not find is not promised."""
    with pytest.raises(OptionError, match=r"it must lie between 0\.8 and 1"):
        check_share(value)
