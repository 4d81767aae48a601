"""`kindred evaluate`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from search.cli.options import as_json, backend_option, overwrite_option, text_column

if TYPE_CHECKING:
    from search.measurements import Measurement, Task

__all__ = ["command"]


@click.command("evaluate")
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--encoder",
    "encoders",
    multiple=True,
    metavar="FOLDER|NAME",
    help="What to measure; give it several times to compare.  [default: kindred-mini]",
)
@click.option(
    "--task",
    type=click.Choice(["sentiment", "similarity", "duplicates", "topics", "retrieval"]),
    help="What the files measure.  [default: as their columns say]",
)
@click.option(
    "--weight", "weights", type=float, multiple=True, metavar="0..1", help="Measure at this weight; repeatable."
)
@backend_option
@text_column
@click.option("--label-column", metavar="NAME", help="The column of labels, if it has no usual name.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    metavar="FILE.png|.svg",
    help="Also draw it: confusion and calibration of labels, all else along the weights.",
)
@overwrite_option
@as_json
def command(
    files: tuple[str, ...],
    encoders: tuple[str, ...],
    task: str | None,
    weights: tuple[float, ...],
    backend: str,
    text_column: str | None,
    label_column: str | None,
    plot: Path | None,
    overwrite: bool,
    json_: bool,
) -> None:
    """Measure encoders on labelled FILES, side by side.

    \b
    What a file measures is read from its columns:
      text, label                     sentiment: accuracy, macro-F1, calibration error
      sentence1, sentence2, score     similarity: Spearman's correlation
      sentence1, sentence2, label     duplicates: average precision, best F1 and its threshold
      text, category, polarity        topic and sentiment of each sentence's 10 nearest others
      a folder in BEIR's layout       retrieval: nDCG@10, recall@100, MRR

    \b
    Example:
      kindred evaluate reviews.tsv pairs.tsv --encoder all-MiniLM-L6-v2 --encoder checkpoints/reviews
      kindred evaluate reviews.tsv --plot reviews.png
    """
    from search.cli.loading import load
    from search.cli.output import print_json, say
    from search.evaluate import detect, evaluate
    from search.measurements import Task
    from search.similarity import check_weight

    for weight in weights:
        check_weight(weight)
    if plot is not None:
        _check_plot(plot, overwrite=overwrite)
    tasks = [Task(task) if task else detect(file) for file in files]
    names = encoders or (None,)
    results = []
    for name in names:
        encoder = load(name, backend)
        for file, what in zip(files, tasks, strict=True):
            measured = evaluate(
                encoder, file, task=what, weights=weights, text_column=text_column, label_column=label_column
            )
            if not measured:
                say(f"{file}: {encoder.passport.name} knows no labels, so its sentiment cannot be measured.")
            results += [(encoder.passport.name, one) for one in measured]
    if plot is not None and results:
        _draw(results, plot)
    if json_:
        print_json({"encoder": name, **one.to_dict()} for name, one in results)
        return
    for what in dict.fromkeys(tasks):
        some = [(name, one) for name, one in results if one.task is what]
        if some:
            _show(what, some)


def _check_plot(plot: Path, *, overwrite: bool) -> None:
    """Refuse a picture that cannot be drawn, before any work is done."""
    from search.cli.loading import needed
    from search.files import check_new_file

    check_new_file(plot, "--plot", kinds=(".png", ".svg"), overwrite=overwrite)
    needed("map", "matplotlib")


def _draw(results: Sequence[tuple[str, "Measurement"]], plot: Path) -> None:
    from search.cli.output import say
    from search.evaluation_picture import draw_evaluation
    from search.files import new_file

    with new_file(plot) as file:
        draw_evaluation(results, file, kind=plot.suffix.lower().removeprefix("."))
    say(f"Drawn: {plot}")


def _show(task: "Task", results: Sequence[tuple[str, "Measurement"]]) -> None:
    """Print the measurements of a task; what was asked and its weight only where there is a choice of them."""
    from search.cli.output import cell, print_table

    figures = list(results[0][1].figures)
    weighed = any(one.weight is not None for _, one in results)
    columns = [("encoder", "left"), ("data", "left"), ("rows", "right")]
    columns += [("asked", "left"), ("weight", "right")] if weighed else []
    rows = []
    for name, one in results:
        asked = [one.asked or "", cell(one.weight, 2)] if weighed else []
        rows.append([_short(name), _short(one.data), f"{one.rows:,}", *asked])
        rows[-1] += [cell(one.figures[figure], 4) for figure in figures]
    print_table(columns + [(figure.replace("_", " "), "right") for figure in figures], rows, title=str(task))


def _short(name: str) -> str:
    return name.rstrip("/").rsplit("/", 1)[-1]
