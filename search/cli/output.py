"""What people see: tables on standard output, progress on standard error; plain when piped."""

import json
import sys
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from search.cli.explained import explained_hit
from search.compressed import kind_of
from search.records import Hit, Sentence

if TYPE_CHECKING:
    from rich.progress import Progress, Task, TaskID

    from search.explaining import Explanation

__all__ = [
    "Bar",
    "Row",
    "cell",
    "counted",
    "place",
    "print_json",
    "print_table",
    "say",
    "show_hits",
    "shown",
    "why_nothing",
]

_PIPED_WIDTH = 120
_LEAST_TEXT = 10
_GAP = 2
_LINE_ENDS = str.maketrans("\r\n", "  ")
_LOG_SECONDS = 30
_SLOW = 10.0


Row = Sequence[Text | str]
"""The cells of a table's row."""


def say(text: str) -> None:
    """Print a remark to standard error."""
    click.echo(text, err=True)


def print_json(values: Iterable[dict[str, Any]]) -> None:
    """Print one object a line to standard output."""
    for value in values:
        click.echo(json.dumps(value, ensure_ascii=False))


def print_table(columns: Sequence[tuple[str, str]], rows: Iterable[Row], *, title: str = "") -> None:
    """Print a table as wide as the terminal, long text wrapped.

    Args:
        columns: name and alignment ("left" or "right") of each.
        rows: the cells.
        title: a line above it.
    """
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)
    heading = Text(title, style="italic") if title else None  # a plain str would be read as rich's markup
    table = Table(title=heading, title_justify="left", box=None, pad_edge=False, header_style="bold")
    lines = [[one if isinstance(one, Text) else Text(one) for one in row] for row in rows]
    needed = 0
    for number, (name, align) in enumerate(columns):
        wraps = name in {"sentence", "text"}
        widest = max([len(name), *(line[number].cell_len for line in lines)])
        needed += _GAP + (min(widest, _LEAST_TEXT) if wraps else widest)
        table.add_column(name, justify="right" if align == "right" else "left", overflow="fold", no_wrap=not wraps)
    for line in lines:
        table.add_row(*line)
    console.width = max(console.width, needed)  # in a narrow terminal lines run over, but nothing is cut off
    with console.capture() as drawn:
        console.print(table)
    click.echo(drawn.get(), nl=False)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 pair", "2,000 pairs"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def cell(value: float | None, decimals: int = 3) -> str:
    """Return a number for a table; nothing for None."""
    return "" if value is None else f"{value:.{decimals}f}"


def place(sentence: Sentence) -> str:
    """Return file:line, the file by its last two parts; of a PDF its page."""
    sign = " p. " if kind_of(sentence.source) == ".pdf" else ":"
    return f"{'/'.join(sentence.source.split('/')[-2:])}{sign}{sentence.line}"


def shown(sentence: Sentence) -> str:
    """Return a sentence's text for a table, of the same length: line ends of where it stood are no matter there."""
    return sentence.text.translate(_LINE_ENDS)


def show_hits(
    hits: Sequence[Hit],
    *,
    title: str = "",
    states: Sequence[str] = (),
    explanations: "Sequence[Explanation]" = (),
    nothing: str = "Nothing was found.",
) -> None:
    """Print hits as a table; where the state of a hit's source, given for each, is not the same, it says so.

    With an explanation for each hit, the words that give most to its meaning part are marked, and told below it. Where
    there is no hit, `nothing` is said in the table's place.
    """
    if not hits:
        click.echo(f"{title}\n{nothing}" if title else nothing)
        return
    labelled = any(hit.sentiment is not None for hit in hits)
    columns = [("", "right"), ("score", "right"), ("meaning", "right")]
    columns += [("sentiment", "right"), ("label", "left")] if labelled else []
    rows: list[Row] = []
    for number, hit in enumerate(hits):
        row: list[Text | str] = [str(hit.rank), cell(hit.score), cell(hit.meaning)]
        if labelled:
            row += [cell(hit.sentiment), f"{hit.entry.label} {cell(hit.entry.probability, 2)}"]
        state = states[number] if states else "same"
        told = "" if state in {"same", "unknown"} else f" ({state})"
        text = Text(shown(hit.entry.sentence))
        if explanations:
            text = explained_hit(text.plain, explanations[number])
        rows.append([*row, text, place(hit.entry.sentence) + told])
    print_table([*columns, ("sentence", "left"), ("where", "left")], rows, title=title)


def why_nothing(sentences: int, *, by_words: bool, filtered: bool) -> str:
    """Say why a query of an index of so many sentences may find nothing."""
    if not sentences:
        return "Nothing was found: the index has no sentence."
    lacks = ["has its words"] * by_words + ["meets the filters"] * filtered
    return f"Nothing was found: no sentence {' and '.join(lacks)}."


def _progress(*, disable: bool) -> "Progress":
    """Make rich's bar: what is done, with its rate and the time left. A query draws none, and need not load it."""
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

    class Rate(ProgressColumn):
        """Units a second."""

        def render(self, task: "Task") -> Text:
            """Draw the rate."""
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.{0 if speed >= _SLOW else 1}f} {task.fields['unit']}/s" if speed else "")

    columns = (TextColumn("{task.description}"), BarColumn(), Rate(), TimeRemainingColumn(compact=True))
    return Progress(*columns, TextColumn("{task.fields[note]}"), console=Console(stderr=True), disable=disable)


class Bar:
    """A job's progress: a bar with rate and time left on a terminal, else a plain line now and then, for logs."""

    def __init__(self) -> None:
        """Draw nothing yet."""
        self._terminal = sys.stderr.isatty()
        self._progress = _progress(disable=not self._terminal)
        self._task: TaskID | None = None
        self._said = time.monotonic()

    def tell(self, what: str) -> None:
        """Print a remark that stays, above a bar that is drawn."""
        if self._terminal and self._task is not None:
            self._progress.console.print(Text(what), soft_wrap=True)
        else:
            say(what)

    def start(self, what: str, total: float | None, unit: str) -> None:
        """Begin a bar."""
        self._progress.start()
        self._task = self._progress.add_task(what, total=total, unit=unit, note="")

    def advance(self, done: float, note: str = "") -> None:
        """Move the bar to `done`."""
        if self._task is None:
            return
        self._progress.update(self._task, completed=done, note=note)
        if not self._terminal and time.monotonic() - self._said > _LOG_SECONDS:
            self._said = time.monotonic()
            task = self._progress.tasks[self._task]
            share = f", {task.percentage:.0f}%" if task.total else ""
            left = f", {task.time_remaining / 60:.1f} min left" if task.time_remaining else ""
            say(f"{task.description}: {done:,.0f} {task.fields['unit']}{share}{left}{', ' if note else ''}{note}")

    def finish(self) -> None:
        """Leave the bar as it is."""
        self._progress.stop()
        if self._task is not None:
            self._progress.update(self._task, visible=False)  # or the next stage would draw it once more
        self._task = None

    def __enter__(self) -> Self:
        """Give the bar to a with block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the terminal back, whatever happened."""
        self._progress.stop()
