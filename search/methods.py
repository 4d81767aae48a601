"""Which way of learning labels suits the rows and the base: chosen here, and said why."""

from dataclasses import dataclass

from search.labelled import feeling_step
from search.similarity import Labels
from search.training_data import TrainingData
from search.training_options import FinetuneOptions, Method

__all__ = ["FEW_OF_KNOWN", "FEW_OF_OTHERS", "FEW_PLAIN", "Choice", "choose", "known_labels"]

FEW_PLAIN = 800
"""Up to so many rows are few for a base without labels; more teach joint training as much as contrast.

This border and the next are where `benchmarks/few_shot.md` measured them."""

FEW_OF_KNOWN = 400
"""The same of labels that the base knows: head and joint training are as good at any number, and the head is done
sooner; with more, rows can be spared to measure."""

FEW_OF_OTHERS = 50
"""The same for a base that knows other labels. Joint training is better at fewer, too, but of so few rows none can be
held back, and without them it has neither figures nor a temperature, which the head has."""


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
    if known is None:
        few, method = FEW_PLAIN, Method.CONTRASTIVE
        why = "a base without labels: it has yet to learn what matters to them"
    elif known_labels(known, data.labels) is not None:
        few, method = FEW_OF_KNOWN, Method.HEAD
        why = "labels that the base knows: its logits are the start, and little moves"
    else:
        few, method = FEW_OF_OTHERS, Method.HEAD
        why = f"a base that knows {', '.join(known.names)}: its features are better than few rows can make"
    if rows > few:
        return Choice(Method.JOINT, f"{rows} labelled rows, more than {few}: enough to train encoder and logits")
    return Choice(method, f"{rows} labelled rows, no more than {few}, and {why}")


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
