"""Few rows: contrast and head on the small BERT, and on a checkpoint made of it."""

import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from search.checkpoint import Card
from search.encoder_huggingface import HuggingFaceEncoder
from search.errors import OptionError
from search.finetune import finetune
from search.similarity import Labels, Scale
from search.training_folder import working_folder
from search.training_options import FinetuneOptions, Method
from tests.cli_runner import refuse, run, start, wait_until
from tests.test_finetune import THINGS, WORDS, checkpoint, labels, options
from tests.test_finetune import _weights as weights

__all__ = ["checkpoint", "labels", "options"]

pytestmark = pytest.mark.slow


def _write(path: Path, names: dict[str, str]) -> Path:
    """Write 16 rows of two labels, called as `names` says."""
    rows = [
        f"the {thing} was {word},{names[label]}"
        for label, some in WORDS.items()
        for word, thing in zip(some + some[:2], [*THINGS, "noise"], strict=True)
    ]
    path.write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 16 rows: negative and positive."""
    return _write(tmp_path_factory.mktemp("few") / "few.csv", {"negative": "negative", "positive": "positive"})


@pytest.fixture(scope="module")
def plain(small_bert: Path) -> FinetuneOptions:
    """Start from the small BERT, which knows no labels."""
    return FinetuneOptions(base=str(small_bert), learning_rate=5e-4)


@pytest.fixture(scope="module")
def head(small_bert: Path) -> FinetuneOptions:
    """Start from the same, and leave it as it is."""
    return FinetuneOptions(base=str(small_bert), method=Method.HEAD)


@pytest.fixture(scope="module")
def contrasted(
    few: Path, plain: FinetuneOptions, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """Fine-tune as kindred chooses; return the folder and the report."""
    out = tmp_path_factory.mktemp("contrasted") / "out"
    return out, finetune([str(few)], out, options=plain)


def test_the_report_says_how_and_why(contrasted: tuple[Path, dict[str, Any]]) -> None:
    """Method and reason are in the report and the model card; nothing was held back; the contrast fell."""
    folder, report = contrasted
    assert report["method"] == report["options"]["method"] == "contrastive"
    assert report["why"].startswith("16 labelled rows, no more than 800")
    assert (report["training_rows"], report["validation"]) == (16, None)
    assert report["cross_validation"]["rows"] == 16
    losses = [epoch["training_loss"] for epoch in report["epochs"]]
    assert len(losses) == 3
    assert losses[-1] < losses[0]
    told = (folder / "README.md").read_text(encoding="utf-8")
    assert f"Method: contrastive ({report['why']})." in told
    assert f"| accuracy | {report['cross_validation']['accuracy']} |" in told


def test_what_is_made_is_the_ordinary_checkpoint(contrasted: tuple[Path, dict[str, Any]]) -> None:
    """The mean is carried through unchanged, the logits are read from CLS and mean, and the temperature is sane."""
    head = load_file(contrasted[0] / "2_Dense" / "model.safetensors")
    weight, bias = head["linear.weight"], head["linear.bias"]
    assert weight.shape == (32 + 2, 64)
    np.testing.assert_array_equal(weight[:32], np.hstack([np.zeros((32, 32)), np.eye(32)]))
    np.testing.assert_array_equal(bias[:32], 0)
    assert np.abs(weight[32:, :32]).max() > 0
    assert np.abs(weight[32:, 32:]).max() > 0
    card = Card.read(contrasted[0])
    assert card is not None
    assert card.labels.names == ("negative", "positive")
    assert 0.05 <= card.temperature <= 20
    assert card.temperature != 1.0


def test_sixteen_rows_teach_the_rest(contrasted: tuple[Path, dict[str, Any]]) -> None:
    """Of all 84 sentences of these words the label is right in more than four of five, and never quite certain."""
    texts = [(f"the {thing} was {word}", label) for label, some in WORDS.items() for word in some for thing in THINGS]
    encoded = HuggingFaceEncoder(str(contrasted[0])).encode([text for text, _ in texts])
    names = np.array(["negative", "positive"])[encoded.probabilities.argmax(axis=1)]
    assert (names == [label for _, label in texts]).mean() > 0.8
    assert encoded.probabilities.max() < 0.9999


def test_one_seed_gives_one_checkpoint(
    contrasted: tuple[Path, dict[str, Any]], few: Path, plain: FinetuneOptions, tmp_path: Path
) -> None:
    """Two runs with one seed write the same bytes, in the encoder and in the head."""
    finetune([str(few)], tmp_path / "again", options=plain)
    for part in ("model.safetensors", "2_Dense/model.safetensors"):
        assert (tmp_path / "again" / part).read_bytes() == (contrasted[0] / part).read_bytes()


def test_the_head_alone_leaves_the_encoder(few: Path, head: FinetuneOptions, small_bert: Path, tmp_path: Path) -> None:
    """Meaning is the base's to the bit; there are no epochs; the logits are learned."""
    report = finetune([str(few)], tmp_path / "out", options=head)
    assert (report["method"], report["why"], report["epochs"]) == ("head", "as asked", [])
    texts = ["the room was bad", "the bed was lovely"]
    made = HuggingFaceEncoder(str(tmp_path / "out")).encode(texts)
    base = HuggingFaceEncoder(str(small_bert)).encode(texts)
    np.testing.assert_allclose(made.rows[:, :32], base.rows, atol=1e-6)
    assert made.probabilities.argmax(axis=1).tolist() == [0, 1]


