"""OpenVINO, imported lightly; and a build compiled for this machine, once.

`import openvino` also imports its converter, which takes as long as the rest and reports every import to a server of
its maker; it is kept out.
"""

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from search.errors import EncoderError
from search.fast_build import GRAPH, ROW_OUTPUT, TOKENS_OUTPUT, WEIGHTS, FastBuild
from search.files import cache_folder, write_bytes

if TYPE_CHECKING:
    from openvino import CompiledModel

__all__ = ["ALL_CORES", "ONE_CORE", "TWO_CORES", "Engine", "without"]

_PROPERTIES = {
    "INFERENCE_PRECISION_HINT": "f32",  # where a CPU knows bf16, that would be the default, and slower
    # No kernels made for a whole attention: of sentences its parts take less time, new lengths less to compile, and
    # padding a text changes no bit of its row (`padding`).
    "SNIPPETS_MODE": "DISABLE",
}
ONE_CORE: Mapping[str, Any] = {**_PROPERTIES, "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1}
TWO_CORES: Mapping[str, Any] = {
    **_PROPERTIES,
    "NUM_STREAMS": 1,
    "INFERENCE_NUM_THREADS": min(2, os.cpu_count() or 1),
    "ENABLE_CPU_PINNING": False,  # each process would take the same two
}
ALL_CORES: Mapping[str, Any] = {**_PROPERTIES, "PERFORMANCE_HINT": "THROUGHPUT"}

_KEPT = 8
"""Compiled models that are kept for the next start."""


@contextmanager
def without(module: str) -> Iterator[None]:
    """Let a module that is not imported yet be missing, as if it were not installed, while others are imported."""
    kept_out = module not in sys.modules
    if kept_out:
        sys.modules[module] = None  # type: ignore[assignment] # what Python's import takes for "not there"
    try:
        yield
    finally:
        if kept_out:
            del sys.modules[module]


class Engine:
    """OpenVINO with a build, which is compiled for this machine once and kept for the next start."""

    def __init__(self, folder: Path, report: FastBuild) -> None:
        """Import OpenVINO; the build is not touched yet."""
        with without("openvino.tools.ovc"):
            import openvino

        self._openvino = openvino
        self._core = openvino.Core()
        self._folder, self._report = folder, report
        known = [report.files, _PROPERTIES, openvino.get_version()]
        known += [self._core.get_property("CPU", name) for name in ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")]
        name = hashlib.sha256(repr(known).encode()).hexdigest()[:32]
        self._blob = cache_folder() / "compiled" / f"{name}.blob"

    def compiled(self, properties: Mapping[str, Any]) -> "CompiledModel":
        """Take what an earlier process compiled, or compile the build.

        Raises:
            EncoderError: the build is damaged, or this OpenVINO cannot run it.
        """
        with suppress(OSError, RuntimeError, ValueError):  # none is kept, or it is not readable: it is made anew
            kept = self._openvino.Tensor(np.memmap(self._blob, np.uint8, mode="r"))
            return self._core.import_model(kept, "CPU", dict(properties))
        compiled = self._compile(ROW_OUTPUT, properties)
        self._keep(compiled)
        return compiled

    def for_tokens(self) -> "CompiledModel":
        """Compile the build to give the (n, length, d) token vectors in place of the rows.

        Raises:
            EncoderError: as `compiled`; or the build does not give them.
        """
        return self._compile(TOKENS_OUTPUT, TWO_CORES)

    def for_one(self, length: int) -> "CompiledModel":
        """Compile the build for one text of so many tokens, padding included; it takes 0.25 s and 27 MB.

        Raises:
            EncoderError: as `compiled`.
        """
        return self._compile(ROW_OUTPUT, TWO_CORES, (1, length))

    def _compile(
        self, wanted: str, properties: Mapping[str, Any], shape: tuple[int, int] | None = None
    ) -> "CompiledModel":
        """Compile the build with one of its outputs alone, for inputs of one shape or of any."""
        self._report.check(self._folder)
        try:
            graph = self._core.read_model(self._folder / GRAPH, self._folder / WEIGHTS)
            for output in graph.outputs:
                if wanted not in output.get_names():
                    graph.remove_result(output.get_node())
            if shape:
                graph.reshape({one.get_any_name(): list(shape) for one in graph.inputs})
            return self._core.compile_model(graph, "CPU", dict(properties))
        except RuntimeError as exc:
            raise EncoderError(
                f"{self._folder / GRAPH} cannot be run by OpenVINO {self._openvino.get_version()} "
                f"({str(exc).strip().splitlines()[-1]}). Make the build again with: kindred compile "
                f"{self._folder.parent}; or leave it aside with --backend torch."
            ) from exc

    def _keep(self, compiled: "CompiledModel") -> None:
        """Keep a compiled model for the next start, and the newest few of others; without a place, do without."""
        exported = compiled.export_model()
        with suppress(OSError):
            self._blob.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(self._blob, exported.getvalue())
            blobs = sorted(self._blob.parent.glob("*.blob"), key=lambda path: path.stat().st_mtime)
            for old in blobs[:-_KEPT]:
                old.unlink()
