"""What follows a training run: progress, the figures of each epoch, the best model, and when to stop.

Its state is saved with every saved step, so that a run that goes on after a kill reports, and keeps, the same.
"""

import math
import shutil
import time
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from torch import Tensor, nn
from transformers import TrainerCallback

from search.errors import OptionError
from search.files import read_json, write_json
from search.progress import Progress
from search.training_options import FinetuneOptions

__all__ = ["STEPS", "CountedLoss", "Watch", "came_apart", "last_step"]

STEPS = "steps"
"""Where in the working folder the saved steps are."""

_STATE = "kindred.json"
_MEASURED = "eval_"
_TIMING = {"runtime", "samples_per_second", "steps_per_second", "loss"}


def last_step(steps: Path) -> Path | None:
    """Return the newest saved step that is whole: the watch's state is written last."""
    whole = [folder for folder in steps.glob("checkpoint-*") if (folder / _STATE).exists()]
    return max(whole, key=lambda folder: int(folder.name.rpartition("-")[2]), default=None)


def came_apart(told: str, work: Path, options: FinetuneOptions) -> OptionError:
    """Return the error of a run whose numbers are none any more; no step saved in `work` is worth going on from."""
    shutil.rmtree(work / STEPS, ignore_errors=True)
    return OptionError(f"{told}: training came apart. Give a lower --learning-rate than {options.learning_rate:g}.")


class CountedLoss(nn.Module):
    """A loss of named parts that counts itself, so that progress can show it and an epoch's mean is known."""

    def __init__(self) -> None:
        """Count nothing yet."""
        super().__init__()
        self.recent = float("nan")
        self._sum, self._steps = 0.0, 0

    def counted(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Count the parts of a step's loss and give them back."""
        if self.training:
            self.recent = float(torch.stack([loss.detach() for loss in losses.values()]).sum())
            self._sum, self._steps = self._sum + self.recent, self._steps + 1
        return losses

    def saved(self) -> tuple[float, int]:
        """Return what `restore` needs to go on counting."""
        return self._sum, self._steps

    def restore(self, total: float, steps: int) -> None:
        """Go on counting from what `saved` gave."""
        self._sum, self._steps = total, steps

    def take_mean(self) -> float:
        """Return the mean loss of the steps since it was last taken."""
        mean = self._sum / max(1, self._steps)
        self._sum, self._steps = 0.0, 0
        return mean


class Watch(TrainerCallback):
    """Follows the trainer."""

    def __init__(
        self,
        model: SentenceTransformer,
        loss: CountedLoss,
        chosen_by: str,
        work: Path,
        options: FinetuneOptions,
        progress: Progress,
    ) -> None:
        """Follow the training of `model`; the model that is best by the figure `chosen_by` goes to `work`."""
        self.epochs: list[dict[str, Any]] = []
        self.stopped: str | None = None
        self._model = model
        self._loss = loss
        self._chosen_by = chosen_by
        self._work = work
        self._options = options
        self._progress = progress
        self._started = time.monotonic()
        self._to_be_saved = False

    @property
    def best(self) -> dict[str, Any] | None:
        """Return the figures of the best epoch, the first of equals; None where nothing was measured."""
        measured = [epoch for epoch in self.epochs if self._chosen_by in epoch]
        return max(measured, key=lambda epoch: float(epoch[self._chosen_by]), default=None)

    def best_model(self) -> Path | None:
        """Return the folder of the best epoch's model, where more than one was measured."""
        if self.best is None:
            return None
        folder = self._folder(self.best["epoch"])
        return folder if folder.exists() else None

    def resume(self, step: Path) -> None:
        """Take up the state saved with a step."""
        state = read_json(step / _STATE)
        self.epochs = state["epochs"]
        self._loss.restore(*state["loss"])

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._progress.start("fine-tuning", state.max_steps, "steps")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if not math.isfinite(self._loss.recent):
            raise came_apart(
                f"The loss of step {state.global_step} is {self._loss.recent:g}", self._work, self._options
            )
        count = self._options.passes
        epoch = min(count, int(state.epoch or 0) + 1)
        self._progress.advance(state.global_step, f"epoch {epoch}/{count}, loss {self._loss.recent:.3f}")
        if state.global_step % (state.max_steps // count) == 0:  # saved here, a run would go on without its figures
            self._to_be_saved, control.should_save = control.should_save, False
        limit = self._options.max_minutes
        if limit is not None and time.monotonic() - self._started > limit * 60:
            self._stop(control, f"after {limit:g} minutes, as asked")

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.epochs.append({"epoch": len(self.epochs) + 1, "training_loss": round(self._loss.take_mean(), 4)})
        self._to_be_saved, control.should_save = False, control.should_save or self._to_be_saved

    def on_evaluate(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        metrics: dict[str, float] = given["metrics"]
        own = {name.removeprefix("eval_"): value for name, value in metrics.items() if name.startswith(_MEASURED)}
        self.epochs[-1] |= {name: round(value, 4) for name, value in own.items() if name not in _TIMING}
        best = self.best
        if best is self.epochs[-1] and state.is_world_process_zero and self._options.passes > 1:
            self._model.save(str(self._folder(best["epoch"])), create_model_card=False)
        patience = self._options.patience
        if patience is not None and best is not None and len(self.epochs) - best["epoch"] >= patience:
            self._stop(control, f"since {patience} epochs brought nothing better")

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if not state.is_world_process_zero:
            return
        step = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        write_json(step / _STATE, {"epochs": self.epochs, "loss": self._loss.saved()})
        kept = self._folder(self.best["epoch"]) if self.best else None
        for folder in self._work.glob("best-*"):
            if folder != kept:
                shutil.rmtree(folder)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._progress.finish()

    def _stop(self, control: Any, why: str) -> None:
        control.should_training_stop = True
        self.stopped = why

    def _folder(self, epoch: int) -> Path:
        return self._work / f"best-{epoch}"
