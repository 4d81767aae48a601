"""The fast encoder: a checkpoint's int8 build, run on the CPU by OpenVINO with `tokenizers` alone; no torch.

OpenVINO's AsyncInferQueue can wait for ever when its model is let go of, so plain requests are used.
"""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from search.checkpoint import DEFAULT_ENCODER, Card, find, fingerprint
from search.encoder import Encoded, Passport, Tokens, to_rows
from search.errors import EncoderError
from search.fast_build import TOKENIZER, FastBuild, build_folder
from search.openvino_engine import ALL_CORES, TWO_CORES, Engine
from search.openvino_queries import QueryRequests
from search.padding import FEW, MANY, Batch, Padder
from search.similarity import DEFAULT_WEIGHT, Vectors

if TYPE_CHECKING:
    from openvino import InferRequest
    from tokenizers import Tokenizer

__all__ = ["OpenVINOEncoder"]

_WINDOW = 8192
"""Texts sorted by length at a time."""

_FEW = 128
"""Texts up to which two cores encode them."""

_MANY = 2048
"""Texts from which on there are enough of each length."""


class OpenVINOEncoder:
    """Texts to rows with a checkpoint's int8 build, on the CPU. May be used by several threads, one at a time."""

    def __init__(self, name: str = DEFAULT_ENCODER, *, build: Path | None = None) -> None:
        """Load an encoder.

        Args:
            name: a checkpoint's folder, a model of the Hugging Face hub, or the embedded default.
            build: the folder of its int8 build; None: the one in the checkpoint.

        Raises:
            EncoderError: it cannot be found, or its build is missing, damaged, or of other weights.
        """
        checkpoint = find(name)
        folder = build or build_folder(checkpoint)
        report = FastBuild.read(folder)
        if report is None:
            raise EncoderError(f"{checkpoint} has no fast build; make one with: kindred compile {name}")
        card = Card.read(checkpoint)
        labels = card.labels if card else None
        self._passport = Passport(
            name=name if not Path(name).is_dir() else str(Path(name).absolute()),
            fingerprint=fingerprint(checkpoint),
            meaning_dim=report.width - (len(labels.names) if labels else 0),
            labels=labels,
            default_weight=card.default_weight if card else DEFAULT_WEIGHT,
            backend="openvino",
        )
        if report.fingerprint != self._passport.fingerprint:
            raise EncoderError(
                f"{folder} was made of other weights ({report.fingerprint[:12]}) than the checkpoint now has "
                f"({self._passport.fingerprint[:12]}). Make it again with: kindred compile {name}"
            )
        self._temperature = card.temperature if card else 1.0
        self._width = report.width
        self._tokenizer, pad = _tokenizer(folder, report)
        self._padder = Padder(pad, report.max_length)
        self._engine = Engine(folder, report)
        self._few = [self._engine.compiled(TWO_CORES).create_infer_request()]
        self._queries = QueryRequests(self._engine, report)
        self._many: list[InferRequest] = []
        self._for_tokens: InferRequest | None = None
        self._lock, self._preparing = threading.Lock(), threading.Lock()

    @property
    def passport(self) -> Passport:
        """Say which encoder this is."""
        return self._passport

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode n texts to (n, d+s) float32 rows of unit blocks, in the order given; equal texts once."""
        places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        raw = np.empty((len(places), self._width), dtype=np.float32)
        with self._lock:
            if len(places) == 1:
                self._run_query(next(iter(places)), raw)
            else:
                self._run(self._tokenised(list(places)), self._requests(len(places)), raw)
        encoded = to_rows(raw, self._passport, self._temperature)
        if len(places) == len(texts):
            return encoded
        order = [places[text] for text in texts]
        return Encoded(encoded.rows[order], encoded.probabilities[order])

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text, from the same int8 build; see `TokenEncoder`.

        Raises:
            EncoderError: the build cannot be run.
        """
        found = self._tokenizer.encode_batch([_one_line(text) for text in texts])
        vectors: dict[int, Vectors] = {}
        with self._preparing:  # and not the lock: who encodes need not wait for it
            if self._for_tokens is None:
                self._for_tokens = self._engine.for_tokens().create_infer_request()
        request = self._for_tokens
        with self._lock:
            for batch in self._padder.batches([one.ids for one in found], FEW):
                request.infer({"input_ids": batch.numbers, "attention_mask": batch.mask})
                together = request.get_output_tensor(0).data
                vectors |= {
                    text: together[place, : len(found[text].ids)].copy() for place, text in enumerate(batch.texts)
                }
        return [
            Tokens(np.array(one.offsets, dtype=np.int64).reshape(-1, 2), vectors[text])
            for text, one in enumerate(found)
        ]

    def _run_query(self, text: str, raw: Vectors) -> None:
        """Fill the one row, by what is compiled for a text of about its length, if there is that."""
        numbers = self._tokenizer.encode(_one_line(text)).ids
        length, request = self._queries.find(len(numbers)) or (self._padder.length(len(numbers)), self._few[0])
        self._run(iter([self._padder.alone(numbers, length)]), [request], raw)

    def _requests(self, count: int) -> "list[InferRequest]":
        """Return what runs so many texts; what uses all cores takes as long to load as a hundred texts do to encode."""
        if count <= _FEW:
            return self._few
        if not self._many:
            compiled = self._engine.compiled(ALL_CORES)
            streams = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
            # A second request for each stream, so that none waits while texts are made ready.
            self._many = [compiled.create_infer_request() for _ in range(2 * streams)]
        return self._many

    def _run(self, batches: Iterator[Batch], requests: "Sequence[InferRequest]", raw: Vectors) -> None:
        """Put each batch through a free request, waiting for the oldest where none is; fill the (n, d + C) rows."""
        free = deque(requests)
        busy: deque[tuple[InferRequest, list[int]]] = deque()
        try:
            for batch in batches:
                if not free:
                    free.append(_finish(*busy.popleft(), raw))
                request = free.popleft()
                request.start_async({"input_ids": batch.numbers, "attention_mask": batch.mask})
                busy.append((request, batch.texts))
            while busy:
                _finish(*busy.popleft(), raw)
        finally:
            for request, _ in busy:
                request.wait()

    def _tokenised(self, texts: Sequence[str]) -> Iterator[Batch]:
        """Yield batches of texts of one padded length, longest first in each window."""
        shapes = MANY if len(texts) > _MANY else FEW
        for start in range(0, len(texts), _WINDOW):
            window = [_one_line(text) for text in texts[start : start + _WINDOW]]
            for batch in self._padder.batches([one.ids for one in self._tokenizer.encode_batch_fast(window)], shapes):
                yield replace(batch, texts=[start + text for text in batch.texts])


def _one_line(text: str) -> str:
    """Return a text as the reference reads it."""
    return text.replace("\n", " ")


def _finish(request: "InferRequest", texts: list[int], raw: Vectors) -> "InferRequest":
    request.wait()
    raw[texts] = request.get_output_tensor(0).data[: len(texts)]
    return request


def _tokenizer(folder: Path, report: FastBuild) -> tuple["Tokenizer", int]:
    """Load a build's tokenizer, and the number of its padding token."""
    from tokenizers import Tokenizer

    report.check(folder, [TOKENIZER])
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    padding = tokenizer.padding
    tokenizer.no_padding()
    return tokenizer, padding["pad_id"] if padding else 0
