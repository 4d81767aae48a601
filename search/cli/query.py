"""`kindred query`: one question, several, a file of them, or a prompt."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from search.cli.options import as_json, encoder_option, weight_option

if TYPE_CHECKING:
    from search.records import Hit

__all__ = ["command", "show_hits"]


@click.command("query")
@click.argument("index")
@click.argument("queries", nargs=-1)
@click.option("--file", "file", metavar="FILE", help="Read queries from a file, one a line; - is standard input.")
@click.option("-k", type=int, default=10, show_default=True, metavar="N", help="How many hits each.")
@click.option(
    "--sentiment",
    metavar="same|opposite|any|LABEL",
    help="Which feeling the hits should have.  [default: same, where the encoder knows labels]",
)
@weight_option
@encoder_option
@as_json
def command(
    index: str,
    queries: tuple[str, ...],
    file: str | None,
    k: int,
    sentiment: str | None,
    weight: float | None,
    encoder: str | None,
    json_: bool,
) -> None:
    """Find the sentences of INDEX (a folder, or a name in indexes/) nearest to each of QUERIES.

    Without a query it asks for them at a prompt. The score is (1 - weight) x meaning + weight x sentiment.

    \b
    Examples:
      kindred query hotels "the room was freezing"
      kindred query hotels "breakfast" --sentiment positive -k 5
      kindred query hotels "the staff were rude" --sentiment opposite
      kindred query hotels --file questions.txt --json
    """
    from search.cli.output import print_json
    from search.index import Index, resolve
    from search.lines import LineReader
    from search.query import Searcher, check_query

    asked = list(queries)
    if file is not None:
        asked += [line.text.strip() for line in LineReader(file) if line.text.strip()]
        if not asked:
            raise click.UsageError(f"{file} holds no query.")
    opened = Index(resolve(index))
    check_query(opened.passport, k=k, sentiment=sentiment, weight=weight)
    searcher = Searcher.of(opened, encoder=encoder)
    if not asked:
        from search.cli.prompt import ask

        ask(searcher, k=k, sentiment=sentiment, weight=weight)
        return
    answers = searcher.search(asked, k=k, sentiment=sentiment, weight=weight)
    for query, hits in zip(asked, answers, strict=True):
        if json_:
            print_json({"query": query, **hit.to_dict()} for hit in hits)
        else:
            show_hits(hits, title=query if len(asked) > 1 else "")


def show_hits(hits: list["Hit"], *, title: str = "") -> None:
    """Print hits as a table."""
    from search.cli.output import cell, place, print_table

    labelled = any(hit.sentiment is not None for hit in hits)
    columns = [("", "right"), ("score", "right"), ("meaning", "right")]
    columns += [("sentiment", "right"), ("label", "left")] if labelled else []
    rows = []
    for hit in hits:
        row = [str(hit.rank), cell(hit.score), cell(hit.meaning)]
        if labelled:
            row += [cell(hit.sentiment), f"{hit.entry.label} {cell(hit.entry.probability, 2)}"]
        rows.append([*row, hit.entry.sentence.text, place(hit.entry.sentence)])
    print_table([*columns, ("sentence", "left"), ("where", "left")], rows, title=title)


def history_file() -> Path:
    """Return where the prompt keeps what was asked."""
    return Path(click.get_app_dir("kindred", force_posix=sys.platform != "win32")) / "history"
