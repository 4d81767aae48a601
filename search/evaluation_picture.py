"""What `evaluate` measured, as a picture read without its colours: confusion, calibration, figures by weight."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, BinaryIO

import numpy as np

from search.measurements import Measurement, Outcomes, Task

__all__ = ["draw_evaluation"]

_Named = tuple[str, Measurement]
"""An encoder's name, and what was measured of it."""

_LINES = (("o", "-"), ("s", "--"), ("^", ":"), ("D", "-."))
_COLOURS = ("#0072b2", "#a03c00", "#00705a", "#7a3a6a")
_DARK = 0.55
"""Cells that hold more of their row are dark, and their numbers white."""


def draw_evaluation(results: Sequence[_Named], file: BinaryIO, *, kind: str) -> None:
    """Draw measurements to a file that is open for writing.

    Sentiment: which labels were taken for which (counts, and shades by share of the row), and how often a label given
    with some confidence is right. All else: the figures, and where there are several weights, along them.

    Args:
        results: the measurements, at least one.
        file: the file.
        kind: "png" or "svg".
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    groups = [list(some) for _, some in groupby(results, key=_panel)]
    figure = Figure(figsize=(11, 4.2 * len(groups)), dpi=140, layout="constrained")
    rows = np.atleast_2d(figure.subplots(len(groups), 2))
    for axes, some in zip(rows, groups, strict=True):
        _draw_group(axes, some)
    with mpl.rc_context({"svg.hashsalt": "kindred"}):
        figure.savefig(file, format=kind, metadata={"Date": None} if kind == "svg" else None)


def _panel(result: _Named) -> tuple[object, ...]:
    """Return what is drawn together: one encoder on one file; of topics, for one feeling asked for."""
    name, one = result
    return name, one.task, one.data, one.asked if one.task is Task.TOPICS else None


def _draw_group(axes: Any, some: Sequence[_Named]) -> None:
    name, first = some[0]
    title = f"{_short(name)} on {_short(first.data)}: {first.rows:,} rows"
    axes[0].set_title(title.replace("$", r"\$"), loc="left", fontsize=11)
    if first.outcomes is not None:
        _draw_confusion(axes[0], first.outcomes)
        _draw_calibration(axes[1], first.outcomes, first.figures)
    else:
        _draw_figures(axes[0], [one for _, one in some])
        axes[1].remove()


def _draw_confusion(axis: Any, outcomes: Outcomes) -> None:
    counts = outcomes.confusion()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(counts.shape):
        share = shares[row, column]
        told = f"{counts[row, column]:,}\n{share:.0%}"
        axis.text(column, row, told, ha="center", va="center", color="white" if share > _DARK else "black")
    names = [name.replace("$", r"\$") for name in outcomes.names]
    axis.set_xticks(range(len(names)), names)
    axis.set_yticks(range(len(names)), names)
    axis.set_xlabel("the label given")
    axis.set_ylabel("the true label")


def _draw_calibration(axis: Any, outcomes: Outcomes, figures: Mapping[str, float]) -> None:
    confidence, right, counts = outcomes.calibration()
    axis.plot([0, 1], [0, 1], color="#8a8a90", linestyle=":", label="as confident as right")
    axis.plot(confidence, right, color=_COLOURS[0], marker="o", label="measured")
    for x, y, count in zip(confidence, right, counts, strict=True):
        axis.annotate(f"{count:,}", (x, y), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=8)
    axis.set(xlim=(0, 1.02), ylim=(0, 1.08), xlabel="confidence (texts at each point)", ylabel="share that is right")
    axis.set_title(
        f"calibration error {figures['calibration_error']:.3f}, accuracy {figures['accuracy']:.3f}",
        loc="left",
        fontsize=11,
    )
    axis.legend(frameon=False, loc="upper left")


def _draw_figures(axis: Any, measured: Sequence[Measurement]) -> None:
    """Draw the figures along the weights, or where there is one weight alone, as bars."""
    names = [name for name in measured[0].figures if name != "threshold"]
    weights = [one.weight or 0.0 for one in measured]
    asked = f", asked for {measured[-1].asked}" if measured[-1].asked else ""
    if len(measured) > 1:
        for number, name in enumerate(names):
            marker, line = _LINES[number % len(_LINES)]
            values = [one.figures[name] for one in measured]
            colour = _COLOURS[number % len(_COLOURS)]
            axis.plot(weights, values, color=colour, marker=marker, linestyle=line, label=name.replace("_", " "))
        axis.set_xlabel(f"weight of feeling{asked}")
        axis.legend(frameon=False)
    else:
        bars = axis.barh(
            [name.replace("_", " ") for name in names], [measured[0].figures[name] for name in names], color=_COLOURS[0]
        )
        axis.bar_label(bars, fmt="%.3f", padding=3)
        axis.invert_yaxis()
    axis.margins(0.08)


def _short(name: str) -> str:
    return name.rstrip("/").rsplit("/", 1)[-1]
