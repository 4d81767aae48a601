"""Single texts, one after the other: the build compiled for some lengths, each for that length alone.

OpenVINO makes ready for every input whose shape is not that of the one before, which takes half as long as to encode a
query. A process that answers many has the build compiled for a few lengths, in the background; a query is padded
to the next of them, which does not change a bit of its row (`padding`).
"""

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from search.errors import EncoderError
from search.fast_build import CALIBRATED, FastBuild
from search.openvino_engine import Engine
from search.padding import ANY

if TYPE_CHECKING:
    from openvino import InferRequest

__all__ = ["COMPILING", "QueryRequests"]

COMPILING = "compile for queries"
"""The name of the thread."""

_MANY = 16
"""Queries after which more are to be expected."""

_LENGTHS = (24, 16, ANY)
"""Tokens, the most usual first; each takes 27 MB."""


class QueryRequests:
    """What runs one text of a few lengths, once there have been many. May be used by one thread at a time."""

    def __init__(self, engine: Engine, report: FastBuild) -> None:
        """Compile nothing yet; nor later, where a build may give other bits for one shape than for any."""
        self._engine = engine
        calibrated = report.made.get(CALIBRATED, False)
        self._lengths = [length for length in _LENGTHS if calibrated and length <= report.max_length]
        self._requests: dict[int, InferRequest] = {}
        self._asked = 0

    def find(self, tokens: int) -> "tuple[int, InferRequest] | None":
        """Return the length to pad to, and what runs it; None where there is nothing of about that length (yet)."""
        self._asked += 1
        if self._asked == _MANY:
            with suppress(RuntimeError):  # there can be no more threads
                threading.Thread(target=self._compile, name=COMPILING).start()
        length = min((one for one in self._lengths if one >= tokens), default=None)
        request = self._requests.get(length) if length else None
        return (length, request) if length and request else None

    def _compile(self) -> None:
        # Where the checkpoint was taken away, queries are encoded as before.
        with suppress(EncoderError, OSError, RuntimeError):
            for length in self._lengths:
                if not threading.main_thread().is_alive():  # the process ends, and waits for this thread
                    return
                self._requests[length] = self._engine.for_one(length).create_infer_request()
