"""`kindred query`: one question, several, a file of them, or a prompt."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice

import click

from search.cli.options import as_json, backend_option, complete_index, text_column, weight_option

__all__ = ["command"]

_BATCH = 256
"""Queries that are encoded and searched together, and answered before more are read."""


@click.command("query")
@click.argument("index", shell_complete=complete_index)
@click.argument("queries", nargs=-1)
@click.option(
    "--queries",
    "--file",
    "file",
    metavar="FILE",
    help="Read queries from a file: one a line, or a table's column of texts; - is standard input.",
)
@text_column
@click.option("-k", type=int, default=10, show_default=True, metavar="N", help="How many hits each.")
@click.option(
    "--sentiment",
    metavar="same|opposite|any|LABEL",
    help="Which feeling the hits should have.  [default: same, where the encoder knows labels]",
)
@weight_option
@click.option(
    "--match",
    type=click.Choice(["meaning", "words", "both"]),
    default="meaning",
    show_default=True,
    help='What sentences are found by; words in "..." must be there.',
)
@click.option("--where", metavar="CONDITION", help='Only sentences whose metadata meet it: "rating >= 4".')
@click.option("--source", "sources", multiple=True, metavar="PATTERN", help="Only these sources: 'reviews/*.csv'.")
@click.option("--label", "labels", multiple=True, metavar="LABEL", help="Only sentences with this label.")
@click.option("--explain", "explained", is_flag=True, help="Say which words carry each score.")
@click.option("--exact", is_flag=True, help="Search every sentence, also where the index has a search structure.")
@click.option("--encoder", metavar="FOLDER|NAME", help="Where the index's encoder is now, if it has moved.")
@backend_option
@as_json
def command(
    index: str,
    queries: tuple[str, ...],
    file: str | None,
    text_column: str | None,
    k: int,
    sentiment: str | None,
    weight: float | None,
    match: str,
    where: str | None,
    sources: tuple[str, ...],
    labels: tuple[str, ...],
    explained: bool,
    exact: bool,
    encoder: str | None,
    backend: str,
    json_: bool,
) -> None:
    """Find the sentences of INDEX (a folder, or a name in indexes/) nearest to each of QUERIES.

    Without a query it asks for them at a prompt. The score is (1 - weight) x meaning + weight x sentiment.

    \b
    Examples:
      kindred query hotels "the room was freezing"
      kindred query hotels "breakfast" --sentiment positive -k 5
      kindred query hotels "the staff were rude" --sentiment opposite
      kindred query reviews "cold room" --where "rating >= 4 and city = 'Lisbon'" --label negative
      kindred query support 'router XR-500 "will not start"' --match both
      kindred query hotels "a place to relax" --explain
      kindred query hotels --queries questions.txt --json
    """
    from search.cli.loading import load
    from search.cli.output import print_json, say, show_hits, why_nothing
    from search.explaining import explain
    from search.filters import Filter
    from search.index import Index, resolve
    from search.query import Searcher, check_query
    from search.sources import state_of
    from search.words import Match

    asked = enumerate(_texts(queries, file, text_column), start=1)
    batch = list(islice(asked, _BATCH))
    if file is not None and not batch:
        raise click.UsageError(f"{file} holds no query.")
    if json_ and not batch:
        raise click.UsageError("--json needs a query; give some, or --queries.")
    with Index(resolve(index)) as opened:
        check_query(opened.passport, k=k, sentiment=sentiment, weight=weight)
        loaded = load(encoder or opened.passport.name, backend)
        searcher = Searcher(opened, loaded)
        if not opened.manifest.finished:
            say(f"{opened.folder} is unfinished: {len(opened):,} sentences so far. Run the same kindred index again.")
        if opened.notice and not exact:
            say(f"{opened.notice} Every sentence is searched, which is slower. Try: kindred repair {opened.folder}")
        only = Filter(where, sources, labels)
        if not batch:
            from search.cli.prompt import ask

            by = loaded if explained else None
            ask(
                searcher,
                k=k,
                sentiment=sentiment,
                weight=weight,
                only=only,
                match=Match(match),
                explained_by=by,
                exact=exact,
            )
            return
        state = cache(state_of)
        nothing = why_nothing(len(opened), by_words=match != Match.MEANING, filtered=bool(only))
        several = len(batch) > 1
        while batch:
            texts = [text for _, text in batch]
            answers = searcher.search(
                texts, k=k, sentiment=sentiment, weight=weight, only=only, match=Match(match), exact=exact
            )
            for (number, query), hits in zip(batch, answers, strict=True):
                states = [state(opened.source_of(hit.entry.row)) for hit in hits]
                why = explain(query, hits, loaded, sentiment=sentiment, weight=weight) if explained else []
                if json_:
                    reasons = [{"explanation": one.to_dict()} for one in why] or [{}] * len(hits)
                    print_json(
                        {
                            "query": query,
                            "number": number,
                            **hit.to_dict(),
                            "state": now,
                            **reason,
                        }
                        for hit, now, reason in zip(hits, states, reasons, strict=True)
                    )
                else:
                    if number > 1:
                        click.echo()
                    title = query if several else ""
                    show_hits(hits, title=title, states=states, explanations=why, nothing=nothing)
            batch = list(islice(asked, _BATCH))


def _texts(queries: Sequence[str], file: str | None, column: str | None) -> Iterator[str]:
    """Yield the queries given, then those of the file, which is read as far as is asked."""
    from search.compressed import kind_of
    from search.corpus import Corpus
    from search.lines import LineReader
    from search.tables import TABLE_SUFFIXES

    yield from queries
    if file is not None and kind_of(file) in TABLE_SUFFIXES:
        corpus = Corpus([file], text_column=column)
        for name in corpus.names:
            yield from (sentence.text for sentence in corpus.read(name))
    elif file is not None:
        yield from (text for line in LineReader(file) if (text := line.text.strip()))
