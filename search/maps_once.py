"""The maps of indexes that are served: made in a thread of their own, once for a generation and a weight.

Who asks gets what is there at once: the map, or how far it is. Maps are made one after the other, so that queries keep
their share of the machine.
"""

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

from search.errors import KindredError
from search.index_map import check_map, map_of
from search.service import Service

__all__ = ["MapStep", "MapsOnce"]

_KEPT = 6
"""Maps, unfinished ones among them, that are kept: of 100,000 sentences 1.4 MB each."""

_Key = tuple[str, str, int, float]


@dataclass(frozen=True, slots=True)
class MapStep:
    """How far a map is: `done` of `total` units of what is done now."""

    what: str = "waiting"
    done: float = 0
    total: float | None = None


class _Stopped(Exception):  # noqa: N818 - no error: nobody wants the map any more
    """The server ends."""


class _Making:
    """One map in the making, which keeps what is told of it (see `Progress`), and what came of it."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self.step = MapStep()
        self.made: bytes | None = None
        self.error: Exception | None = None

    @property
    def finished(self) -> bool:
        """Say whether it has come to an end."""
        return self.made is not None or self.error is not None

    def tell(self, what: str) -> None:
        """Pass over a remark."""

    def start(self, what: str, total: float | None, unit: str) -> None:  # noqa: ARG002 - the page has its own words
        """Keep what begins."""
        self.step = MapStep(what, 0, total)

    def advance(self, done: float, note: str = "") -> None:  # noqa: ARG002 - no job's note is shown
        """Keep how far it is, and stop if it must."""
        if self._stopping.is_set():
            raise _Stopped
        self.step = replace(self.step, done=done)

    def finish(self) -> None:
        """Pass over the end of a stage."""


class MapsOnce:
    """The maps of a service's indexes; `close` it before the service."""

    def __init__(self, service: Service) -> None:
        """Make nothing yet."""
        self._service = service
        self._stopping = threading.Event()
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._makings: OrderedDict[_Key, _Making] = OrderedDict()

    def close(self) -> None:
        """Stop what runs, at its next step."""
        self._stopping.set()
        with self._turn:
            pass

    def ask(self, name: str, weight: float) -> MapStep | bytes:
        """Return the map of an index as it is now, as JSON, or how far it is. The first who asks begins it.

        Args:
            name: the index.
            weight: how far feelings take part, in [0, 1]; taken to a tenth, so that there are not too many maps.

        Raises:
            OptionError: there is no such index, or it has no sentence, or the weight is out of range.
            EncoderError: feelings are to take part, and the encoder knows none.
            IndexFolderError: the index is damaged.
        """
        weight = round(weight, 1)
        with self._service.reading(name) as searcher:
            check_map(searcher.index, weight)
            manifest = searcher.index.manifest
        making = self._making((name, manifest.digest, manifest.generation, weight))
        if making is None:
            return MapStep()
        if making.error is not None:
            raise making.error
        return making.step if making.made is None else making.made

    def _making(self, key: _Key) -> _Making | None:
        """Return the map of a key, begun if need be; None where too many others are to be made before."""
        with self._lock:
            making = self._makings.get(key)
            if making is None:
                done = [other for other, one in self._makings.items() if one.finished]
                if len(self._makings) >= _KEPT and not done:
                    return None
                if len(self._makings) >= _KEPT:
                    del self._makings[done[0]]
                making = self._makings[key] = _Making(self._stopping)
                threading.Thread(target=self._make, args=(key, making), name="map", daemon=True).start()
            self._makings.move_to_end(key)
            if making.error is not None:
                del self._makings[key]  # it may be mended: whoever asks next tries anew
            return making

    def _make(self, key: _Key, making: _Making) -> None:
        name, _, _, weight = key
        with self._turn:
            try:
                with self._service.reading(name) as searcher:
                    drawn = map_of(searcher.index, weight=weight, progress=making)
                    told = {**drawn.to_dict(), "generation": searcher.index.manifest.generation}
                making.made = json.dumps(told, separators=(",", ":")).encode()
            except (KindredError, _Stopped, MemoryError, OSError) as exc:
                making.error = exc
