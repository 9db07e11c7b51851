"""Writes gradient-norm.json: norms of the gradient of cross-entropy of the network `smallMlp`, by PyTorch in f64.

Weights and examples are sines, which packages/cli/test/cli-use.test.ts computes, too. Run in an environment with torch 2.15:

    python test/golden/generate-gradient-norm.py
"""

import json
import math
import pathlib

import torch

SHAPES = {"l0.weight": (6, 16), "l0.bias": (16,), "l1.weight": (16, 12), "l1.bias": (12,), "l2.weight": (12, 4), "l2.bias": (4,)}


def sines(first: int, shape: tuple[int, ...]) -> torch.Tensor:
    values = [math.sin(first + index) for index in range(math.prod(shape))]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


weights = {
    name: (0.5 * sines(100 * place, shape)).requires_grad_()
    for place, (name, shape) in enumerate(SHAPES.items())
}
x = sines(1000, (24, 6))
labels = torch.arange(24) % 4
hidden = x
for layer in ("l0", "l1"):
    hidden = torch.relu(hidden @ weights[f"{layer}.weight"] + weights[f"{layer}.bias"])
logits = hidden @ weights["l2.weight"] + weights["l2.bias"]
torch.nn.functional.cross_entropy(logits, labels).backward()
gradients = {name: weight.grad for name, weight in weights.items()}
whole = torch.cat([gradient.flatten() for gradient in gradients.values()])
golden = {
    "euclidean": {name: gradient.norm().item() for name, gradient in gradients.items()} | {"total": whole.norm().item()},
    "largest": {name: gradient.abs().max().item() for name, gradient in gradients.items()} | {"total": whole.abs().max().item()},
}
path = pathlib.Path(__file__).with_name("gradient-norm.json")
path.write_text(json.dumps(golden, indent=2) + "\n")
