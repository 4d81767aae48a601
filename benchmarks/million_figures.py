"""The figures of million.py beside their goals, as Markdown, and how they grow with the rows, as SVG."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from peer_figures import markdown

__all__ = ["Goal", "at", "goals", "report", "table"]

_FLAT = 1.15

Record = dict[str, Any]
Records = Mapping[str, Record]
Goal = tuple[str, float, str, float]
"""What it is, what was measured, "<=" or ">=", and what it should be."""

_SHOWN: dict[str, tuple[tuple[str, str, int], ...]] = {
    "index": (
        ("wall s", "seconds", 0),
        ("CPU s", "cpu_seconds", 0),
        ("CPU ms a sentence", "cost", 2),
        ("peak RSS MB", "rss_mb", 0),
        ("anonymous MB", "anonymous_mb", 0),
        ("mapped MB", "mapped_mb", 0),
        ("disk: rows MB", "disk_mb.rows", 0),
        ("sentences MB", "disk_mb.sentences", 0),
        ("attempts", "attempts", 0),
    ),
    "structure": (
        ("store", "store", 0),
        ("efforts", "structure.efforts", 0),
        ("least recall", "recall", 3),
        ("wall s", "seconds", 0),
        ("CPU s", "cpu_seconds", 0),
        ("peak RSS MB", "rss_mb", 0),
        ("anonymous MB", "anonymous_mb", 0),
        ("mapped MB", "mapped_mb", 0),
        ("disk MB", "disk_mb.structure", 0),
    ),
    "ask": (
        ("p50 ms", "own.p50_ms", 1),
        ("p99 ms", "own.p99_ms", 1),
        ("CPU p50 ms", "own.cpu_p50_ms", 1),
        ("CPU p99 ms", "own.cpu_p99_ms", 1),
        ("encoding: CPU p50 ms", "encoding.cpu_p50_ms", 1),
        ("exact: p50 ms", "exact.p50_ms", 1),
        ("CPU p50 ms", "exact.cpu_p50_ms", 1),
        ("open s", "open_seconds", 3),
        ("load s", "load_seconds", 2),
    ),
    "batch": (
        ("queries", "queries", 0),
        ("wall s", "seconds", 1),
        ("CPU s", "cpu_seconds", 1),
        ("a second", "rate", 0),
    ),
    "cold": (
        ("files in memory: wall s", "kept_seconds", 2),
        ("CPU s", "kept_cpu_seconds", 2),
        ("files read anew: wall s", "anew_seconds", 2),
    ),
}
"""What is shown of each part: a title, where the record has it, and digits."""


def at(records: Records, part: str) -> dict[int, Record]:
    """Return the records of a part by size, smallest first."""
    found: dict[int, Record] = {}
    for key, record in records.items():
        name, size = key.split()
        if name == part:
            found[int(size)] = {
                **record,
                "cost": 1000 * record.get("cpu_seconds", 0.0) / int(size),
                "rate": record.get("queries", 0) / record.get("seconds", 1.0),
            }
    return dict(sorted(found.items()))


def table(records: Records, part: str) -> tuple[list[str], list[list[str]]]:
    """Return titles and lines, a size each; a dash for what is not known."""
    shown = _SHOWN[part]
    lines = [
        [f"{size:,}", *(_told(_value(record, key), digits) for _, key, digits in shown)]
        for size, record in at(records, part).items()
    ]
    return ["sentences", *(title for title, _, _ in shown)], lines


def goals(records: Records) -> list[Goal]:
    """Return what was measured at the largest size, beside what it should be."""
    found: list[Goal] = []
    index, structure, ask, cold = (at(records, part) for part in ("index", "structure", "ask", "cold"))
    if index:
        *_, last = index.values()
        found.append(("peak memory of encoding, MB", last["rss_mb"], "<=", 3000))
        costs = [record["cost"] for record in index.values()]
        if len(costs) > 1:
            found.append(("cost of a sentence, most over least", max(costs) / min(costs), "<=", _FLAT))
    if structure:
        *_, last = structure.values()
        found.append(("peak memory of building the structure, MB", last["rss_mb"], "<=", 3000))
    if ask:
        *_, last = ask.values()
        found.append(("a query, p50 ms", last["own"]["p50_ms"], "<=", 5))
        found.append(("a query, p99 ms", last["own"]["p99_ms"], "<=", 15))
        found += [(f"recall of 10, {name}", value, ">=", 0.98) for name, value in last["recall"].items()]
    if cold:
        *_, last = cold.values()
        found.append(("first answer of a new process, files read anew, s", last["anew_seconds"], "<=", 2))
    return found


def report(records: Records, plot: Path | None) -> None:
    """Print a table for each part, then the goals; draw the growth where that is asked."""
    for part in _SHOWN:
        if at(records, part):
            print(f"\n{part}\n\n{markdown(*table(records, part))}")
    lines = [
        [what, f"{found:.4g}", f"{sign} {wanted:g}", _verdict(found, sign, wanted)]
        for what, found, sign, wanted in goals(records)
    ]
    print(f"\n{markdown(['', 'measured', 'goal', ''], lines)}")
    if plot is not None:
        _plot(records, plot)


def _verdict(found: float, sign: str, wanted: float) -> str:
    return "reached" if (found <= wanted if sign == "<=" else found >= wanted) else "missed"


def _value(record: Record, key: str) -> Any:
    value: Any = record
    for name in key.split("."):
        value = (value or {}).get(name)
    return value


def _told(value: Any, digits: int) -> str:
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        return ", ".join(f"{one} at {name}" for name, one in value.items())
    return value if isinstance(value, str) else f"{value:,.{digits}f}"


_PANELS: Sequence[tuple[str, str, Sequence[tuple[str, str]]]] = (
    ("index", "a sentence: CPU ms", (("encode and store", "cost"),)),
    ("index", "indexing: MB", (("peak RSS", "rss_mb"), ("anonymous", "anonymous_mb"))),
    (
        "ask",
        "a query: CPU ms, median",
        (
            ("as kindred chooses", "own.cpu_p50_ms"),
            ("exact", "exact.cpu_p50_ms"),
            ("encoding alone", "encoding.cpu_p50_ms"),
        ),
    ),
)


def _plot(records: Records, path: Path) -> None:
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Drawing

    drawing = Drawing(figsize=(4 * len(_PANELS), 3.2), layout="constrained")
    for axis, (part, title, lines) in zip(drawing.subplots(1, len(_PANELS)), _PANELS, strict=True):
        found = at(records, part)
        for label, key in lines:
            axis.plot(list(found), [_value(one, key) for one in found.values()], marker="o", label=label)
        axis.set(xscale="log", xlabel="sentences", title=title)
        if part == "ask":  # a few milliseconds beside hundreds
            axis.set_yscale("symlog", linthresh=1)
        else:
            axis.set_ylim(bottom=0)
        axis.legend(fontsize="small")
    with rc_context({"svg.hashsalt": "kindred"}):  # the same figures make the same file
        drawing.savefig(path, format="svg", metadata={"Date": None})
