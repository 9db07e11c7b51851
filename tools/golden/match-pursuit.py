"""Writes golden combinations of orthogonal matching pursuit as mergekit-tokensurgeon makes them (mergekit 0.1.5).

python tools/golden/match-pursuit.py > packages/linear-algebra/test/golden/match-pursuit.json
"""

import json

import torch
from mergekit.tokensurgeon import batch_omp

torch.manual_seed(0)
points = (torch.randn(24, 10) * 8).round() / 8
targets = (torch.randn(4, 10) * 8).round() / 8
indices, coefficients = batch_omp(targets.double(), points.double(), 4)
print(
    json.dumps(
        {
            "points": points.tolist(),
            "targets": targets.tolist(),
            "indices": indices.flatten().tolist(),
            "coefficients": [round(value, 9) for value in coefficients.flatten().tolist()],
        }
    )
)
