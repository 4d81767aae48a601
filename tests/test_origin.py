"""Which encoders an index takes for the one that made it: by their files, else by what they make of the canaries."""

import json
from pathlib import Path

import numpy as np
import pytest

from search.canaries import CANARIES, LEAST_COSINE, MOST_DIFFERENCE, Canaries
from search.compacting import compact_index
from search.errors import IndexFolderError
from search.index import Index
from search.indexing import build_index
from search.manifest import Manifest, checksum
from search.query import Searcher
from search.repairing import repair_index
from search.similarity import Labels, Scale
from search.verifying import verify_index
from tests.test_index import NEW, OLD, corpus_of
from tests.toy import EMOTIONS, FEELINGS, ToyEncoder, TrainedToy

_NEAR = float(np.arccos(LEAST_COSINE)) * 0.9
"""An angle between meanings that is near enough; twice it is too far."""


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Index four sentences with the toy encoder."""
    build_index(corpus_of(tmp_path, OLD), tmp_path / "i", ToyEncoder())
    return tmp_path / "i"


def without_canaries(folder: Path) -> None:
    """Make the manifest one of an earlier version, which had neither canaries nor makers."""
    path = folder / "manifest.json"
    value = json.loads(path.read_text(encoding="utf-8"))
    del value["checksum"], value["encoder"]["canaries"], value["encoder"]["makers"]
    path.write_text(json.dumps({**value, "checksum": checksum(value)}), encoding="utf-8")


def makers(folder: Path) -> list[str]:
    """Name the fingerprints of those who made the rows."""
    return [maker.fingerprint for maker in Manifest.read(folder).origin.makers]


def test_the_same_files_cost_nothing(index: Path, tmp_path: Path) -> None:
    """A new index encodes the canaries once; to ask it, add to it, or make it anew from itself encodes none."""
    encoder = ToyEncoder()
    build_index(corpus_of(tmp_path, OLD), tmp_path / "new", encoder)
    assert encoder.canaries == 1
    with Index(index, encoder) as opened:
        Searcher(opened, encoder).search(["good room"])
    build_index(corpus_of(tmp_path, NEW, "b.txt"), index, encoder)
    build_index(corpus_of(tmp_path, NEW, "b.txt"), index, encoder)
    compact_index(index)
    assert encoder.canaries == 1
    assert makers(index) == ["toy"]


def test_other_files_that_make_the_same_rows_are_the_same_encoder(index: Path, tmp_path: Path) -> None:
    """Such an encoder may ask and add; the index then names both, keeps the first one's canaries, and knows both."""
    canaries = Manifest.read(index).origin.canaries
    saved = ToyEncoder(fingerprint="saved anew")
    with Index(index, saved) as opened:
        assert [hit.entry.sentence.text for hit in Searcher(opened, saved).search(["good room"], k=1)[0]] == OLD[:1]
    assert makers(index) == ["toy"], "to ask changes nothing"
    build_index(corpus_of(tmp_path, NEW, "b.txt"), index, saved)
    manifest = Manifest.read(index)
    assert makers(index) == ["toy", "saved anew"]
    assert (manifest.passport.fingerprint, manifest.origin.canaries) == ("saved anew", canaries)
    compact_index(index)
    assert makers(index) == ["toy", "saved anew"]
    for encoder in (ToyEncoder(), ToyEncoder(fingerprint="saved anew")):
        assert verify_index(index, encoder).problems == ()
        assert encoder.canaries == 1, "verify alone asks for the canaries"
        build_index(corpus_of(tmp_path, ["the pool", encoder.passport.fingerprint], "c.txt"), index, encoder)
        assert encoder.canaries == 1
    assert repair_index(index).manifest.origin.canaries == canaries


def test_who_adds_nothing_is_no_maker(index: Path, tmp_path: Path) -> None:
    """An encoder that finds all files as they were is not noted, and the index stays as it is."""
    before = Manifest.read(index)
    build_index(corpus_of(tmp_path, OLD), index, ToyEncoder(fingerprint="saved anew"))
    assert Manifest.read(index) == before


