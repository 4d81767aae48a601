"""How a job tells what it has done, without knowing who listens."""

from typing import Protocol

__all__ = ["SILENT", "Progress"]


class Progress(Protocol):
    """Receives a job's steps; the command line draws them, a program may ignore them."""

    def tell(self, what: str) -> None:
        """Say something that stays to be read, for example what was decided and why."""

    def start(self, what: str, total: float | None, unit: str) -> None:
        """Begin a stage of `total` units (None: unknown), for example ("encoding", 10_000, "bytes")."""

    def advance(self, done: float, note: str = "") -> None:
        """Say that `done` units of the stage are behind, counted from its start."""

    def finish(self) -> None:
        """End the stage."""


class _Silent:
    def tell(self, what: str) -> None:
        """Say nothing."""

    def start(self, what: str, total: float | None, unit: str) -> None:
        """Say nothing."""

    def advance(self, done: float, note: str = "") -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Say nothing."""


SILENT: Progress = _Silent()
