"""The prompt of `kindred query`: questions, and settings that change in place."""

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from search.cli.output import show_hits, why_nothing
from search.errors import InputError, KindredError, OptionError
from search.explaining import Explanation, explain
from search.filters import Filter
from search.query import check_query
from search.sources import state_of
from search.words import Match

if TYPE_CHECKING:
    from search.encoder import TokenEncoder
    from search.query import Searcher

__all__ = ["Settings", "ask"]

_HELP = """Type a question, or a setting:
  :k 5                 how many hits
  :sentiment opposite  same, opposite, any, or a label; alone: the default
  :weight 0.5          how much of the score is sentiment, 0 to 1; alone: the default
  :settings            what is set
  :help  :quit         (or Ctrl-D)"""


@dataclass
class Settings:
    """What the next question is asked with."""

    k: int
    sentiment: str | None
    weight: float | None
    only: Filter | None = None
    match: Match = Match.MEANING
    exact: bool = False

    def change(self, name: str, value: str) -> None:
        """Set one of them from what was typed; nothing after the name sets the default.

        Raises:
            OptionError: there is no such setting, or the value is none for it.
        """
        try:
            if name == "k":
                self.k = int(value)
            elif name == "weight":
                self.weight = float(value) if value else None
            elif name == "sentiment":
                self.sentiment = value or None
            else:
                raise OptionError(f"No setting :{name}; type :help.")
        except ValueError as exc:
            raise OptionError(f":{name} needs a number, not {value!r}.") from exc

    def __str__(self) -> str:
        """Say what is set."""
        weight = "default" if self.weight is None else self.weight
        return f"k {self.k}, sentiment {self.sentiment or 'default'}, weight {weight}"


def ask(
    searcher: "Searcher",
    *,
    k: int,
    sentiment: str | None,
    weight: float | None,
    only: Filter | None = None,
    match: Match = Match.MEANING,
    explained_by: "TokenEncoder | None" = None,
    exact: bool = False,
) -> None:
    """Ask for questions until the input ends; a mistake is told and the prompt goes on.

    `explained_by`: the index's encoder, where the words that carry each score are to be told.
    """
    settings = Settings(k, sentiment, weight, only, match, exact)
    click.echo(f"{len(searcher.index):,} sentences. Ask, or type :help.", err=True)
    with _History():
        while (typed := _read()) is not None:
            try:
                if typed in {":quit", ":q", ":exit"}:
                    return
                _answer(typed, searcher, settings, explained_by)
            except KindredError as exc:
                click.echo(f"Error: {exc}", err=True)


def _read() -> str | None:
    try:
        return input("kindred> " if sys.stdin.isatty() else "").strip()
    except EOFError:
        click.echo(err=True)
        return None
    except UnicodeDecodeError as exc:
        raise InputError(f"standard input: not UTF-8 ({exc.reason}).") from exc


def _answer(typed: str, searcher: "Searcher", settings: Settings, explained_by: "TokenEncoder | None") -> None:
    if not typed:
        return
    if typed == ":help":
        click.echo(_HELP)
    elif typed == ":settings":
        click.echo(str(settings))
    elif typed.startswith(":"):
        name, _, value = typed[1:].partition(" ")
        before = (settings.k, settings.sentiment, settings.weight)
        try:
            settings.change(name, value.strip())
            check_query(searcher.passport, k=settings.k, sentiment=settings.sentiment, weight=settings.weight)
        except KindredError:
            settings.k, settings.sentiment, settings.weight = before
            raise
        click.echo(str(settings))
    else:
        (hits,) = searcher.search(
            [typed],
            k=settings.k,
            sentiment=settings.sentiment,
            weight=settings.weight,
            only=settings.only,
            match=settings.match,
            exact=settings.exact,
        )
        why: list[Explanation] = []
        if explained_by is not None:
            why = explain(typed, hits, explained_by, sentiment=settings.sentiment, weight=settings.weight)
        state = cache(state_of)
        states = [state(searcher.index.source_of(hit.entry.row)) for hit in hits]
        by_words = settings.match is not Match.MEANING
        nothing = why_nothing(len(searcher.index), by_words=by_words, filtered=bool(settings.only))
        show_hits(hits, states=states, explanations=why, nothing=nothing)


def _history_file() -> Path:
    """Return where the prompt keeps what was asked."""
    return Path(click.get_app_dir("kindred", force_posix=sys.platform != "win32")) / "history"


class _History:
    """Line editing and a history that is kept, where Python has readline."""

    def __enter__(self) -> None:
        try:
            import readline
        except ImportError:
            return
        path = _history_file()
        if path.exists():
            readline.read_history_file(path)
        readline.set_history_length(1000)

    def __exit__(self, *_: object) -> None:
        try:
            import readline
        except ImportError:
            return
        path = _history_file()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            readline.write_history_file(path)
        except OSError as exc:
            click.echo(f"The history was not kept ({exc}).", err=True)
