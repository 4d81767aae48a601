"""What a checkpoint says of itself to people: a model card and training curves."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["draw_curves", "model_card", "unmeasured"]

_SHOWN = 200
"""Characters of a mistaken text that the card shows."""


def model_card(name: str, report: dict[str, Any]) -> str:
    """Return the model card (Markdown) of a training report."""
    lines = [
        "---",
        "library_name: sentence-transformers",
        "pipeline_tag: sentence-similarity",
        "---",
        "",
        f"# {name}",
        "",
        f"An encoder fine-tuned with kindred from {report['base']['name']}.",
    ]
    if "labels" in report:
        lines += [
            "Its output is the text's meaning, followed by one logit for each of these labels",
            f"({report['scale']}): {', '.join(report['labels'])}.",
            "`kindred.json` holds the temperature that turns logits to probabilities.",
        ]
    lines += [
        "",
        "```python",
        "from langchain_huggingface import HuggingFaceEmbeddings",
        "",
        f'HuggingFaceEmbeddings(model_name="{name}").embed_query("a text")',
        "```",
        "",
        "## Data",
        "",
        *_data(report["data"]),
        "",
    ]
    for number, stage in enumerate(report.get("earlier_stages", []), start=1):
        lines += [f"Before that, in stage {number}:", "", *_data(stage["data"]), ""]
    if "labels" in report:
        lines += [*_table(("label", "rows"), list(report["labels"].items())), ""]
    lines += [
        "The terms of these files are their owners'; whoever passes this checkpoint on has to keep to them.",
        "",
        "## Figures",
        "",
        *_figures(report),
        "",
        "## Training",
        "",
    ]
    if "method" in report:
        lines += [f"Method: {report['method']} ({report['why']}).", ""]
    columns = list(dict.fromkeys(key for epoch in report["epochs"] for key in epoch))
    if columns:
        lines += _table(columns, [[epoch.get(key, "") for key in columns] for epoch in report["epochs"]])
    if len(report["epochs"]) > 1:
        lines += ["", "![curves](curves.svg)"]
    lines.append("")
    options = ", ".join(f"{key} {value}" for key, value in report["options"].items() if value is not None)
    return "\n".join([*lines, f"Options: {options}.", ""])


def _data(files: Sequence[dict[str, Any]]) -> list[str]:
    """Return the table of the files that were trained on; how they were read and their terms, where that is known."""
    known = [key for key in ("name", "read", "rows", "terms", "sha256") if key in files[0]]
    return _table(known, [[one[key] for key in known] for one in files])


def unmeasured(report: dict[str, Any]) -> str:
    """Say why a report has no figures."""
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
                axis.plot(*zip(*points, strict=True), marker=marker, linestyle=line, label=name.replace("_", " "))
        axis.set_xlabel("epoch")
        axis.set_ylabel(title)
        axis.xaxis.get_major_locator().set_params(integer=True)
        if axis.has_data():
            axis.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
