"""Fine-tuning on pairs: kinds, groups, batches without false negatives, and what moves and what stays."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from search.checkpoint import Card
from search.encoder_huggingface import HuggingFaceEncoder
from search.errors import InputError, OptionError
from search.finetune import finetune
from search.pair_data import prepare_pairs
from search.pairs import PairCorpus, PairKind, clusters
from search.progress import SILENT
from search.training_options import FinetuneOptions, Method
from tests.test_finetune import checkpoint, labels, options

__all__ = ["checkpoint", "labels", "options", "write_pairs"]


@pytest.fixture(scope="module")
def for_pairs(options: FinetuneOptions) -> FinetuneOptions:
    """Train as fast on pairs, which have no method."""
    return replace(options, method=Method.AUTO)


THINGS = "room hotel food staff bed pool breakfast noise price people".split()
SAME = {"good": "lovely", "bad": "awful", "loud": "noise", "clean": "fine"}


def _write(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def _positives() -> list[str]:
    return [f"the {thing} was {a}\tthe {thing} is {b}" for thing in THINGS for a, b in SAME.items()]


def write_pairs(path: Path, kind: PairKind) -> Path:
    """Write pairs of a kind: 40 that say the same and, where that can be told, 120 that do not."""
    rows = _positives()
    if kind is not PairKind.POSITIVE:
        different = [
            f"the {thing} was {a}\tthe {thing} is {b}"
            for thing in THINGS
            for a in SAME
            for other, b in SAME.items()
            if a != other
        ]
        rows = [f"{row}\t1" for row in rows] + [f"{row}\t0" for row in different]
    header = "sentence1\tsentence2" + {"positive": "", "labelled": "\tlabel", "scored": "\tscore"}[kind]
    return _write(path, header, rows)


def test_pairs_are_grouped_through_the_texts_they_share() -> None:
    """a=b, b=c and d=e make two groups; a pair that does not say the same joins nothing."""
    assert clusters(["a", "b", "d"], ["b", "c", "e"], [True, True, True]).tolist() == [0, 0, 1]
    assert len(set(clusters(["a", "b"], ["b", "c"], [True, False]).tolist())) == 1
    assert len(set(clusters(["a", "b"], ["c", "c"], [True, False]).tolist())) == 2


@pytest.mark.parametrize(
    ("header", "row", "kind"),
    [
        ("sentence1\tsentence2", "a\tb", PairKind.POSITIVE),
        ("sentence1\tsentence2\tlabel", "a\tb\t1", PairKind.LABELLED),
        ("sentence1\tsentence2\tscore", "a\tb\t3.5", PairKind.SCORED),
    ],
)
def test_the_columns_say_what_pairs_are(tmp_path: Path, header: str, row: str, kind: PairKind) -> None:
    """A score, a label, or neither: scored, labelled, positive."""
    corpus = PairCorpus([str(_write(tmp_path / "pairs.tsv", header, [row]))])
    assert corpus.kind is kind
    assert [(pair.a, pair.b, pair.line) for pair in corpus] == [("a", "b", 2)]


def test_files_of_two_kinds_are_refused(tmp_path: Path) -> None:
    """Both files are named with their kinds."""
    one = _write(tmp_path / "one.tsv", "sentence1\tsentence2", ["a\tb"])
    two = _write(tmp_path / "two.tsv", "sentence1\tsentence2\tscore", ["a\tb\t1"])
    with pytest.raises(InputError, match=r"one\.tsv \(positive\).*two\.tsv \(scored\)"):
        PairCorpus([str(one), str(two)])


def test_bad_pairs_are_named_by_line(tmp_path: Path) -> None:
    """A label that is not 0 or 1, a score that is no number, a text that is not there."""
    cases = {"label": ["a\tb\t2"], "score": ["a\tb\tmuch"], "similarity": ["a\t\t1"]}
    for column, rows in cases.items():
        path = _write(tmp_path / f"{column}.tsv", f"sentence1\tsentence2\t{column}", rows)
        with pytest.raises(InputError, match=rf"{column}\.tsv:2: "):
            list(PairCorpus([str(path)]))


def test_pairs_of_one_value_are_refused(tmp_path: Path) -> None:
    """With nothing to tell apart there is nothing to learn."""
    path = _write(tmp_path / "pairs.tsv", "sentence1\tsentence2\tscore", ["a\tb\t1", "c\td\t1"])
    with pytest.raises(OptionError, match="All 2 pairs have the value 1"):
        prepare_pairs(PairCorpus([str(path)]), tmp_path / "x.arrow", validation=0.1, seed=0)


def test_whole_groups_are_held_back(tmp_path: Path) -> None:
    """No group is on both sides, every row on one, and the share is about what was asked."""
    rows = [f"q{number} a\tq{number} {letter}" for number in range(100) for letter in "bc"]
    path = _write(tmp_path / "pairs.tsv", "sentence1\tsentence2", rows)
    data = prepare_pairs(PairCorpus([str(path)]), tmp_path / "x.arrow", validation=0.2, seed=3)
    assert sorted([*data.train.tolist(), *data.held_back.tolist()]) == list(range(200))
    assert not set(data.groups[data.train].tolist()) & set(data.groups[data.held_back].tolist())
    assert len(data.held_back) == 40


def test_no_text_is_on_both_sides(tmp_path: Path) -> None:
    """Pairs that do not say the same share texts with those that do: they are held back, or not, together."""
    rows = [line for n in range(60) for line in (f"q{n}\tr{n}\t1", f"q{n}\ts{n}\t0", f"s{n}\tt{n}\t1")]
    path = _write(tmp_path / "pairs.tsv", "sentence1\tsentence2\tlabel", rows)
    data = prepare_pairs(PairCorpus([str(path)]), tmp_path / "x.arrow", validation=0.2, seed=0)
    sides = [
        {text for column in ("sentence1", "sentence2") for text in data.texts.select(rows)[column]}
        for rows in (data.train, data.held_back)
    ]
    assert not sides[0] & sides[1]
    assert len(data.held_back) == 36


@pytest.mark.parametrize(
    ("validation", "message"),
    [(0.05, "0.05 of 40 pairs holds back 2; 20 are needed"), (0.99, "0.99 leaves 0 of 40 pairs to learn from")],
)
def test_pairs_that_cannot_be_held_back_are_refused(tmp_path: Path, validation: float, message: str) -> None:
    """What was asked for is not dropped silently; unasked, nothing is held back."""
    path = _write(tmp_path / "pairs.tsv", "sentence1\tsentence2", [f"a{n}\tb{n}" for n in range(40)])
    with pytest.raises(OptionError, match=message):
        prepare_pairs(PairCorpus([str(path)]), tmp_path / "x.arrow", validation=validation, seed=0)
    assert len(prepare_pairs(PairCorpus([str(path)]), tmp_path / "x.arrow", validation=None, seed=0).train) == 40


@pytest.mark.parametrize(
    ("column", "values", "name"),
    [
        ("is_duplicate", ["0", "1", "1"], "label"),
        ("Label", ["1", "1", "1"], "label"),
        ("same", ["yes", "no", "no"], "label"),
        ("gold", ["3.5", "0", "5"], "score"),
        ("stars", ["1", "5", "5"], "score"),
    ],
)
def test_a_label_of_another_name_is_refused(tmp_path: Path, column: str, values: list[str], name: str) -> None:
    """Pairs whose label is not read would all be taken to say the same; the message names the column and the cure."""
    rows = [f"a{n}\tb{n}\t{value}" for n, value in enumerate(values)]
    path = _write(tmp_path / "pairs.tsv", f"sentence1\tsentence2\t{column}", rows)
    with pytest.raises(InputError, match=rf"the column '{column}' looks like the {name}.*Call it {name}"):
        PairCorpus([str(path)])


def test_other_columns_are_left_alone(tmp_path: Path) -> None:
    """Ids and words are no labels, nor is anything beside a label that is read."""
    rows = [f"a{n}\tb{n}\t{100 + n}\t{n // 2}\tforum" for n in range(30)]
    path = _write(tmp_path / "pairs.tsv", "sentence1\tsentence2\tid\tqid\tsource", rows)
    assert PairCorpus([str(path)]).kind is PairKind.POSITIVE
    path = _write(tmp_path / "labelled.tsv", "sentence1\tsentence2\tlabel\tvotes", ["a\tb\t1\t0"])
    assert PairCorpus([str(path)]).told == "labelled, by the column label: 1 says the same, 0 does not"


@pytest.mark.slow
def test_no_batch_holds_two_pairs_of_a_group() -> None:
    """Whatever the groups, batches are as many as announced, of distinct groups, and the same for a seed and epoch."""
    from search.pair_training import PairSampler

    groups = np.random.default_rng(0).integers(0, 40, 200)
    sampler = PairSampler(list(range(200)), 16, drop_last=False, groups=groups, seed=1)
    batches = list(sampler)
    assert len(batches) == len(sampler) == 13
    assert all(len(set(groups[batch].tolist())) == len(batch) for batch in batches)
    assert sorted(row for batch in batches for row in batch) == list(range(200))
    assert batches == list(sampler)
    sampler.set_epoch(1)
    assert batches != list(sampler)


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [[1] * 33, [5] * 20, [40, *[1] * 60], [12, 1, 1, 1]])
@pytest.mark.parametrize("processes", [1, 2])
def test_no_pair_is_lost(sizes: list[int], processes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pair is seen, by one process or by two, unless most are of one group: then all are in a few epochs."""
    from accelerate.data_loader import BatchSamplerShard

    from search.pair_training import PairSampler

    several = SimpleNamespace(main=True, rank=0, count=processes)
    monkeypatch.setattr("search.pair_training.processes", lambda: several)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    sampler = PairSampler(list(range(len(groups))), 16, drop_last=False, groups=groups, seed=1)
    seen: set[int] = set()
    for epoch in range(80 if 2 * max(sizes) > len(groups) else 1):
        sampler.set_epoch(epoch)
        shards = [BatchSamplerShard(sampler, processes, rank) for rank in range(processes)]
        batches = [batch for shard in (shards if processes > 1 else [sampler]) for batch in shard]
        assert all(len(set(groups[batch].tolist())) == len(batch) > 1 for batch in batches)
        seen.update(row for batch in batches for row in batch)
    assert seen == set(range(len(groups)))