@pytest.mark.parametrize(
    ("angle", "temperature", "taken"), [(_NEAR, 1.0, True), (2 * _NEAR, 1.0, False), (0.0, 2.0, False)]
)
def test_canaries_tell_how_far_an_encoder_is(index: Path, angle: float, temperature: float, taken: bool) -> None:
    """Meanings that are turned too far, and probabilities that are others, are refused with figures and bounds."""
    encoder = TrainedToy(angle, temperature=temperature)
    found = Canaries.of(ToyEncoder()).compare(encoder)
    assert found.cosine == pytest.approx(np.cos(angle), abs=1e-4)
    assert (found.difference > MOST_DIFFERENCE) == (temperature != 1.0)
    if taken:
        Index(index, encoder).close()
        return
    with pytest.raises(IndexFolderError) as refused:
        Index(index, encoder)
    told = str(refused.value)
    assert f"{index} was made by the encoder toy (toy); toy (trained) is another, whose scores would mean" in told
    assert "another model, or the same one trained further" in told
    assert f"{found.cosine:.3f} (at least {LEAST_COSINE:g})" in told
    assert f"{found.difference:.3f} (at most {MOST_DIFFERENCE:g})" in told
    assert "with --encoder, or index the files again with --encoder toy --overwrite" in told


def test_encoders_cannot_drift_away_one_by_one(index: Path, tmp_path: Path) -> None:
    """One that is near enough may add; one near to that one, but not to the first, may not."""
    build_index(corpus_of(tmp_path, NEW, "b.txt"), index, TrainedToy(_NEAR))
    with pytest.raises(IndexFolderError, match="is another"):
        build_index(corpus_of(tmp_path, NEW, "b.txt"), index, TrainedToy(2 * _NEAR, fingerprint="third"))


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (Labels(FEELINGS.names[::-1], Scale.ORDINAL), "in another order"),
        (EMOTIONS, "its labels are anger, fear, joy (nominal), the index's negative, neutral, positive (ordinal)"),
        (None, "its labels are none, the index's negative, neutral, positive (ordinal)"),
    ],
)
def test_other_labels_are_told_without_encoding(index: Path, labels: Labels | None, told: str) -> None:
    """Labels, their order and their scale must be the index's."""
    encoder = ToyEncoder(labels, fingerprint="other")
    with pytest.raises(IndexFolderError) as refused:
        Index(index, encoder)
    assert told in str(refused.value)
    assert encoder.canaries == 0


def test_an_index_without_canaries_takes_only_its_own_encoder(index: Path, tmp_path: Path) -> None:
    """As before, by its files; the next run with that encoder, even if it finds nothing to do, adds the canaries."""
    without_canaries(index)
    assert Manifest.read(index).origin.canaries is None
    assert makers(index) == ["toy"]
    Index(index, ToyEncoder()).close()
    assert verify_index(index, ToyEncoder()).problems == ()
    with pytest.raises(IndexFolderError, match=r"is another.*no canaries"):
        Index(index, ToyEncoder(fingerprint="saved anew"))
    compact_index(index)
    assert Manifest.read(index).origin.canaries is None
    build_index(corpus_of(tmp_path, OLD), index, ToyEncoder())
    Index(index, ToyEncoder(fingerprint="saved anew")).close()


def test_an_unfinished_replacement_is_gone_on_with_by_the_same_encoder_only(index: Path, tmp_path: Path) -> None:
    """One whose rows are others begins anew; its own canaries are those of the new index."""
    other = TrainedToy(1.0)
    build_index(corpus_of(tmp_path, NEW), index, other, overwrite=True)
    assert makers(index) == ["trained"]
    assert Manifest.read(index).origin.canaries == Canaries.of(other)


def test_canaries_on_disk(index: Path) -> None:
    """They come back as they were written, to half precision, and without labels too."""
    for encoder in (ToyEncoder(), ToyEncoder(None)):
        canaries = Canaries.of(encoder)
        assert Canaries.from_json(json.loads(json.dumps(canaries.to_json()))) == canaries
        likeness = canaries.compare(encoder)
        assert likeness.cosine == pytest.approx(1.0, abs=1e-4)
        assert likeness.difference < 3e-4
    assert (index / "manifest.json").stat().st_size < 30_000
    assert len(set(CANARIES)) == len(CANARIES) == 12
    with pytest.raises(IndexFolderError, match="canaries are damaged"):
        Canaries.from_json({"texts": ["a"], "backend": "toy", "meaning": "%", "probabilities": ""})
