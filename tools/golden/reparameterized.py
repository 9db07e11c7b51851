# Makes packages/training/test/golden/reparameterized.json: trainings in coordinates z of parameters
# theta_0 + P z, with P written out, as PyTorch 2.15.0 computes them on a CPU, in f64:
# python reparameterized.py > FILE && npx biome format --write FILE
#
# Weights, examples and P are waves, as test/helpers/waves.ts has them. Every step sees all examples.
import json
import math
import sys

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
EXAMPLES, IN, HIDDEN, CLASSES, STEPS, DIMENSION = 6, 5, 4, 3, 5, 7
SHAPES = {"a.weight": [HIDDEN, IN], "a.bias": [HIDDEN], "b.weight": [CLASSES, HIDDEN], "b.bias": [CLASSES]}


def waves(shape, seed, scale):
    values = [scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(math.prod(shape))]
    return torch.tensor(values).to(torch.float32).double().reshape(shape)


START = torch.cat([waves(shape, 1 + k, 0.8).flatten() for k, shape in enumerate(SHAPES.values())])
P = waves([len(START), DIMENSION], 50, 0.3)
X = waves([EXAMPLES, IN], 10, 1.5)
Y = torch.tensor([i % CLASSES for i in range(EXAMPLES)])


def loss_at(theta):
    pieces = torch.split(theta, [math.prod(shape) for shape in SHAPES.values()])
    w = {name: piece.reshape(shape) for (name, shape), piece in zip(SHAPES.items(), pieces)}
    logits = F.linear(torch.tanh(F.linear(X, w["a.weight"], w["a.bias"])), w["b.weight"], w["b.bias"])
    return F.cross_entropy(logits, Y)


def rounded(tensor):
    return [float(f"{v:.9g}") for v in tensor.detach().flatten().tolist()]


def run(make, clip=None):
    z = torch.zeros(DIMENSION, requires_grad=True)
    optimizer = make([z])
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_at(START + P @ z)
        loss.backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_([z], clip)
        optimizer.step()
        losses.append(float(f"{loss.item():.9g}"))
    return {"losses": losses, "coordinates": rounded(z), "parameters": rounded(START + P @ z)}


cases = [
    ({"kind": "sgd"}, lambda z: torch.optim.SGD(z, lr=0.1), None),
    (
        {"kind": "sgd", "momentum": 0.9, "weightDecay": 0.1, "clipNorm": 0.2},
        lambda z: torch.optim.SGD(z, lr=0.1, momentum=0.9, weight_decay=0.1),
        0.2,
    ),
    ({"kind": "adam"}, lambda z: torch.optim.Adam(z, lr=0.1), None),
    ({"kind": "adamw", "weightDecay": 0.1}, lambda z: torch.optim.AdamW(z, lr=0.1, weight_decay=0.1), None),
]
json.dump([{"optimizer": spec, **run(make, clip)} for spec, make, clip in cases], sys.stdout)
