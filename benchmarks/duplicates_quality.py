"""How well duplicates are told from near misses: scores, guard, thresholds.

    python benchmarks/duplicates_quality.py --data DATA [--rows 1500] [--reviews 300] [--json FILE]

- pairs: average precision and best F1 on ROWS pairs, drawn at random, of quora_dev, mrpc_train and pan_train: kindred
  with its default weight and guard, without the guard, and by meaning alone; the base encoder's cosine; SemHash 0.5.0
  on kindred's meaning; and what MinHash estimates, the Jaccard of 5-character shingles. SemHash runs in an environment
  of its own that the script makes in the cache folder.
- thresholds: precision, recall and F1 at 0.9 and at the threshold found without labels on the pairs' own sentences,
  which is the default; F1 of one calibrated on every other pair, on the pairs held back, against the best F1 there;
  the same for precision 0.9 asked for. And for 40 draws of the halves: how much F1 is lost on average, by the
  calibrated one and by the one that is best on the pairs it was chosen on.
- guard: of the pairs that the default threshold merges without it, the share merged with it. Flips: negated_snli (a
  sentence against its negation), breaking_nli (contradictions by a number or an antonym), imdb_counterfactual_train (a
  review against its flipped edit, the first REVIEWS). The guard was written while looking at one half of these, by a
  hash of the first sentence; the figures are of the other.
- corpora/support.txt: precision, recall and F1 over all pairs of sentences against the groups, at 0.9, at the
  threshold found without labels, and at the best; how many near misses are merged.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search.checkpoint import BASE_ENCODER
from search.cli.output import print_table, say
from search.duplicates import DEFAULT_THRESHOLD
from search.encoder import Encoder
from search.encoders import load_encoder
from search.errors import OptionError
from search.guard import PairGuard, cues, refuse
from search.joining import Scoring
from search.metrics import average_precision, best_f1, f1
from search.records import Sentence
from search.similarity import parts, polarity, total
from search.threshold import REFUSED, Threshold, calibrate
from search.threshold_auto import Texts, automatic

SEMHASH = "0.5.0"
ROOT = Path(__file__).parents[1]
SHINGLE = 5
PAIRS = ("quora_dev", "mrpc_train", "pan_train")

Pairs = list[tuple[str, str]]
Scores = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scored:
    """Pairs with kindred's scores: meaning alone, at the default weight, and whether the guard refuses them."""

    meaning: Scores
    default: Scores
    refused: Flags
    reasons: tuple[str, ...]

    @property
    def guarded(self) -> Scores:
        """Return the default scores, those of refused pairs below all others."""
        return np.where(self.refused, self.default - 3.0, self.default)


def table(path: Path) -> list[list[str]]:
    """Return the rows of a tab-separated file."""
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]


def score(encoder: Encoder, pairs: Pairs) -> Scored:
    """Encode the sentences of pairs, score them, and ask the guard."""
    texts = sorted({text for pair in pairs for text in pair})
    place = {text: number for number, text in enumerate(texts)}
    encoded = encoder.encode(texts)
    one, other = (np.array([place[pair[side]] for pair in pairs], dtype=int) for side in (0, 1))
    passport = encoder.passport
    meaning, sentiment = parts(encoded.rows[one], encoded.rows[other], passport.meaning_dim)
    weight = passport.default_weight if passport.labels else 0.0
    feelings = polarity(encoded.probabilities) if passport.labels else None
    found = {text: cues(text) for text in texts}
    reasons = []
    for (a, b), row, column in zip(pairs, one, other, strict=True):
        felt = (float(feelings[row]), float(feelings[column])) if feelings is not None else None
        refusal = refuse(found[a], found[b], feelings=felt)
        reasons.append(str(refusal.reason) if refusal else "")
    refused = np.array([bool(reason) for reason in reasons])
    return Scored(meaning, total(meaning, sentiment, weight), refused, tuple(reasons))


