"""`kindred duplicates`."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import click

from search.cli.options import (
    as_json,
    backend_option,
    encoder_option,
    encoding_option,
    text_column,
    unit_option,
    weight_option,
)

if TYPE_CHECKING:
    from search.duplicates import Duplicates

__all__ = ["command"]


@click.command("duplicates")
@click.argument("inputs", nargs=-1, required=True)
@click.option("--threshold", type=float, metavar="-1..1", help="The lowest score of a pair.  [default: 0.9]")
@weight_option
@encoder_option
@backend_option
@unit_option
@text_column
@encoding_option
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Also write the pairs to a CSV file.")
@as_json
def command(
    inputs: tuple[str, ...],
    threshold: float | None,
    weight: float | None,
    encoder: str | None,
    backend: str,
    unit: str | None,
    text_column: str | None,
    encoding: str | None,
    csv_file: Path | None,
    json_: bool,
) -> None:
    """Find sentences that say the same in an index, or in files: pairs, clusters, and who survives.

    \b
    Examples:
      kindred duplicates hotels
      kindred duplicates corpora/support.txt --threshold 0.8
      kindred duplicates a.csv b.csv --json
    """
    from search.cli.loading import load
    from search.cli.output import Bar, print_json, say
    from search.corpus import Corpus
    from search.duplicates import DEFAULT_THRESHOLD, find_duplicates, index_of_files
    from search.files import write_text
    from search.index import Index, resolve
    from search.nearest import check_threshold
    from search.similarity import check_weight
    from search.units import Unit

    threshold = DEFAULT_THRESHOLD if threshold is None else threshold
    check_threshold(threshold)
    if weight is not None:
        check_weight(weight)
    with Bar() as bar:
        if len(inputs) == 1 and (resolve(inputs[0]) / "manifest.json").exists():
            if encoder or unit or text_column or encoding:
                raise click.UsageError(
                    f"{inputs[0]} is an index; --encoder, --unit, --text-column and --encoding are for files."
                )
            with Index(resolve(inputs[0])) as index:
                found = find_duplicates(index, threshold=threshold, weight=weight, progress=bar)
        else:
            corpus = Corpus(
                inputs, unit=Unit(unit) if unit else None, text_column=text_column, encoding=encoding, tell=say
            )
            with index_of_files(corpus, load(encoder, backend), progress=bar) as index:
                found = find_duplicates(index, threshold=threshold, weight=weight, progress=bar)
    if csv_file is not None:
        write_text(csv_file, _csv(found))
    if json_:
        print_json({"kind": "pair", **pair.to_dict()} for pair in found.pairs)
        print_json({"kind": "cluster", **cluster.to_dict()} for cluster in found.clusters)
    else:
        _show(found)


def _show(found: "Duplicates") -> None:
    from search.cli.output import cell, place, print_table, shown
    from search.duplicates import EXACT

    best = {(pair.a.row, pair.b.row): (pair.score, pair.level) for pair in reversed(found.pairs)}
    best |= {(b, a): value for (a, b), value in best.items()}
    leaders = {pair.b.row: pair.a.row for pair in found.pairs if pair.level == EXACT}
    leaders |= {pair.a.row: pair.b.row for pair in found.pairs if pair.level == EXACT}
    rows = []
    for number, cluster in enumerate(found.clusters, start=1):
        survivor = cluster.survivor
        rows.append([str(number), "", "survives", shown(survivor.sentence), place(survivor.sentence)])
        for member in cluster.members:
            near = (survivor.row, member.row)
            # A member that is equal to another is as near to the survivor as that one.
            score, level = best[near] if near in best else best[survivor.row, leaders[member.row]]
            rows.append(["", cell(score), level, shown(member.sentence), place(member.sentence)])
    if rows:
        print_table(
            [("", "right"), ("score", "right"), ("level", "left"), ("sentence", "left"), ("where", "left")], rows
        )
    click.echo(
        f"{found.count:,} sentences, {len(found.pairs):,} pairs at {found.threshold:g} (weight {found.weight:g}), "
        f"{len(found.clusters):,} clusters; {found.count - found.removed:,} sentences survive."
    )


def _csv(found: "Duplicates") -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["score", "level", "source_a", "line_a", "text_a", "source_b", "line_b", "text_b"])
    for pair in found.pairs:
        a, b = pair.a.sentence, pair.b.sentence
        writer.writerow([f"{pair.score:.6f}", pair.level, a.source, a.line, a.text, b.source, b.line, b.text])
    return text.getvalue()