@pytest.mark.slow
def test_no_labelled_row_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes see every row of a data set that does not fill its last batch."""
    from accelerate.data_loader import BatchSamplerShard
    from datasets import Dataset

    from search.joint import LengthGroupedSampler

    monkeypatch.setattr("search.joint.processes", lambda: SimpleNamespace(count=2))
    dataset = Dataset.from_dict({"text": ["x" * (number % 7) for number in range(45)]})
    for seed in range(5):
        sampler = LengthGroupedSampler(dataset, 8, drop_last=False, seed=seed)
        batches = [batch for rank in range(2) for batch in BatchSamplerShard(sampler, 2, rank)]
        assert {row for batch in batches for row in batch} == set(range(45))
        assert len(list(sampler)) == len(sampler)


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(PairKind))
def test_pairs_draw_what_says_the_same_together(
    tmp_path: Path, small_bert: Path, for_pairs: FinetuneOptions, kind: PairKind
) -> None:
    """With each kind of pairs, the figure on the groups held back rises above the base's, without labels appearing."""
    path = write_pairs(tmp_path / "pairs.tsv", kind)
    chosen = replace(for_pairs, base=str(small_bert), epochs=6, validation=0.5)
    told: list[str] = []
    telling = SimpleNamespace(tell=told.append, start=SILENT.start, advance=SILENT.advance, finish=SILENT.finish)
    report = finetune([str(path)], tmp_path / "out", options=chosen, progress=telling)
    assert told[0].startswith(f"Pairs: {kind}, ")
    ((name, before),) = report["validation"]["before"].items()
    assert report["validation"][name] > before
    assert report["pairs"] == kind
    assert Card.read(tmp_path / "out") is None
    assert HuggingFaceEncoder(str(tmp_path / "out")).passport.width == 32


@pytest.mark.slow
def test_pairs_leave_the_feelings_of_a_labelled_base(
    tmp_path: Path, checkpoint: tuple[Path, dict[str, object]], for_pairs: FinetuneOptions
) -> None:
    """Meaning moves, and the probabilities of the base's labels move less than when nothing keeps them."""
    path = _write(tmp_path / "pairs.tsv", "sentence1\tsentence2", _positives())
    texts = [f"the {thing} was {word}" for thing in THINGS for word in ("good", "bad", "kind", "rude")]
    before = HuggingFaceEncoder(str(checkpoint[0])).encode(texts)
    moved = {}
    for keep in (0.0, 5.0):
        out = tmp_path / f"keep-{keep:g}"
        chosen = replace(for_pairs, base=str(checkpoint[0]), keep_meaning=keep, validation=0.0)
        finetune([str(path)], out, options=chosen)
        after = HuggingFaceEncoder(str(out)).encode(texts)
        assert float((after.rows[:, :32] * before.rows[:, :32]).sum(axis=1).mean()) < 0.999
        moved[keep] = float(np.abs(after.probabilities - before.probabilities).mean())
    assert moved[5.0] < moved[0.0]
