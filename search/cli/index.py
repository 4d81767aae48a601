"""`kindred index`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from search.cli.options import (
    as_json,
    backend_option,
    encoder_option,
    encoding_option,
    overwrite_option,
    text_column,
    unit_option,
    wait_option,
)

if TYPE_CHECKING:
    from search.indexing import Indexed

__all__ = ["command"]


@click.command("index")
@click.argument("files", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), help="The index's folder.  [default: indexes/NAME]")
@encoder_option
@backend_option
@unit_option
@text_column
@encoding_option
@overwrite_option
@click.option(
    "--prune",
    is_flag=True,
    help="Remove what the index has of files that are gone. A missing folder may be a share that is not mounted: what "
    "was in it stays.",
)
@click.option(
    "--gone",
    multiple=True,
    metavar="FOLDER|FILE",
    help="This is gone for good, its folder too: remove what the index has of it. Files that are there stay.",
)
@click.option(
    "--store",
    metavar="auto|flat|SPEC",
    help="How it is searched: auto is exact while that is quick, then the fastest structure with the recall; flat is "
    "exact; SPEC is a structure in FAISS's words (IVF1024,SQ8).  [default: auto, or as the last time]",
)
@click.option(
    "--recall",
    type=float,
    metavar="0..1",
    help="The share of the 10 nearest that a structure must find, measured on the index.  [default: 0.98]",
)
@click.option("--exact", is_flag=True, help="The same as --store flat.")
@click.option("--strict", is_flag=True, help="Stop at a file that cannot be used, instead of going on with the others.")
@wait_option
@as_json
def command(
    files: tuple[str, ...],
    out: Path | None,
    encoder: str | None,
    backend: str,
    unit: str | None,
    text_column: str | None,
    encoding: str | None,
    overwrite: bool,
    prune: bool,
    gone: tuple[str, ...],
    store: str | None,
    recall: float | None,
    exact: bool,
    strict: bool,
    wait: float,
    json_: bool,
) -> int:
    """Index FILES: .txt, .md, .csv, .tsv, .jsonl, .parquet, .pdf, .docx, .html, folders, globs, or - (stdin).

    Run again, only what has changed is read, with the unit, text column and encoding of the last time unless others are
    given; stopped, the same command goes on. Exit code 1 where a file was left out.

    \b
    Examples:
      kindred index corpora/hotels.txt
      kindred index 'reviews/*.csv' --text-column review --out indexes/reviews
      kindred index reviews/ --out indexes/reviews --prune
      kindred index reviews/ --out indexes/reviews --gone reviews/2019
      kindred index manuals/ letters.docx --out indexes/office
      kindred index novel.txt --unit sentence --encoder checkpoints/feelings
      kindred index reviews/ --out indexes/reviews --recall 0.95
    """
    from search.builds import check_target
    from search.cli.loading import load
    from search.cli.output import Bar, print_json, say
    from search.corpus import Corpus
    from search.index import INDEXES
    from search.indexing import build_index, check_related, default_name
    from search.store_record import FLAT, StoreWish, store_wish
    from search.units import Unit

    folder = out or INDEXES / default_name(files[0])
    corpus = Corpus(files, unit=Unit(unit) if unit else None, text_column=text_column, encoding=encoding, tell=say)
    there = check_target(folder, overwrite=overwrite)
    if there and out is None:
        check_related(corpus, folder)
    wish = store_wish(there.store.wish if there else StoreWish(), FLAT if exact else store, recall)
    loaded = load(encoder or (there.passport.name if there else None), backend)
    with Bar() as bar:
        done = build_index(
            corpus,
            folder,
            loaded,
            overwrite=overwrite,
            prune=prune,
            gone=gone,
            strict=strict,
            wait=wait,
            store=wish,
            progress=bar,
        )
    manifest = done.manifest
    for reason in done.failed:
        say(f"Left out: {reason}")
    if json_:
        counts = {"new": done.new, "changed": done.changed, "moved": done.moved, "same": done.same}
        head = {"index": str(folder), "count": manifest.count, "digest": manifest.digest}
        print_json([{**head, **counts, "pruned": done.pruned, "failed": [str(reason) for reason in done.failed]}])
        return int(bool(done.failed))
    click.echo(
        f"{manifest.count:,} sentences of {done.sources:,} file(s) with {manifest.passport.name}: {folder}{_told(done)}"
    )
    say(f'Next: kindred query {folder} "your question"')
    return int(bool(done.failed))


def _told(done: "Indexed") -> str:
    """Say what an update did; nothing of a first build."""
    counts = {"new": done.new, "changed": done.changed, "moved": done.moved, "same": done.same, "removed": done.pruned}
    if done.new == done.sources:
        return ""
    return f" ({', '.join(f'{count:,} {what}' for what, count in counts.items() if count)})"
