"""`kindred compile`."""

from typing import TYPE_CHECKING

import click

from search.cli.options import as_json, text_column

if TYPE_CHECKING:
    from search.fast_build import FastBuild

__all__ = ["command", "verdict"]


@click.command("compile")
@click.argument("checkpoint")
@click.option(
    "--sentences",
    "files",
    multiple=True,
    metavar="FILE",
    help="Texts of the kind it is for; repeatable.  [default: a mix that comes with kindred]",
)
@text_column
@click.option("--overwrite", is_flag=True, help="Replace a folder openvino/ that kindred did not make.")
@as_json
def command(checkpoint: str, files: tuple[str, ...], text_column: str | None, overwrite: bool, json_: bool) -> None:
    """Make the int8 build of a CHECKPOINT (a folder or a model's name), with which it runs without torch.

    The build goes into the checkpoint's folder openvino/. It is compared with the checkpoint on sentences that it was
    not calibrated on, and not kept if the two do not agree. `kindred finetune` makes it by itself.

    \b
    Examples:
      kindred compile checkpoints/feelings
      kindred compile checkpoints/feelings --sentences corpora/hotels.txt
    """
    from search.cli.output import Bar, print_json, say
    from search.compiling import compile_encoder, some_sentences

    sentences = some_sentences(files, text_column=text_column) if files else []
    with Bar() as bar:
        build = compile_encoder(checkpoint, sentences=sentences, overwrite=overwrite, progress=bar)
    if json_:
        print_json([{"checkpoint": checkpoint, **build.made, **build.agreement}])
        return
    click.echo(verdict(build))
    say(f"Next: kindred index FILES --encoder {checkpoint}")


def verdict(build: "FastBuild") -> str:
    """Say in a sentence how a build agrees with its checkpoint."""
    figures = build.agreement
    told = [f"mean cosine {figures['cosine_mean']:.4f}"]
    if figures["overlap"] is not None:
        told.append(f"{figures['overlap']:.1%} of the 10 nearest")
    if figures["labels"] is not None:
        told.append(f"{figures['labels']:.1%} of the labels")
    return f"Fast build: on {figures['sentences']:,} sentences it keeps {', '.join(told)}."
