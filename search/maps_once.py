"""The maps of indexes that are served: made in a thread of their own, once for a generation and a weight."""

import json

from search.index_map import check_map, map_of
from search.once import Once, Step
from search.progress import Progress
from search.service import Service

__all__ = ["MapsOnce"]

_KEPT = 6
"""Maps, unfinished ones among them, that are kept: of 100,000 sentences 1.4 MB each."""


class MapsOnce:
    """The maps of a service's indexes; `close` it before the service."""

    def __init__(self, service: Service) -> None:
        """Make nothing yet."""
        self._service = service
        self._once = Once("map", _KEPT)

    def close(self) -> None:
        """Stop what runs, at its next step."""
        self._once.close()

    def ask(self, name: str, weight: float) -> Step | bytes:
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

        def made(progress: Progress) -> bytes:
            with self._service.reading(name) as searcher:
                drawn = map_of(searcher.index, weight=weight, progress=progress)
                told = {**drawn.to_dict(), "generation": searcher.index.manifest.generation}
            return json.dumps(told, separators=(",", ":")).encode()

        return self._once.ask((name, manifest.digest, manifest.generation, weight), made)
