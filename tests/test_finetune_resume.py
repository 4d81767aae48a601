"""Long runs: a run that was killed ends as an uninterrupted one does; early stopping, time limits, two processes."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from search.encoder_huggingface import HuggingFaceEncoder
from search.finetune import finetune
from search.pairs import PairKind
from search.progress import SILENT
from search.training_folder import working_folder
from search.training_options import FinetuneOptions, Method
from search.training_watch import Watch
from tests.cli_runner import ROOT, start, wait_until
from tests.test_finetune import _weights as weights
from tests.test_finetune import checkpoint, labels, options
from tests.test_finetune_pairs import write_pairs

__all__ = ["checkpoint", "labels", "options"]

pytestmark = pytest.mark.slow

EPOCHS = 12


def _arguments(labels: Path, small_bert: Path, out: Path) -> list[object]:
    given = "--method joint --learning-rate 1e-3 --batch-size 8 --validation 0.2 --save-steps 3".split()
    return ["finetune", labels, "--out", out, "--base", small_bert, "--epochs", EPOCHS, "--no-fast", *given]


def _ended(process: subprocess.Popen[str]) -> int:
    """Wait for the end of a process, close its pipes, and return its exit code."""
    process.communicate()
    return process.returncode


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path, labels: Path, small_bert: Path) -> None:
    """Killed with SIGKILL after any saved step and run again, the weights are those of an uninterrupted run."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert _ended(start(tmp_path, *_arguments(labels, small_bert, whole))) == 0
    process = start(tmp_path, *_arguments(labels, small_bert, killed))
    steps = working_folder(killed) / "steps"
    wanted = 3 + os.getpid() % 57
    wait_until(lambda: any(int(one.parent.name[11:]) >= wanted for one in steps.glob("*/kindred.json")), process)
    process.send_signal(signal.SIGKILL)
    assert _ended(process) == -signal.SIGKILL
    assert not killed.exists()
    assert _ended(start(tmp_path, *_arguments(labels, small_bert, killed))) == 0
    assert weights(killed) == weights(whole)
    reports = [json.loads((folder / "report.json").read_text(encoding="utf-8")) for folder in (whole, killed)]
    assert reports[0]["epochs"] == reports[1]["epochs"]
    assert not working_folder(killed).exists()


