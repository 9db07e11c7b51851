# Makes packages/curvature/test/golden/landscape.json: mean cross-entropy of a multilayer perceptron on a plane along
# two random directions of its filters' sizes, and on a line along the eigenvector of the Hessian's largest eigenvalue,
# as PyTorch 2.15.0 computes them on a CPU, in f64, from the same weights.
# python landscape.py > FILE && npx biome format --write FILE
#
# Weights and examples are waves, as test/helpers/waves.ts has them; random numbers are those of createRandom().
import json
import math
import sys

import torch
import torch.nn.functional as F
from torch.func import hessian

torch.set_default_dtype(torch.float64)
EXAMPLES, IN, HIDDEN, CLASSES, SEED = 14, 5, 4, 3, 7
SHAPES = {"a.weight": [HIDDEN, IN], "a.bias": [HIDDEN], "b.weight": [CLASSES, HIDDEN], "b.bias": [CLASSES]}
SIZES = [math.prod(shape) for shape in SHAPES.values()]
PLANE = [-1, -0.5, 0, 0.5, 1]
LINE = [-2, -1, 0, 1, 2]
MASK = 0xFFFFFFFF


def waves(shape, seed, scale):
    values = [scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(math.prod(shape))]
    return torch.tensor(values).to(torch.float32).double().reshape(shape)


def uniforms(seed, label):
    """sfc32, whose state is from splitmix32 of the seed and the FNV-1a hash of the label."""
    state = seed & MASK

    def spread():
        nonlocal state
        state = (state + 0x9E3779B9) & MASK
        z = (state ^ (state >> 16)) * 0x21F0AAAD & MASK
        z = (z ^ (z >> 15)) * 0x735A2D97 & MASK
        return z ^ (z >> 15)

    a, b, c, counter = spread(), spread() ^ (seed >> 32), 0x811C9DC5, 1
    for letter in label:
        c = (c ^ ord(letter)) * 0x01000193 & MASK
    drawn = 0
    while True:
        result = (a + b + counter) & MASK
        counter = (counter + 1) & MASK
        a, b = b ^ (b >> 9), (c + (c << 3)) & MASK
        c = (((c << 21) | (c >> 11)) + result) & MASK
        drawn += 1
        if drawn > 12:
            yield result / 2**32


def normals(label, shape):
    draw = uniforms(SEED, label)
    values = [
        math.sqrt(-2 * math.log(1 - next(draw))) * math.cos(2 * math.pi * next(draw)) for _ in range(math.prod(shape))
    ]
    return torch.tensor(values).reshape(shape)


X = waves([EXAMPLES, IN], 10, 1.5)
Y = torch.tensor([i % CLASSES for i in range(EXAMPLES)])
WEIGHTS = {name: waves(shape, 1 + k, 0.8) for k, (name, shape) in enumerate(SHAPES.items())}
THETA = torch.cat([w.flatten() for w in WEIGHTS.values()])


def loss(theta):
    w = {name: part.reshape(SHAPES[name]) for name, part in zip(SHAPES, theta.split(SIZES))}
    return F.cross_entropy(
        F.linear(torch.tanh(F.linear(X, w["a.weight"], w["a.bias"])), w["b.weight"], w["b.bias"]), Y
    )


def direction(k):
    parts = []
    for name, w in WEIGHTS.items():
        d = normals(f"direction {k} of {name}", w.shape)
        # Li et al.: filters have the norms of the network's, biases do not move.
        parts.append(torch.zeros(w.shape) if w.dim() < 2 else d * w.norm(dim=1, keepdim=True) / d.norm(dim=1, keepdim=True))
    return torch.cat([part.flatten() for part in parts])


FIRST, SECOND = direction(0), direction(1)
values, vectors = torch.linalg.eigh(hessian(loss)(THETA))
top = vectors[:, -1]
top = top * torch.sign(top[top.abs().argmax()])
json.dump(
    {
        "seed": SEED,
        "plane": {"axis": PLANE, "loss": [loss(THETA + x * FIRST + y * SECOND).item() for x in PLANE for y in PLANE]},
        "line": {"axis": LINE, "eigenvalue": values[-1].item(), "loss": [loss(THETA + t * top).item() for t in LINE]},
    },
    sys.stdout,
)
