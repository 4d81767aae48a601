"""The one place that chooses an encoder."""

from search.checkpoint import DEFAULT_ENCODER
from search.encoder import Encoder
from search.encoder_huggingface import HuggingFaceEncoder

__all__ = ["load_encoder"]


def load_encoder(name: str | None = None, *, device: str | None = None) -> Encoder:
    """Load an encoder: a checkpoint's folder, a model of the Hugging Face hub, or (None) the default.

    Raises:
        EncoderError: it cannot be found or loaded; says what was looked for, where, and how to get it.
    """
    return HuggingFaceEncoder(name or DEFAULT_ENCODER, device=device)
