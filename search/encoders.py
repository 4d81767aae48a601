"""The one place that chooses an encoder, and what runs it."""

import importlib.util
from dataclasses import dataclass
from enum import StrEnum

from search.checkpoint import DEFAULT_ENCODER, find
from search.encoder import TokenEncoder
from search.encoder_huggingface import HuggingFaceEncoder
from search.encoder_openvino import OpenVINOEncoder
from search.fast_build import FastBuild, build_folder

__all__ = ["Backend", "Choice", "choose", "load_encoder"]


class Backend(StrEnum):
    """What runs an encoder."""

    AUTO = "auto"
    """OpenVINO where the checkpoint has an int8 build for it and no device is asked for, else torch."""
    OPENVINO = "openvino"
    TORCH = "torch"


@dataclass(frozen=True, slots=True)
class Choice:
    """An encoder that is found but not loaded: what will run it, and why where that is not what is usual."""

    name: str
    backend: Backend
    reason: str = ""
    device: str | None = None

    def load(self) -> TokenEncoder:
        """Load the encoder.

        Raises:
            EncoderError: it cannot be loaded; says why, and what to do.
        """
        if self.backend is Backend.OPENVINO:
            return OpenVINOEncoder(self.name)
        return HuggingFaceEncoder(self.name, device=self.device)


def choose(name: str | None = None, *, backend: Backend = Backend.AUTO, device: str | None = None) -> Choice:
    """Find an encoder and choose what runs it; nothing heavy is loaded.

    Args:
        name: a checkpoint's folder, a model of the Hugging Face hub, or (None) the default.
        backend: what runs it.
        device: where torch runs it ("cpu", "cuda", ...); None: OpenVINO may, or torch where it finds a GPU.

    Raises:
        EncoderError: it cannot be found, or its build is damaged.
    """
    name = name or DEFAULT_ENCODER
    if backend is not Backend.AUTO:
        return Choice(name, backend, device=device)
    if device is not None:
        return Choice(name, Backend.TORCH, f"on {device}", device)
    if FastBuild.read(build_folder(find(name))) is None:
        return Choice(name, Backend.TORCH, f"faster after: kindred compile {name}")
    if importlib.util.find_spec("openvino") is None:
        return Choice(name, Backend.TORCH, "faster after: pip install openvino")
    return Choice(name, Backend.OPENVINO)


def load_encoder(
    name: str | None = None, *, backend: Backend = Backend.AUTO, device: str | None = None
) -> TokenEncoder:
    """Load an encoder: a checkpoint's folder, a model of the Hugging Face hub, or (None) the default.

    Raises:
        EncoderError: it cannot be found or loaded; says what was looked for, where, and how to get it.
    """
    return choose(name, backend=backend, device=device).load()
