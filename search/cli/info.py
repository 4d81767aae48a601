"""`kindred info`."""

from typing import TYPE_CHECKING

import click

from search.cli.options import as_json, complete_index

if TYPE_CHECKING:
    from search.origin import Maker

__all__ = ["command"]


@click.command("info")
@click.argument("index", shell_complete=complete_index)
@as_json
def command(index: str, json_: bool) -> None:
    """Say what an INDEX (a folder, or a name in indexes/) holds, and how its sources are now.

    The state of a source: same, changed, incomplete (a stopped run has read a part, or repair has lost one; kindred
    index reads the rest), gone, unreachable (its folder is missing or empty: perhaps a share that is not mounted; if it
    is gone for good, kindred index --gone lets go of it), or unknown (standard input).

    \b
    Example:
      kindred info hotels
    """
    from search.cli.output import print_json, print_table, say
    from search.index import Index, resolve
    from search.sources import state_of

    with Index(resolve(index)) as opened:
        manifest = opened.manifest
        if opened.notice:
            say(f"{opened.notice} Queries search exactly. Try: kindred repair {opened.folder}")
        sources = [(source, state_of(source)) for source in opened.sources]
    passport, makers = manifest.passport, manifest.origin.makers
    if json_:
        print_json(
            [
                {
                    "digest": manifest.digest,
                    "count": manifest.count,
                    "generation": manifest.generation,
                    "finished": manifest.finished,
                    "encoder": {**passport.to_json(), "makers": [maker.to_json() for maker in makers]},
                    "store": manifest.store.spec,
                    "recall": manifest.store.recall,
                    "structure": manifest.store.to_json() if manifest.store.file else None,
                    "sources": [
                        {
                            "name": one.name,
                            "sentences": one.rows,
                            "size": one.size,
                            "sha256": one.sha256,
                            "state": state,
                        }
                        for one, state in sources
                    ],
                }
            ]
        )
        return
    labels = ", ".join(passport.labels.names) + f" ({passport.labels.scale})" if passport.labels else "none"
    beyond = manifest.rows - manifest.store.rows if manifest.store.file else 0
    newer = f"; {beyond:,} newer rows searched exactly" if beyond else ""
    unfinished = "" if manifest.finished else " so far; run the same kindred index again"
    print_table(
        [("what", "left"), ("value", "left")],
        [
            ["sentences", f"{manifest.count:,}{unfinished}"],
            ["generation", str(manifest.generation)],
            ["encoder", f"{passport.name} ({passport.fingerprint[:12]})"],
            *(["rows by", _maker(one)] for one in makers if len(makers) > 1),
            ["labels", labels],
            ["row", f"{passport.width} numbers ({passport.meaning_dim} of meaning)"],
            ["store", f"{manifest.store}{newer}"],
            *(["recall", f"{found:.3f} ({question})"] for question, found in manifest.store.recalls.items()),
            ["digest", manifest.digest],
            *(["source", f"{one.name} ({one.rows:,} sentences, {state})"] for one, state in sources),
        ],
    )


def _maker(maker: "Maker") -> str:
    return f"{maker.name} ({maker.fingerprint[:12]}), {maker.backend}"
