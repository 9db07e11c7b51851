# Makes packages/curvature/test/golden/curvature.json: the Hessian, the Gauss-Newton matrix and the empirical
# Fisher information of the mean cross-entropy of a multilayer perceptron, in full, as PyTorch 2.15.0 computes
# them on a CPU, in f64: eigenvalues, trace, and a product with a vector.
# python curvature.py > FILE && npx biome format --write FILE
#
# Weights, examples and the vector are waves, as test/helpers/waves.ts has them.
import json
import math
import sys

import torch
import torch.nn.functional as F
from torch.func import hessian, jacrev, vmap

torch.set_default_dtype(torch.float64)
EXAMPLES, IN, HIDDEN, CLASSES = 14, 5, 4, 3
SHAPES = {"a.weight": [HIDDEN, IN], "a.bias": [HIDDEN], "b.weight": [CLASSES, HIDDEN], "b.bias": [CLASSES]}
SIZES = [math.prod(shape) for shape in SHAPES.values()]


def waves(shape, seed, scale):
    values = [scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(math.prod(shape))]
    return torch.tensor(values).to(torch.float32).double().reshape(shape)


X = waves([EXAMPLES, IN], 10, 1.5)
Y = torch.tensor([i % CLASSES for i in range(EXAMPLES)])
THETA = torch.cat([waves(shape, 1 + k, 0.8).flatten() for k, shape in enumerate(SHAPES.values())])
VECTOR = waves([len(THETA)], 20, 1.0)


def logits(theta, x):
    w = {name: part.reshape(SHAPES[name]) for name, part in zip(SHAPES, theta.split(SIZES))}
    return F.linear(torch.tanh(F.linear(x, w["a.weight"], w["a.bias"])), w["b.weight"], w["b.bias"])


def loss(theta):
    return F.cross_entropy(logits(theta, X), Y)


def example_loss(theta, x, y):
    return F.cross_entropy(logits(theta, x[None]), y[None])


z = logits(THETA, X)
p = torch.softmax(z, 1)
inner = (torch.diag_embed(p) - p[:, :, None] * p[:, None, :]) / EXAMPLES
jacobian = jacrev(logits)(THETA, X)
gradients = vmap(jacrev(example_loss), (None, 0, 0))(THETA, X, Y)
matrices = {
    "hessian": hessian(loss)(THETA),
    "gauss-newton": torch.einsum("nip,nij,njq->pq", jacobian, inner, jacobian),
    "empirical-fisher": gradients.T @ gradients / EXAMPLES,
}
json.dump(
    {
        "loss": loss(THETA).item(),
        "gradientNorm": jacrev(loss)(THETA).norm().item(),
        "matrices": [
            {
                "operator": name,
                "eigenvalues": torch.linalg.eigvalsh(matrix).flip(0).tolist(),
                "trace": matrix.trace().item(),
                "product": (matrix @ VECTOR).tolist(),
            }
            for name, matrix in matrices.items()
        ],
    },
    sys.stdout,
)
