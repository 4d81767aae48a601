"""SetFit with its defaults, job by job, a JSON object a line; run by few_shot.py in an environment of its own.

In: {"base": FOLDER, "train": [[text, class], ...], "judge": [[text, class], ...], "seed": N}.
Out: {"accuracy": A, "seconds": S, "cpu_seconds": S}, the seconds of training alone; loading and judging are outside.
"""

import json
import os
import sys
import tempfile
import time
from typing import Any

import torch
from datasets import Dataset
from setfit import SetFitModel, Trainer, TrainingArguments


def _job(base: str, train: list[tuple[str, int]], judge: list[tuple[str, int]], seed: int) -> dict[str, float]:
    model = SetFitModel.from_pretrained(base)
    model.model_body.float()
    texts, classes = zip(*train, strict=True)
    rows = Dataset.from_dict({"text": texts, "label": classes})
    with tempfile.TemporaryDirectory() as work:
        started, worked = time.perf_counter(), time.process_time()
        arguments = TrainingArguments(seed=seed, report_to="none", output_dir=work, show_progress_bar=False)
        Trainer(model=model, args=arguments, train_dataset=rows).train()
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - worked
    given: Any = model.predict([text for text, _ in judge], show_progress_bar=False)
    right = [int(one) == true for one, (_, true) in zip(given, judge, strict=True)]
    return {"accuracy": sum(right) / len(right), "seconds": seconds, "cpu_seconds": cpu_seconds}


def main() -> None:
    """Answer jobs until there are no more; what the libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    for line in sys.stdin:
        answers.write(json.dumps(_job(**json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
