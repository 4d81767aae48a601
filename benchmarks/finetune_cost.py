"""What joint fine-tuning costs: time beside the plain Hugging Face Trainer, and memory from 10,000 to a million rows.

    python benchmarks/finetune_cost.py speed --data DATA [--rows 6000] [--epochs 2] [--rounds 3]
    python benchmarks/finetune_cost.py memory --data DATA [--rows 10000 100000 1000000] [--steps-minutes 1]

`speed`: the same rows of sst2_train, epochs, batch size, threads and base encoder (all-MiniLM-L6-v2); the plain Trainer
fine-tunes AutoModelForSequenceClassification with dynamic padding, as its documentation shows. Both are timed from the
file of rows to the trained model, kindred with the base's meaning and the saved checkpoint, in turns, each in a process
of its own; imports do not count.

`memory`: the peak of a whole fine-tuning job over lines of imdb_sentences with two made-up labels, each size in a
process of its own. The encoder is a BERT of two small layers, made on the spot, so that a million rows pass in minutes:
what grows with the rows is the same. `anonymous` is what the process holds itself; pages of mapped files, which the
system takes back when it needs room, are in `resident` alone.
"""

import argparse
import csv
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median

from search.checkpoint import BASE_ENCODER, find
from search.finetune import finetune
from search.training_options import FinetuneOptions, Method

BATCH = 32
LENGTH = 128
RATE = 5e-5


def plain_trainer(rows: Path, epochs: int) -> float:
    """Fine-tune with the plain Trainer; return the seconds it took."""
    from datasets import load_dataset
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
    )

    base = str(find(BASE_ENCODER))
    with tempfile.TemporaryDirectory() as work:
        started = time.perf_counter()
        tokenizer = AutoTokenizer.from_pretrained(base)
        data = load_dataset("csv", data_files=str(rows), sep="\t", quoting=3, split="train", cache_dir=work)
        data = data.map(lambda row: tokenizer(row["text"], truncation=True, max_length=LENGTH), batched=True)
        model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=2)
        arguments = TrainingArguments(
            output_dir=work,
            num_train_epochs=epochs,
            per_device_train_batch_size=BATCH,
            learning_rate=RATE,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
        )
        collator = DataCollatorWithPadding(tokenizer)
        Trainer(model, arguments, data_collator=collator, train_dataset=data, processing_class=tokenizer).train()
        model.save_pretrained(str(Path(work) / "model"))
        return time.perf_counter() - started


def joint(rows: Path, epochs: int) -> float:
    """Fine-tune with kindred; return the seconds it took."""
    import search.training  # noqa: F401 - imports do not count

    options = FinetuneOptions(
        base=BASE_ENCODER,
        method=Method.JOINT,
        epochs=epochs,
        batch_size=BATCH,
        max_length=LENGTH,
        learning_rate=RATE,
        validation=0.0,
    )
    with tempfile.TemporaryDirectory() as work:
        started = time.perf_counter()
        finetune([str(rows)], Path(work) / "out", options=options)
        return time.perf_counter() - started


TRAINERS: dict[str, Callable[[Path, int], float]] = {"trainer": plain_trainer, "kindred": joint}


def speed(data: Path, rows: int, epochs: int, rounds: int) -> dict[str, object]:
    """Time both in turns; return rows a second and kindred's share of the Trainer's rate."""
    seconds: dict[str, list[float]] = {name: [] for name in TRAINERS}
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "rows.tsv"
        with (data / "sentiment/sst2_train.tsv").open(encoding="utf-8") as whole:
            path.write_text("".join(islice(whole, rows + 1)), encoding="utf-8")
        for turn in range(rounds):
            for name in TRAINERS:
                seconds[name].append(_child("_train", name, str(path), str(epochs))["seconds"])
                print(f"round {turn + 1}: {name} {seconds[name][-1]:.1f} s", file=sys.stderr, flush=True)
    rates = {name: rows * epochs / median(found) for name, found in seconds.items()}
    return {
        "rows": rows,
        "epochs": epochs,
        "seconds": seconds,
        "rows_per_second": {name: round(rate, 1) for name, rate in rates.items()},
        "kindred_to_trainer": round(rates["kindred"] / rates["trainer"], 2),
    }


def memory(data: Path, sizes: list[int], minutes: float) -> list[dict[str, float]]:
    """Return the peak memory of a job of each size, in MB."""
    found = []
    with tempfile.TemporaryDirectory() as work:
        encoder = _small_bert(Path(work) / "small")
        for size in sizes:
            path = Path(work) / f"{size}.csv"
            _labelled(data / "scale/imdb_sentences.txt.gz", size, path)
            found.append({"rows": size} | _child("_peak", str(path), str(encoder), str(minutes)))
            print(found[-1], file=sys.stderr, flush=True)
    return found


def _labelled(source: Path, size: int, path: Path) -> None:
    """Write lines as labelled rows; the label says whether a line is long."""
    with gzip.open(source, "rt", encoding="utf-8") as lines, path.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["text", "label"])
        rows.writerows((line.strip(), "long" if len(line) > 100 else "short") for line in islice(lines, size))


def _small_bert(folder: Path) -> Path:
    """Make an encoder of two layers of 64 numbers, with the base's tokenizer and random weights."""
    from transformers import AutoTokenizer, BertConfig, BertModel

    tokenizer = AutoTokenizer.from_pretrained(str(find(BASE_ENCODER)))
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _peak(path: Path, encoder: Path, minutes: float) -> dict[str, float]:
    """Fine-tune in this process and return its peaks in MB."""
    import search.training  # noqa: F401 - what imports hold is there before

    options = FinetuneOptions(
        base=str(encoder), epochs=1, batch_size=64, max_length=64, validation=0.01, max_minutes=minutes
    )
    anonymous = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal anonymous
        while not done.wait(0.05):
            status = Path("/proc/self/status").read_text(encoding="ascii")
            anonymous = max(anonymous, int(status.partition("RssAnon:")[2].split()[0]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as work:
        finetune([str(path)], Path(work) / "out", options=options)
    done.set()
    watcher.join()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = time.perf_counter() - started
    return {"anonymous": round(anonymous / 1024), "resident": round(resident / 1024), "seconds": round(seconds)}


def _child(*arguments: str) -> dict[str, float]:
    """Run this file in a process of its own and return what it printed."""
    run = subprocess.run([sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return result


def main() -> None:
    """Measure what is asked for, and print JSON."""
    if sys.argv[1:2] == ["_train"]:
        name, rows, epochs = sys.argv[2:]
        print(json.dumps({"seconds": TRAINERS[name](Path(rows), int(epochs))}))
        return
    if sys.argv[1:2] == ["_peak"]:
        rows, encoder, minutes = sys.argv[2:]
        print(json.dumps(_peak(Path(rows), Path(encoder), float(minutes))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="what", required=True)
    for name in ("speed", "memory"):
        commands.add_parser(name).add_argument("--data", type=Path, required=True)
    commands.choices["speed"].add_argument("--rows", type=int, default=6000)
    commands.choices["speed"].add_argument("--epochs", type=int, default=2)
    commands.choices["speed"].add_argument("--rounds", type=int, default=3)
    commands.choices["memory"].add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    commands.choices["memory"].add_argument("--steps-minutes", type=float, default=1.0)
    chosen = parser.parse_args()
    if chosen.what == "speed":
        print(json.dumps(speed(chosen.data, chosen.rows, chosen.epochs, chosen.rounds), indent=2))
    else:
        print(json.dumps(memory(chosen.data, chosen.rows, chosen.steps_minutes), indent=2))


if __name__ == "__main__":
    main()
