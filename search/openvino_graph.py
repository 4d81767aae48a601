"""A sentence-transformers model to an OpenVINO graph with int8 matrix products.

The graph is traced from the model as it stands, so that whatever its modules do (CLS and mean pooling, Dense,
Normalize) is done by the build too. Its first output is the raw row; the second, the token vectors, is what
sentence-transformers' own OpenVINO backend reads, and is left out when kindred runs it.
Both openvino's converter and nncf report their use to a server of their maker; here they find nothing to do it with.
"""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from search.errors import EncoderError
from search.fast_build import GRAPH, ROW_OUTPUT, TOKENIZER, TOKENS_OUTPUT
from search.openvino_engine import without
from search.openvino_outliers import set_outliers_apart

if TYPE_CHECKING:
    from openvino import Model
    from sentence_transformers import SentenceTransformer

__all__ = ["Recipe", "convert", "quantise", "quiet"]

_ACTIVATIONS = {"Gelu", "Relu", "Swish", "HSwish"}
_ATTENTION = "ScaledDotProductAttention"

_LARGE = 100_000
"""Numbers in a table from which on it is worth storing as int8."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to quantise; the trials behind the one in use are in benchmarks/encoders.md.

    Attributes:
        name: what the report calls it.
        smooth: how much of the activations' outliers is moved into the weights, between 0 and 1.
        apart: how many hidden units of each feed-forward block stay in float32.
        careful: whether the products that follow the activation function (where errors are largest) take ranges from
            each text as it comes and not from the calibration: truer, and slower.
    """

    name: str
    smooth: float
    apart: int = 8
    careful: bool = False


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the remarks of torch's tracer and the bars of nncf from the user's screen."""
    transformers = logging.getLogger("transformers")
    level = transformers.level
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        transformers.setLevel(logging.ERROR)
        try:
            yield
        finally:
            transformers.setLevel(level)


def convert(checkpoint: Path, folder: Path) -> tuple["Model", int]:
    """Trace a checkpoint's model into a graph, and write its tokenizer; return the graph and the tokens it reads.

    Raises:
        EncoderError: it cannot be traced, or its tokenizer is written in Python.
    """
    with without("openvino_telemetry"):
        import openvino
        from openvino.tools.ovc import convert_model

    model, whole = _traceable(checkpoint)
    max_length = int(model.max_seq_length or model.tokenizer.model_max_length)
    _save_tokenizer(model, max_length, folder / TOKENIZER, checkpoint)
    example = model.tokenizer(["a text", "a somewhat longer text"], padding=True, return_tensors="pt")
    inputs = {name: example[name] for name in ("input_ids", "attention_mask")}
    try:
        graph = convert_model(whole, example_input=inputs, input=[openvino.PartialShape([-1, -1])] * len(inputs))
    except (RuntimeError, TypeError, ValueError, KeyError) as exc:
        raise EncoderError(f"{checkpoint} cannot be converted for OpenVINO: {str(exc).splitlines()[0]}") from exc
    for output, name in zip(graph.outputs, (ROW_OUTPUT, TOKENS_OUTPUT), strict=True):
        output.get_tensor().set_names({name})
    _shrink_tables(graph)
    return graph, max_length


def _traceable(checkpoint: Path) -> tuple["SentenceTransformer", Any]:
    """Load a checkpoint's model, and wrap it to take token numbers and mask and give the row and the token vectors."""
    import torch
    from sentence_transformers import SentenceTransformer

    options = {"use_safetensors": True, "dtype": torch.float32}
    model = SentenceTransformer(str(checkpoint), device="cpu", local_files_only=True, model_kwargs=options).eval()

    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            features = self.model({"input_ids": input_ids, "attention_mask": attention_mask})
            return features["sentence_embedding"], features["token_embeddings"]

    return model, Whole().eval()


def _save_tokenizer(model: "SentenceTransformer", max_length: int, path: Path, checkpoint: Path) -> None:
    from tokenizers import Tokenizer

    inner = getattr(model.tokenizer, "backend_tokenizer", None)
    if inner is None:
        raise EncoderError(f"{checkpoint}: its tokenizer has no fast form (tokenizer.json); it is used with torch.")
    tokenizer = Tokenizer.from_str(inner.to_str())
    tokenizer.enable_truncation(max_length)
    tokenizer.enable_padding(pad_id=model.tokenizer.pad_token_id or 0, pad_token=model.tokenizer.pad_token or "[PAD]")
    tokenizer.save(str(path), pretty=False)


