"""`kindred index`."""

from pathlib import Path

import click

from search.cli.options import as_json, backend_option, encoder_option, overwrite_option, text_column, unit_option

__all__ = ["command"]


@click.command("index")
@click.argument("files", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), help="The index's folder.  [default: indexes/NAME]")
@encoder_option
@backend_option
@unit_option
@text_column
@overwrite_option
@as_json
def command(
    files: tuple[str, ...],
    out: Path | None,
    encoder: str | None,
    backend: str,
    unit: str | None,
    text_column: str | None,
    overwrite: bool,
    json_: bool,
) -> None:
    """Index text FILES: .txt, .md, .csv, .tsv, .jsonl, .parquet, folders, globs, or - for standard input.

    \b
    Examples:
      kindred index corpora/hotels.txt
      kindred index 'reviews/*.csv' --text-column review --out indexes/reviews
      kindred index novel.txt --unit sentence --encoder checkpoints/feelings
    """
    from search.cli.loading import load
    from search.cli.output import Bar, print_json, say
    from search.corpus import Corpus, Unit
    from search.index import INDEXES
    from search.index_writer import check_target
    from search.indexing import build_index, default_name

    out = out or INDEXES / default_name(files[0])
    corpus = Corpus(files, unit=Unit(unit) if unit else None, text_column=text_column)
    check_target(out, overwrite=overwrite)
    loaded = load(encoder, backend)
    with Bar() as bar:
        manifest = build_index(corpus, out, loaded, overwrite=overwrite, progress=bar)
    if json_:
        print_json([{"index": str(out), "count": manifest.count, "digest": manifest.digest}])
        return
    click.echo(f"{manifest.count:,} sentences of {len(manifest.sources)} file(s) with {manifest.passport.name}: {out}")
    say(f'Next: kindred query {out} "your question"')
