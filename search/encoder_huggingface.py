"""The reference encoder: any BERT-like checkpoint through LangChain's HuggingFaceEmbeddings (torch).

Traps of langchain-huggingface 1.2.3 that shape this file: it returns Python lists, eight times the memory of an
array, so texts go through in bounded blocks; it replaces newlines by spaces; `multi_process` drops `encode_kwargs`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from search.checkpoint import DEFAULT_ENCODER, Card, find, fingerprint
from search.encoder import Encoded, Passport, Tokens, to_rows
from search.errors import EncoderError
from search.similarity import DEFAULT_WEIGHT

if TYPE_CHECKING:
    from langchain_huggingface import HuggingFaceEmbeddings

__all__ = ["HuggingFaceEncoder"]

_BLOCK = 2048
_BATCH = 32


class HuggingFaceEncoder:
    """Texts to rows with torch, on the CPU or a GPU."""

    def __init__(self, name: str = DEFAULT_ENCODER, *, device: str | None = None) -> None:
        """Load an encoder.

        Args:
            name: a checkpoint's folder, a model of the Hugging Face hub, or the embedded default.
            device: "cpu", "cuda", ...; None: a GPU where there is one.

        Raises:
            EncoderError: it cannot be found or loaded.
        """
        folder = find(name)
        self._card = Card.read(folder)
        self._embeddings = _load(folder, device)
        width = len(self._embeddings.embed_query("width"))
        labels = self._card.labels if self._card else None
        self._passport = Passport(
            name=name if not Path(name).is_dir() else str(Path(name).absolute()),
            fingerprint=fingerprint(folder),
            meaning_dim=width - (len(labels.names) if labels else 0),
            labels=labels,
            default_weight=self._card.default_weight if self._card else DEFAULT_WEIGHT,
            backend="torch",
        )

    @property
    def passport(self) -> Passport:
        """Say which encoder this is."""
        return self._passport

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode n texts to (n, d+s) float32 rows of unit blocks, in the order given."""
        temperature = self._card.temperature if self._card else 1.0
        classes = len(self._passport.labels.names) if self._passport.labels else 0
        raw = np.empty((len(texts), self._passport.meaning_dim + classes), dtype=np.float32)
        for start in range(0, len(texts), _BLOCK):
            block = list(texts[start : start + _BLOCK])
            raw[start : start + len(block)] = self._embeddings.embed_documents(block)
        return to_rows(raw, self._passport, temperature)

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text; see `TokenEncoder`.

        Raises:
            EncoderError: the tokenizer is written in Python, and cannot say where its tokens are in the text.
        """
        model = self._embeddings._client  # noqa: SLF001 - LangChain gives whole texts' vectors alone
        if not model.tokenizer.is_fast:
            raise EncoderError(f"{self._passport.name}: its tokenizer cannot say where its tokens are in the text.")
        found = []
        for text in (one.replace("\n", " ") for one in texts):  # as LangChain does
            vectors = model.encode(text, output_value="token_embeddings").float().cpu().numpy()
            spans = model.tokenizer(
                text, truncation=True, max_length=model.max_seq_length, return_offsets_mapping=True
            )["offset_mapping"]
            found.append(Tokens(np.array(spans, dtype=np.int64).reshape(-1, 2), vectors))
        return found


def _load(folder: Path, device: str | None) -> "HuggingFaceEmbeddings":
    from langchain_huggingface import HuggingFaceEmbeddings
    from safetensors import SafetensorError
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    options = {
        "device": device,
        "model_kwargs": {"use_safetensors": True, "dtype": "float32"},
        "local_files_only": True,
    }
    try:
        return HuggingFaceEmbeddings(model_name=str(folder), model_kwargs=options, encode_kwargs={"batch_size": _BATCH})
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as exc:
        raise EncoderError(f"{folder} cannot be loaded as an encoder: {exc}") from exc
