"""Fine-tuning: the report, the temperature, seeds, and what is learned and kept; on the small BERT."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from search.checkpoint import Card, fingerprint
from search.encoder_huggingface import HuggingFaceEncoder
from search.errors import InputError, OptionError
from search.finetune import finetune
from search.joint import LengthGroupedSampler
from search.progress import SILENT
from search.similarity import Labels, Scale
from search.training import train
from search.training_data import from_texts
from search.training_options import FinetuneOptions, Method

pytestmark = pytest.mark.slow

LABELS = Labels(("negative", "positive"), Scale.ORDINAL)
WORDS = {"negative": "bad awful dirty rude cold loud".split(), "positive": "good lovely clean kind warm quiet".split()}
THINGS = "room hotel food staff bed pool breakfast".split()


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 84 labelled sentences that a small encoder can learn."""
    rows = [f"the {thing} was {word},{label}" for label, some in WORDS.items() for word in some for thing in THINGS]
    path = tmp_path_factory.mktemp("data") / "feelings.csv"
    path.write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def options(small_bert: Path) -> FinetuneOptions:
    """Train the small BERT, fast."""
    return FinetuneOptions(
        base=str(small_bert), method=Method.JOINT, epochs=3, learning_rate=1e-3, batch_size=8, validation=0.2
    )


@pytest.fixture(scope="module")
def checkpoint(
    labels: Path, options: FinetuneOptions, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """Fine-tune once; return the folder and the report."""
    out = tmp_path_factory.mktemp("checkpoints") / "feelings"
    return out, finetune([str(labels)], out, options=options)


def _weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def test_the_report_says_what_was_done(checkpoint: tuple[Path, dict[str, Any]], labels: Path, small_bert: Path) -> None:
    """Rows, labels, epochs, the best of them, figures, base and data; in the folder as it was returned."""
    folder, report = checkpoint
    assert json.loads((folder / "report.json").read_text(encoding="utf-8")) == json.loads(json.dumps(report))
    assert (report["rows"], report["training_rows"]) == (84, 68)
    assert (report["labels"], report["scale"]) == ({"negative": 42, "positive": 42}, "ordinal")
    assert [one["epoch"] for one in report["epochs"]] == [1, 2, 3]
    losses = [one["training_loss"] for one in report["epochs"]]
    assert losses[0] > losses[-1] > 0
    scores = [one["macro_f1"] for one in report["epochs"]]
    assert report["best_epoch"] == 1 + scores.index(max(scores))
    assert all(0.5 < one["meaning_cosine"] <= 1.0 for one in report["epochs"])
    assert report["validation"]["rows"] == 16
    assert report["validation"]["accuracy"] == pytest.approx(report["epochs"][report["best_epoch"] - 1]["accuracy"])
    assert report["base"] == {"name": str(small_bert), "fingerprint": fingerprint(small_bert)}
    digest = hashlib.sha256(labels.read_bytes()).hexdigest()
    assert report["data"] == [{"name": "feelings.csv", "rows": 84, "sha256": digest}]
    assert report["options"]["learning_rate"] == 1e-3


def test_the_card_says_what_the_logits_are(checkpoint: tuple[Path, dict[str, Any]]) -> None:
    """Labels lowest first, and the temperature that was fitted on the rows held back."""
    folder, report = checkpoint
    card = Card.read(folder)
    assert card is not None
    assert (card.labels.names, card.labels.scale) == (("negative", "positive"), Scale.ORDINAL)
    assert 0.05 <= card.temperature <= 20
    assert card.temperature == report["validation"]["temperature"] != 1.0


def test_the_temperature_is_the_best_one(checkpoint: tuple[Path, dict[str, Any]]) -> None:
    """Probabilities are softmax(logits / temperature): the encoder's equal those made by hand from its output."""
    folder, report = checkpoint
    encoder = HuggingFaceEncoder(str(folder), device="cpu")
    texts = ["the food was bad", "the bed was lovely"]
    logits = np.array(encoder._embeddings.embed_documents(texts))[:, -2:] / report["validation"]["temperature"]
    powers = np.exp(logits)
    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode(texts).probabilities, expected, atol=1e-5)


def test_the_dense_carries_the_meaning_through(checkpoint: tuple[Path, dict[str, Any]]) -> None:
    """After training the meaning's block is still the identity, exactly; logits read both CLS and mean."""
    head = load_file(checkpoint[0] / "2_Dense" / "model.safetensors")
    weight, bias = head["linear.weight"], head["linear.bias"]
    assert weight.shape == (32 + 2, 64)
    np.testing.assert_array_equal(weight[:32, :32], 0)
    np.testing.assert_array_equal(weight[:32, 32:], np.eye(32))
    np.testing.assert_array_equal(bias[:32], 0)
    assert np.abs(weight[32:]).min() > 0


