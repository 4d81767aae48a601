"""What a checkpoint says of itself to people: a model card and training curves."""

import json
import math
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from search.checkpoint import Card
from search.pairs import PairKind
from search.similarity import Labels, Scale

__all__ = ["draw_curves", "kept", "model_card", "unmeasured"]

_SHOWN = 200
"""Characters of a mistaken text that the card shows."""

_FEWEST = 4
"""Of so many rows of a label two can be held back and two learned from."""

_LEGENDS = {"label_loss": "label loss, on rows held back"}

_PAIRS = {
    PairKind.POSITIVE: "positive ones, whose two sentences say the same",
    PairKind.LABELLED: "labelled ones, 1 where both sentences say the same and 0 where they do not",
    PairKind.SCORED: "scored ones, by how much both sentences say the same",
}


def model_card(name: str, report: dict[str, Any], card: Card | None, width: int, *, at: Path | None) -> str:
    """Return the model card (Markdown) of a training report.

    Args:
        name: the checkpoint's.
        report: of its training.
        card: what its logits are; None: it has none.
        width: how many numbers its meaning has.
        at: where it lies; None: it comes with kindred, which finds it by its name.
    """
    lines = [
        "---",
        "library_name: sentence-transformers",
        "pipeline_tag: sentence-similarity",
        "---",
        "",
        f"# {_cell(name)}",
        "",
        f"An encoder fine-tuned with kindred from `{report['base']['name']}`.",
        "",
        *_output(report, card, width),
        "",
        *_usage(name, card, width, at),
        "## Data",
        "",
        *_data(report["data"]),
        "",
    ]
    for number, stage in enumerate(report.get("earlier_stages", []), start=1):
        lines += [f"Before that, in stage {number}:", "", *_data(stage["data"]), ""]
    if "labels" in report:
        lines += [*_table(("label", "rows"), list(report["labels"].items())), ""]
    if report.get("contradicted_texts"):
        lines += [f"Texts with more than one label: {report['contradicted_texts']}.", ""]
    lines += [
        "The terms of these files are their owners'; whoever passes this checkpoint on has to keep to them.",
        "",
        "## Figures",
        "",
        *_figures(report),
        "",
        "## Training",
        "",
        *_training(report),
    ]
    options = ", ".join(f"{key} {value}" for key, value in report["options"].items() if value is not None)
    return "\n".join([*lines, "", f"Options: {options}.", ""])


def _output(report: dict[str, Any], card: Card | None, width: int) -> list[str]:
    """Say what the numbers of a row are, and what they were learned from."""
    lines = [f"A text becomes {width} numbers, its meaning: compare them by their cosine."]
    if card is not None:
        labels, count = card.labels, len(card.labels.names)
        order = ", from lowest to highest" if labels.scale is Scale.ORDINAL else ""
        lines = [
            f"A text becomes {width + count} numbers. The first {width} are its meaning: compare them by their cosine.",
            f"The last {count} are logits, one for each label ({labels.scale}{order}): {_names(labels)}.",
            f"The labels' probabilities are softmax(logits / {card.temperature:g}), as `kindred.json` tells programs.",
        ]
    if "pairs" in report:
        stayed = "" if card is None else " The labels are its base's."
        lines += ["", f"Its meaning was trained on pairs: {_PAIRS[report['pairs']]}.{stayed}"]
    return lines


def _names(labels: Labels) -> str:
    return ", ".join(map(_cell, labels.names))


def _usage(name: str, card: Card | None, width: int, at: Path | None) -> list[str]:
    """Return how to use it, as it can be run."""
    imports = ["from langchain_huggingface import HuggingFaceEmbeddings"]
    place = _quoted(at.as_posix() if at else name)
    if at is None:
        imports.append("from search.checkpoint import find")
        place = f"str(find({place}))"
    lines = [f"embeddings = HuggingFaceEmbeddings(model_name={place})", 'row = embeddings.embed_query("a text")']
    if card is None:
        lines.append(f"print(len(row))  # {width}")
    else:
        imports.insert(0, "import numpy as np")
        lines += [
            f"meaning, logits = row[:{width}], np.array(row[{width}:])",
            f"shares = np.exp(logits / {card.temperature:g})",
            f"labels = [{', '.join(map(_quoted, card.labels.names))}]",
            "print(dict(zip(labels, (shares / shares.sum()).tolist())))",
        ]
    command = f"kindred index FILES --encoder {shlex.quote(at.as_posix() if at else name)}"
    moved = [f"If it lies elsewhere now, name that place instead of `{at.as_posix()}`.", ""] if at else []
    return ["```python", *imports, "", *lines, "```", "", "```", command, "```", "", *moved]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _training(report: dict[str, Any]) -> list[str]:
    """Say how it was trained, epoch by epoch, and what was kept."""
    lines = [f"Method: {report['method']} ({report['why']}).", ""] if "method" in report else []
    epochs = report["epochs"]
    columns = list(dict.fromkeys(key for epoch in epochs for key in epoch))
    stopped = f"Stopped {report['stopped']}. " if report["stopped"] else ""
    if columns:
        lines += [
            *_table(columns, [[epoch.get(key, "") for key in columns] for epoch in epochs]),
            "",
            f"{stopped}{kept(report)}.",
        ]
    if len(epochs) > 1:
        lines += ["", "![curves](curves.svg)"]
    return lines


