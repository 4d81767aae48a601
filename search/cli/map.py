"""`kindred map`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from search.cli.options import overwrite_option

if TYPE_CHECKING:
    from search.index import Index
    from search.index_map import IndexMap

__all__ = ["command"]


@click.command("map")
@click.argument("index")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE.html|.png|.svg",
    help="What to draw to: a page to look around in, or a picture.",
)
@click.option(
    "--weight",
    type=float,
    default=0.0,
    show_default=True,
    metavar="0..1",
    help="How far feelings take part in where sentences stand; 0 is meaning only.",
)
@click.option("--where", metavar="CONDITION", help='Only sentences whose metadata meet it: "rating >= 4".')
@click.option("--source", "sources", multiple=True, metavar="PATTERN", help="Only these sources: 'reviews/*.csv'.")
@click.option("--label", "labels", multiple=True, metavar="LABEL", help="Only sentences with this label.")
@click.option("--title", help="What stands above the map.  [default: the index's name]")
@overwrite_option
def command(
    index: str,
    out: Path,
    weight: float,
    where: str | None,
    sources: tuple[str, ...],
    labels: tuple[str, ...],
    title: str | None,
    overwrite: bool,
) -> None:
    """Draw INDEX (a folder, or a name in indexes/) in two dimensions: sentences that are alike stand near each other.

    Each has the colour and the shape of its label. The page is one file without a network: zoom, read what a point
    says, search. Only neighbourhoods mean something, not distances across the map.

    \b
    Examples:
      kindred map hotels --out hotels.html
      kindred map hotels --out hotels.png --weight 0.3
      kindred map reviews --out lisbon.html --where "city = 'Lisbon'" --label negative
    """
    from search.cli.loading import needed
    from search.cli.output import Bar, say
    from search.files import check_new_file
    from search.filters import Filter
    from search.index import Index, resolve
    from search.index_map import check_map, map_of

    check_new_file(out, "--out", kinds=(".html", ".png", ".svg"), overwrite=overwrite)
    kind = out.suffix.lower()
    needed("map", "openTSNE", *(() if kind == ".html" else ("matplotlib",)))
    with Bar() as bar, Index(resolve(index)) as opened:
        check_map(opened, weight)
        drawn = map_of(opened, weight=weight, only=Filter(where, sources, labels), progress=bar)
        name = title or opened.folder.resolve().name
        _write(drawn, opened, out, name, kind)
    say(f"{len(drawn):,} sentences ({drawn.about()}): {out}")


def _write(drawn: "IndexMap", index: "Index", out: Path, title: str, kind: str) -> None:
    from search.files import new_file, write_text
    from search.map_page import map_html
    from search.map_picture import draw_map

    if kind == ".html":
        write_text(out, map_html(drawn, index, title=title))
        return
    with new_file(out) as file:
        draw_map(drawn, file, title=title, kind=kind.removeprefix("."))
