"""Hidden units whose activations are far above all others, set apart so that the others keep their bits.

In some feed-forward blocks one or two of a thousand hidden units reach activations seven to twenty times as large as
the next (Sun et al. 2024, "Massive Activations in Large Language Models"). One range of 256 steps for all of them would
leave few steps for what the others say. A block is a sum over its hidden units, so that it can be taken apart exactly:

    act(x W + b) V  =  act(x W_1 + b_1) V_1  +  act(x W_2 + b_2) V_2

where the second are a few units, in float32, and the first all others, in int8.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from search.openvino_engine import ONE_CORE

if TYPE_CHECKING:
    from openvino import Model

__all__ = ["set_outliers_apart"]

_Numbers = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Block:
    """A feed-forward block of a graph: product, bias, activation, product; each bias may be missing.

    Attributes:
        first: the product with the (hidden, in) matrix.
        shift: what adds the first bias.
        activation: the function.
        second: the product with the (out, hidden) matrix.
        end: what gives the block's result.
    """

    first: Any
    shift: Any | None
    activation: Any
    second: Any
    end: Any


def set_outliers_apart(graph: "Model", samples: Sequence[dict[str, Any]], count: int) -> list[str]:
    """Take `count` hidden units of each feed-forward block apart, in place; the graph computes what it did.

    Args:
        graph: in float32. Blocks of another form (with gates, or another function than GELU) stay as they are.
        samples: inputs, on which the units with the largest share in the block's output are found.
        count: how many units.

    Returns:
        the names of the products that are to stay in float32.
    """
    blocks = [block for node in graph.get_ordered_ops() if (block := _block(node)) is not None]
    if not blocks or not count:
        return []
    names: list[str] = []
    for block, most in zip(blocks, _largest(graph, blocks, samples), strict=True):
        shares = most * np.linalg.norm(_constant(block.second), axis=0)
        names += _take_apart(block, np.argsort(-shares, kind="stable")[:count])
    graph.validate_nodes_and_infer_types()
    return names


def _block(activation: Any) -> _Block | None:
    """Return the block around an activation function, where it is as BERT has it and torch's Linear layers make it."""
    if activation.get_type_name() != "Gelu":
        return None
    before, second = activation.input_value(0).get_node(), _only_user(activation)
    shift = before if _is_bias(before) else None
    first = before.input_value(0).get_node() if shift else before
    if not all(map(_is_linear, (first, second))) or any(_only_user(node) is None for node in (first, before)):
        return None
    after = _only_user(second)
    return _Block(first, shift, activation, second, after if _is_bias(after) else second)


def _is_bias(node: Any) -> bool:
    """Say whether a node adds a constant."""
    return node is not None and node.get_type_name() == "Add" and _is_constant(node.input_value(1))


def _is_linear(node: Any) -> bool:
    """Say whether a node is a product with a constant (out, in) matrix."""
    return (
        node is not None
        and node.get_type_name() == "MatMul"
        and _is_constant(node.input_value(1))
        and node.get_attributes() == {"transpose_a": False, "transpose_b": True}
    )


def _is_constant(value: Any) -> bool:
    return bool(value.get_node().get_type_name() == "Constant")


def _constant(node: Any) -> _Numbers:
    """Return the constant that a product multiplies with, or a bias adds."""
    return np.asarray(node.input_value(1).get_node().get_data())


def _only_user(node: Any) -> Any:
    users = [user.get_node() for user in node.output(0).get_target_inputs()]
    return users[0] if len(users) == 1 else None


def _largest(graph: "Model", blocks: Sequence[_Block], samples: Sequence[dict[str, Any]]) -> list[_Numbers]:
    """Return the largest activation of each hidden unit of each block on the samples."""
    import openvino

    probe = graph.clone()
    names = [block.activation.get_friendly_name() for block in blocks]
    nodes = {node.get_friendly_name(): node for node in probe.get_ops()}
    first = len(probe.outputs)
    probe.add_outputs([nodes[name].output(0) for name in names])
    request = openvino.Core().compile_model(probe, "CPU", dict(ONE_CORE)).create_infer_request()
    most = [np.zeros(len(_constant(block.first)), np.float32) for block in blocks]
    for sample in samples:
        request.infer(sample)
        for number, so_far in enumerate(most):
            found = np.abs(request.get_output_tensor(first + number).data)
            np.maximum(so_far, found.reshape(-1, len(so_far)).max(axis=0), out=so_far)
    return most


def _take_apart(block: _Block, units: npt.NDArray[np.int64]) -> list[str]:
    """Let some units of a block be a small block beside it; return the names of its products."""
    from openvino import opset13 as ops

    users = list(block.end.output(0).get_target_inputs())
    up, down = _constant(block.first).copy(), _constant(block.second).copy()
    first = ops.matmul(block.first.input_value(0), ops.constant(up[units]), transpose_a=False, transpose_b=True)
    loud = first
    if block.shift:
        shift = _constant(block.shift).copy()
        loud = ops.add(loud, ops.constant(shift[..., units]))
        shift[..., units] = 0
        _replace_constant(block.shift, shift)
    loud = ops.gelu(loud, block.activation.get_attributes()["approximation_mode"].lower())
    chosen = ops.constant(np.ascontiguousarray(down[:, units]))
    second = ops.matmul(loud, chosen, transpose_a=False, transpose_b=True)
    whole = ops.add(block.end, second)
    for user in users:
        user.replace_source_output(whole.output(0))
    up[units], down[:, units] = 0, 0
    _replace_constant(block.first, up)
    _replace_constant(block.second, down)
    names = [f"{node.get_friendly_name()}/apart" for node in (block.first, block.second)]
    for node, name in zip((first, second), names, strict=True):
        node.set_friendly_name(name)
    return names


def _replace_constant(node: Any, values: _Numbers) -> None:
    from openvino import opset13 as ops

    node.input(1).replace_source_output(ops.constant(values).output(0))
