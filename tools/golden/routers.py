# Makes packages/mixtures/test/golden/routers.json: routers by ridge regression on small hidden states, by
# scikit-learn in f64 for texts of different lengths, and by the authors' own layer for texts of one length, with
# its bias and its division by norms.
# Usage: python routers.py FOLDER_OF_DUME (https://github.com/gensyn-ai/dume at a69cbbe); pip install scikit-learn torch
import json
import sys

import numpy as np
import torch
from sklearn.linear_model import Ridge

sys.path.insert(0, sys.argv[1])
from models.mixture_of_experts import MoE  # noqa: E402

EXPERTS, WIDTH = 3, 5
random = np.random.default_rng(0)


def draw(counts):
    centres = random.normal(size=(EXPERTS, WIDTH))
    return [(centres[i] + random.normal(size=(n, WIDTH))).round(3) for i, n in enumerate(counts)]


def by_scikit(states, ridge):
    """All experts count alike: rows are weighed by 1 / (experts * rows of that expert)."""
    x = np.concatenate(states)
    y = np.repeat(np.eye(EXPERTS), [len(part) for part in states], axis=0)
    weights = np.concatenate([np.full(len(part), 1 / (EXPERTS * len(part))) for part in states])
    second = (x * weights[:, None]).T @ x
    model = Ridge(alpha=ridge * np.trace(second) / WIDTH, fit_intercept=False, solver="cholesky")
    return model.fit(x, y, sample_weight=weights).coef_


def by_authors(states, added):
    layers = [torch.nn.Sequential(torch.nn.Linear(WIDTH, WIDTH)) for _ in range(EXPERTS)]
    layer = MoE(layers, _lambda=added)
    layer.set_rr_gate_mode(True)
    for expert, part in enumerate(states):
        layer(torch.tensor(part, dtype=torch.float32)[None], expert_id=expert)
    layer.set_rr_gate_mode(False)
    return layer.gate.weight.detach().numpy(), layer.gate.bias.detach().numpy()


uneven = draw((4, 9, 6))
even = draw((8, 8, 8))
weight, bias = by_authors(even, 0.01)
json.dump(
    {
        "scikit": {
            "states": [part.tolist() for part in uneven],
            "cases": [{"ridge": ridge, "weight": by_scikit(uneven, ridge).tolist()} for ridge in (1e-6, 0.01, 1.0)],
        },
        "authors": {
            "states": [part.tolist() for part in even],
            "added": 0.01,
            "weight": weight.round(7).tolist(),
            "bias": bias.round(7).tolist(),
        },
    },
    sys.stdout,
)
