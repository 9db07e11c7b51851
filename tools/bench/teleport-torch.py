"""Loss, norm of the gradient and largest eigenvalue of the Hessian of networks, by PyTorch in f64, beside teleport-curvature.ts.

    python tools/bench/teleport-torch.py --graph G --images IDX --labels IDX --mean .1307 --std .3081 --examples 500 A.safetensors...

Prints one JSON object for each network of the ONNX graph, whose input is images of one channel or rows of pixels. `outputs` is the
largest difference of logits from those of the first network, relative to their largest. Eigenvalues are those of ARPACK.
Written with torch 2, onnx 1, scipy 1.
"""
import argparse
import gzip
import json

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import load_file
from scipy.sparse.linalg import LinearOperator, eigsh

from onnx_in_torch import run, tensor_of


def read_idx(path, offset):
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset).copy()


parser = argparse.ArgumentParser()
parser.add_argument("networks", nargs="+")
parser.add_argument("--graph", required=True)
parser.add_argument("--images", required=True)
parser.add_argument("--labels", required=True)
parser.add_argument("--mean", type=float, default=0.1307)
parser.add_argument("--std", type=float, default=0.3081)
parser.add_argument("--examples", type=int, default=500)
parser.add_argument("--tolerance", type=float, default=1e-4)
options = parser.parse_args()
torch.set_default_dtype(torch.float64)
graph = onnx.load(options.graph).graph
shape = [extent.dim_value for extent in graph.input[0].type.tensor_type.shape.dim][1:]
pixels = read_idx(options.images, 16).reshape(-1, 784)[: options.examples]
x = ((torch.from_numpy(pixels).double() / 255 - options.mean) / options.std).reshape(-1, *shape)
y = torch.from_numpy(read_idx(options.labels, 8)[: options.examples].astype(np.int64))
statistics = {name for node in graph.node if node.op_type == "BatchNormalization" for name in node.input[3:]}
constants = {each.name: tensor_of(numpy_helper.to_array(each)) for each in graph.initializer}
first = None
for path in options.networks:
    weights = {name: tensor.double() for name, tensor in load_file(path).items()}
    parameters = [tensor.requires_grad_() for name, tensor in weights.items() if name not in statistics]
    logits = run(graph, constants | weights | {graph.input[0].name: x})[graph.output[0].name]
    first = logits.detach() if first is None else first
    loss = torch.nn.functional.cross_entropy(logits, y)
    gradients = torch.autograd.grad(loss, parameters, create_graph=True)
    flat = torch.cat([each.reshape(-1) for each in gradients])

    def multiply(vector):
        products = torch.autograd.grad(flat, parameters, torch.from_numpy(vector.reshape(-1)), retain_graph=True)
        return torch.cat([each.reshape(-1) for each in products]).numpy()

    hessian = LinearOperator((len(flat), len(flat)), matvec=multiply, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(len(flat))
    (largest,) = eigsh(hessian, 1, which="LA", v0=start, ncv=12, tol=options.tolerance, return_eigenvectors=False)
    result = {
        "file": path,
        "loss": float(loss.detach()),
        "gradientNorm": float(flat.detach().norm()),
        "largestEigenvalue": float(largest),
        "outputs": float((logits.detach() - first).abs().max() / first.abs().max()),
    }
    print(json.dumps(result), flush=True)
