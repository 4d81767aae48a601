"""How two runs of one encoder are compared: figures by hand, and what falls short."""

import numpy as np
import pytest

from search.agreement import ENOUGH, NEIGHBOURS, Agreement, compare
from search.encoder import Encoded, Passport
from search.similarity import unit
from tests.toy import FEELINGS

PASSPORT = Passport("toy", "toy", 2, None, 0.3, "toy")


def _encoded(degrees: list[float], best: list[int] | None = None) -> Encoded:
    """Give meanings at these angles, and certain labels."""
    angles = np.radians(np.array(degrees))
    rows = unit(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    return Encoded(rows, np.eye(3, dtype=np.float32)[best or [0] * len(degrees)])


def test_cosines_and_labels_are_those_of_the_same_sentence() -> None:
    """Turned by 0, 60 and 90 degrees: mean (1 + 0.5 + 0) / 3, least 0; one label of three differs."""
    passport = Passport("toy", "toy", 2, FEELINGS, 0.3, "toy")
    found = compare(_encoded([0, 10, 20], [0, 1, 2]), _encoded([0, 70, 110], [0, 1, 1]), passport)
    assert found.sentences == 3
    assert found.cosine_mean == pytest.approx(0.5)
    assert found.cosine_min == pytest.approx(0.0, abs=1e-6)
    assert found.labels == pytest.approx(2 / 3)
    assert found.overlap is None


def test_overlap_is_the_share_of_the_nearest_others() -> None:
    """Equal rows share all ten; a shuffled half of them far fewer; without labels nothing is said of them."""
    degrees = [float(value) for value in np.random.default_rng(1).uniform(0, 360, ENOUGH)]
    same = compare(_encoded(degrees), _encoded(degrees), PASSPORT)
    assert (same.overlap, same.labels) == (1.0, None)
    turned = degrees[: ENOUGH // 2] + degrees[: ENOUGH // 2 - 1 : -1]
    other = compare(_encoded(degrees), _encoded(turned), PASSPORT)
    assert other.overlap is not None
    assert other.overlap < 0.9
    assert NEIGHBOURS == 10


def test_what_falls_short_is_named_with_both_figures() -> None:
    """Each of the three, and nan; nothing where all is well or not measured."""
    assert Agreement(300, 0.998, 0.98, 0.95, 0.97).complaints == []
    assert Agreement(50, 0.998, 0.98, None, None).complaints == []
    assert Agreement(300, 0.99, 0.9, 0.9, 0.5).complaints == [
        "mean cosine 0.9900 (at least 0.995)",
        "overlap of the 10 nearest 0.9000 (at least 0.93)",
        "label agreement 0.5000 (at least 0.96)",
    ]
    assert Agreement(300, float("nan"), float("nan"), None, None).complaints == ["mean cosine nan (at least 0.995)"]
