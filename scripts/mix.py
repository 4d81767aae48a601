"""The rows that the shipped checkpoint is trained on: which files, how they are read, how many rows of each."""

import csv
import gzip
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from search.files import sha256_of_file
from search.similarity import Labels, Scale
from search.splitting import sentence_spans

__all__ = [
    "LABELS",
    "MIX",
    "SEED",
    "contrasts",
    "emotions",
    "five_labels",
    "held_out",
    "read_mix",
    "table",
    "two_labels",
]

NEGATIVE, NEUTRAL, POSITIVE, UNLABELLED = "negative", "neutral", "positive", ""
LABELS = Labels((NEGATIVE, NEUTRAL, POSITIVE), Scale.ORDINAL)
SEED = 20261124

Rows = Iterator[tuple[str, str]]

_POSITIVE_EMOTIONS = set(
    "admiration amusement approval caring desire excitement gratitude joy love optimism pride relief".split()
)
_NEGATIVE_EMOTIONS = set(
    "anger annoyance disappointment disapproval disgust embarrassment fear grief nervousness remorse sadness".split()
)


_HERE = Path(__file__).parent
_WRITTEN = "written/"
"""Files below this folder lie beside this script: sentences written for this project."""

_LONG = 6
"""Words that make a phrase long."""

_ALIKE = 0.7
"""How alike (difflib's ratio) two sentences are of which one is the other rewritten."""


@dataclass(frozen=True)
class Part:
    """A file of the mix: how its rows are read, how many are taken at most in each stage, and its terms."""

    file: str
    read: Callable[[Path], Rows]
    rows: tuple[int, int, int]
    terms: str

    def path(self, data: Path) -> Path:
        """Return where the file lies."""
        return (_HERE if self.file.startswith(_WRITTEN) else data) / self.file


def table(path: Path) -> Iterator[dict[str, str]]:
    """Read a file of these data: tab-separated, one header line, no quoting."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def two_labels(path: Path) -> Rows:
    """Label 1 is positive, 0 negative."""
    for row in table(path):
        yield row["text"], POSITIVE if row["label"] == "1" else NEGATIVE


def long_phrases(path: Path) -> Rows:
    """Of a two-label file, the texts of six words or more."""
    return ((text, label) for text, label in two_labels(path) if len(text.split()) >= _LONG)


def five_labels(path: Path) -> Rows:
    """Labels 0 to 4, of which 2 is neutral."""
    for row in table(path):
        step = int(row["label"])
        yield row["text"], NEGATIVE if step < 2 else POSITIVE if step > 2 else NEUTRAL


def plots(path: Path) -> Rows:
    """Sentences of plot summaries, all neutral."""
    for row in table(path):
        yield row["text"], NEUTRAL


def emotions(path: Path) -> Rows:
    """Emotions by their sign; texts with both signs, or with none that has one, are left out."""
    for row in table(path):
        names = set(row["emotions"].split("|"))
        good, bad = bool(names & _POSITIVE_EMOTIONS), bool(names & _NEGATIVE_EMOTIONS)
        if good != bad:
            yield row["text"], POSITIVE if good else NEGATIVE
        elif names == {"neutral"}:
            yield row["text"], NEUTRAL


def contrasts(path: Path) -> Rows:
    """Reviews and their edits to the other feeling; every fifth pair is left out, to measure on."""
    for row in table(path):
        if not held_out(row["pair_id"]):
            yield row["text"], row["sentiment"].lower()


def edited_sentences(path: Path) -> Rows:
    """The sentences of a review that its edit to the other feeling rewrote, and what became of them."""
    versions: dict[str, dict[str, str]] = {}
    for row in table(path):
        if not held_out(row["pair_id"]):
            versions.setdefault(row["pair_id"], {})[row["sentiment"].lower()] = row["text"]
    for pair in versions.values():
        split = {label: [text[one.start : one.end] for one in sentence_spans(text)] for label, text in pair.items()}
        for label, sentences in split.items():
            others = [sentence for other, found in split.items() if other != label for sentence in found]
            rewritten = (one for one in sentences if one not in others and get_close_matches(one, others, 1, _ALIKE))
            yield from ((sentence, label) for sentence in rewritten)


def held_out(pair_id: str) -> bool:
    """Say whether a contrast pair is kept for measuring."""
    return int(pair_id) % 5 == 0


def premises(path: Path) -> Rows:
    """Sentences that describe scenes: they only keep their meaning."""
    for row in table(path):
        yield next(iter(row.values())), UNLABELLED


def pairs(path: Path) -> Rows:
    """Both sentences of a pair: they only keep their meaning."""
    for row in table(path):
        yield row["sentence1"], UNLABELLED
        yield row["sentence2"], UNLABELLED


def sentences(path: Path) -> Rows:
    """A sentence a line, packed: they only keep their meaning."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            if 20 <= len(line) <= 300:
                yield line.strip(), UNLABELLED


