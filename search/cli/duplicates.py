"""`kindred duplicates`."""

from pathlib import Path

import click

from search.cli.options import (
    as_json,
    backend_option,
    encoder_option,
    encoding_option,
    overwrite_option,
    text_column,
    unit_option,
    weight_option,
)

__all__ = ["command"]


@click.command("duplicates")
@click.argument("inputs", nargs=-1, required=True)
@click.option(
    "--against",
    multiple=True,
    metavar="INDEX|FILE",
    help="Find what of INPUTS is in this already, an index or files (repeatable), and nothing else.",
)
@click.option(
    "--threshold",
    metavar="-1..1|auto",
    help="The lowest score of a semantic pair; auto: found without labels.  [0.9, or what the index keeps]",
)
@click.option(
    "--calibrate",
    "labelled",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Choose the threshold on labelled pairs (sentence1, sentence2, label), or on a report's decisions.",
)
@click.option("--precision", type=float, metavar="0..1", help="Calibrate for this precision.  [default: the best F1]")
@click.option(
    "--no-guard",
    "unguarded",
    multiple=True,
    metavar="KIND",
    help="Merge also where this differs: negation, opposite, number, date, unit, version, identifier, name, feeling; "
    "or all.",
)
@click.option(
    "--near",
    type=float,
    metavar="0.8..1",
    help="The least share of common pieces of text of a near pair.  [default: 0.9]",
)
@weight_option
@click.option(
    "--keep",
    metavar="first|longest|newest|most-central|COLUMN",
    help="Which of a cluster survives; of a column, the highest number.  [default: most-central]",
)
@click.option(
    "--date-column", metavar="NAME", help="The column that --keep newest goes by.  [default: the file's time]"
)
@encoder_option
@backend_option
@unit_option
@text_column
@encoding_option
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Also write pairs and refusals to a CSV file.")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    help="Also write a page to look at: clusters, refusals, a threshold to move, pairs to decide on.",
)
@click.option(
    "--decisions",
    "decided",
    type=click.Path(path_type=Path),
    metavar="FILE.json",
    help="Apply what was decided in a report: pairs that are the same whatever they score, and those that are not.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Write INPUTS without what does not survive, as they are: a file, or for several a folder.",
)
@overwrite_option
@as_json
def command(
    inputs: tuple[str, ...],
    against: tuple[str, ...],
    threshold: str | None,
    labelled: Path | None,
    precision: float | None,
    unguarded: tuple[str, ...],
    near: float | None,
    weight: float | None,
    keep: str | None,
    date_column: str | None,
    encoder: str | None,
    backend: str,
    unit: str | None,
    text_column: str | None,
    encoding: str | None,
    csv_file: Path | None,
    report: Path | None,
    decided: Path | None,
    out: Path | None,
    overwrite: bool,
    json_: bool,
) -> None:
    """Find sentences that say the same in an index, or in files: pairs, clusters, and who survives.

    A pair is exact (equal text), near (nearly the same letter for letter) or semantic (a score at the threshold). Near
    and semantic pairs that differ in a negation, a number, a name or the like are refused, and the reason is told. A
    threshold that is calibrated, or found by auto, is kept in the index and used the next time.

    \b
    Examples:
      kindred duplicates hotels
      kindred duplicates corpora/support.txt --threshold 0.8 --out unique.txt
      kindred duplicates a.csv b.csv --keep newest --date-column created --json
      kindred duplicates new.csv --against known --out fresh.csv
      kindred duplicates hotels --report hotels.html --decisions decisions.json
      kindred duplicates support --calibrate pairs.tsv --precision 0.95
    """
    from search.cli.duplicates_inputs import Reading, opened
    from search.cli.duplicates_options import Wanted, guard_without
    from search.cli.duplicates_output import csv_text, print_found, print_found_json
    from search.cli.output import Bar, say
    from search.decisions import read_decisions
    from search.deduplicated import check_output, write_deduplicated
    from search.duplicates import find_duplicates, usual_weight
    from search.files import write_text
    from search.keeping import Keep, Keeping
    from search.levels import DEFAULT_NEAR
    from search.near import check_share
    from search.report import check_report, report_html
    from search.similarity import check_weight

    wanted = Wanted.of(threshold, labelled, precision)
    guard = guard_without(unguarded)
    near = DEFAULT_NEAR if near is None else near
    check_share(near)
    if weight is not None:
        check_weight(weight)
    if report is not None:
        check_report(report)
    decisions = () if decided is None else read_decisions(decided)
    if against and (keep or date_column):
        raise click.UsageError("With --against, what is there survives; leave --keep and --date-column out.")
    keeping = Keeping(keep or str(Keep.MOST_CENTRAL), date_column)
    reading = Reading(unit, text_column, encoding)
    with (
        Bar() as bar,
        opened(inputs, against, reading, encoder=encoder, backend=backend) as sides,
    ):
        if out is not None:
            check_output(out, sides.paths, overwrite=overwrite)
        index, other = sides.indexed(bar)
        weight = usual_weight(index.passport, weight)
        found = find_duplicates(
            index,
            against=other,
            threshold=wanted.threshold(index, weight, guard, keep=sides.first_is_index),
            near=near,
            weight=weight,
            guard=guard,
            keeping=keeping,
            decisions=decisions,
            progress=bar,
        )
        encoder_name = index.passport.name
        if out is not None:
            removed = (member.sentence for cluster in found.clusters for member in cluster.members)
            written = write_deduplicated(index.sources, removed, out)
            say(f"{found.count - found.removed:,} sentences that survive: {out} ({len(written)} file(s))")
    if csv_file is not None:
        write_text(csv_file, csv_text(found))
    if report is not None:
        write_text(report, report_html(found, encoder=encoder_name, decisions=decisions))
        say(f"Report, to open in a browser: {report}")
    if json_:
        print_found_json(found)
    else:
        print_found(found)
