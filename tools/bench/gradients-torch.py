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
from onnx import numpy_helper

from onnx_in_torch import attributes, apply as apply_node, pad, run, tensor_of

NUMPY = {"f32": np.float32, "i64": np.int64, "i32": np.int32, "bool": np.bool_}


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
    if node.op_type not in switched or not kinks:
        return apply_node(node, values)
    x, a = [values[name] for name in node.input], attributes(node)
    if node.op_type == "Relu":
        result, count = kinked_relu(x[0], torch.from_numpy(kinks[node.output[0]]))
    else:
        result, count = kinked_max_pool(x[0], torch.from_numpy(kinks[node.input[0]]), a)
    switched[node.op_type] += count
    return result


def gradients(graph, feeds, names, dtype, kinks={}):
    """Kinks switched, and gradients by weight, all floating-point numbers in one type; with kinks as other values have them."""
    torch.set_default_dtype(dtype)
    values = {each.name: tensor_of(numpy_helper.to_array(each)) for each in graph.initializer}
    values |= {name: tensor_of(array) for name, array in feeds.items()}
    for name in names:
        values[name].requires_grad_(True)
    switched = {"Relu": 0, "MaxPool": 0}
    run(graph, values, lambda node, values: apply(node, values, kinks, switched))
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