def jaccard(pairs: Pairs) -> Scores:
    """Return the Jaccard of the pairs' shingles, which MinHash estimates."""

    def shingles(text: str) -> set[str]:
        plain = " ".join(text.lower().split())
        return {plain[at : at + SHINGLE] for at in range(max(1, len(plain) - SHINGLE + 1))}

    return np.array([len(a & b) / len(a | b) for a, b in ((shingles(x), shingles(y)) for x, y in pairs)])


def semhash(encoder: Encoder, pairs: Pairs) -> Scores:
    """Return SemHash's scores on the encoder's meaning."""
    texts = sorted({text for pair in pairs for text in pair})
    vectors = encoder.encode(texts).rows[:, : encoder.passport.meaning_dim]
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        (folder / "pairs.json").write_text(json.dumps(pairs), encoding="utf-8")
        np.savez(folder / "vectors.npz", texts=np.array(texts), vectors=vectors)
        script = Path(__file__).with_name("duplicates_semhash.py")
        subprocess.run([_environment(), str(script), work], check=True)
        return np.array(json.loads((folder / "scores.json").read_text(encoding="utf-8")))


def _environment() -> str:
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "kindred" / f"semhash-{SEMHASH}"
    python = str(folder / "bin" / "python")
    if not (folder / "installed").exists():
        say(f"Installing SemHash {SEMHASH} into {folder} ...")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pinned = ["--quiet", "--constraint", str(ROOT / "constraints.txt")]
        subprocess.run([python, "-m", "pip", "install", *pinned, f"semhash=={SEMHASH}"], check=True)
        (folder / "installed").touch()
    return python


