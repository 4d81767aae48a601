"""The fast encoder: a checkpoint's int8 build, run on the CPU by OpenVINO with `tokenizers` alone; no torch.

What shapes this file: OpenVINO makes kernels anew for every shape of input (15 ms), so texts are padded to few lengths
and batches to few sizes; a text's padded length depends on itself alone, so that its row does not depend on its
company. OpenVINO's AsyncInferQueue can wait for ever when its model is let go of, so plain requests are used.
"""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from search.checkpoint import DEFAULT_ENCODER, Card, find, fingerprint
from search.encoder import Encoded, Passport, Tokens, to_rows
from search.errors import EncoderError
from search.fast_build import TOKENIZER, FastBuild, build_folder
from search.openvino_engine import ALL_CORES, ONE_CORE, Engine
from search.similarity import DEFAULT_WEIGHT, Vectors

if TYPE_CHECKING:
    from openvino import InferRequest
    from tokenizers import Tokenizer

__all__ = ["OpenVINOEncoder"]

_WINDOW = 8192
"""Texts sorted by length at a time."""

_TOKENS = 1024
"""Tokens of a batch, padding included."""

_STEPS = 8
"""Sizes of the last, smaller batch of a length."""

_FEW = 128
"""Texts up to which one core encodes them."""

_Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Texts of one padded length: which they are, and the (n, length) token numbers and mask."""

    texts: list[int]
    numbers: _Numbers
    mask: _Numbers


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
        self._width, self._max_length = report.width, report.max_length
        self._tokenizer, self._pad = _tokenizer(folder, report)
        self._engine = Engine(folder, report)
        self._few = [self._engine.compiled(ONE_CORE).create_infer_request()]
        self._many: list[InferRequest] = []
        self._for_tokens: InferRequest | None = None
        self._lock = threading.Lock()

    @property
    def passport(self) -> Passport:
        """Say which encoder this is."""
        return self._passport

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode n texts to (n, d+s) float32 rows of unit blocks, in the order given; equal texts once."""
        places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        raw = np.empty((len(places), self._width), dtype=np.float32)
        with self._lock:
            self._run(self._batches(list(places)), self._requests(len(places)), raw)
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
        with self._lock:
            if self._for_tokens is None:
                self._for_tokens = self._engine.for_tokens().create_infer_request()
            return [self._tokens(text.replace("\n", " "), self._for_tokens) for text in texts]

    def _tokens(self, text: str, request: "InferRequest") -> Tokens:
        found = self._tokenizer.encode(text)
        batch = self._batch([found.ids], [0], _padded(len(found.ids), self._max_length), 1)
        request.infer({"input_ids": batch.numbers, "attention_mask": batch.mask})
        vectors = request.get_output_tensor(0).data[0, : len(found.ids)].copy()
        return Tokens(np.array(found.offsets, dtype=np.int64).reshape(-1, 2), vectors)

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

    def _run(self, batches: Iterator[_Batch], requests: "Sequence[InferRequest]", raw: Vectors) -> None:
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

    def _batches(self, texts: Sequence[str]) -> Iterator[_Batch]:
        """Yield batches of texts of one padded length, longest first in each window."""
        for start in range(0, len(texts), _WINDOW):
            window = [text.replace("\n", " ") for text in texts[start : start + _WINDOW]]  # as the reference does
            tokens = [one.ids for one in self._tokenizer.encode_batch_fast(window)]
            by_length: dict[int, list[int]] = {}
            for number, one in enumerate(tokens):
                by_length.setdefault(_padded(len(one), self._max_length), []).append(number)
            for length in sorted(by_length, reverse=True):
                members = by_length[length]
                most = max(1, _TOKENS // length)
                for begin in range(0, len(members), most):
                    chosen = members[begin : begin + most]
                    yield self._batch([tokens[one] for one in chosen], [start + one for one in chosen], length, most)

    def _batch(self, tokens: Sequence[list[int]], texts: list[int], length: int, most: int) -> _Batch:
        """Pad texts to the length, and add rows of nothing up to one of few sizes; none to a text alone (a query)."""
        step = max(1, most // _STEPS) if len(tokens) > 1 else 1
        size = min(most, -(-len(tokens) // step) * step)
        numbers = np.full((size, length), self._pad, dtype=np.int64)
        mask = np.zeros((size, length), dtype=np.int64)
        mask[:, 0] = 1  # no row is all padding: that has no mean
        for row, one in enumerate(tokens):
            numbers[row, : len(one)] = one
            mask[row, : len(one)] = 1
        return _Batch(texts, numbers, mask)


def _padded(tokens: int, max_length: int) -> int:
    """Return the length to pad to: multiples of 4, from 64 on in steps of a sixteenth to an eighth of the length."""
    step = max(4, 1 << max(0, (tokens - 1).bit_length() - 4))
    return max(1, min(max_length, -(-tokens // step) * step))


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
