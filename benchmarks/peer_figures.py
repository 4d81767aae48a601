"""The arithmetic of peers.py: medians, ratios to kindred, tables, and a plot, from records of single runs.

A record is {"part", "peer", "size", "round", and a number for each figure}. What is compared was measured in the same
round, one peer after the other, so ratios are formed within a round, and their median is what counts: the speed of a
busy machine drifts, and takes both sides along.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

OURS = "kindred"

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that records hold: its name there, how a table shows it, and whether with its ratio to kindred's."""

    key: str
    title: str
    digits: int = 2
    compared: bool = False


FIGURES = {
    "index": (
        Figure("seconds", "s", 1, compared=True),
        Figure("cpu_seconds", "CPU s", 1, compared=True),
        Figure("sentences_per_second", "sentences/s", 0),
        Figure("import_seconds", "import s"),
        Figure("load_seconds", "load s"),
        Figure("rss_mb", "peak RSS MB", 0),
        Figure("anonymous_mb", "anonymous MB", 0),
        Figure("disk_mb", "disk MB", 1),
    ),
    "cold": (
        Figure("process_seconds", "s", compared=True),
        Figure("cpu_seconds", "CPU s", compared=True),
        Figure("rss_mb", "peak RSS MB", 0),
    ),
    "latency": (
        Figure("p50_ms", "p50 ms", 1, compared=True),
        Figure("p99_ms", "p99 ms", 1, compared=True),
        Figure("cpu_p50_ms", "CPU p50 ms", 1, compared=True),
        Figure("rss_mb", "peak RSS MB", 0),
    ),
}
"""What each part measures. CPU seconds depend less on what else the machine does."""


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the least of the values that so many per cent of them do not exceed (the nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -int(-percent * len(ordered) // 100) - 1)]


def middle(records: Iterable[Record], key: str) -> float | None:
    """Return the median of a figure over the records that have it; None without any."""
    values = [one[key] for one in records if one.get(key) is not None]
    return median(values) if values else None


def ratios(records: Sequence[Record], peer: str, key: str) -> list[float]:
    """Return a peer's figure over kindred's, for each round that has both, in the order of rounds."""
    mine = {one["round"]: one[key] for one in records if one["peer"] == OURS}
    theirs = {one["round"]: one[key] for one in records if one["peer"] == peer}
    return [theirs[number] / mine[number] for number in sorted(mine.keys() & theirs.keys())]


def of(records: Iterable[Record], part: str, size: int | None = None) -> list[Record]:
    """Return the records of a part, or of one size of it."""
    return [one for one in records if one["part"] == part and size in {None, one["size"]}]


def sizes(records: Iterable[Record], part: str) -> list[int]:
    """Return the sizes that a part was measured with, smallest first."""
    return sorted({one["size"] for one in records if one["part"] == part})


def peers(records: Iterable[Record]) -> list[str]:
    """Return who was measured, kindred first."""
    names = dict.fromkeys(one["peer"] for one in records)
    return sorted(names, key=lambda name: name != OURS)


def table(records: Sequence[Record], part: str, size: int) -> tuple[list[str], list[list[str]]]:
    """Return titles and lines: a peer each, with the median of every figure, and of some the ratio to kindred's."""
    chosen = of(records, part, size)
    titles = ["", *(title for figure in FIGURES[part] for title in _titles(figure)), "rounds"]
    lines = []
    for peer in peers(chosen):
        mine = [one for one in chosen if one["peer"] == peer]
        line = [peer]
        for figure in FIGURES[part]:
            line.append(_number(middle(mine, figure.key), figure.digits))
            if figure.compared:
                line.append(_spread(ratios(chosen, peer, figure.key)))
        lines.append([*line, str(len(mine))])
    return titles, lines


def markdown(titles: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table as Markdown."""
    return "\n".join(f"| {' | '.join(line)} |" for line in (titles, ["---"] * len(titles), *lines))


def _titles(figure: Figure) -> list[str]:
    return [figure.title, "times kindred"] if figure.compared else [figure.title]


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    return f"{median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


PANELS = (
    ("index", "seconds", "encode and index: s"),
    ("index", "anonymous_mb", "anonymous memory: MB"),
    ("cold", "process_seconds", "cold start to an answer: s"),
    ("latency", "p50_ms", "a query, median: ms"),
)


def plot(records: Sequence[Record], path: Path) -> None:
    """Draw the main figures as SVG: bars where there is one size, lines over sizes where there are more."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Drawing

    panels = [panel for panel in PANELS if middle(of(records, panel[0]), panel[1]) is not None]
    drawing = Drawing(figsize=(4 * len(panels), 3.2), layout="constrained")
    for axis, (part, key, title) in zip(drawing.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        chosen = of(records, part)
        if len(sizes(records, part)) > 1:
            _lines(axis, chosen, key)
        else:
            _bars(axis, chosen, key)
        axis.set_title(title, fontsize="medium")
    with rc_context({"svg.hashsalt": "kindred"}):  # the same figures make the same file
        drawing.savefig(path, format="svg", metadata={"Date": None})


def _bars(axis: Any, records: Sequence[Record], key: str) -> None:
    names = peers(records)[::-1]
    values = [middle([one for one in records if one["peer"] == name], key) or 0.0 for name in names]
    colours = ["tab:blue" if name == OURS else "tab:gray" for name in names]
    bars = axis.barh(names, values, color=colours)
    axis.bar_label(bars, labels=[f"{value:,.3g}" for value in values], padding=2)
    axis.margins(x=0.2)


def _lines(axis: Any, records: Sequence[Record], key: str) -> None:
    for name in peers(records):
        mine = [one for one in records if one["peer"] == name]
        points = [(size, middle([one for one in mine if one["size"] == size], key)) for size in _known_sizes(mine)]
        axis.plot(*zip(*points, strict=True), marker="o", label=name, linewidth=2.5 if name == OURS else 1.0)
    axis.set(xscale="log", yscale="log", xlabel="sentences")
    axis.legend(fontsize="small")


def _known_sizes(records: Sequence[Record]) -> list[int]:
    return sorted({one["size"] for one in records})
