"""How `kindred duplicates` tells what it found: a table, JSON, CSV, a report, the corpus without duplicates."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from search.cli.explained import explained_pair
from search.cli.output import Row, cell, counted, place, print_json, print_table, say, shown
from search.decisions import Decision
from search.deduplicated import check_output, write_deduplicated
from search.duplicates import Duplicates
from search.errors import OutputError
from search.explaining_pairs import Explained
from search.files import check_file, write_text
from search.index import Index
from search.records import Pair, Refused
from search.report import check_report, report_html

__all__ = ["Outputs", "csv_text", "print_found", "print_found_json"]

_COLUMNS = ("score", "level", "source_a", "line_a", "text_a", "source_b", "line_b", "text_b", "refused", "words")


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files to write; None: not asked for."""

    out: Path | None
    csv: Path | None
    report: Path | None
    overwrite: bool

    def check(self, paths: Sequence[str], read: Sequence[str | Path]) -> None:
        """Refuse, before any work is done, what cannot be written.

        Args:
            paths: the files that --out writes again.
            read: every file that the job reads.

        Raises:
            OutputError: says what to do.
        """
        if self.out is not None:
            check_output(self.out, paths, overwrite=self.overwrite)
        self._check_apart(read)
        if self.csv is not None:
            check_file(self.csv, "--csv", overwrite=self.overwrite)
        if self.report is not None:
            check_report(self.report, overwrite=self.overwrite)

    def _check_apart(self, read: Sequence[str | Path]) -> None:
        """Refuse to write what is read, --out aside, and to write two things into one file."""
        used = {Path(path).resolve(): "is read by this job" for path in read}
        if self.out is not None:
            used[self.out.resolve()] = "is what --out writes"
        for option, path in (("--csv", self.csv), ("--report", self.report)):
            own = f"is what {option} writes"
            told = own if path is None else used.setdefault(path.resolve(), own)
            if told != own:
                raise OutputError(f"{path} {told}; choose another {option}.")

    def write(
        self, found: Duplicates, index: Index, decisions: Sequence[Decision], explained: Explained | None
    ) -> None:
        """Write them, and say where the larger ones are."""
        if self.out is not None:
            removed = (member.sentence for cluster in found.clusters for member in cluster.members)
            written = write_deduplicated(index.sources, removed, self.out)
            say(f"{_surviving(found)}: {self.out} ({counted(len(written), 'file')})")
        if self.csv is not None:
            write_text(self.csv, csv_text(found))
        if self.report is not None:
            name = index.passport.name
            write_text(self.report, report_html(found, encoder=name, decisions=decisions, explained=explained))
            say(f"Report, to open in a browser: {self.report}")

    def say_next(self, found: Duplicates) -> None:
        """Say what can be done with duplicates that nothing was done with yet."""
        if found.clusters and self.out is None and self.report is None:
            say("Next: add --report found.html to look at them and decide, or --out to write what survives.")


def print_found(found: Duplicates, explained: Explained | None) -> None:
    """Print the clusters as a table, then what was refused and why in a line, then the sum of it all.

    With explanations the words that carry each score, and those that differ, are told, and refused pairs are listed.
    """
    rows: list[Row] = []
    for number, cluster in enumerate(found.clusters, start=1):
        survivor = cluster.survivor.sentence
        rows.append([str(number), "", "survives", shown(survivor), place(survivor)])
        for member, link in zip(cluster.members, cluster.links, strict=True):
            why = None if explained is None else explained.of(survivor.text, member.sentence.text)
            text = explained_pair(shown(member.sentence), why, "survivor")
            rows.append(["", cell(link.score), link.level, text, place(member.sentence)])
    if rows:
        print_table(
            [("", "right"), ("score", "right"), ("level", "left"), ("sentence", "left"), ("where", "left")], rows
        )
    if explained:
        _print_refused(found, explained)
    if found.refused:
        reasons = Counter(one.reason for one in found.refused).most_common()
        counts = ", ".join(
            f"{reason} {count:,}" for reason, count in sorted(reasons, key=lambda one: (-one[1], one[0]))
        )
        listed = "" if explained else " (--json and --csv list them)"
        click.echo(f"{counted(len(found.refused), 'pair')} refused: {counts}{listed}.")
    if found.recall < 1.0:
        click.echo(f"Too many to compare all with all: {found.recall:.1%} of the semantic pairs are found (measured).")
    levels = Counter(pair.level for pair in found.pairs)
    told = ", ".join(f"{count:,} {level}" for level, count in sorted(levels.items()))
    click.echo(
        f"{counted(found.count, 'sentence')}, {counted(len(found.pairs), 'pair')} at {found.threshold:g} "
        f"(weight {found.weight:g}){f': {told}' if told else ''}; {counted(len(found.clusters), 'cluster')}; "
        f"{_surviving(found)}. Digest {found.digest[:16]}."
    )


def _surviving(found: Duplicates) -> str:
    left = found.count - found.removed
    return f"{counted(left, 'sentence')} survive{'s' if left == 1 else ''}"


def _print_refused(found: Duplicates, explained: Explained) -> None:
    """Print each refused pair: what it scores, the reason, the two sentences, and the words that caused it."""
    rows: list[Row] = []
    for one in found.refused:
        a, b = one.a.sentence, one.b.sentence
        text = explained_pair(shown(b), explained.of(a.text, b.text), "above", one.words)
        rows += [[cell(one.score), one.reason, shown(a), place(a)], ["", "", text, place(b)]]
    if rows:
        print_table([("score", "right"), ("refused", "left"), ("sentence", "left"), ("where", "left")], rows)


def print_found_json(found: Duplicates, explained: Explained | None) -> None:
    """Print every pair, then every refusal, then every cluster, each with its kind, and last the sum of it all."""
    print_json({"kind": "pair", **pair.to_dict(), **_why(pair, explained)} for pair in found.pairs)
    print_json({"kind": "refusal", **one.to_dict(), **_why(one, explained)} for one in found.refused)
    print_json({"kind": "cluster", **cluster.to_dict()} for cluster in found.clusters)
    print_json([{"kind": "summary", **found.summary()}])


def _why(pair: Pair | Refused, explained: Explained | None) -> dict[str, Any]:
    why = explained and explained.of(pair.a.sentence.text, pair.b.sentence.text)
    return {"explanation": why.to_dict()} if why else {}


def csv_text(found: Duplicates) -> str:
    """Return the pairs as CSV, then the refused ones, which have a reason and the words that caused it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    listed: list[tuple[Pair | Refused, str, str]] = [(pair, "", "") for pair in found.pairs]
    listed += [(one, one.reason, " | ".join(one.words)) for one in found.refused]
    for one, reason, words in listed:
        a, b = one.a.sentence, one.b.sentence
        row = [f"{one.score:.6f}", one.level, a.source, a.line, a.text, b.source, b.line, b.text]
        writer.writerow([*row, reason, words])
    return text.getvalue()