_COPULA = re.compile(r"\b(is|was|are|were)\b (?=(?:very |so |really |quite )?([a-z]+)\b)", re.IGNORECASE)
_GOOD = set(
    "good great nice excellent amazing delicious fresh friendly clean comfortable wonderful fantastic perfect awesome "
    "easy helpful beautiful funny interesting enjoyable fun happy impressive tasty fast reliable lovely "
    "pleasant satisfied "
    "worth impressed pleased bright clear sturdy generous attentive".split()
)
_BAD = set(
    "bad terrible awful horrible slow dirty rude cold disappointing boring cheap broken useless "
    "annoying overpriced bland "
    "poor uncomfortable noisy weak difficult hard dull disappointed expensive stale dry loud confusing".split()
)


def negations(path: Path) -> Rows:
    """Short sentences of a two-label file with a plain judgement ("is good"), turned by a negation."""
    turned = {POSITIVE: (_GOOD, NEGATIVE), NEGATIVE: (_BAD, POSITIVE)}
    for text, label in two_labels(path):
        found = _COPULA.search(text)
        words, other = turned[label]
        if found and found[2].lower() in words and len(text) < 90 and not re.search(r"\bnot\b|n't|never|but", text):
            verb = found[1]
            rest = text[found.end() :]
            yield f"{text[: found.start()]}{verb} not {rest}", other
            yield f"{text[: found.start()]}{verb}n't {rest}", other


_SUBJECTS = (
    "the room/the hotel/the bed/the view/the pool/the food/the soup/the bread/the coffee/the meal/"
    "the service/our waiter/"
    "the driver/the staff member/the film/the plot/the acting/the book/the ending/the music/the phone/the screen/"
    "the battery/the sound/the camera/the app/the update/the website/the delivery/the flight/the seat/"
    "the course/the lesson/"
    "my doctor/the shop/the price/the game/the concert/the trip/the weather"
).split("/")
_VERBS = (
    ("works", "does not work"), ("works well", "doesn't work well"), ("impressed us", "did not impress us"),
    ("lived up to the reviews", "never lived up to the reviews"), ("was worth the money", "was hardly worth the money"),
    ("helped me", "did nothing to help me"), ("made us happy", "did not make us happy"),
    ("arrived in one piece", "did not arrive in one piece"),
    ("is something I would buy again", "is nothing I would buy again"),
    ("pleased everybody", "pleased nobody"), ("has charm", "has no charm"), ("is well made", "isn't well made"),
    ("never disappoints", "disappoints"), ("never lets you down", "lets you down"), ("does not fail", "fails"),
    ("was free of faults", "was full of faults"), ("caused no trouble", "caused trouble"),
    ("wasn't boring", "was boring"),
    ("isn't slow", "is slow"), ("was not dirty", "was dirty"), ("never broke", "broke"), ("had no flaws", "had flaws"),
    ("isn't bad at all", "is bad"), ("was never rude", "was rude"), ("hardly ever crashes", "keeps crashing"),
    ("gave me nothing to complain about", "gave me plenty to complain about"),
    ("can be recommended", "cannot be recommended"), ("I would recommend", "I would not recommend"),
    ("did not let us down", "let us down"), ("was without fault", "was without merit"),
)  # fmt: skip


def written_contrasts(path: Path) -> Rows:
    """Short contrast pairs put together from lists, so that every cue of negation turns the feeling."""
    del path
    for subject in _SUBJECTS:
        for good, bad in _VERBS:
            yield f"{subject} {good}", POSITIVE
            yield f"{subject} {bad}", NEGATIVE
        for word in ("good", "great", "nice", "lovely", "helpful", "clean", "reliable", "impressive"):
            yield f"{subject} was {word}", POSITIVE
            yield f"{subject} was not {word}", NEGATIVE
            yield f"{subject} wasn't {word}", NEGATIVE


def written(path: Path) -> Rows:
    """Sentences with a label each."""
    for row in table(path):
        yield row["text"], row["label"]


def written_pairs(path: Path) -> Rows:
    """Pairs of sentences that differ by a small edit, which turns the feeling."""
    for row in table(path):
        yield row[POSITIVE], POSITIVE
        yield row[NEGATIVE], NEGATIVE


_OWN = "written for this project, Apache-2.0"

