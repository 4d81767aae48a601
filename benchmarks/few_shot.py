"""Few labelled rows: kindred against SetFit 1.2.0, from the same base, on the same rows, in one run.

    python benchmarks/few_shot.py --data DATA [--tasks sst2 restaurants goemotions] [--shots 8 16 64] [--seeds 10 10 3]

Every job is a base, some rows of each label, and a seed; both methods do it one after the other, on as many cores
(--threads), and are judged on the same rows, none of which was trained on. SetFit runs with its defaults, in an
environment of its own that the script makes in the cache folder. Seconds are of training alone: SetFit's without,
kindred's with loading the base; a first job, not timed, imports what is imported late. CPU seconds depend less on what
else the machine does. Figures are written to --json after every job, and a run that is started again does only what is
not there.

- sst2: all-MiniLM-L6-v2; rows of sst2_train; judged on sst2_dev.
- restaurants: kindred-mini; sentences of restaurants14_train of one polarity: negative, neutral, positive.
- goemotions: kindred-mini; rows of goemotions_train with one of six emotions alone; judged on those of goemotions_dev.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch
from environments import environment

from search.checkpoint import BASE_ENCODER, SHIPPED_ENCODER, Card, find
from search.cli.output import print_table, say
from search.few import train_few
from search.labelled import order_labels
from search.methods import choose
from search.progress import SILENT
from search.settling import settle
from search.training import train as train_joint
from search.training_data import from_texts
from search.training_options import FinetuneOptions, Method
from search.training_run import encode

SETFIT = "1.2.0"
EMOTIONS = ("anger", "fear", "joy", "love", "sadness", "surprise")
JUDGED = 600

METHODS = ("kindred", "setfit")

Rows = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Task:
    """What is compared: rows (text, label) to draw from, rows that judge, and the base."""

    base: str
    pool: Rows
    judge: Rows

    @property
    def names(self) -> list[str]:
        """Return the labels."""
        return sorted({label for _, label in self.pool})

    def draw(self, shots: int, seed: int) -> Rows:
        """Draw `shots` rows of each label."""
        random = np.random.default_rng([seed, shots])
        of_label = {name: [row for row in self.pool if row[1] == name] for name in self.names}
        drawn = [rows[number] for rows in of_label.values() for number in random.permutation(len(rows))[:shots]]
        return [drawn[number] for number in random.permutation(len(drawn))]


def _table(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]


def sst2(data: Path) -> Task:
    """Positive or negative, from the plain base."""
    names = {"0": "negative", "1": "positive"}
    pool, judge = (
        [(text, names[label]) for text, label in _table(data / f"sentiment/sst2_{part}.tsv")]
        for part in ("train", "dev")
    )
    return Task(BASE_ENCODER, pool, judge)


def restaurants(data: Path) -> Task:
    """Three polarities, from the shipped checkpoint."""
    polarities = defaultdict(set)
    for _, text, _, polarity in _table(data / "topic_and_sentiment/restaurants14_train.tsv"):
        polarities[text].add(polarity)
    rows = [(text, *found) for text, found in polarities.items() if len(found) == 1 and found != {"conflict"}]
    order = np.random.default_rng(14).permutation(len(rows))
    return Task(
        SHIPPED_ENCODER, [rows[number] for number in order[JUDGED:]], [rows[number] for number in order[:JUDGED]]
    )


def goemotions(data: Path) -> Task:
    """Six emotions, from the shipped checkpoint, which knows others."""
    pool, judge = (
        [(text, label) for text, label, _ in _table(data / f"emotion/goemotions_{part}.tsv") if label in EMOTIONS]
        for part in ("train", "dev")
    )
    return Task(SHIPPED_ENCODER, pool, judge)


TASKS: dict[str, Callable[[Path], Task]] = {"sst2": sst2, "restaurants": restaurants, "goemotions": goemotions}


class SetFit:
    """A process of its own that keeps SetFit loaded."""

    def __init__(self, threads: int) -> None:
        """Make the environment where it is missing, and start."""
        python = environment(f"setfit-{SETFIT}", [f"setfit=={SETFIT}"])
        self._process = subprocess.Popen(
            [python, str(Path(__file__).with_name("few_shot_setfit.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"},
        )

    def __call__(self, task: Task, rows: Rows, seed: int) -> dict[str, float]:
        """Train and judge."""
        number = {name: place for place, name in enumerate(task.names)}
        told = {"base": str(find(task.base)), "seed": seed}
        told |= {
            "train": [(t, number[label]) for t, label in rows],
            "judge": [(t, number[label]) for t, label in task.judge],
        }
        jobs, answers = self._process.stdin, self._process.stdout
        if jobs is None or answers is None:
            raise SystemExit("SetFit's process has no pipes.")
        jobs.write(json.dumps(told) + "\n")
        jobs.flush()
        line = answers.readline()
        if not line:
            raise SystemExit(
                f"SetFit ended with exit code {self._process.wait()}; run few_shot_setfit.py by hand to see why."
            )
        answer: dict[str, float] = json.loads(line)
        return answer


def kindred(task: Task, rows: Rows, seed: int) -> dict[str, float]:
    """Train and judge as `kindred finetune` does, which chooses the method."""
    base = find(task.base)
    card = Card.read(base)
    counts = Counter(label for _, label in rows)
    labels = order_labels(counts, ordinal=None, nominal=False)
    with tempfile.TemporaryDirectory() as folder:
        started, worked = time.perf_counter(), time.process_time()
        data = from_texts(rows, labels, Path(folder), validation=0.0, seed=seed)
        choice = choose(data, card.labels if card else None, FinetuneOptions())
        options = settle(FinetuneOptions(base=task.base, seed=seed), choice, data)
        train = train_joint if choice.method == Method.JOINT else train_few
        trained = train(data, base, Path(folder), options, SILENT)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - worked
    logits = encode(trained.model, [text for text, _ in task.judge])[:, -len(labels.names) :]
    right = [labels.names[given] == true for given, (_, true) in zip(logits.argmax(axis=1), task.judge, strict=True)]
    return {"accuracy": sum(right) / len(right), "seconds": seconds, "cpu_seconds": cpu_seconds}


Job = Callable[[Task, Rows, int], dict[str, float]]


def compare(name: str, data: Path, shots: int, seeds: int, setfit: SetFit, path: Path) -> None:
    """Do the jobs of a task that are not in the file `path`, and write each one's figures to it."""
    task = TASKS[name](data)
    jobs: dict[str, Job] = {"kindred": kindred, "setfit": setfit}
    for seed in range(seeds):
        rows = task.draw(shots, seed)
        for method, job in jobs.items():
            done = _read(path)
            key = {"task": name, "shots": shots, "seed": seed, "method": method}
            if not any(key.items() <= one.items() for one in done):
                done.append(key | job(task, rows, seed))
                say(json.dumps(done[-1]))
                path.write_text(json.dumps(done, indent=1), encoding="utf-8")


