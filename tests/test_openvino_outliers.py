"""Hidden units set apart from a feed-forward block of a real graph: the same results, and the right units."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from search.openvino_engine import ONE_CORE, without
from search.openvino_graph import convert, quiet
from search.openvino_outliers import set_outliers_apart

if TYPE_CHECKING:
    from openvino import Model

with without("openvino.tools.ovc"):  # which would report its use
    import openvino

pytestmark = pytest.mark.slow

LOUD = 5


@pytest.fixture
def graph(small_bert: Path, tmp_path: Path) -> "Model":
    """Give a small BERT's graph whose fifth hidden unit of the first layer is a hundred times as loud."""
    with quiet():
        graph, _ = convert(small_bert, tmp_path)
    up = _weights(graph, "layer.0.intermediate.dense/aten::linear/MatMul")
    loud = up.get_data().copy()
    loud[LOUD] *= 100
    for user in up.output(0).get_target_inputs():
        user.replace_source_output(openvino.opset13.constant(loud).output(0))
    return graph


def _product(graph: "Model", name: str) -> Any:
    (node,) = (node for node in graph.get_ops() if node.get_friendly_name().endswith(name))
    return node


def _weights(graph: "Model", name: str) -> Any:
    return _product(graph, name).input_value(1).get_node()


def _samples() -> list[dict[str, Any]]:
    draw = np.random.default_rng(3)
    rows = [draw.integers(5, 40, (2, length)) for length in (3, 9, 20)]
    return [{"input_ids": row, "attention_mask": np.ones_like(row)} for row in rows]


def test_the_graph_computes_what_it_did_without_the_loud_unit_among_the_others(graph: "Model") -> None:
    """Two units of both layers are apart, the loud one among them; rows and token vectors stay."""
    before = openvino.Core().compile_model(graph.clone(), "CPU", dict(ONE_CORE))
    names = set_outliers_apart(graph, _samples(), 2)
    assert len(names) == 4
    assert all(name.endswith("/MatMul/apart") for name in names)
    left = _weights(graph, "layer.0.intermediate.dense/aten::linear/MatMul").get_data()
    silent = np.flatnonzero(~left.any(axis=1))
    assert len(silent) == 2
    assert LOUD in silent
    after = openvino.Core().compile_model(graph, "CPU", dict(ONE_CORE))
    for sample in _samples():
        for old, new in zip(before(sample).to_tuple(), after(sample).to_tuple(), strict=True):
            np.testing.assert_allclose(new, old, atol=1e-5)


def test_blocks_of_another_form_stay(graph: "Model") -> None:
    """Where something else reads the activations, too, a block is left as it is; the other layer's is not."""
    (activation,) = (
        node for node in graph.get_ops() if node.get_type_name() == "Gelu" and "layer.0" in node.get_friendly_name()
    )
    graph.add_outputs([activation.output(0)])
    names = set_outliers_apart(graph, _samples(), 2)
    assert len(names) == 2
    assert all("layer.1" in name for name in names)


def test_a_loud_unit_of_which_little_comes_out_is_not_chosen(graph: "Model") -> None:
    """Units are chosen by what they give to the block's output."""
    second = _product(graph, "layer.0.output.dense/aten::linear/MatMul")
    down = second.input_value(1).get_node().get_data().copy()
    down[:, LOUD] *= 1e-6
    second.input(1).replace_source_output(openvino.opset13.constant(down).output(0))
    set_outliers_apart(graph, _samples(), 2)
    left = _weights(graph, "layer.0.intermediate.dense/aten::linear/MatMul").get_data()
    assert left[LOUD].any()
    assert len(np.flatnonzero(~left.any(axis=1))) == 2


def test_biases_are_taken_apart_with_their_units(graph: "Model") -> None:
    """A loud unit that is loud by its bias alone keeps it, on the side."""
    first = _product(graph, "layer.0.intermediate.dense/aten::linear/MatMul")
    bias = np.zeros((1, 1, 64), np.float32)
    bias[..., LOUD + 1] = 500
    users = list(first.output(0).get_target_inputs())
    shifted = openvino.opset13.add(first, openvino.opset13.constant(bias))
    for user in users:
        user.replace_source_output(shifted.output(0))
    before = openvino.Core().compile_model(graph.clone(), "CPU", dict(ONE_CORE))
    set_outliers_apart(graph, _samples(), 2)
    after = openvino.Core().compile_model(graph, "CPU", dict(ONE_CORE))
    assert not shifted.input_value(1).get_node().get_data()[..., LOUD + 1]
    for old, new in zip(before(_samples()[0]).to_tuple(), after(_samples()[0]).to_tuple(), strict=True):
        np.testing.assert_allclose(new, old, atol=1e-5)