def test_one_seed_gives_one_checkpoint(
    checkpoint: tuple[Path, dict[str, Any]], labels: Path, options: FinetuneOptions, tmp_path: Path
) -> None:
    """Two runs with one seed write the same bytes; another seed writes others."""
    finetune([str(labels)], tmp_path / "again", options=options)
    finetune([str(labels)], tmp_path / "other", options=replace(options, seed=1))
    assert _weights(tmp_path / "again") == _weights(checkpoint[0])
    assert fingerprint(tmp_path / "again") == fingerprint(checkpoint[0])
    assert _weights(tmp_path / "other") != _weights(checkpoint[0])


def test_keeping_meaning_keeps_it(labels: Path, options: FinetuneOptions, small_bert: Path, tmp_path: Path) -> None:
    """Textbook fine-tuning (0) moves the meaning further from the base's than a high price on moving it."""
    texts = [f"the {thing} was {word}" for word in ("bad", "good") for thing in THINGS]
    base = HuggingFaceEncoder(str(small_bert), device="cpu").encode(texts).rows
    kept = {}
    for price in (0.0, 5.0):
        report = finetune([str(labels)], tmp_path / f"{price}", options=replace(options, keep_meaning=price, epochs=2))
        assert report["options"]["keep_meaning"] == price
        assert ("meaning_cosine" in report["epochs"][0]) is (price > 0)
        rows = HuggingFaceEncoder(str(tmp_path / f"{price}"), device="cpu").encode(texts).rows[:, :32]
        kept[price] = float((rows * base).sum(axis=1).mean())
    assert kept[0.0] < kept[5.0] <= 1.0 + 1e-6
    assert kept[5.0] > 0.97


def test_the_meaning_of_another_encoder_is_kept(
    checkpoint: tuple[Path, dict[str, Any]], options: FinetuneOptions, small_bert: Path, tmp_path: Path
) -> None:
    """A later stage can hold on to the first encoder's meaning: that is what its rows are compared to."""
    texts = [f"the {thing} was {word}" for word in ("bad", "good") for thing in THINGS]
    rows = [(text, "negative" if "bad" in text else "positive") for text in texts]
    data = from_texts(rows, LABELS, tmp_path, validation=0.0, seed=0)
    train(data, checkpoint[0], tmp_path, replace(options, epochs=1), SILENT, kept=small_bert)
    held = np.fromfile(tmp_path / "base.f16", dtype=np.float16).reshape(len(texts), 32)
    base = HuggingFaceEncoder(str(small_bert), device="cpu").encode(texts).rows
    np.testing.assert_allclose(held, base, atol=1e-3)


