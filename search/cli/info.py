"""`kindred info`."""

import click

from search.cli.options import as_json

__all__ = ["command"]


@click.command("info")
@click.argument("index")
@as_json
def command(index: str, json_: bool) -> None:
    """Say what an INDEX (a folder, or a name in indexes/) holds and which encoder made it.

    \b
    Example:
      kindred info hotels
    """
    from search.cli.output import print_json, print_table
    from search.index import Index, resolve

    with Index(resolve(index)) as opened:
        manifest = opened.manifest
    passport = manifest.passport
    if json_:
        print_json(
            [
                {
                    "digest": manifest.digest,
                    "count": manifest.count,
                    "generation": manifest.generation,
                    "encoder": passport.to_json(),
                    "store": "flat",
                    "recall": 1.0,
                    "sources": [
                        {"name": one.name, "sentences": one.sentences, "size": one.size, "sha256": one.sha256}
                        for one in manifest.sources
                    ],
                }
            ]
        )
        return
    labels = ", ".join(passport.labels.names) + f" ({passport.labels.scale})" if passport.labels else "none"
    print_table(
        [("what", "left"), ("value", "left")],
        [
            ["sentences", f"{manifest.count:,}"],
            ["generation", str(manifest.generation)],
            ["encoder", f"{passport.name} ({passport.fingerprint[:12]})"],
            ["labels", labels],
            ["row", f"{passport.width} numbers ({passport.meaning_dim} of meaning)"],
            ["store", "flat, exact"],
            ["digest", manifest.digest],
            *(["source", f"{one.name} ({one.sentences:,} sentences, {one.size:,} bytes)"] for one in manifest.sources),
        ],
    )
