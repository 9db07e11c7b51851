"""Writes low-rank.json: weights of the network `smallMlp` of which every matrix keeps its largest singular values, by PyTorch in f64.

Weights are sines, which packages/cli/test/cli-makers.test.ts computes, too. Run in an environment with torch 2.15:

    python test/golden/generate-low-rank.py
"""

import json
import math
import pathlib

import torch

SHAPES = {"l0.weight": (6, 16), "l0.bias": (16,), "l1.weight": (16, 12), "l1.bias": (12,), "l2.weight": (12, 4), "l2.bias": (4,)}
RANKS = (1, 2)


def sines(first: int, shape: tuple[int, ...]) -> torch.Tensor:
    # Squared, as sines of whole numbers are a matrix of rank 2.
    values = [0.5 * math.sin((first + index) ** 2) for index in range(math.prod(shape))]
    return torch.tensor(values, dtype=torch.float64).float().double().reshape(shape)


def truncated(weight: torch.Tensor, rank: int) -> dict[str, object]:
    left, values, right = torch.linalg.svd(weight, full_matrices=False)
    product = left[:, :rank] @ torch.diag(values[:rank]) @ right[:rank]
    return {"kept": (values[:rank].norm() / values.norm()).item(), "values": product.flatten().tolist()}


golden = {
    str(rank): {
        name: truncated(sines(100 * index, shape), rank)
        for index, (name, shape) in enumerate(SHAPES.items())
        if name.endswith("weight")
    }
    for rank in RANKS
}
path = pathlib.Path(__file__).with_name("low-rank.json")
path.write_text(json.dumps(golden))
print({rank: {name: matrix["kept"] for name, matrix in of.items()} for rank, of in golden.items()})