def _warm_up(data: Path, setfit: SetFit) -> None:
    """Do a job of four rows with either method, so that what they import at their first use is not timed."""
    whole = sst2(data)
    task = replace(whole, judge=whole.judge[:8])
    for job in (kindred, setfit):
        job(task, task.draw(2, 0), 0)


def _read(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def show(done: list[dict[str, Any]]) -> None:
    """Print a line for each task and number of shots: only seeds that both methods have done."""
    lines = []
    for task, shots in dict.fromkeys((one["task"], one["shots"]) for one in done):
        of = {
            method: {
                one["seed"]: one for one in done if (one["task"], one["shots"], one["method"]) == (task, shots, method)
            }
            for method in METHODS
        }
        both = sorted(set(of["kindred"]) & set(of["setfit"]))
        if not both:
            continue
        line = [task, str(shots), str(len(both))]
        for method in METHODS:
            figures = [of[method][seed] for seed in both]
            right = [one["accuracy"] for one in figures]
            line += [f"{mean(right):.3f} ± {stdev(right) if len(right) > 1 else 0.0:.3f}"]
            line += [f"{mean(one[key] for one in figures):.1f}" for key in ("seconds", "cpu_seconds")]
        lines.append(line)
    columns = [f"{method}{what}" for method in METHODS for what in ("", " s", " CPU s")]
    print_table([("task", "left"), *((name, "right") for name in ("rows a label", "seeds", *columns))], lines)


def main() -> None:
    """Run what was asked for, and print a table of all that is in the file of figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--shots", nargs="+", type=int, default=[8, 16, 64], help="rows of each label")
    parser.add_argument(
        "--seeds", nargs="+", type=int, default=[10], help="seeds: one number, or one for each of --shots"
    )
    parser.add_argument("--threads", type=int, default=1, help="cores for either method")
    parser.add_argument("--json", type=Path, default=Path("few_shot.json"), help="the file of figures")
    chosen = parser.parse_args()
    if len(chosen.seeds) not in {1, len(chosen.shots)}:
        parser.error(f"--seeds has {len(chosen.seeds)} numbers, --shots {len(chosen.shots)}; give one, or as many.")
    seeds = chosen.seeds * (len(chosen.shots) // len(chosen.seeds))
    torch.set_num_threads(chosen.threads)
    setfit = SetFit(chosen.threads)
    _warm_up(chosen.data, setfit)
    for name in chosen.tasks:
        for shots, count in zip(chosen.shots, seeds, strict=True):
            compare(name, chosen.data, shots, count, setfit, chosen.json)
    show(_read(chosen.json))


if __name__ == "__main__":
    main()
