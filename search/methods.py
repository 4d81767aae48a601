"""Which way of learning labels suits the rows and the base: chosen here, and said why."""

from dataclasses import dataclass

from search.labelled import feeling_step
from search.similarity import Labels
from search.training_data import TrainingData
from search.training_options import FinetuneOptions, Method

__all__ = ["FEW_ROWS", "Choice", "choose", "known_labels"]

FEW_ROWS = 400
"""Up to so many rows are few: joint training has too few steps on them to learn more than the other ways do."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A method, never AUTO, and why it was chosen."""

    method: Method
    why: str


def choose(data: TrainingData, known: Labels | None, options: FinetuneOptions) -> Choice:
    """Choose how to learn the labels of `data`, unless the options say.

    Args:
        data: what there is to learn from.
        known: the labels of the base; None: it has none.
        options: what is asked for.
    """
    if options.method != Method.AUTO:
        return Choice(options.method, "as asked")
    rows = int((data.classes >= 0).sum())
    if rows > FEW_ROWS:
        return Choice(Method.JOINT, f"{rows} labelled rows, more than {FEW_ROWS}: enough to train encoder and logits")
    few = f"{rows} labelled rows, no more than {FEW_ROWS}"
    if known is None:
        return Choice(Method.CONTRASTIVE, f"{few}, and a base without labels: it has yet to learn what matters to them")
    if known_labels(known, data.labels) is not None:
        return Choice(Method.HEAD, f"{few}, of labels that the base knows: its logits are the start, and little moves")
    names = ", ".join(known.names)
    return Choice(Method.HEAD, f"{few}, and a base that knows {names}: its features are better than few rows can make")


def known_labels(known: Labels, wanted: Labels) -> list[int] | None:
    """Return which of the base's labels each label to learn is; None where it does not know them all.

    Names are compared without case, and the usual names of a feeling (positive, pos, good) are one.

    >>> from search.similarity import Scale
    >>> base = Labels(("negative", "neutral", "positive"), Scale.ORDINAL)
    >>> known_labels(base, Labels(("Pos", "NEG"), Scale.NOMINAL))
    [2, 0]
    """
    numbers = {_meant(name): number for number, name in enumerate(known.names)}
    found = [numbers.get(_meant(name)) for name in wanted.names]
    every = [number for number in found if number is not None]
    return every if len(set(every)) == len(wanted.names) else None


def _meant(name: str) -> str | int:
    step = feeling_step(name)
    return name.strip().casefold() if step is None else step
