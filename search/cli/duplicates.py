"""`kindred duplicates`."""

from pathlib import Path
from typing import Any

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
    help="The lowest score of a semantic pair; auto: found without labels.  [default: what the index keeps, else auto; "
    "but at least 0.8; of fewer than 50 texts 0.9]",
)
@click.option(
    "--calibrate",
    "labelled",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Choose the threshold on labelled pairs (sentence1, sentence2, label), or on a report's decisions.",
)
@click.option(
    "--precision",
    type=float,
    metavar="0..1",
    help="Choose a threshold of this precision.  [default: calibrated for the best F1; auto: 0.9]",
)
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
@click.option("--explain", "explained", is_flag=True, help="Say which words carry each score, and which differ.")
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
@click.option(
    "--processes",
    type=int,
    default=1,
    metavar="N",
    help="How many processes read and compare many sentences; what is found is the same.  [default: 1]",
)
@as_json
def command(
    inputs: tuple[str, ...],
    against: tuple[str, ...],
    explained: bool,
    encoder: str | None,
    backend: str,
    unit: str | None,
    text_column: str | None,
    encoding: str | None,
    csv_file: Path | None,
    report: Path | None,
    out: Path | None,
    overwrite: bool,
    json_: bool,
    **options: Any,
) -> None:
    """Find sentences that say the same in an index, or in files: pairs, clusters, and who survives.

    A pair is exact (equal text), near (nearly the same letter for letter) or semantic (a score at the threshold). Near
    and semantic pairs that differ in a negation, a number, a name or the like are refused, and the reason is told. A
    threshold that is calibrated, or found by --threshold auto, is kept in the index and used the next time.

    \b
    Examples:
      kindred duplicates hotels
      kindred duplicates corpora/support.txt --threshold 0.8 --out unique.txt
      kindred duplicates a.csv b.csv --keep newest --date-column created --json
      kindred duplicates new.csv --against known --out fresh.csv
      kindred duplicates hotels --report hotels.html --decisions decisions.json
      kindred duplicates support --threshold 0.8 --explain
      kindred duplicates support --calibrate pairs.tsv --precision 0.95
    """
    from search.cli.duplicates_inputs import Reading, opened
    from search.cli.duplicates_options import Job
    from search.cli.duplicates_output import Outputs, print_found, print_found_json
    from search.cli.output import Bar
    from search.explaining_pairs import explain_pairs

    job = Job.of(two_sided=bool(against), **options)
    outputs = Outputs(out, csv_file, report, overwrite=overwrite)
    reading = Reading(unit, text_column, encoding)
    with Bar() as bar, opened(inputs, against, reading, encoder=encoder, backend=backend) as sides:
        outputs.check(sides.paths, [*sides.read, *job.files])
        index, other = sides.indexed(bar)
        found = job.find(index, other, sides.encoder, keep=sides.first_is_index, progress=bar)
        why = explain_pairs(found.texts(), sides.encoder(index), progress=bar) if explained else None
        outputs.write(found, index, job.decisions, why)
        sides.say_unused()
    if json_:
        print_found_json(found, why)
    else:
        print_found(found, why)
        outputs.say_next(found)