def _shrink_tables(graph: "Model") -> None:
    """Store the rows of the large tables (word and position vectors) as int8 with a scale each.

    nncf would store the words so too, but OpenVINO would undo it when it compiles: four times the memory, and slower
    to load. So the table itself is int8 here, and a row is scaled after it is looked up.
    """
    from openvino import opset13 as ops

    for node in graph.get_ops():
        table = node.input_value(0).get_node() if node.get_type_name() == "Gather" else None
        if table is None or table.get_type_name() != "Constant":
            continue
        values = table.get_data()
        if values.dtype != np.float32 or values.ndim != 2 or values.size < _LARGE:  # noqa: PLR2004 - a matrix
            continue
        scales = np.abs(values).max(axis=1, keepdims=True) / np.float32(127)
        scales[scales == 0] = 1
        where, axis = node.input_value(1), node.input_value(2)
        rows = ops.gather(ops.constant(np.rint(values / scales).astype(np.int8)), where, axis)
        scaled = ops.multiply(ops.convert(rows, np.float32), ops.gather(ops.constant(scales), where, axis))
        for user in node.output(0).get_target_inputs():
            user.replace_source_output(scaled.output(0))
    graph.validate_nodes_and_infer_types()


def quantise(graph: "Model", recipe: Recipe, texts: Sequence[str], folder: Path) -> None:
    """Write the graph with int8 matrix products, their ranges taken from the texts, into the folder."""
    with without("openvino_telemetry"):
        import nncf
        import openvino
    from tokenizers import Tokenizer

    nncf.set_log_level(logging.ERROR)
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    samples = [
        {"input_ids": numbers, "attention_mask": np.ones_like(numbers)}
        for numbers in (np.array([one.ids], dtype=np.int64) for one in tokenizer.encode_batch(list(texts)))
    ]
    graph = graph.clone()
    apart = set_outliers_apart(graph, samples, recipe.apart)
    exact, careful, usual = _products(graph, apart)
    _halve(graph, exact)
    if recipe.careful:
        # int8 weights without ranges for what they meet: OpenVINO then takes these from each row as it comes.
        graph = nncf.compress_weights(
            graph, mode=nncf.CompressWeightsMode.INT8_SYM, ignored_scope=nncf.IgnoredScope(names=exact + usual)
        )
        exact += careful
    quantised = nncf.quantize(
        graph,
        nncf.Dataset(samples),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(samples),
        ignored_scope=nncf.IgnoredScope(names=exact),
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            smooth_quant_alphas=nncf.AdvancedSmoothQuantParameters(matmul=recipe.smooth)
        ),
    )
    try:
        openvino.save_model(quantised, folder / GRAPH, compress_to_fp16=False)
    except RuntimeError as exc:  # what OpenVINO makes of every error of the system
        raise EncoderError(f"{folder / GRAPH} cannot be written; is the disk full? ({exc})") from exc


def _halve(graph: "Model", exact: Sequence[str]) -> None:
    """Store the large matrices that stay exact as float16, which they are from then on; they are run in float32."""
    from openvino import opset13 as ops

    for node in graph.get_ops():
        if node.get_friendly_name() not in exact or node.get_type_name() != "MatMul":
            continue
        weights = node.input_value(1).get_node()
        if weights.get_type_name() == "Constant" and weights.get_data().size >= _LARGE:
            half = ops.convert(ops.constant(weights.get_data().astype(np.float16)), np.float32)
            node.input(1).replace_source_output(half.output(0))


def _products(graph: "Model", apart: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Return the names of the matrix products to leave exact, of those to take care of where asked, and of the others.

    The first are those inside attention, which int8 does not make faster, where it is one operation; what comes after
    the pooling, once a text and not once a token; and outliers, which are named. The second follow an activation
    function.
    """
    names: dict[str, list[str]] = {"exact": list(apart), "careful": [], "usual": []}
    for node in graph.get_ordered_ops():
        name = node.get_friendly_name()
        if node.get_type_name() not in {"MatMul", _ATTENTION} or name in apart:
            continue
        pooled = node.get_output_partial_shape(0).rank.get_length() == 2  # noqa: PLR2004 - a matrix
        if pooled or node.get_type_name() == _ATTENTION:
            kind = "exact"
        else:
            kind = "careful" if node.input_value(0).get_node().get_type_name() in _ACTIVATIONS else "usual"
        names[kind].append(name)
    return names["exact"], names["careful"], names["usual"]
