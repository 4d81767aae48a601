"""Damage an index at random: is it harmless, or noticed, and is no hit ever a wrong sentence?

    python benchmarks/damage_trials.py --trials 300

A trial truncates, flips, overwrites, swaps or deletes something in a file of an index that has seen an update, and asks
the same queries as before. Harmless: the same answers. Noticed: an error of ours when it is opened or asked, or, where
all sentences shown are right but one that should be there is missing, by `verify`. Everything else is a failure.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from cheap_encoder import CheapEncoder

from search.corpus import Corpus
from search.errors import KindredError
from search.index import Index
from search.indexing import build_index
from search.query import Searcher
from search.verifying import verify_index

_QUERIES = [f"sentence {number} of {name}" for number in (3, 77, 140) for name in "ab"]
_K = 20

Answers = list[list[tuple[str, str, int, float]]]


def _made(folder: Path) -> Path:
    texts = folder / "texts"
    texts.mkdir()
    for name in "abc":
        lines = "".join(f"sentence {number} of {name}\n" for number in range(150))
        (texts / f"{name}.txt").write_text(lines, encoding="utf-8")
    build_index(Corpus([str(texts)]), folder / "index", CheapEncoder())
    (texts / "c.txt").write_text("".join(f"sentence {number} of c now\n" for number in range(120)), encoding="utf-8")
    build_index(Corpus([str(texts)]), folder / "index", CheapEncoder())
    return folder / "index"


def _answers(folder: Path) -> Answers:
    with Index(folder) as index:
        found = Searcher(index, CheapEncoder()).search(_QUERIES, k=_K)
    return [
        [(hit.entry.sentence.text, hit.entry.sentence.source, hit.entry.sentence.line, hit.score) for hit in hits]
        for hits in found
    ]


def _damage(folder: Path, chance: random.Random) -> str:
    """Damage a file, weighed by nothing but chance; return what was done."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    path = chance.choice(files)
    data = bytearray(path.read_bytes())
    how = chance.choice(["truncate", "flip", "overwrite", "swap", "delete", "empty"])
    if how == "truncate":
        path.write_bytes(data[: chance.randrange(len(data))])
    elif how == "flip":
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
    elif how == "overwrite":
        begin = chance.randrange(len(data))
        count = min(chance.randrange(1, 600), len(data) - begin)
        data[begin : begin + count] = chance.randbytes(count)
        path.write_bytes(data)
    elif how == "swap":
        other = chance.choice(files)
        theirs = other.read_bytes()
        other.write_bytes(data)
        path.write_bytes(theirs)
    elif how == "delete":
        path.unlink()
    else:
        path.write_bytes(b"")
    return f"{how} {path.relative_to(folder)}"


def _outcome(folder: Path, expected: Answers, right: set[tuple[str, str, int]]) -> str:
    try:
        found = _answers(folder)
    except KindredError:
        return "noticed when asked"
    if found == expected:
        return "harmless"
    for hits in found:
        for text, source, line, _ in hits:
            if (text, source, line) not in right:
                return f"WRONG SENTENCE {text!r} {source}:{line}"
    for hits, before in zip(found, expected, strict=True):
        scores = {hit[:3]: hit[3] for hit in before}
        for hit in hits:
            if scores.get(hit[:3], hit[3]) != hit[3]:
                return f"WRONG SCORE {hit}"
    try:
        told = verify_index(folder, CheapEncoder()).problems
    except KindredError:
        return "noticed by verify"
    return "noticed by verify" if told else "UNNOTICED: other answers"


def run(trials: int, seed: int) -> dict[str, Any]:
    """Do the trials; return how many there were of each outcome, and the failures."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    counts: Counter[str] = Counter()
    failures: list[str] = []
    with tempfile.TemporaryDirectory(prefix="kindred-damage-") as name:
        made = _made(Path(name))
        expected = _answers(made)
        with Index(made) as index:
            entries = index.entries([row for row, _ in index.texts()])
        right = {(entry.sentence.text, entry.sentence.source, entry.sentence.line) for entry in entries}
        for _ in range(trials):
            folder = Path(name) / "trial"
            shutil.copytree(made, folder)
            what = _damage(folder, chance)
            outcome = _outcome(folder, expected, right)
            counts[outcome.split(":")[0].split(" '")[0]] += 1
            if outcome.isupper() or outcome.split()[0].isupper():
                failures.append(f"{what}: {outcome}")
            shutil.rmtree(folder)
    return {"trials": trials, "counts": dict(sorted(counts.items())), "failures": failures}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    result = run(options.trials, options.seed)
    print(json.dumps(result, indent=1))
    sys.exit(1 if result["failures"] else 0)
