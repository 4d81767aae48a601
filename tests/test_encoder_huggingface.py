"""The reference encoder: texts to rows through HuggingFaceEmbeddings, on real, if small, models."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.checkpoint import Card
from search.encoder_huggingface import HuggingFaceEncoder
from search.errors import EncoderError
from search.similarity import Labels, Scale, sentiment_blocks, softmax

pytestmark = pytest.mark.slow

TEXTS = [
    "the room was good",
    "bad food",
    "the staff were rude and loud, again",
    "bad food",
    "caf\u00e9 \u2764 \u6e29\u6cc9",
    "x" * 3000,
    "very",
]


@pytest.fixture(scope="module")
def plain(small_bert: Path) -> HuggingFaceEncoder:
    """Load the small BERT, which is a plain transformers folder."""
    return HuggingFaceEncoder(str(small_bert), device="cpu")


def _with_head(small_bert: Path, folder: Path, labels: Labels, temperature: float) -> Path:
    """Put an untrained joint head on the small BERT, and random weights into its logits."""
    import torch

    from search.joint import joint_model, load_base

    model = joint_model(load_base(small_bert, 0.0), None, labels)
    head: Any = model[2]
    width = head.linear.in_features // 2
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        head.linear.weight[width:, :width] = torch.randn(len(labels.names), width, generator=generator)
    model.save(str(folder), create_model_card=False)
    Card(labels, temperature=temperature, default_weight=0.45).write(folder)
    return folder


@pytest.fixture(scope="module", params=[Scale.ORDINAL, Scale.NOMINAL])
def labelled(
    request: pytest.FixtureRequest, small_bert: Path, tmp_path_factory: pytest.TempPathFactory
) -> HuggingFaceEncoder:
    """Load a checkpoint with three labels, ordinal or nominal."""
    labels = Labels(("low", "middle", "high"), request.param)
    folder = _with_head(small_bert, tmp_path_factory.mktemp("checkpoints") / str(request.param), labels, 2.0)
    return HuggingFaceEncoder(str(folder), device="cpu")


def test_a_plain_bert_folder_is_an_encoder_with_meaning_only(plain: HuggingFaceEncoder, small_bert: Path) -> None:
    """Its passport says so; its rows are its mean-pooled tokens at length 1."""
    passport = plain.passport
    assert (passport.meaning_dim, passport.labels, passport.width) == (32, None, 32)
    assert (passport.name, passport.backend, len(passport.fingerprint)) == (str(small_bert), "torch", 64)
    encoded = plain.encode(TEXTS)
    assert encoded.rows.shape == (7, 32)
    assert encoded.probabilities.shape == (7, 0)


def test_rows_are_the_mean_of_the_last_layer(plain: HuggingFaceEncoder, small_bert: Path) -> None:
    """The rows equal those computed with transformers alone."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(small_bert)
    model = AutoModel.from_pretrained(small_bert).eval()
    rows = plain.encode(TEXTS[:3]).rows
    for text, row in zip(TEXTS[:3], rows, strict=True):
        with torch.no_grad():
            mean = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(dim=0).numpy()
        np.testing.assert_allclose(row, mean / np.linalg.norm(mean), atol=1e-5)


def test_rows_are_unit_blocks_in_one_piece(plain: HuggingFaceEncoder, labelled: HuggingFaceEncoder) -> None:
    """float32, C-contiguous, and each block of length 1."""
    for encoder in (plain, labelled):
        rows = encoder.encode(TEXTS).rows
        dim = encoder.passport.meaning_dim
        assert rows.dtype == np.dtype(np.float32)
        assert rows.flags["C_CONTIGUOUS"]
        assert rows.shape == (7, encoder.passport.width)
        np.testing.assert_allclose(np.linalg.norm(rows[:, :dim], axis=1), 1.0, atol=1e-6)
        if encoder.passport.labels:
            np.testing.assert_allclose(np.linalg.norm(rows[:, dim:], axis=1), 1.0, atol=1e-6)