def labelled(data: Path, rows: int, kindred: Encoder, base: Encoder) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the figures of scores and of thresholds on labelled pairs."""
    ranked: dict[str, Any] = {}
    thresholds: dict[str, Any] = {}
    for name in PAIRS:
        lines = table(data / f"pairs/{name}.tsv")
        lines = [lines[one] for one in np.random.default_rng(0).permutation(len(lines))[:rows]]
        pairs, same = [(a, b) for a, b, _ in lines], np.array([label == "1" for _, _, label in lines])
        scored = score(kindred, pairs)
        methods = {
            "kindred": scored.guarded,
            "kindred, no guard": scored.default,
            "kindred, meaning alone": scored.meaning,
            "all-MiniLM-L6-v2": score(base, pairs).meaning,
            f"SemHash {SEMHASH}": semhash(kindred, pairs),
            "MinHash": jaccard(pairs),
        }
        for method, scores in methods.items():
            gold = same.astype(int)
            ranked[f"{name}: {method}"] = {
                "average precision": average_precision(scores, gold),
                "best F1": best_f1(scores, gold)[0],
                "at": best_f1(scores, gold)[1],
            }
        guarded = np.where(scored.refused, REFUSED, scored.default)
        found = without_labels(kindred, sorted({text for pair in pairs for text in pair}))
        merged = guarded >= found.value
        thresholds[name] = {
            "found without labels": found.value,
            "found: precision": float(same[merged].mean()),
            "found: recall": float(merged[same].mean()),
            "found: F1": f1(merged, same),
            **held_back(guarded, scored.default, same),
            **lost_on_others(guarded, same),
        }
        say(f"{name}: {len(pairs)} pairs")
    return ranked, thresholds


def without_labels(encoder: Encoder, texts: Sequence[str]) -> Threshold:
    """Find a threshold for different texts without labels, as a job does that is given none."""
    ordered = sorted(texts, key=lambda text: hashlib.md5(text.encode(), usedforsecurity=False).digest())
    rows = encoder.encode(ordered).rows
    said = [Sentence(text, "", 1, 0, len(text)) for text in ordered]
    passport = encoder.passport
    scoring = Scoring(lambda places: rows[places], passport.meaning_dim, passport.default_weight)
    different = Texts(len(said), None, lambda places: [said[place] for place in places], scoring)
    return automatic(different, passport, guard=PairGuard())


def lost_on_others(scores: Scores, same: Flags, draws: int = 40) -> dict[str, float]:
    """Return the F1 lost on the other half of the pairs, on average over draws, and how often it is 0.02 or less."""
    random = np.random.default_rng(0)
    lost: dict[str, list[float]] = {"calibrated": [], "best of its own": []}
    for _ in range(draws):
        order = random.permutation(len(scores))
        learn, judge = order[::2], order[1::2]
        possible = scores[judge] > REFUSED
        best = max(f1(scores[judge] >= one, same[judge]) for one in np.unique(scores[judge][possible]))
        for name, value in (
            ("calibrated", calibrate(scores[learn], same[learn]).value),
            ("best of its own", max(-1.0, best_f1(scores[learn], same[learn].astype(int))[1])),
        ):
            lost[name].append(best - f1(scores[judge] >= value, same[judge]))
    return {
        f"{name}: {what}": figure
        for name, one in lost.items()
        for what, figure in (
            ("F1 lost on others", float(np.mean(one))),
            ("0.02 or less", float(np.mean(np.array(one) <= 0.02))),
        )
    }


def held_back(scores: Scores, unguarded: Scores, same: Flags) -> dict[str, float]:
    """Calibrate on every other pair and judge on the rest; also the default threshold, on all."""
    learn, judge = slice(0, None, 2), slice(1, None, 2)
    merged, before = scores >= DEFAULT_THRESHOLD, unguarded >= DEFAULT_THRESHOLD
    figures = {
        "default: merged": int(merged.sum()),
        "default: precision": float(same[merged].mean()),
        "default: precision without guard": float(same[before].mean()),
        "default: recall": float(merged[same].mean()),
        "default: F1": f1(merged, same),
        "share of the true lost to the guard": float((before & ~merged)[same].mean()),
    }
    by_f1 = calibrate(scores[learn], same[learn])
    best = best_f1(scores[judge], same[judge].astype(int))[0]
    figures |= {
        "calibrated for F1": by_f1.value,
        "F1 on held-back": f1(scores[judge] >= by_f1.value, same[judge]),
        "best F1 there": best,
    }
    for wanted in (0.8, 0.9):
        try:
            asked = calibrate(scores[learn], same[learn], precision=wanted)
        except OptionError as exc:
            say(f"precision {wanted}: {exc}")
            continue
        above = scores[judge] >= asked.value
        figures |= {
            f"calibrated for precision {wanted}": asked.value,
            f"precision {wanted} on held-back": float(same[judge][above].mean()),
            f"recall at precision {wanted}": float(above[same[judge]].mean()),
        }
    return figures


def judged(sentence: str) -> bool:
    """Say whether a pair of flips is one to judge on, not one that the guard's lists were written with."""
    return int(hashlib.md5(sentence.encode(), usedforsecurity=False).hexdigest(), 16) % 2 == 1


def negated(data: Path) -> Pairs:
    """Return sentences with their negations: rows come in threes that share a sentence with and without "not"."""
    rows = table(data / "polarity_flips/negated_snli.tsv")
    pairs = set()
    for (a1, b1, _), (a2, b2, _), _third in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
        pairs |= {pair for pair in ((a2, a1), (b1, b2)) if pair[0] != pair[1]}
    return sorted(pairs)


def contradicting(data: Path, *categories: str) -> Pairs:
    """Return the contradictions of breaking_nli of some categories."""
    rows = table(data / "polarity_flips/breaking_nli.tsv")
    return [(a, b) for a, b, label, category in rows if label == "contradiction" and category in categories]


def reviews(data: Path, count: int) -> Pairs:
    """Return reviews with their flipped edits."""
    of = defaultdict(list)
    for number, _, _, text in table(data / "polarity_flips/imdb_counterfactual_train.tsv"):
        of[number].append(text)
    return [(texts[0], texts[1]) for texts in of.values() if len(texts) == 2][:count]