def test_what_a_base_knows_stays(
    checkpoint: tuple[Path, dict[str, Any]], few: Path, small_bert: Path, tmp_path: Path
) -> None:
    """From a checkpoint of the same labels, the head starts at its probabilities and moves them, but hardly."""
    folder, _ = checkpoint
    report = finetune([str(few)], tmp_path / "out", options=FinetuneOptions(base=str(folder)))
    assert report["method"] == "head"
    assert "labels that the base knows" in report["why"]
    head, known = (
        load_file(one / "2_Dense" / "model.safetensors")["linear.weight"] for one in (tmp_path / "out", folder)
    )
    card = Card.read(folder)
    assert card is not None
    moved = np.linalg.norm(head[32:] - known[32:] / card.temperature)
    finetune([str(few)], tmp_path / "anew", options=FinetuneOptions(base=str(small_bert), method=Method.HEAD))
    learned = np.linalg.norm(load_file(tmp_path / "anew" / "2_Dense" / "model.safetensors")["linear.weight"][32:])
    assert 0.001 * learned < moved < 0.1 * learned
    np.testing.assert_allclose(head[32:], known[32:] / card.temperature, atol=0.2)


def test_the_base_stands_beside_where_it_knows_the_labels(
    checkpoint: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """Other names of the same feelings are the base's own labels: its accuracy on the rows is reported, and printed."""
    path = _write(tmp_path / "few.csv", {"negative": "NEG", "positive": "Good"})
    report = finetune([str(path)], tmp_path / "out", options=FinetuneOptions(base=str(checkpoint[0])))
    assert "labels that the base knows" in report["why"]
    assert report["labels"] == {"NEG": 8, "Good": 8}
    texts = [line.partition(",")[0] for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    base = HuggingFaceEncoder(str(checkpoint[0])).encode(texts).probabilities.argmax(axis=1)
    before = report["cross_validation"]["before"]
    assert before["accuracy"] == pytest.approx((base == np.repeat([0, 1], 8)).mean(), abs=1e-4)
    assert set(before) == {"accuracy", "macro_f1", "calibration_error"}


def test_joint_training_starts_from_what_a_base_knows(checkpoint: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """Under other names of the same feelings, in another order, the logits begin as the base's."""
    from search.joint import dense_of, joint_model, load_base

    card = Card.read(checkpoint[0])
    labels = Labels(("Good", "NEG"), Scale.NOMINAL)
    model = joint_model(load_base(checkpoint[0]), card, labels)
    known = load_file(checkpoint[0] / "2_Dense" / "model.safetensors")
    linear = dense_of(model).linear
    np.testing.assert_array_equal(linear.weight.detach().numpy()[32:], known["linear.weight"][[33, 32]])
    np.testing.assert_array_equal(linear.bias.detach().numpy()[32:], known["linear.bias"][[33, 32]])


def test_epochs_are_the_chosen_methods(few: Path, plain: FinetuneOptions, small_bert: Path, tmp_path: Path) -> None:
    """A number of epochs is contrast's where that is chosen, and refused by the head, which has none."""
    report = finetune([str(few)], tmp_path / "out", options=replace(plain, epochs=2))
    assert (report["method"], len(report["epochs"]), report["options"]["epochs"]) == ("contrastive", 2, 2)
    with pytest.raises(OptionError, match=r"Method head .* does not use --epochs"):
        finetune([str(few)], tmp_path / "head", options=FinetuneOptions(base=str(tmp_path / "out"), epochs=2))
    assert not (tmp_path / "head").exists()


def test_other_labels_are_learned_from_what_a_base_knows(
    checkpoint: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """After 16 rows a checkpoint that tells bad from good gives new names for them, on all 84 sentences, as it did."""
    path = _write(tmp_path / "other.csv", {"negative": "grumble", "positive": "praise"})
    report = finetune([str(path)], tmp_path / "out", options=FinetuneOptions(base=str(checkpoint[0])))
    assert (report["method"], report["labels"]) == ("head", {"grumble": 8, "praise": 8})
    texts = [f"the {thing} was {word}" for some in WORDS.values() for word in some for thing in THINGS]
    made, base = (HuggingFaceEncoder(str(one)).encode(texts) for one in (tmp_path / "out", checkpoint[0]))
    assert (made.probabilities.argmax(axis=1) == base.probabilities.argmax(axis=1)).mean() > 0.8


def test_rows_are_held_back_where_it_is_asked(few: Path, head: FinetuneOptions, tmp_path: Path) -> None:
    """With --validation the figures are of rows held back; a share that is no whole row is refused, not dropped."""
    report = finetune([str(few)], tmp_path / "out", options=replace(head, validation=0.25))
    assert (report["training_rows"], report["validation"]["rows"]) == (12, 4)
    with pytest.raises(OptionError, match="holds back 0 of the 8 rows of label 'negative'"):
        finetune([str(few)], tmp_path / "none", options=replace(head, validation=0.05))
    assert not (tmp_path / "none").exists()


def test_few_rows_are_measured_row_by_row(contrasted: tuple[Path, dict[str, Any]]) -> None:
    """Confusion, F1 of each label, calibration and worst mistakes come from rows that no head was fitted on."""
    folder, report = contrasted
    crossed = report["cross_validation"]
    assert {name: sum(given.values()) for name, given in crossed["confusion"].items()} == {"negative": 8, "positive": 8}
    right = sum(crossed["confusion"][name][name] for name in ("negative", "positive"))
    assert crossed["accuracy"] == pytest.approx(right / 16, abs=1e-4)
    assert np.mean(list(crossed["f1"].values())) == pytest.approx(crossed["macro_f1"], abs=1e-3)
    assert 0 <= crossed["calibration_error"] <= 1
    assert len(crossed["worst_mistakes"]) == min(10, 16 - right)
    assert "before" not in crossed
    told = (folder / "README.md").read_text(encoding="utf-8")
    assert all(f"| {one['text']} | {one['label']} |" in told for one in crossed["worst_mistakes"])


def test_balance_counts(tmp_path: Path, few: Path, head: FinetuneOptions) -> None:
    """A rare label gains when all labels count alike."""
    rows = few.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "uneven.csv"
    path.write_text("\n".join(rows[:12]) + "\n", encoding="utf-8")
    gained = []
    for balance in (False, True):
        out = tmp_path / f"{balance}"
        finetune([str(path)], out, options=replace(head, balance=balance))
        gained.append(load_file(out / "2_Dense" / "model.safetensors")["linear.bias"][33])
    assert gained[0] < gained[1]


def test_keeping_meaning_keeps_it(few: Path, plain: FinetuneOptions, small_bert: Path, tmp_path: Path) -> None:
    """A high price on moving the meaning leaves it closer to the base's."""
    texts = [f"the {thing} was {word}" for word in ("bad", "good") for thing in THINGS]
    base = HuggingFaceEncoder(str(small_bert)).encode(texts).rows
    kept = []
    for price in (0.0, 20.0):
        finetune([str(few)], tmp_path / f"{price}", options=replace(plain, keep_meaning=price))
        rows = HuggingFaceEncoder(str(tmp_path / f"{price}")).encode(texts).rows[:, :32]
        kept.append(float((rows * base).sum(axis=1).mean()))
    assert kept[0] < kept[1]


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path, few: Path, small_bert: Path) -> None:
    """Killed after a saved step and run again, encoder and head are those of an uninterrupted run."""
    given = "--method contrastive --learning-rate 5e-4 --epochs 12 --save-steps 5 --no-fast --base".split()
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    process = start(tmp_path, "finetune", few, "--out", whole, *given, small_bert)
    assert "Method: contrastive (as asked)." in process.communicate()[1]
    process = start(tmp_path, "finetune", few, "--out", killed, *given, small_bert)
    wait_until(lambda: any((working_folder(killed) / "steps").glob("*/kindred.json")), process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not killed.exists()
    start(tmp_path, "finetune", few, "--out", killed, *given, small_bert).communicate()
    assert weights(killed) == weights(whole)
    head = "2_Dense/model.safetensors"
    assert (killed / head).read_bytes() == (whole / head).read_bytes()
    assert len(json.loads((killed / "report.json").read_text(encoding="utf-8"))["epochs"]) == 12


def test_time_is_bounded(few: Path, plain: FinetuneOptions, tmp_path: Path) -> None:
    """After --max-minutes the contrast ends and the head is fitted all the same."""
    chosen = replace(plain, method=Method.CONTRASTIVE, epochs=10_000, max_minutes=0.02)
    report = finetune([str(few)], tmp_path / "out", options=chosen)
    assert "minutes" in report["stopped"]
    assert np.abs(load_file(tmp_path / "out" / "2_Dense" / "model.safetensors")["linear.weight"][32:]).max() > 0


def test_the_command_says_what_it_chose(
    few: Path, small_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Method and reason on standard error, the cross-validated accuracy on standard output, no table of no epochs."""
    outcome = run(capsys, "finetune", few, "--out", tmp_path / "out", "--base", small_bert, "--method", "head")
    assert outcome.code == 0
    assert "Method: head (as asked)." in outcome.err
    assert outcome.out.startswith("Nothing was held back; cross-validated on the base's features, 16 rows: accuracy ")


def test_a_method_for_pairs_is_refused(small_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Methods are for labels; the message names the file."""
    path = tmp_path / "pairs.tsv"
    path.write_text("sentence1\tsentence2\na room\tthe room\n", encoding="utf-8")
    told = refuse(capsys, "finetune", path, "--out", tmp_path / "out", "--base", small_bert, "--method", "head")
    assert "--method head is for labels; " in told
    assert "pairs.tsv holds pairs" in told


@pytest.mark.parametrize("option", ["--label-column", "--text-column"])
def test_columns_named_for_pairs_are_refused(
    option: str, small_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pairs whose label has another column would all be taken for positive ones."""
    path = tmp_path / "pairs.tsv"
    path.write_text("sentence1\tsentence2\tis_duplicate\na room\tthe room\t0\n", encoding="utf-8")
    told = refuse(capsys, "finetune", path, "--out", tmp_path / "out", "--base", small_bert, option, "is_duplicate")
    assert "pairs.tsv holds pairs: name their columns sentence1, sentence2" in told


def test_few_rows_are_learned_in_one_process(small_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under torchrun the small batches of few rows would be dropped; it is refused, with both numbers' way out."""
    path = tmp_path / "few.csv"
    path.write_text("text,label\ngood,1\nbad,0\nfine,1\nawful,0\n", encoding="utf-8")

    class Two:
        main, rank, count = True, 0, 2

        def wait(self) -> None:
            """Go on."""

    monkeypatch.setattr("search.finetune.processes", Two)
    with pytest.raises(OptionError, match="runs in one process, not in 2"):
        finetune([str(path)], tmp_path / "out", options=FinetuneOptions(base=str(small_bert)))
