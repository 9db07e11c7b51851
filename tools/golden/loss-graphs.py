# Makes packages/curvature/test/golden/loss-graphs.json: losses that torch.onnx of PyTorch 2.15.0 exports, gradients of a
# multilayer perceptron by them, and products of a vector with the Hessian and the Gauss-Newton matrix, computed on a CPU in f64.
# python loss-graphs.py > FILE && npx biome format --write FILE
#
# Weights, examples, targets and the vector are waves, as test/helpers/waves.ts has them.
import base64
import contextlib
import io
import json
import math
import sys

import torch
from torch import nn
from torch.func import functional_call, hessian, jacrev, vmap

EXAMPLES = 14


def waves(shape, seed, scale):
    values = [scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(math.prod(shape))]
    return torch.tensor(values).to(torch.float32).double().reshape(shape)


class Huber(nn.Module):
    def forward(self, x, y):
        return nn.functional.huber_loss(x, y, reduction="none", delta=0.5).mean(1)


class Poisson(nn.Module):
    def forward(self, x, y):
        return nn.functional.poisson_nll_loss(x, y)


def exported(loss):
    buffer = io.BytesIO()
    rows = torch.export.Dim("rows")
    example = (torch.zeros(4, 3), torch.zeros(4, 3))
    with contextlib.redirect_stdout(io.StringIO()):
        program = torch.onnx.export(loss, example, dynamo=True, opset_version=21, dynamic_shapes=({0: rows}, {0: rows}))
    for node in program.model.graph:
        node.metadata_props.clear()
    program.save(buffer)
    return base64.b64encode(buffer.getvalue()).decode()


model = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)).double()
shapes = {name: p.shape for name, p in model.named_parameters()}
theta = torch.cat([waves(list(shape), 1 + k, 0.8).flatten() for k, shape in enumerate(shapes.values())])
x, y = waves([EXAMPLES, 5], 10, 1.5), waves([EXAMPLES, 3], 30, 1.0)
vector = waves([len(theta)], 20, 1.0)


def outputs(theta):
    parts = theta.split([math.prod(shape) for shape in shapes.values()])
    return functional_call(model, {n: p.reshape(s) for (n, s), p in zip(shapes.items(), parts)}, (x,))


def measure(loss):
    of = lambda z: loss(z, y).mean()
    jacobian = jacrev(outputs)(theta).reshape(-1, len(theta))
    inner = hessian(of)(outputs(theta)).reshape(len(jacobian), -1)
    return {
        "graph": exported(loss),
        "loss": of(outputs(theta)).item(),
        "gradient": jacrev(lambda t: of(outputs(t)))(theta).tolist(),
        "hessian": (hessian(lambda t: of(outputs(t)))(theta) @ vector).tolist(),
        "gaussNewton": (jacobian.T @ (inner @ (jacobian @ vector))).tolist(),
    }


json.dump({"huber": measure(Huber()), "poisson": measure(Poisson())}, sys.stdout)
