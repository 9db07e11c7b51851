"""Runs ONNX graphs by PyTorch, so that it takes derivatives of them: the operators that our graphs have, in any floating-point type.

Used by gradients-torch.py and teleport-torch.py. Written with torch 2, onnx 1, numpy 2.
"""
import numpy as np
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper


def attributes(node):
    return {each.name: helper.get_attribute_value(each) for each in node.attribute}


def tensor_of(array):
    """A tensor of an array; floating-point numbers are of PyTorch's default type."""
    tensor = torch.from_numpy(np.array(array))
    return tensor.to(torch.get_default_dtype()) if tensor.is_floating_point() else tensor


def pad(x, pads, value=0.0):
    half = len(pads) // 2
    flat = [each for i in reversed(range(half)) for each in (pads[i], pads[i + half])]
    return F.pad(x, flat, value=value) if any(flat) else x


def whole(tensor):
    return [int(value) for value in tensor.reshape(-1).tolist()]


def conv(x, a):
    spatial = x[0].dim() - 2
    ones = [1] * spatial
    padded = pad(x[0], a.get("pads", [0] * 2 * spatial))
    bias = x[2] if len(x) > 2 else None
    function = {1: F.conv1d, 2: F.conv2d}[spatial]
    return function(padded, x[1], bias, a.get("strides", ones), 0, a.get("dilations", ones), a.get("group", 1))


def batch_norm(x, a):
    shape = [1, -1] + [1] * (x[0].dim() - 2)
    scale, bias, mean, variance = (each.reshape(shape) for each in x[1:5])
    return (x[0] - mean) / torch.sqrt(variance + a.get("epsilon", 1e-5)) * scale + bias


def layer_norm(x, a):
    axes = list(range(a.get("axis", -1) % x[0].dim(), x[0].dim()))
    centered = x[0] - x[0].mean(axes, keepdim=True)
    deviation = torch.sqrt((centered * centered).mean(axes, keepdim=True) + a.get("epsilon", 1e-5))
    return centered / deviation * x[1] + (x[2] if len(x) > 2 else 0)


def gemm(x, a):
    left = x[0].T if a.get("transA", 0) else x[0]
    right = x[1].T if a.get("transB", 0) else x[1]
    product = a.get("alpha", 1.0) * (left @ right)
    return product + a.get("beta", 1.0) * x[2] if len(x) > 2 else product


def max_pool(x, a):
    padded = pad(x[0], a.get("pads", [0] * 4), float("-inf"))
    return F.max_pool2d(padded, a["kernel_shape"], a.get("strides", [1, 1]), 0, 1, bool(a.get("ceil_mode", 0)))


def average_pool(x, a):
    assert not any(a.get("pads", [0]))
    return F.avg_pool2d(x[0], a["kernel_shape"], a.get("strides", [1, 1]))


def cast(x, a):
    float_ = torch.get_default_dtype()
    return x[0].to({1: float_, 11: float_, 7: torch.int64, 6: torch.int32, 9: torch.bool}[a["to"]])


def reshape(x, _):
    return x[0].reshape([x[0].shape[i] if extent == 0 else extent for i, extent in enumerate(whole(x[1]))])


def squeeze(x, _):
    ones = [i for i, extent in enumerate(x[0].shape) if extent == 1]
    axes = [axis % x[0].dim() for axis in whole(x[1])] if len(x) > 1 else ones
    return x[0].reshape([extent for i, extent in enumerate(x[0].shape) if i not in axes])


def unsqueeze(x, _):
    rank = x[0].dim() + x[1].numel()
    axes = [axis % rank for axis in whole(x[1])]
    rest = iter(x[0].shape)
    return x[0].reshape([1 if i in axes else next(rest) for i in range(rank)])


def gather(x, a):
    axis = a.get("axis", 0) % x[0].dim()
    rows = torch.where(x[1] < 0, x[1] + x[0].shape[axis], x[1])
    found = torch.index_select(x[0], axis, rows.reshape(-1))
    return found.reshape([*x[0].shape[:axis], *rows.shape, *x[0].shape[axis + 1 :]])


