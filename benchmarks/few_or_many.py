"""How many rows are few: joint training against the method for few rows, on the same rows and from the same base.

    OMP_NUM_THREADS=1 python benchmarks/few_or_many.py --data DATA [--rows 100 200 400 800] [--seeds 3] [--minutes 25]

The tasks are those of few_shot.py. Rows are drawn as they come, so that labels are as uneven as in the file, and
judged on 400 rows of the same training file that are never drawn; no dev file is opened, so that the border chosen by
these figures is not tuned on one. Every method runs as `kindred finetune --method` runs it: joint training holds back
a tenth and keeps its best epoch, the others learn from every row. Figures go to --json after every job, and a run that
is started again does only what is not there; --minutes bounds the CPU time of a run.
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch
from few_shot import TASKS, Rows, Task

from search.checkpoint import find
from search.cli.output import print_table, say
from search.few import train_few
from search.labelled import order_labels
from search.methods import Choice
from search.metrics import accuracy, macro_f1
from search.progress import SILENT
from search.settling import settle
from search.training import train as train_joint
from search.training_data import from_texts
from search.training_options import FinetuneOptions, Method
from search.training_run import encode

JUDGED = 400
METHODS = {"sst2": Method.CONTRASTIVE, "restaurants": Method.HEAD, "goemotions": Method.HEAD}
"""What each task's base calls for where rows are few."""


def split(task: Task) -> Task:
    """Judge by rows of the pool itself, which are then drawn no more."""
    order = np.random.default_rng(5).permutation(len(task.pool))
    rows = [task.pool[number] for number in order]
    return replace(task, pool=rows[JUDGED:], judge=rows[:JUDGED])


def draw(task: Task, count: int, seed: int) -> Rows:
    """Draw rows as they come, and more of a label that has fewer than two."""
    order = np.random.default_rng([seed, count]).permutation(len(task.pool))
    rows = [task.pool[number] for number in order]
    drawn, rest = rows[:count], rows[count:]
    for name in task.names:
        missing = 2 - sum(label == name for _, label in drawn)
        drawn += [row for row in rest if row[1] == name][: max(0, missing)]
    return drawn


def learn(task: Task, rows: Rows, method: Method, seed: int) -> dict[str, float]:
    """Train by one method and judge."""
    base = find(task.base)
    labels = order_labels(Counter(label for _, label in rows), ordinal=None, nominal=False)
    worked = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        validation = None if method == Method.JOINT else 0.0
        data = from_texts(rows, labels, Path(folder), validation=validation, seed=seed)
        asked = FinetuneOptions(base=task.base, seed=seed, method=method)
        options = settle(asked, Choice(method, "as asked"), data)
        train = train_joint if method == Method.JOINT else train_few
        trained = train(data, base, Path(folder), options, SILENT)
    spent = time.process_time() - worked
    logits = encode(trained.model, [text for text, _ in task.judge])[:, -len(labels.names) :]
    gold = np.array([labels.names.index(label) for _, label in task.judge])
    given = logits.argmax(axis=1)
    return {
        "accuracy": accuracy(given, gold),
        "macro_f1": macro_f1(given, gold, len(labels.names)),
        "cpu_seconds": spent,
    }


def show(done: list[dict[str, Any]]) -> None:
    """Print a line for each task and number of rows, over the seeds that all its methods have done."""
    lines = []
    for task, rows in sorted({(one["task"], one["rows"]) for one in done}):
        of = {(one["method"], one["seed"]): one for one in done if (one["task"], one["rows"]) == (task, rows)}
        pair = (METHODS[task], Method.JOINT)
        seeds = [seed for seed in range(100) if all((method, seed) in of for method in pair)]
        if not seeds:
            continue
        line = [task, str(rows), str(len(seeds)), str(pair[0])]
        for key in ("accuracy", "macro_f1"):
            for method in pair:
                values = [of[method, seed][key] for seed in seeds]
                line.append(f"{mean(values):.3f} ± {stdev(values) if len(values) > 1 else 0.0:.3f}")
        line += [f"{mean(of[method, seed]['cpu_seconds'] for seed in seeds):.0f}" for method in pair]
        lines.append(line)
    names = ["few: accuracy", "joint: accuracy", "few: macro F1", "joint: macro F1", "few: CPU s", "joint: CPU s"]
    columns = [("task", "left"), ("rows", "right"), ("seeds", "right"), ("method for few", "left")]
    print_table([*columns, *((name, "right") for name in names)], lines)


def main() -> None:
    """Run what was asked for, seed by seed, and print a table of all that is in the file of figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--rows", nargs="+", type=int, default=[100, 200, 400, 800])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=25.0, help="of CPU; what is begun is ended")
    parser.add_argument("--json", type=Path, default=Path("few_or_many.json"), help="the file of figures")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    done = json.loads(chosen.json.read_text(encoding="utf-8")) if chosen.json.exists() else []
    tasks = {name: split(TASKS[name](chosen.data)) for name in chosen.tasks}
    for seed in range(chosen.seeds):
        for count in sorted(chosen.rows, reverse=True):
            for name, task in tasks.items():
                for method in (METHODS[name], Method.JOINT):
                    key = {"task": name, "rows": count, "seed": seed, "method": str(method)}
                    if any(key.items() <= one.items() for one in done):
                        continue
                    if time.process_time() > chosen.minutes * 60:
                        break
                    done.append(key | learn(task, draw(task, count, seed), method, seed))
                    say(json.dumps(done[-1]))
                    chosen.json.write_text(json.dumps(done, indent=1), encoding="utf-8")
    show(done)


if __name__ == "__main__":
    main()
