"""What `kindred duplicates` looks at: an index or files, and what they are compared with, an index or files too."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import click

from search.cli.loading import load
from search.cli.output import say
from search.corpus import Corpus
from search.encoder import TokenEncoder
from search.index import Index, resolve
from search.manifest import Layout
from search.progress import Progress
from search.units import Unit
from search.working_index import index_of_files

__all__ = ["Reading", "Sides", "opened"]


_OPTIONS = "--unit, --text-column and --encoding"


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read; None: as their kind is."""

    unit: str | None
    text_column: str | None
    encoding: str | None

    @property
    def asked(self) -> bool:
        """Say whether anything is asked."""
        return bool(self.unit or self.text_column or self.encoding)

    def corpus(self, names: Sequence[str]) -> Corpus:
        """Find files to be read so."""
        unit = Unit(self.unit) if self.unit else None
        return Corpus(names, unit=unit, text_column=self.text_column, encoding=self.encoding, tell=say)


class Sides:
    """The one or two sides of the job; files become an index when it begins."""

    def __init__(self, sides: Sequence[Index | Corpus], encoder: str | None, backend: str, stack: ExitStack) -> None:
        self._sides = sides
        self._encoder = encoder
        self._backend = backend
        self._loaded: TokenEncoder | None = None
        self._stack = stack

    @property
    def paths(self) -> list[str]:
        """Return the file of each source of the first side; "" or "-" for one that has none."""
        first = self._sides[0]
        return [source.path for source in first.sources] if isinstance(first, Index) else first.names

    @property
    def read(self) -> list[str]:
        """Return the file of each source of every side."""
        return [
            name
            for side in self._sides
            for name in ([source.path for source in side.sources] if isinstance(side, Index) else side.names)
        ]

    @property
    def first_is_index(self) -> bool:
        """Say whether the first side is an index of the user's, and not files."""
        return isinstance(self._sides[0], Index)

    def indexed(self, progress: Progress) -> tuple[Index, Index | None]:
        """Return the index to look at and, where there is one, the index to compare it with.

        Files are encoded by the encoder of the index on the other side, if that is one.
        """
        if any(isinstance(side, Corpus) for side in self._sides):
            names = [side.passport.name for side in self._sides if isinstance(side, Index)]
            self._loaded = load(names[0] if names else self._encoder, self._backend)
        found = [
            side
            if isinstance(side, Index) or self._loaded is None
            else self._stack.enter_context(index_of_files(side, self._loaded, progress=progress))
            for side in reversed(self._sides)
        ]
        index, *other = [one for one in reversed(found) if isinstance(one, Index)]
        return index, other[0] if other else None

    def say_unused(self) -> None:
        """Say so where what was to run the encoder was asked for, and no encoder was needed."""
        if self._loaded is None and self._backend != "auto":
            say(f"Nothing was encoded, so that --backend {self._backend} made no difference.")

    def encoder(self, index: Index) -> TokenEncoder:
        """Return the encoder that made the rows of the index; it is loaded once.

        Raises:
            EncoderError: it cannot be found or loaded.
            IndexFolderError: what is found under its name is another.
        """
        if self._loaded is None:
            self._loaded = load(index.passport.name, self._backend)
            index.check_encoder(self._loaded)
        return self._loaded


@contextmanager
def opened(
    inputs: Sequence[str],
    against: Sequence[str],
    reading: Reading,
    *,
    encoder: str | None,
    backend: str,
) -> Iterator[Sides]:
    """Open indexes and find files; refuse options that fit neither."""
    with ExitStack() as stack:
        sides: list[Index | Corpus] = []
        for names in filter(None, (inputs, against)):
            if not any(Layout(resolve(name)).manifest.exists() for name in names):
                sides.append(reading.corpus(names))
            elif len(names) > 1:
                raise click.UsageError(f"Give one index, or files: {', '.join(names)}.")
            else:
                sides.append(stack.enter_context(Index(resolve(names[0]))))
        indexes = [side for side in sides if isinstance(side, Index)]
        if encoder and indexes:
            raise click.UsageError(
                f"{indexes[0].folder} is an index and has its encoder; --encoder is for files alone."
            )
        if reading.asked and len(indexes) == len(sides):
            raise click.UsageError(f"{indexes[0].folder} is an index; {_OPTIONS} are for files.")
        yield Sides(sides, encoder, backend, stack)