def kept(report: dict[str, Any]) -> str:
    """Say which weights a run in epochs kept."""
    if report["best_epoch"] == 0:
        return "Kept the base's weights, as no epoch was as good"
    return f"Kept epoch {report['best_epoch']}"


def _data(files: Sequence[dict[str, Any]]) -> list[str]:
    """Return the table of the files that were trained on; how they were read and their terms, where that is known."""
    known = [key for key in ("name", "read", "rows", "terms", "sha256") if key in files[0]]
    return _table(known, [[one[key] for key in known] for one in files])


def unmeasured(report: dict[str, Any]) -> str:
    """Say why a report has no figures."""
    if report["options"].get("validation") is None and "labels" in report:
        name, rows = min(report["labels"].items(), key=lambda one: one[1])
        enough = f" --validation {math.ceil(200 / rows) / 100:g} holds some back." if rows >= _FEWEST else ""
        return (
            f"Nothing was measured: label {name!r} has {rows} rows, a tenth of which is too few to hold back.{enough}"
        )
    if report["options"].get("validation") is None:
        return f"Of {report['rows']} rows too few could be held back to measure anything, so nothing was measured."
    return "Nothing was held back, as asked, so nothing was measured."


def _figures(report: dict[str, Any]) -> list[str]:
    validation, crossed = report["validation"], report.get("cross_validation")
    lines = ["On rows held back from training:", "", *_measured(validation)] if validation else []
    if crossed:
        lines += [""] if lines else []
        lines += [
            "By cross-validation: a head on the base's own features, each row judged by one fitted without it.",
            "",
            *_measured(crossed),
        ]
    return lines or [unmeasured(report)]


def _measured(figures: dict[str, Any]) -> list[str]:
    """Return the tables of figures: the base's beside them, the confusion, and the worst mistakes."""
    before = figures.get("before", {})
    plain = {key: value for key, value in figures.items() if isinstance(value, int | float)}
    rows = [(key.replace("_", " "), value, before.get(key, "")) for key, value in plain.items()]
    lines = (
        _table(("figure", "value", "base"), rows) if before else _table(("figure", "value"), [row[:2] for row in rows])
    )
    if "confusion" in figures:
        lines += ["", "Rows: the true label; columns: the label given.", ""]
        lines += _table(
            ("", *figures["confusion"], "F1"),
            [(label, *given.values(), figures["f1"][label]) for label, given in figures["confusion"].items()],
        )
    if figures.get("worst_mistakes"):
        lines += ["", "The worst mistakes:", ""]
        columns = ("text", "label", "given", "probability")
        lines += _table(columns, [[_cell(one[key]) for key in columns] for one in figures["worst_mistakes"]])
    return lines


def _cell(value: object) -> str:
    """Return a text as a cell of a Markdown table: one line of some length, in which nothing is markup."""
    line = " ".join(str(value).split())
    shown = line if len(line) <= _SHOWN else line[: _SHOWN - 1].rstrip() + "…"
    return re.sub(r"([\\`*_{}\[\]<>#])", r"\\\1", shown)


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines]


def draw_curves(epochs: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw the losses and the figures of every epoch; the file's suffix (.svg, .png) says as what."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots(1, 2)
    losses = ("training_loss", "label_loss")
    figures = [key for key in dict.fromkeys(key for epoch in epochs for key in epoch) if key not in {"epoch", *losses}]
    panels = (("loss", losses), ("on rows held back", figures))
    for axis, (title, names) in zip(axes, panels, strict=True):
        for name, marker, line in zip(names, "os^d", ("-", "--", ":", "-."), strict=False):
            points = [(epoch["epoch"], epoch[name]) for epoch in epochs if name in epoch]
            if points:
                axis.plot(
                    *zip(*points, strict=True),
                    marker=marker,
                    linestyle=line,
                    label=_LEGENDS.get(name, name.replace("_", " ")),
                )
        axis.set_xlabel("epoch")
        axis.set_ylabel(title)
        axis.xaxis.get_major_locator().set_params(integer=True)
        if axis.has_data():
            axis.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
