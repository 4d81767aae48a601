"""`kindred finetune`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from search.cli.compile import verdict
from search.cli.options import as_json, overwrite_option, text_column
from search.errors import KindredError
from search.model_card import kept, unmeasured

if TYPE_CHECKING:
    from search.fast_build import FastBuild

__all__ = ["command"]


@click.command("finetune")
@click.argument("files", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), help="The checkpoint's folder.  [default: checkpoints/NAME]")
@click.option("--base", metavar="FOLDER|NAME", help="The encoder to start from.  [default: kindred-mini]")
@click.option(
    "--method",
    type=click.Choice(["auto", "contrastive", "head", "joint"]),
    help="How labels are learned; auto chooses by the rows and the base, and says why.  [default: auto]",
)
@text_column
@click.option("--label-column", metavar="NAME", help="The column of labels, if it has no usual name.")
@click.option("--ordinal", metavar="A,B,C", help="The labels from lowest to highest, if they have an order.")
@click.option("--nominal", is_flag=True, default=None, help="The labels have no order.")
@click.option(
    "--keep-meaning",
    type=float,
    metavar="X",
    help="What moving the meaning costs; 0: textbook.  [2; contrastive: 0.2]",
)
@click.option(
    "--epochs", type=int, metavar="N", help="Passes over the data; the best one is kept.  [default: 3 or more]"
)
@click.option("--batch-size", type=int, metavar="N", help="Texts a step.  [default: 32; contrastive: 64]")
@click.option(
    "--learning-rate",
    type=float,
    metavar="X",
    help="The highest learning rate.  [1e-4; contrastive: 5e-5; positive pairs: 2e-5]",
)
@click.option("--dropout", type=float, metavar="SHARE", help="Activations dropped in training.  [default: 0]")
@click.option("--max-length", type=int, metavar="N", help="Tokens of a text that are read.  [default: 128]")
@click.option("--validation", type=float, metavar="SHARE", help="Share of rows held back.  [default: 0.1; few rows: 0]")
@click.option("--accumulate", type=int, metavar="N", help="Batches whose gradients make one step.  [default: 1]")
@click.option("--patience", type=int, metavar="N", help="Stop after N epochs without a better one.")
@click.option("--max-minutes", type=float, metavar="X", help="Stop after this time and keep what is there.")
@click.option("--save-steps", type=int, metavar="N", help="Steps between two states saved.  [default: 500]")
@click.option("--balance", is_flag=True, default=None, help="Weigh rows so that all labels count alike.")
@click.option("--tensorboard", metavar="FOLDER", help="Write TensorBoard's logs (needs the package tensorboard).")
@click.option("--no-fast", is_flag=True, help="Leave out the int8 build, with which the checkpoint runs without torch.")
@click.option("--seed", type=int, metavar="N", help="Two runs with one seed agree.  [default: 0]")
@overwrite_option
@as_json
def command(
    files: tuple[str, ...],
    out: Path | None,
    text_column: str | None,
    label_column: str | None,
    ordinal: str | None,
    no_fast: bool,
    overwrite: bool,
    json_: bool,
    **options: Any,
) -> None:
    """Fine-tune an encoder on labelled FILES (CSV, TSV, JSONL, Parquet) into a checkpoint.

    The encoder learns the labels and keeps its meaning, so that it still finds what it found before. Few rows are
    learned in other ways than many are (--method): contrastive draws the texts of one label together and then fits the
    logits, head fits the logits alone, joint trains all at once. An option that the method does not use is refused.
    Files with the columns sentence1 and sentence2 (and score, or label 1 or 0, or neither: all say the same) teach it
    meaning instead.
    A run that was interrupted or killed goes on when the same command is given again.

    \b
    Examples:
      kindred finetune corpora/feelings.csv --out checkpoints/feelings
      kindred finetune questions.tsv --base checkpoints/feelings --out checkpoints/questions
    """
    from search.cli.output import Bar, print_json, print_table, say
    from search.finetune import finetune
    from search.indexing import default_name
    from search.processes import processes
    from search.training_options import FinetuneOptions, Method

    chosen = {name: value for name, value in options.items() if value is not None}
    if "method" in chosen:
        chosen["method"] = Method(chosen["method"])
    if ordinal is not None:
        chosen["ordinal"] = tuple(name.strip() for name in ordinal.split(","))
    out = out or Path("checkpoints") / default_name(files[0])
    with Bar() as bar:
        report = finetune(
            files,
            out,
            options=FinetuneOptions(**chosen),
            text_column=text_column,
            label_column=label_column,
            overwrite=overwrite,
            progress=bar,
        )
    if not processes().main:
        return
    if json_:
        build = None if no_fast else _build(out, files, text_column, label_column)
        print_json([report | ({"fast": dict(build.agreement)} if build else {})])
        return
    columns = list(dict.fromkeys(key for epoch in report["epochs"] for key in epoch))
    if columns:
        print_table(
            [(column.replace("_", " "), "right") for column in columns],
            [[f"{one[key]:g}" if key in one else "" for key in columns] for one in report["epochs"]],
        )
    if report["stopped"]:
        click.echo(f"Stopped {report['stopped']}.")
    click.echo(_verdict(report))
    build = None if no_fast else _build(out, files, text_column, label_column)
    if build:
        click.echo(verdict(build))
    click.echo(f"Checkpoint: {out} ({report['seconds']:.0f} s)")
    say(f"Next: kindred index FILES --encoder {out}")


def _build(out: Path, files: Sequence[str], text_column: str | None, label_column: str | None) -> "FastBuild | None":
    """Make the checkpoint's int8 build; say why where there is none, for the checkpoint is whole without it."""
    from search.cli.output import Bar, say
    from search.compiling import compile_encoder, training_sentences

    try:
        sentences = training_sentences(files, text_column=text_column, label_column=label_column)
        with Bar() as bar:
            return compile_encoder(str(out), sentences=sentences, progress=bar)
    except KindredError as exc:
        say(f"No fast build: {exc} {_whole(out)}")
        return None
    except KeyboardInterrupt:
        say(f"No fast build yet. {_whole(out)}")
        raise


def _whole(out: Path) -> str:
    return f"The checkpoint is whole and runs with torch; kindred compile {out} tries again."


def _verdict(report: dict[str, Any]) -> str:
    """Say in a sentence which epoch was kept and how good it is, beside the base where that is known."""
    figures = report["validation"]
    if figures is None and (crossed := report.get("cross_validation")):
        told = f"Nothing was held back; cross-validated on the base's features, {crossed['rows']} rows: "
        return told + _beside_base(crossed)
    if figures is None:
        return unmeasured(report)
    which = f"{kept(report)}; on" if report["epochs"] else "On"
    return f"{which} {figures['rows']} rows held back: {_beside_base(figures)}"


def _beside_base(figures: dict[str, Any]) -> str:
    before = figures.get("before", {})
    names = ("accuracy", "macro_f1", "calibration_error") if "accuracy" in figures else before
    base = {name: f" (base {value:.3f})" for name, value in before.items()}
    return ", ".join(f"{name.replace('_', ' ')} {figures[name]:.3f}{base.get(name, '')}" for name in names)
