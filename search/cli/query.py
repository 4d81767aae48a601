"""`kindred query`: one question, several, a file of them, or a prompt."""

import click

from search.cli.options import as_json, backend_option, weight_option

__all__ = ["command"]


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
@click.option("--encoder", metavar="FOLDER|NAME", help="Where the index's encoder is now, if it has moved.")
@backend_option
@as_json
def command(
    index: str,
    queries: tuple[str, ...],
    file: str | None,
    k: int,
    sentiment: str | None,
    weight: float | None,
    match: str,
    where: str | None,
    sources: tuple[str, ...],
    labels: tuple[str, ...],
    explained: bool,
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
      kindred query hotels --file questions.txt --json
    """
    from search.cli.loading import load
    from search.cli.output import print_json, say, show_hits
    from search.explaining import explain
    from search.filters import Filter
    from search.index import Index, resolve
    from search.lines import LineReader
    from search.query import Searcher, check_query
    from search.sources import state_of
    from search.words import Match

    asked = list(queries)
    if file is not None:
        asked += [line.text.strip() for line in LineReader(file) if line.text.strip()]
        if not asked:
            raise click.UsageError(f"{file} holds no query.")
    if json_ and not asked:
        raise click.UsageError("--json needs a query; give some, or --file.")
    with Index(resolve(index)) as opened:
        check_query(opened.passport, k=k, sentiment=sentiment, weight=weight)
        loaded = load(encoder or opened.passport.name, backend)
        searcher = Searcher(opened, loaded)
        if not opened.manifest.finished:
            say(f"{opened.folder} is unfinished: {len(opened):,} sentences so far. Run the same kindred index again.")
        only = Filter(where, sources, labels)
        if not asked:
            from search.cli.prompt import ask

            by = loaded if explained else None
            ask(searcher, k=k, sentiment=sentiment, weight=weight, only=only, match=Match(match), explained_by=by)
            return
        answers = searcher.search(asked, k=k, sentiment=sentiment, weight=weight, only=only, match=Match(match))
        met = {hit.entry.sentence.source for hits in answers for hit in hits}
        states = {source.name: state_of(source) for source in opened.sources if source.name in met}
    for query, hits in zip(asked, answers, strict=True):
        why = explain(query, hits, loaded, sentiment=sentiment, weight=weight) if explained else []
        if json_:
            reasons = [{"explanation": one.to_dict()} for one in why] or [{}] * len(hits)
            print_json(
                {"query": query, **hit.to_dict(), "state": states[hit.entry.sentence.source], **reason}
                for hit, reason in zip(hits, reasons, strict=True)
            )
        else:
            show_hits(hits, title=query if len(asked) > 1 else "", states=states, explanations=why)
