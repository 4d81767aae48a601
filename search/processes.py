"""One process or several (torchrun): who writes, and how the others wait."""

import os
from typing import Protocol

__all__ = ["Processes", "processes"]


class Processes(Protocol):
    """The processes of a job."""

    @property
    def main(self) -> bool:
        """Say whether this is the process that writes and prints."""

    @property
    def rank(self) -> int:
        """Return this process's number, from 0."""

    @property
    def count(self) -> int:
        """Return how many processes there are."""

    def wait(self) -> None:
        """Wait until all processes are here."""


class _One:
    main = True
    rank = 0
    count = 1

    def wait(self) -> None:
        """Go on."""


class _Several:
    def __init__(self) -> None:
        import torch
        from accelerate import PartialState

        self._state = PartialState(cpu=not torch.cuda.is_available())

    @property
    def main(self) -> bool:
        """Say whether this is the first process."""
        return bool(self._state.is_main_process)

    @property
    def rank(self) -> int:
        """Return this process's number."""
        return int(self._state.process_index)

    @property
    def count(self) -> int:
        """Return how many processes there are."""
        return int(self._state.num_processes)

    def wait(self) -> None:
        """Wait at a barrier."""
        self._state.wait_for_everyone()


def processes() -> Processes:
    """Return the processes that torchrun started, or the one there is."""
    return _Several() if int(os.environ.get("WORLD_SIZE", "1")) > 1 else _One()
