"""The checkpoint that ships: what it is, that it is there without anything else, and what negation does to it."""

import csv
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from search.checkpoint import BASE_ENCODER, SHIPPED_ENCODER, Layout, find
from search.encoder import Encoder
from search.encoders import load_encoder
from search.similarity import polarity
from tests.cli_runner import ROOT

pytestmark = pytest.mark.slow

PAIRS = ROOT / "tests/data/negation_pairs.tsv"


@pytest.fixture(scope="module")
def shipped() -> Encoder:
    """Load the encoder that every command uses by default."""
    return load_encoder()


def test_it_is_small_and_says_what_it_is(shipped: Encoder) -> None:
    """Three ordered feelings, at most 50 MB of weights, a model card and a report beside them."""
    assert shipped.passport.name == SHIPPED_ENCODER
    assert shipped.passport.labels is not None
    assert shipped.passport.labels.names == ("negative", "neutral", "positive")
    folder = find(SHIPPED_ENCODER)
    assert sum(path.stat().st_size for path in folder.rglob("*.safetensors")) <= 50_000_000
    card = Layout(folder).model_card.read_text(encoding="utf-8")
    for said in ("SST-2", "CC BY", "Apache-2.0", "all-MiniLM-L6-v2", "sst2_train.tsv"):
        assert said in card


def test_it_keeps_the_meaning_of_its_base(shipped: Encoder) -> None:
    """On the hotel reviews, its meaning is within a cosine of 0.95 of the base's on average."""
    texts = (ROOT / "corpora/hotels.txt").read_text(encoding="utf-8").splitlines()[:100]
    base = load_encoder(BASE_ENCODER).encode(texts).rows
    kept = (shipped.encode(texts).rows[:, : base.shape[1]] * base).sum(axis=1)
    assert kept.mean() >= 0.95


def test_negation_turns_its_feeling(shipped: Encoder) -> None:
    """Of a hundred short pairs, in 90 or more the positive text is on the positive side, its negation on the other."""
    with PAIRS.open(encoding="utf-8", newline="") as file:
        pairs = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(pairs) == 100
    good = polarity(shipped.encode([pair["positive"] for pair in pairs]).probabilities)
    bad = polarity(shipped.encode([pair["negative"] for pair in pairs]).probabilities)
    assert np.sum((good > 0) & (bad < 0)) >= 90


def test_a_wheel_carries_it(tmp_path: Path) -> None:
    """A wheel built from the repository holds every file of the checkpoint, so that it works offline when installed."""
    built = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(tmp_path)]
    subprocess.run([*built, str(ROOT)], check=True, capture_output=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    held = {name.partition("models/")[2] for name in zipfile.ZipFile(wheel).namelist() if "models/" in name}
    folder = find(SHIPPED_ENCODER)
    own = {path.relative_to(folder.parent).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert own
    assert held == own