@pytest.mark.parametrize("kind", list(PairKind))
def test_a_killed_run_on_pairs_goes_on_to_the_same_weights(
    kind: PairKind, tmp_path: Path, checkpoint: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each kind, from a base with labels and with dropout, whose random numbers go on where they were."""
    pairs, (base, _) = write_pairs(tmp_path / "pairs.tsv", kind), checkpoint
    epochs = 8 if kind is PairKind.POSITIVE else 3  # 24 or 30 steps
    chosen = FinetuneOptions(
        base=str(base), epochs=epochs, batch_size=8, learning_rate=1e-3, dropout=0.1, validation=0.5, save_steps=2
    )
    whole = finetune([str(pairs)], tmp_path / "whole", options=chosen)
    given = "--batch-size 8 --learning-rate 1e-3 --dropout 0.1 --validation 0.5 --save-steps 2 --no-fast".split()
    process = start(tmp_path, "finetune", pairs, "--out", "killed", "--base", base, "--epochs", epochs, *given)
    steps, wanted = working_folder(tmp_path / "killed") / "steps", 2 + os.getpid() % 9
    wait_until(lambda: any(int(one.parent.name[11:]) >= wanted for one in steps.glob("*/kindred.json")), process)
    process.send_signal(signal.SIGKILL)
    assert _ended(process) == -signal.SIGKILL
    assert not (tmp_path / "killed").exists()
    taken = []
    stepped = Watch.on_step_end

    def noted(self: Watch, args: Any, state: Any, control: Any, **given: Any) -> None:
        taken.append(state.global_step)
        stepped(self, args, state, control, **given)

    monkeypatch.setattr(Watch, "on_step_end", noted)
    trained = finetune([str(pairs)], tmp_path / "killed", options=chosen)
    assert taken[0] > wanted
    assert weights(tmp_path / "killed") == weights(tmp_path / "whole")
    assert (trained["epochs"], trained["validation"]) == (whole["epochs"], whole["validation"])


@pytest.mark.parametrize("epochs", [0.5, 1, 3])
def test_a_run_goes_on_from_any_saved_step_with_every_figure(
    tmp_path: Path, labels: Path, options: FinetuneOptions, monkeypatch: pytest.MonkeyPatch, epochs: float
) -> None:
    """Stopped within an epoch, at an epoch's last step, or at the last of all, each epoch's figures are there once."""
    chosen = replace(options, epochs=3, save_steps=1)
    whole = finetune([str(labels)], tmp_path / "whole", options=chosen)
    saved = Watch.on_save

    def stopped(self: Watch, args: Any, state: Any, control: Any, **given: Any) -> None:
        saved(self, args, state, control, **given)
        if state.global_step == int(state.max_steps * epochs / 3):
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Watch, "on_save", stopped)
        told: list[str] = []
        telling = SimpleNamespace(tell=told.append, start=SILENT.start, advance=SILENT.advance, finish=SILENT.finish)
        with pytest.raises(KeyboardInterrupt):
            finetune([str(labels)], tmp_path / "stopped", options=chosen, progress=telling)
        place = working_folder(tmp_path / "stopped")
        assert told[-1] == f"Step {int(9 * epochs)} is saved in {place}; the same command goes on from there."
    resumed = finetune([str(labels)], tmp_path / "stopped", options=chosen, progress=telling)
    assert told[-1] == f"Goes on from step {int(9 * epochs)}."
    assert resumed["epochs"] == whole["epochs"]
    assert resumed["best_epoch"] == whole["best_epoch"]


def test_other_options_begin_anew(tmp_path: Path, labels: Path, options: FinetuneOptions) -> None:
    """Steps saved by a run with other options are not gone on from."""
    out = tmp_path / "out"
    work = working_folder(out)
    (work / "steps" / "checkpoint-1").mkdir(parents=True)
    (work / "job.json").write_text('{"job": "another"}', encoding="utf-8")
    finetune([str(labels)], out, options=options)
    again = tmp_path / "again"
    finetune([str(labels)], again, options=options)
    assert weights(out) == weights(again)


def test_patience_stops_a_run_that_no_longer_improves(tmp_path: Path, labels: Path, options: FinetuneOptions) -> None:
    """With a patience of 1, the run ends at the first epoch that is not better than the best."""
    report = finetune([str(labels)], tmp_path / "out", options=replace(options, epochs=40, patience=1))
    scores = [epoch["macro_f1"] for epoch in report["epochs"]]
    assert len(scores) < 40
    assert scores[-1] <= max(scores[:-1])
    assert sorted(set(scores[:-1])) == scores[:-1]
    assert report["best_epoch"] == len(scores) - 1


def test_max_minutes_stops_a_run_and_keeps_what_is_there(
    tmp_path: Path, labels: Path, options: FinetuneOptions
) -> None:
    """After the time given a checkpoint is there all the same, and says why it stopped."""
    chosen = replace(options, epochs=10_000, max_minutes=0.05)
    report = finetune([str(labels)], tmp_path / "out", options=chosen)
    assert "minutes" in report["stopped"]
    assert (tmp_path / "out" / "kindred.json").exists()


def test_accumulating_takes_fewer_larger_steps(tmp_path: Path, labels: Path, options: FinetuneOptions) -> None:
    """Batches of 4 added up in twos are trained on as batches, and give other weights than batches of 4."""
    plain, added = tmp_path / "plain", tmp_path / "added"
    finetune([str(labels)], plain, options=replace(options, batch_size=4))
    finetune([str(labels)], added, options=replace(options, batch_size=4, accumulate=2))
    assert weights(plain) != weights(added)


def test_balance_helps_a_rare_label(tmp_path: Path, small_bert: Path) -> None:
    """What is rare in two cases of five is called common, unless a rare row weighs as much as its label is rare."""
    things = "room hotel food staff bed pool breakfast noise price people".split()
    rows = [f"the {thing} was {word},common" for thing in things for word in "good lovely clean kind warm".split()]
    rows += [f"the {thing} was bad,{label}" for thing in things for label in ("rare", "rare", *["common"] * 3)]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    found = {}
    for balance in (False, True):
        chosen = FinetuneOptions(
            validation=0.0,
            base=str(small_bert),
            method=Method.JOINT,
            epochs=8,
            learning_rate=2e-3,
            batch_size=8,
            balance=balance,
        )
        finetune([str(path)], tmp_path / f"out-{balance}", options=chosen)
        encoded = HuggingFaceEncoder(str(tmp_path / f"out-{balance}")).encode(["the room was bad", "the pool was bad"])
        found[balance] = encoded.probabilities[:, 1].min()
    assert found[False] < 0.5 < found[True]


def test_two_processes_train_together(tmp_path: Path, labels: Path, small_bert: Path) -> None:
    """Under torchrun two processes make one checkpoint, with the head's fixed blocks as they were."""
    out = tmp_path / "out"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "search"]
    done = subprocess.run(
        [*command, *map(str, _arguments(labels, small_bert, out))],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("Checkpoint:") == 1
    weight = load_file(out / "2_Dense" / "model.safetensors")["linear.weight"]
    assert (weight[:32, 32:] == np.eye(32)).all()
    assert not weight[:32, :32].any()
    assert weight[32:, :32].any()
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["epochs"][-1]["training_loss"] < report["epochs"][0]["training_loss"]