def guarded(data: Path, count: int, kindred: Encoder) -> dict[str, Any]:
    """Return what the guard lets through of flips."""
    flips: dict[str, Pairs] = {
        "negated_snli": negated(data),
        "breaking_nli numbers": contradicting(data, "cardinals", "ordinals"),
        "breaking_nli antonyms": contradicting(data, "antonyms", "antonyms_wordnet"),
        "imdb_counterfactual": reviews(data, count),
    }
    figures = {}
    for name, pairs in flips.items():
        scored = score(kindred, [pair for pair in pairs if judged(pair[0])])
        before = scored.default >= DEFAULT_THRESHOLD
        figures[name] = {
            "pairs": len(before),
            "merged without": int(before.sum()),
            "merged with": int((before & ~scored.refused).sum()),
            "share": float((before & ~scored.refused).sum() / max(1, before.sum())),
            "refused of all": float(scored.refused.mean()),
        }
        say(f"{name}: {figures[name]}")
    return figures


def support(kindred: Encoder) -> dict[str, Any]:
    """Return the pairwise figures on the support questions."""
    texts = (ROOT / "corpora/support.txt").read_text(encoding="utf-8").splitlines()
    group = {int(line): name for name, line, _ in table(ROOT / "corpora/support_groups.tsv")}
    misses = {(int(a) - 1, int(b) - 1) for a, b, *_ in table(ROOT / "corpora/support_near_misses.tsv")}
    places = list(combinations(range(len(texts)), 2))
    same = np.array([group.get(a + 1) is not None and group.get(a + 1) == group.get(b + 1) for a, b in places])
    near = np.array([(a, b) in misses or (b, a) in misses for a, b in places])
    scored = score(kindred, [(texts[a], texts[b]) for a, b in places])
    found = without_labels(kindred, sorted(set(texts)))
    best, at = best_f1(scored.guarded, same.astype(int))
    figures: dict[str, Any] = {
        "best F1": best,
        "best F1 at": at,
        "best F1 without guard": best_f1(scored.default, same.astype(int))[0],
    }
    figures["expected false merges"] = (found.estimate, found.low, found.high)
    for name, value in (("default", DEFAULT_THRESHOLD), ("auto", found.value), ("best", at)):
        merged = scored.guarded >= value
        figures[name] = {
            "threshold": value,
            "precision": float(same[merged].mean()),
            "recall": float(merged[same].mean()),
            "F1": f1(merged, same),
            "wrong": int((merged & ~same).sum()),
            "near misses merged": f"{int((merged & near).sum())} of {int(near.sum())}",
        }
    return figures


def main() -> None:
    """Measure all, print it, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--reviews", type=int, default=300)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    chosen = parser.parse_args()
    kindred, base = load_encoder(), load_encoder(BASE_ENCODER)
    jobs: dict[str, Callable[[], Any]] = {
        "support": lambda: support(kindred),
        "guard": lambda: guarded(chosen.data, chosen.reviews, kindred),
        "pairs": lambda: labelled(chosen.data, chosen.rows, kindred, base),
    }
    figures = {}
    for name, job in jobs.items():
        figures[name] = job()
        if chosen.json:
            chosen.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    show(figures)


def show(figures: dict[str, Any]) -> None:
    """Print tables."""
    ranked, thresholds = figures["pairs"]
    _print(["pairs", "average precision", "best F1", "at"], [[name, *one.values()] for name, one in ranked.items()])
    names = list(dict.fromkeys(name for one in thresholds.values() for name in one))
    _print(["threshold", *PAIRS], [[name, *(thresholds[pairs].get(name, "-") for pairs in PAIRS)] for name in names])
    _print(
        ["guard", *next(iter(figures["guard"].values()))],
        [[name, *one.values()] for name, one in figures["guard"].items()],
    )
    _print(["support", "figure"], [[name, json.dumps(one)] for name, one in figures["support"].items()])


def _print(columns: Sequence[str], lines: list[list[Any]]) -> None:
    aligned = [(name, "right" if number else "left") for number, name in enumerate(columns)]
    print_table(aligned, [[f"{one:.3f}" if isinstance(one, float) else str(one) for one in line] for line in lines])


if __name__ == "__main__":
    main()