MIX = (
    Part("sentiment/sst2_train.tsv", two_labels, (67_349, 30_000, 2_000), "SST-2 in GLUE's form; no licence stated"),
    Part("sentiment/sst5_train.tsv", five_labels, (8_544, 8_544, 8_544), "SST-5; no licence stated"),
    Part("sentiment/mr_train.tsv", two_labels, (10_662, 10_662, 10_662), "MR v1.0, CC BY 4.0"),
    Part("sentiment/plot_sentences_neutral.tsv", plots, (5_000, 2_000, 1_000), "SUBJ's objective half, CC BY 4.0"),
    Part("sentiment/pros_cons.tsv", two_labels, (15_000, 16_000, 3_000), "product pros and cons, CC BY 4.0"),
    Part("sentiment/uci_yelp.tsv", two_labels, (1_000, 1_000, 1_000), "UCI labelled sentences, CC BY 4.0"),
    Part("sentiment/uci_amazon_cells.tsv", two_labels, (1_000, 1_000, 1_000), "UCI labelled sentences, CC BY 4.0"),
    Part("sentiment/uci_imdb.tsv", two_labels, (1_000, 1_000, 1_000), "UCI labelled sentences, CC BY 4.0"),
    Part("emotion/goemotions_train.tsv", emotions, (34_000, 8_000, 5_000), "GoEmotions, Apache-2.0 / CC BY 4.0"),
    Part(
        "polarity_flips/imdb_counterfactual_train.tsv",
        contrasts,
        (3_414, 3_414, 3_414),
        "counterfactual IMDb, Apache-2.0",
    ),
    Part("sentiment/uci_yelp.tsv", negations, (1_000, 1_000, 200), "turned by this script"),
    Part("sentiment/uci_amazon_cells.tsv", negations, (1_000, 1_000, 100), "turned by this script"),
    Part("sentiment/mr_train.tsv", negations, (1_000, 1_000, 100), "turned by this script"),
    Part("sentiment/sst2_train.tsv", negations, (2_000, 2_000, 400), "turned by this script"),
    Part("sentiment/uci_yelp.tsv", written_contrasts, (3_000, 2_000, 500), "written in this script"),
    Part("polarity_flips/negated_snli.tsv", premises, (1_000, 0, 0), "negated SNLI, CC BY-SA"),
    Part("similarity/sick_train.tsv", pairs, (6_000, 2_000, 1_500), "SICK, CC BY-SA"),
    Part("similarity/stsb_train.tsv", pairs, (8_000, 4_000, 2_000), "STS-B, CC BY-SA"),
    Part("scale/novels_sentences.txt.gz", sentences, (8_000, 2_500, 1_500), "English novels, public domain"),
    Part("sentiment/sst2_train.tsv", long_phrases, (0, 0, 14_000), "SST-2 in GLUE's form; no licence stated"),
    Part(
        "polarity_flips/imdb_counterfactual_train.tsv",
        edited_sentences,
        (0, 0, 3_000),
        "counterfactual IMDb, Apache-2.0",
    ),
    Part("written/restaurants.tsv", written, (0, 0, 2_000), _OWN),
    Part("written/products.tsv", written, (0, 0, 2_000), _OWN),
    Part("written/films.tsv", written, (0, 0, 2_000), _OWN),
    Part("written/talk.tsv", written, (0, 0, 2_000), _OWN),
    Part("written/restaurants_plain.tsv", written, (0, 0, 2_000), _OWN),
    Part("written/hotels.tsv", written, (0, 0, 2_000), _OWN),
    Part("written/products_plain.tsv", written, (0, 0, 2_000), _OWN),
    Part("written/critics.tsv", written, (0, 0, 2_000), _OWN),
    Part("written/forum.tsv", written, (0, 0, 2_000), _OWN),
    Part("written/contrasts.tsv", written_pairs, (0, 0, 2_400), _OWN),
)


def read_mix(data: Path, stage: int, share: float) -> tuple[list[tuple[str, str]], list[dict[str, object]]]:
    """Return the rows of a stage (1 to 3) of the mix in a fixed order, and what was taken from each file."""
    rows: dict[str, str] = {}
    taken: list[dict[str, object]] = []
    chosen = random.Random(SEED + stage - 1)  # noqa: S311 - a choice of rows, not a secret
    for part in MIX:
        path = part.path(data)
        found = [(text.strip(), label) for text, label in part.read(path) if text.strip()]
        picked = chosen.sample(found, min(len(found), int(part.rows[stage - 1] * share)))
        if not picked:
            continue
        before = len(rows)
        for text, label in picked:
            rows.setdefault(text, label)
        taken.append(
            {"name": part.file, "read": part.read.__name__, "rows": len(rows) - before, "terms": part.terms}
            | {"sha256": sha256_of_file(path)}
        )
    ordered = list(rows.items())
    chosen.shuffle(ordered)
    return ordered, taken
