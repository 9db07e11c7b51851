"""Compares gradients that gradients.ts --dump wrote with PyTorch's, computed in f64.

    python tools/bench/gradients-torch.py DUMP_FOLDER/*

One line for each graph: the error of all gradients together over their size, that of the worst weight, and the same errors of
PyTorch in f32: where rounding moves a value across a kink (a relu, the largest of a pool) both err alike. Last the same errors
against PyTorch in f64 that is told which side of every relu and which element of every pool our f32 forward pass took: what is
left is no matter of kinks. Last, how many relus and pools rounding has switched.
Written with torch 2, onnx 1, numpy 2.
"""
import json
import sys

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper

NUMPY = {"f32": np.float32, "i64": np.int64, "i32": np.int32, "bool": np.bool_}
FLOAT = torch.float64


def attributes(node):
    return {each.name: helper.get_attribute_value(each) for each in node.attribute}


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
    return x[0].to({1: FLOAT, 11: FLOAT, 7: torch.int64, 6: torch.int32, 9: torch.bool}[a["to"]])


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
    "Conv": conv,
    "Div": lambda x, a: x[0] / x[1],
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


def kinked_relu(x, side):
    """The relu on the side that `side`, which stands for `x` or for its relu, is on; and how many are switched."""
    return x * (side > 0).to(x.dtype), int(((x > 0) != (side > 0)).sum())


def kinked_max_pool(x, side, a):
    """The elements that are largest in `side`, which stands for `x`; and how many are others than in `x`."""
    pads, shape = a.get("pads", [0] * 4), a["kernel_shape"]
    options = (shape, a.get("strides", [1, 1]), 0, 1, bool(a.get("ceil_mode", 0)))
    largest = lambda values: F.max_pool2d(pad(values, pads, float("-inf")), *options, return_indices=True)[1]
    at = largest(side)
    taken = pad(x, pads).flatten(2).gather(2, at.flatten(2)).reshape(at.shape)
    return taken, int((at != largest(x)).sum())


def apply(node, values, kinks, switched):
    """Results of a node; kinks, if given, as other values have them."""
    x, a = [values[name] for name in node.input], attributes(node)
    if node.op_type not in switched or not kinks:
        return OPERATORS[node.op_type](x, a)
    if node.op_type == "Relu":
        result, count = kinked_relu(x[0], torch.from_numpy(kinks[node.output[0]]))
    else:
        result, count = kinked_max_pool(x[0], torch.from_numpy(kinks[node.input[0]]), a)
    switched[node.op_type] += count
    return result


def gradients(graph, feeds, names, dtype, kinks={}):
    """Kinks switched, and gradients by weight, all floating-point numbers in one type; with kinks as other values have them."""
    global FLOAT
    FLOAT = dtype
    tensor = lambda array: torch.from_numpy(np.array(array)).to(dtype) if array.dtype == np.float32 else torch.from_numpy(np.array(array))
    values = {each.name: tensor(numpy_helper.to_array(each)) for each in graph.initializer}
    values |= {name: tensor(array) for name, array in feeds.items()}
    for name in names:
        values[name].requires_grad_(True)
    switched = {"Relu": 0, "MaxPool": 0}
    for node in graph.node:
        results = apply(node, values, kinks, switched)
        values |= dict(zip(node.output, results if isinstance(results, (tuple, list)) else [results]))
    loss = values[graph.output[0].name].reshape(())
    found = torch.autograd.grad(loss, [values[name] for name in names], allow_unused=True, materialize_grads=True)
    return switched, {name: each.double().numpy() for name, each in zip(names, found)}


def errors(got, expected):
    """Error of all gradients together, and that of the worst weight with its name, each over the gradient's size."""
    size = np.linalg.norm
    by_name = {name: (size(got[name] - each), size(each)) for name, each in expected.items()}
    total = [size([pair[i] for pair in by_name.values()]) for i in (0, 1)]
    worst = max((part / whole_ if whole_ > 0 else part, name) for name, (part, whole_) in by_name.items())
    return f"{total[0] / total[1]:.1e}, worst {worst[0]:.1e} ({worst[1]})"


for folder in sys.argv[1:]:
    graph = onnx.load(f"{folder}/graph.onnx").graph
    tensors = {"feed": {}, "result": {}, "kink": {}}
    for entry in json.load(open(f"{folder}/index.json")):
        data = np.fromfile(f"{folder}/{entry['file']}", NUMPY[entry["dtype"]]).reshape(entry["shape"])
        tensors[entry["kind"]][entry["name"]] = data
    names = [name for name in tensors["result"] if name in tensors["feed"]]
    _, exact = gradients(graph, tensors["feed"], names, torch.float64)
    _, rounded = gradients(graph, tensors["feed"], names, torch.float32)
    switched, same = gradients(graph, tensors["feed"], names, torch.float64, tensors["kink"])
    print(f"{folder.split('/')[-1]}: {len(names)} weights, ours {errors(tensors['result'], exact)}", end="; ")
    print(f"PyTorch in f32 {errors(rounded, exact)}; ours where kinks are ours {errors(tensors['result'], same)}", end=", ")
    print(f"{switched['Relu']} relus and {switched['MaxPool']} pools switched", flush=True)