def test_a_run_without_a_step_is_an_error(
    labels: Path, options: FinetuneOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no batch reaches the model nothing was learned: it is said, and nothing is written."""
    monkeypatch.setattr(LengthGroupedSampler, "__iter__", lambda _: iter(()))
    with pytest.raises(OptionError, match="Not one step was trained: 68 rows, in batches of 8, in 1 process"):
        finetune([str(labels)], tmp_path / "out", options=options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("epochs", "message"), [(3, r"The loss of step \d+ is nan"), (1, "After 1 steps the model gives no numbers")]
)
def test_a_run_that_came_apart_is_an_error(epochs: int, message: str, small_bert: Path, tmp_path: Path) -> None:
    """At a rate that no model bears the loss or, after the last step, the model is no number: nothing is made."""
    path = tmp_path / "few.csv"
    path.write_text("text,label\ngood room,1\nlovely food,1\nbad room,0\nawful food,0\n", encoding="utf-8")
    options = FinetuneOptions(base=str(small_bert), method=Method.JOINT, epochs=epochs, learning_rate=1e30)
    with pytest.raises(OptionError, match=message + r".*Give a lower --learning-rate than 1e\+30"):
        finetune([str(path)], tmp_path / "out", options=options)
    assert list(tmp_path.iterdir()) == [path]


def test_one_step_is_not_wasted_on_a_warm_up(small_bert: Path, tmp_path: Path) -> None:
    """An epoch of one step moves the weights: its learning rate is not the 0 that a warm-up begins with."""
    path = tmp_path / "few.csv"
    path.write_text("text,label\ngood room,1\nlovely food,1\nbad room,0\nawful food,0\n", encoding="utf-8")
    options = FinetuneOptions(base=str(small_bert), method=Method.JOINT, epochs=1)
    finetune([str(path)], tmp_path / "out", options=options)
    head = load_file(tmp_path / "out" / "2_Dense" / "model.safetensors")
    assert np.abs(head["linear.weight"][32:]).min() > 0


def test_joint_training_of_few_rows_takes_enough_steps(small_bert: Path, tmp_path: Path) -> None:
    """Without a number of epochs, four rows are passed over fifty times, and learned."""
    path = tmp_path / "few.csv"
    path.write_text("text,label\ngood room,1\nlovely food,1\nbad room,0\nawful food,0\n", encoding="utf-8")
    options = FinetuneOptions(base=str(small_bert), method=Method.JOINT, learning_rate=1e-3)
    report = finetune([str(path)], tmp_path / "out", options=options)
    assert len(report["epochs"]) == report["options"]["epochs"] == 50
    assert report["epochs"][-1]["training_loss"] < 0.2 * report["epochs"][0]["training_loss"]


def test_the_base_stands_beside_joint_training(
    checkpoint: tuple[Path, dict[str, Any]], labels: Path, options: FinetuneOptions, tmp_path: Path
) -> None:
    """From a base that knows the labels, its figures on the rows held back are those it was itself reported with."""
    report = finetune([str(labels)], tmp_path / "out", options=replace(options, base=str(checkpoint[0]), epochs=1))
    known = checkpoint[1]["validation"]
    before = report["validation"]["before"]
    assert (before["accuracy"], before["macro_f1"]) == (known["accuracy"], known["macro_f1"])
    assert before["calibration_error"] == pytest.approx(known["calibration_error"], abs=1e-3)
    assert "before" not in known


def test_a_base_that_no_epoch_reaches_stays(
    checkpoint: tuple[Path, dict[str, Any]], labels: Path, options: FinetuneOptions, tmp_path: Path
) -> None:
    """Training that only harms leaves the base's weights and logits, measures those, and says so in report and card."""
    base, out = checkpoint[0], tmp_path / "out"
    report = finetune([str(labels)], out, options=replace(options, base=str(base), learning_rate=0.3))
    figures = report["validation"]
    assert all(one["macro_f1"] < figures["before"]["macro_f1"] for one in report["epochs"])
    assert report["best_epoch"] == 0
    assert (figures["accuracy"], figures["macro_f1"]) == (figures["before"]["accuracy"], figures["before"]["macro_f1"])
    for part in ("model.safetensors", "2_Dense/model.safetensors"):
        made, known = load_file(out / part), load_file(base / part)
        assert all(np.array_equal(made[name], known[name]) for name in known)
    assert "Kept the base's weights, as no epoch was as good." in (out / "README.md").read_text(encoding="utf-8")


def test_an_epoch_as_good_as_the_base_is_kept(
    checkpoint: tuple[Path, dict[str, Any]], labels: Path, options: FinetuneOptions, tmp_path: Path
) -> None:
    """What has learned from the rows goes before a base that measures the same: at so low a rate no label changes."""
    base, out = checkpoint[0], tmp_path / "out"
    report = finetune([str(labels)], out, options=replace(options, base=str(base), learning_rate=1e-9))
    assert {one["macro_f1"] for one in report["epochs"]} == {report["validation"]["before"]["macro_f1"]}
    assert report["best_epoch"] == 1


def test_labels_and_pairs_are_not_mixed(labels: Path, options: FinetuneOptions, tmp_path: Path) -> None:
    """Whichever comes first, the message names a file of each, and what to do."""
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("sentence1\tsentence2\na room\tthe room\n", encoding="utf-8")
    for files in ([pairs, labels], [labels, pairs]):
        with pytest.raises(InputError, match=r"pairs\.tsv holds pairs .*feelings\.csv does not: one run learns"):
            finetune(list(map(str, files)), tmp_path / "out", options=options)


def test_too_few_rows_to_hold_back_are_all_trained_on(small_bert: Path, tmp_path: Path) -> None:
    """Four rows are all used; nothing is measured, and the temperature is 1."""
    path = tmp_path / "few.csv"
    path.write_text("text,label\ngood room,1\nlovely food,1\nbad room,0\nawful food,0\n", encoding="utf-8")
    options = FinetuneOptions(base=str(small_bert), method=Method.JOINT, epochs=2)
    report = finetune([str(path)], tmp_path / "few", options=options)
    assert (report["rows"], report["training_rows"], report["validation"]) == (4, 4, None)
    assert "accuracy" not in report["epochs"][0]
    assert report["best_epoch"] == 2
    card = Card.read(tmp_path / "few")
    assert card is not None
    assert (card.temperature, card.labels.names) == (1.0, ("0", "1"))