def test_sentiment_comes_from_the_logits_and_the_temperature(labelled: HuggingFaceEncoder) -> None:
    """The last C numbers of the model, divided by the card's temperature, give probabilities and the block."""
    labels = labelled.passport.labels
    assert labels is not None
    assert labelled.passport.default_weight == 0.45
    assert labelled.passport.width == 32 + (2 if labels.scale is Scale.ORDINAL else 3)
    raw = np.array(labelled._embeddings.embed_documents(TEXTS), dtype=np.float32)
    assert raw.shape == (7, 35)
    encoded = labelled.encode(TEXTS)
    expected = softmax(raw[:, 32:], 2.0)
    np.testing.assert_allclose(encoded.probabilities, expected, atol=1e-6)
    np.testing.assert_allclose(encoded.rows[:, 32:], sentiment_blocks(expected, labels), atol=1e-6)
    assert np.ptp(expected, axis=0).max() > 0.001


def test_the_head_leaves_the_meaning_alone(plain: HuggingFaceEncoder, labelled: HuggingFaceEncoder) -> None:
    """A joint head on a base gives the base's own meaning, cosine 1."""
    cosines = (plain.encode(TEXTS).rows * labelled.encode(TEXTS).rows[:, :32]).sum(axis=1)
    np.testing.assert_allclose(cosines, 1.0, atol=1e-6)


def test_order_and_company_do_not_matter(labelled: HuggingFaceEncoder) -> None:
    """Equal texts have one row; another order, or other texts beside, give the same rows."""
    rows = labelled.encode(TEXTS).rows
    np.testing.assert_array_equal(rows[1], rows[3])
    np.testing.assert_allclose(labelled.encode(TEXTS[::-1]).rows[::-1], rows, atol=2e-6)
    for text, row in zip(TEXTS, rows, strict=True):
        np.testing.assert_allclose(labelled.encode([text]).rows[0], row, atol=2e-6)


def test_more_texts_than_a_block_stay_in_order(plain: HuggingFaceEncoder) -> None:
    """Texts go through in blocks of 2,048; the rows beyond the first block are their own texts'."""
    many = ["bad food"] * 2047 + ["the room was good", "the staff were rude and loud, again", "bad food"]
    rows = plain.encode(many).rows
    few = plain.encode(TEXTS[:3]).rows
    np.testing.assert_allclose(rows[[2046, 2047, 2048, 2049]], few[[1, 0, 2, 1]], atol=2e-6)


def test_no_texts_give_no_rows_of_the_full_width(plain: HuggingFaceEncoder, labelled: HuggingFaceEncoder) -> None:
    """The empty list gives (0, d+s), and (0, C) probabilities."""
    assert plain.encode([]).rows.shape == (0, 32)
    assert labelled.encode([]).rows.shape == (0, labelled.passport.width)
    assert labelled.encode([]).probabilities.shape == (0, 3)


def test_equal_folders_have_equal_fingerprints(plain: HuggingFaceEncoder, small_bert: Path, tmp_path: Path) -> None:
    """A copy of the folder is the same encoder under another name."""
    shutil.copytree(small_bert, tmp_path / "copy")
    copy = HuggingFaceEncoder(str(tmp_path / "copy"), device="cpu").passport
    assert (copy.fingerprint, copy.name) == (plain.passport.fingerprint, str(tmp_path / "copy"))


@pytest.mark.parametrize(
    ("name", "content"),
    [("model.safetensors", b"\xff" * 300), ("config.json", b"{}"), ("model.safetensors", None)],
)
def test_a_damaged_model_is_refused(name: str, content: bytes | None, small_bert: Path, tmp_path: Path) -> None:
    """Weights cut short, a configuration of nothing, and weights that are gone are our error, naming the folder."""
    folder = tmp_path / "damaged"
    shutil.copytree(small_bert, folder)
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(EncoderError, match="damaged cannot be loaded as an encoder"):
        HuggingFaceEncoder(str(folder))
