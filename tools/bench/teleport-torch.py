"""Loss, norm of the gradient and largest eigenvalue of the Hessian of MLPs, by PyTorch, beside teleport-curvature.ts.

    python tools/bench/teleport-torch.py --images IDX --labels IDX --mean .1307 --std .3081 --examples 500 A.safetensors...

Prints one JSON object for each network: weights `layers.N.weight` and `layers.N.bias`, ReLU between them. `outputs` is the
largest difference of logits from those of the first network, relative to their largest.
"""

import argparse
import gzip
import json
import re

import numpy as np
import torch
from safetensors.torch import load_file


def read_idx(path, offset):
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset).copy()


parser = argparse.ArgumentParser()
parser.add_argument("networks", nargs="+")
parser.add_argument("--images", required=True)
parser.add_argument("--labels", required=True)
parser.add_argument("--mean", type=float, default=0.1307)
parser.add_argument("--std", type=float, default=0.3081)
parser.add_argument("--examples", type=int, default=500)
parser.add_argument("--iterations", type=int, default=60)
options = parser.parse_args()
torch.manual_seed(0)
pixels = read_idx(options.images, 16).reshape(-1, 784)[: options.examples]
x = (torch.from_numpy(pixels).double() / 255 - options.mean) / options.std
y = torch.from_numpy(read_idx(options.labels, 8)[: options.examples].astype(np.int64))


def forward(weights):
    layers = sorted({int(re.search(r"layers\.(\d+)\.", name).group(1)) for name in weights})
    h = x
    for layer in layers:
        h = h @ weights[f"layers.{layer}.weight"].T + weights[f"layers.{layer}.bias"]
        if layer != layers[-1]:
            h = torch.relu(h)
    return h


first = None
for path in options.networks:
    weights = {name: tensor.double().requires_grad_() for name, tensor in load_file(path).items()}
    logits = forward(weights)
    first = logits.detach() if first is None else first
    loss = torch.nn.functional.cross_entropy(logits, y)
    gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
    norm = torch.sqrt(sum((g * g).sum() for g in gradients))
    vector = [torch.randn_like(g) for g in gradients]
    value = 0.0
    for _ in range(options.iterations):
        length = torch.sqrt(sum((v * v).sum() for v in vector))
        vector = [v / length for v in vector]
        inner = sum((g * v).sum() for g, v in zip(gradients, vector))
        products = torch.autograd.grad(inner, list(weights.values()), retain_graph=True)
        value = float(sum((p * v).sum() for p, v in zip(products, vector)))
        vector = [p.detach() for p in products]
    difference = float((logits.detach() - first).abs().max() / first.abs().max())
    print(
        json.dumps(
            {
                "file": path,
                "loss": float(loss.detach()),
                "gradientNorm": float(norm.detach()),
                "largestEigenvalue": value,
                "outputs": difference,
            }
        )
    )