def slice_(x, _):
    begins, ends = whole(x[1]), whole(x[2])
    axes = whole(x[3]) if len(x) > 3 else range(len(begins))
    steps = whole(x[4]) if len(x) > 4 else [1] * len(begins)
    where = [slice(None)] * x[0].dim()
    for begin, end, axis, step in zip(begins, ends, axes, steps):
        assert step > 0
        where[axis] = slice(begin, end, step)
    return x[0][tuple(where)]


def constant(x, a):
    return tensor_of(numpy_helper.to_array(a["value"]))


def constant_of_shape(x, a):
    return tensor_of(numpy_helper.to_array(a["value"])).expand(whole(x[0]))


def reduce_(name):
    def apply(x, a):
        axes = a.get("axes") or (whole(x[1]) if len(x) > 1 else list(range(x[0].dim())))
        return getattr(x[0], name)(axes, keepdim=bool(a.get("keepdims", 1))) if axes else x[0]

    return apply


OPERATORS = {
    "Add": lambda x, a: x[0] + x[1],
    "AveragePool": average_pool,
    "BatchNormalization": batch_norm,
    "Cast": cast,
    "Clip": lambda x, a: torch.clamp(x[0], *x[1:3]),
    "Concat": lambda x, a: torch.cat(x, a["axis"]),
    "Constant": constant,
    "ConstantOfShape": constant_of_shape,
    "Conv": conv,
    "Div": lambda x, a: x[0] / x[1],
    "Equal": lambda x, a: x[0] == x[1],
    "Erf": lambda x, a: torch.erf(x[0]),
    "Expand": lambda x, a: x[0].expand(torch.broadcast_shapes(x[0].shape, tuple(whole(x[1])))),
    "Flatten": lambda x, a: x[0].reshape(int(np.prod(x[0].shape[: a.get("axis", 1)])), -1),
    "Gather": gather,
    "Gemm": gemm,
    "GlobalAveragePool": lambda x, a: x[0].mean(list(range(2, x[0].dim())), keepdim=True),
    "Identity": lambda x, a: x[0],
    "LayerNormalization": layer_norm,
    "MatMul": lambda x, a: x[0] @ x[1],
    "MaxPool": max_pool,
    "Mul": lambda x, a: x[0] * x[1],
    "Neg": lambda x, a: -x[0],
    "Pow": lambda x, a: x[0] ** x[1],
    "ReduceMean": reduce_("mean"),
    "ReduceSum": reduce_("sum"),
    "Relu": lambda x, a: torch.relu(x[0]),
    "Reshape": reshape,
    "Shape": lambda x, a: torch.tensor(x[0].shape),
    "Sigmoid": lambda x, a: torch.sigmoid(x[0]),
    "Slice": slice_,
    "Softmax": lambda x, a: torch.softmax(x[0], a.get("axis", -1)),
    "Split": lambda x, a: torch.split(x[0], whole(x[1]), a.get("axis", 0)),
    "Sqrt": lambda x, a: torch.sqrt(x[0]),
    "Squeeze": squeeze,
    "Sub": lambda x, a: x[0] - x[1],
    "Tanh": lambda x, a: torch.tanh(x[0]),
    "Transpose": lambda x, a: x[0].permute(*a["perm"]),
    "Unsqueeze": unsqueeze,
    "Where": lambda x, a: torch.where(x[0], x[1], x[2]),
}


def apply(node, values):
    """Results of a node."""
    return OPERATORS[node.op_type]([values[name] for name in node.input], attributes(node))


def run(graph, values, apply=apply):
    """Adds the results of all nodes of a graph to values, which hold its inputs and weights by name."""
    for node in graph.node:
        results = apply(node, values)
        values |= dict(zip(node.output, results if isinstance(results, (tuple, list)) else [results]))
    return values
