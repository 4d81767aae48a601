"""Does training on a domain's unlabelled text help to search it? Three library ways, tried on SciFact.

    python benchmarks/unlabelled.py --data DATA [--rows 5000] [--documents 5183] [--ways simcse tsdae titles]

From all-MiniLM-L6-v2, on the domain's own sentences alone (abstracts split to sentences; no query, no qrels):
- simcse: a sentence and itself, under dropout, against the others (MultipleNegativesRankingLoss; Gao et al. 2021);
- tsdae: sentences restored from a damaged copy (DenoisingAutoEncoderLoss; Wang et al. 2021);
- titles: a document's title and its abstract's sentences say the same (MultipleNegativesRankingLoss): what
  `kindred finetune` does with a file of the columns sentence1 and sentence2.
Measured before and after: nDCG@10 and recall@100 on SciFact, with all its documents or, sooner, the relevant ones and
some others; Spearman on STS-B dev.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from datasets import Dataset
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.sentence_transformer.losses import DenoisingAutoEncoderLoss, MultipleNegativesRankingLoss
from torch import nn
from transformers import PrinterCallback

from search.checkpoint import BASE_ENCODER, find
from search.cli.output import print_table
from search.encoders import load_encoder
from search.evaluate import evaluate
from search.splitting import sentence_spans
from search.tables import TableReader

SEED = 7
KEPT = 0.4
"""The share of a sentence's words that TSDAE keeps."""

Pairs = list[tuple[str, str]]


def documents(data: Path) -> list[tuple[str, list[str]]]:
    """Return the titles and the sentences of the corpus."""
    rows = TableReader(str(data / "retrieval/scifact/corpus.jsonl"))
    cells = [row.cells for row in rows]
    return [
        (str(one["title"]), [str(one["text"])[span.start : span.end] for span in sentence_spans(str(one["text"]))])
        for one in cells
    ]


def simcse(corpus: list[tuple[str, list[str]]]) -> Pairs:
    """Pair every sentence with itself."""
    return [(sentence, sentence) for _, sentences in corpus for sentence in sentences]


def tsdae(corpus: list[tuple[str, list[str]]]) -> Pairs:
    """Pair every sentence with what is left of it when words are dropped."""
    drawn = random.Random(SEED)  # noqa: S311 - noise, not a secret
    pairs = []
    for _, sentences in corpus:
        for sentence in sentences:
            words = sentence.split()
            kept = [word for word in words if drawn.random() < KEPT] or words[:1]
            pairs.append((" ".join(kept), sentence))
    return pairs


def titles(corpus: list[tuple[str, list[str]]]) -> Pairs:
    """Pair every title with a sentence of its abstract."""
    drawn = random.Random(SEED)  # noqa: S311 - a choice of rows, not a secret
    return [(title, drawn.choice(sentences)) for title, sentences in corpus if title and sentences]


WAYS: dict[str, Callable[[list[tuple[str, list[str]]]], Pairs]] = {"simcse": simcse, "tsdae": tsdae, "titles": titles}


def adapt(way: str, pairs: Pairs, out: Path) -> None:
    """Train the base on the pairs for one epoch, by the library's own loss."""
    model = SentenceTransformer(str(find(BASE_ENCODER)), local_files_only=True)
    model.max_seq_length = 64
    model.model_card_data.widget = [{}]
    loss: nn.Module = (
        DenoisingAutoEncoderLoss(model, tie_encoder_decoder=True)
        if way == "tsdae"
        else MultipleNegativesRankingLoss(model)
    )
    with tempfile.TemporaryDirectory() as work:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=work,
            num_train_epochs=1,
            per_device_train_batch_size=64,
            learning_rate=2e-5,
            warmup_steps=0.1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=SEED,
            use_cpu=True,
        )
        rows = Dataset.from_dict({"a": [one for one, _ in pairs], "b": [other for _, other in pairs]})
        trainer = SentenceTransformerTrainer(model=model, args=arguments, train_dataset=rows, loss=loss)
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    model.max_seq_length = 256
    model.save(str(out), create_model_card=False)


def reduced(data: Path, folder: Path, count: int) -> Path:
    """Copy SciFact with its relevant documents and as many others as make up the count."""
    whole = data / "retrieval/scifact"
    (folder / "qrels").mkdir(parents=True)
    for name in ("queries.jsonl", "qrels/test.tsv"):
        shutil.copy(whole / name, folder / name)
    relevant = {row.cells["corpus-id"] for row in TableReader(str(whole / "qrels/test.tsv"))}
    lines = (whole / "corpus.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    wanted = [line for line in lines if str(json.loads(line)["_id"]) in relevant]
    others = [line for line in lines if str(json.loads(line)["_id"]) not in relevant]
    kept = wanted + others[: max(0, count - len(wanted))]
    (folder / "corpus.jsonl").write_text("".join(kept), encoding="utf-8")
    return folder


def measure(name: str, scifact: Path, data: Path) -> dict[str, float]:
    """Return what an encoder finds."""
    encoder = load_encoder(name)
    (found,) = evaluate(encoder, str(scifact), weights=[0.0])
    (alike,) = evaluate(encoder, str(data / "similarity/stsb_dev.tsv"), weights=[0.0])
    return {name: round(found.figures[name], 4) for name in ("ndcg@10", "recall@100")} | {
        "STS-B": round(alike.figures["spearman"], 4)
    }


def main() -> None:
    """Measure the base, adapt it in each way, measure again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=5_000, help="pairs of each way")
    parser.add_argument("--documents", type=int, default=5_183, help="documents that are searched")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    chosen = parser.parse_args()
    corpus = documents(chosen.data)
    with tempfile.TemporaryDirectory() as work:
        scifact = reduced(chosen.data, Path(work) / "scifact", chosen.documents)
        results = {"base": measure(BASE_ENCODER, scifact, chosen.data)}
        for way in chosen.ways:
            pairs = WAYS[way](corpus)
            picked = random.Random(SEED).sample(pairs, min(chosen.rows, len(pairs)))  # noqa: S311 - rows, not a secret
            adapt(way, picked, Path(work) / way)
            results[way] = measure(str(Path(work) / way), scifact, chosen.data)
            print(way, len(picked), results[way], file=sys.stderr, flush=True)
    columns = list(results["base"])
    print_table(
        [("", "left"), *((column, "right") for column in columns)],
        [[name, *(f"{found[column]:.4f}" for column in columns)] for name, found in results.items()],
    )
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
