"""What `kindred duplicates` is asked for: a threshold, a guard, who survives, what was decided."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from search.cli.output import say
from search.decisions import Decision, read_decisions
from search.duplicates import Duplicates, find_duplicates, usual_weight
from search.encoder import Encoder
from search.errors import OptionError
from search.guard import KINDS, Kind, PairGuard
from search.index import Index
from search.keeping import Keep, Keeping
from search.levels import DEFAULT_NEAR
from search.near import check_share
from search.nearest import check_threshold
from search.pairs import TextPair
from search.progress import Progress
from search.refusals import Guard
from search.similarity import check_weight
from search.threshold import Threshold, check_precision
from search.thresholds import found_without_labels, learned, pairs_to_learn_from, told, usual_threshold
from search.workers import check_processes

__all__ = ["Job", "MadeBy", "Wanted", "guard_without"]

_AUTO, _ALL = "auto", "all"

MadeBy = Callable[[Index], Encoder]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the threshold is found: `given`, by itself (`auto`), on labelled `pairs`, or, none of them, as it is kept.

    Where none is kept it is found by itself.
    """

    given: float | None
    auto: bool
    pairs: Sequence[TextPair] | None
    precision: float | None

    @classmethod
    def of(cls, threshold: str | None, labelled: Path | None, precision: float | None) -> "Wanted":
        """Read the options.

        Raises:
            OptionError: the threshold is no number and not auto, or is out of range.
            InputError: the labelled pairs cannot be read.
        """
        if labelled and threshold:
            raise click.UsageError("--calibrate chooses the threshold; leave --threshold out.")
        if precision is not None and labelled is None and threshold != _AUTO:
            raise click.UsageError("--precision is for --calibrate FILE and --threshold auto.")
        if precision is not None:
            check_precision(precision)
        given = None
        if threshold is not None and threshold != _AUTO:
            try:
                given = float(threshold)
            except ValueError:
                raise OptionError(f"threshold is {threshold!r}; give a number from -1 to 1, or auto.") from None
            check_threshold(given)
        pairs = None if labelled is None else pairs_to_learn_from(labelled)
        return cls(given, threshold == _AUTO, pairs, precision)

    def threshold(
        self, index: Index, against: Index | None, weight: float, guard: Guard | None, made_by: MadeBy, *, keep: bool
    ) -> float:
        """Return the threshold of a job, and say how one was found; `keep` it in the index's folder."""
        if self.given is not None:
            return self.given
        if self.pairs is not None:
            found = learned(self.pairs, made_by(index), weight=weight, guard=guard, precision=self.precision)
        elif self.auto:
            found = found_without_labels(
                index, against, weight=weight, guard=guard, precision=self.precision, encoder=made_by(index)
            )
        else:
            usual, how = usual_threshold(index, against, weight=weight, guard=guard)
            if how:
                say(how)
            return usual
        say(told(found))
        if keep:
            _keep(found, index.folder)
        return found.value


def _keep(threshold: Threshold, folder: Path) -> None:
    """Keep a threshold for the next job, where the index may be written to; this job goes on in any case."""
    try:
        threshold.write(folder)
    except OSError as exc:
        say(
            f"It cannot be kept in {folder} ({exc.strerror}); next time give --threshold {threshold.value:g}, "
            "or it is found again."
        )


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked of the job, read and found to be in range before any work is done."""

    wanted: Wanted
    near: float
    weight: float | None
    guard: Guard | None
    keeping: Keeping
    decisions: tuple[Decision, ...]
    processes: int
    files: tuple[Path, ...]
    """Those that were read for it."""

    @classmethod
    def of(
        cls,
        *,
        two_sided: bool,
        threshold: str | None,
        labelled: Path | None,
        precision: float | None,
        unguarded: Sequence[str],
        near: float | None,
        weight: float | None,
        keep: str | None,
        date_column: str | None,
        decided: Path | None,
        processes: int,
    ) -> "Job":
        """Read the options; `two_sided`: there is another side, whose sentences survive.

        Raises:
            OptionError: one is out of range.
            InputError: labelled pairs or decisions cannot be read.
        """
        if two_sided and (keep or date_column):
            raise click.UsageError("With --against, what is there survives; leave --keep and --date-column out.")
        near = DEFAULT_NEAR if near is None else near
        check_share(near)
        if weight is not None:
            check_weight(weight)
        check_processes(processes)
        return cls(
            wanted=Wanted.of(threshold, labelled, precision),
            near=near,
            weight=weight,
            guard=guard_without(unguarded),
            keeping=Keeping(keep or str(Keep.MOST_CENTRAL), date_column),
            decisions=() if decided is None else read_decisions(decided),
            processes=processes,
            files=tuple(file for file in (labelled, decided) if file is not None),
        )

    def find(
        self, index: Index, against: Index | None, made_by: MadeBy, *, keep: bool, progress: Progress
    ) -> Duplicates:
        """Do the job; a threshold that is found is kept in the index's folder where `keep` says so.

        `made_by` gives the encoder of an index, if it is needed.
        """
        weight = usual_weight(index.passport, self.weight)
        return find_duplicates(
            index,
            against=against,
            threshold=self.wanted.threshold(index, against, weight, self.guard, made_by, keep=keep),
            near=self.near,
            weight=weight,
            guard=self.guard,
            keeping=self.keeping,
            decisions=self.decisions,
            processes=self.processes,
            progress=progress,
        )


def guard_without(kinds: Sequence[str]) -> Guard | None:
    """Return the guard without some kinds of reasons; None without all.

    Raises:
        OptionError: there is no such kind.
    """
    for kind in kinds:
        if kind not in {*KINDS, _ALL}:
            raise OptionError(f"No kind {kind!r} of guard; there are {', '.join(Kind)}, and all.")
    left = KINDS - set(kinds)
    return None if _ALL in kinds or not left else PairGuard(left)
