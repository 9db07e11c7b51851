"""Writes packages/merging/test/golden/diffusion-methods.json: merges of diffusion models by sd-mecha.

    pip install sd-mecha==1.1.8 && python tools/golden/diffusion-methods.py

Each result is what functions of sd-mecha 1.1.8 give in f64, for tensors of seed 20261201 that are f32. `train_difference` is also held
against the formula of supermerger's `traindiff` (scripts/mergers/mergers.py), written out here. Tensors are base64 of little-endian bytes.
"""
import base64
import json
import os

import torch
from sd_mecha.extensions.builtin.merge_methods import cosine, linear

generator = torch.Generator().manual_seed(20261201)


def draw(*shape):
    return torch.randn(*shape, generator=generator)


def encode(tensor):
    return base64.b64encode(tensor.float().contiguous().numpy().tobytes()).decode()


def call(method, *tensors):
    return method.__wrapped__(*tensors)


def train_difference(a, b, c, alpha):
    mask = call(linear.train_difference_mask, a, b, c, alpha)
    ours = a + mask * (b - c)
    distance, lack = (b - c).abs(), (b - a).abs()
    scale = torch.where(distance + lack != 0, lack / (distance + lack), torch.zeros(()).double())
    theirs = a + torch.sign(b - c) * scale.abs() * distance * (alpha * 1.8)
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-12)
    return ours


METHODS = {
    "cosine_a": lambda a, b, c, alpha: call(cosine.add_cosine_a, a, b, alpha),
    "cosine_b": lambda a, b, c, alpha: call(cosine.add_cosine_b, a, b, alpha),
    "train_difference": train_difference,
}

cases = []
for shape in [(4, 6), (3, 2, 2, 2), (9,)]:
    a = draw(*shape)
    b, c = a + 0.8 * draw(*shape), a + 0.8 * draw(*shape)
    flat_a, flat_b, flat_c = a.view(-1), b.view(-1), c.view(-1)
    flat_b[0] = flat_a[0]  # the first has what the second has
    flat_c[1] = flat_b[1]  # training changed nothing
    flat_b[2] = flat_c[2] = flat_a[2]  # all are equal
    for method, compute in METHODS.items():
        for alpha in (0.0, 0.3, 1.0):
            result = compute(a.double(), b.double(), c.double(), torch.tensor(alpha, dtype=torch.float64))
            networks = {"a": encode(a), "b": encode(b), "c": encode(c)}
            cases.append({"method": method, "alpha": alpha, "shape": shape, **networks, "result": encode(result)})

path = os.path.join(os.path.dirname(__file__), "../../packages/merging/test/golden/diffusion-methods.json")
with open(path, "w") as file:
    json.dump(cases, file, indent=1)
    file.write("\n")
