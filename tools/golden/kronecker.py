# Makes packages/curvature/test/golden/kronecker.json: KFAC and EKFAC of tiny networks, as curvlinops 3.0.1 has them with
# PyTorch 2.15.0 on a CPU, in f64: a product, a product with the damped inverse, trace, norm and eigenvalues.
# python kronecker.py > FILE && npx biome format --write FILE
#
# Weights, examples and the vector are waves, as test/helpers/waves.ts has them. The empirical Fisher information of mean
# squared errors is left out: curvlinops multiplies it by the size of the output.
import json
import math
import sys

import torch
from curvlinops import EKFACLinearOperator, KFACInverseLinearOperator, KFACLinearOperator
from torch import nn

torch.set_default_dtype(torch.float64)
# Of a product, every seventh element is kept.
EXAMPLES, CLASSES, DAMPING, EVERY = 24, 3, 0.1, 7


def waves(shape, seed, scale):
    values = [scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(math.prod(shape))]
    return torch.tensor(values).to(torch.float32).double().reshape(shape)


class Mean(nn.Module):
    def forward(self, x):
        return x.mean(1)


NETWORKS = {
    "mlp": ([5], lambda: nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3))),
    "cnn": ([2, 5, 5], lambda: nn.Sequential(nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(27, 3))),
    "tokens": ([4, 3], lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), Mean(), nn.Linear(4, 3))),
}
CASES = [
    ("mlp", "cross-entropy", "type-2", "expand"),
    ("mlp", "cross-entropy", "empirical", "expand"),
    ("mlp", "mean-squared-error", "type-2", "expand"),
    ("cnn", "cross-entropy", "type-2", "expand"),
    ("cnn", "cross-entropy", "type-2", "reduce"),
    ("tokens", "cross-entropy", "type-2", "expand"),
    ("tokens", "cross-entropy", "type-2", "reduce"),
]
KINDS = {"kfac": KFACLinearOperator, "ekfac": EKFACLinearOperator}


def measure(kind, network, loss, fisher, sharing):
    shape, build = NETWORKS[network]
    model = build()
    with torch.no_grad():
        for k, parameter in enumerate(model.parameters()):
            parameter.copy_(waves(list(parameter.shape), 1 + k, 0.8))
    x = waves([EXAMPLES, *shape], 10, 1.5)
    y = torch.tensor([i % CLASSES for i in range(EXAMPLES)])
    lossed = nn.CrossEntropyLoss()
    if loss == "mean-squared-error":
        y, lossed = waves([EXAMPLES, CLASSES], 30, 1.0), nn.MSELoss()
    parameters = list(model.parameters())
    operator = KINDS[kind](
        model, lossed, parameters, [(x, y)], fisher_type=fisher, kfac_approx=sharing, check_deterministic=False
    )
    size = sum(p.numel() for p in parameters)
    matrix = operator @ torch.eye(size)
    inverse = KFACInverseLinearOperator(operator, damping=DAMPING, use_exact_damping=True)
    vector = waves([size], 20, 1.0)
    rounded = lambda values: [float(f"{x:.9g}") for x in values.tolist()]
    return {
        **dict(kind=kind, network=network, loss=loss, fisher=fisher, sharing=sharing),
        "product": rounded((operator @ vector)[::EVERY]),
        "inverse": rounded((inverse @ vector)[::EVERY]),
        "trace": operator.trace.item(),
        "frobeniusNorm": operator.frobenius_norm.item(),
        "logDeterminant": torch.logdet(matrix + DAMPING * torch.eye(size)).item(),
        "eigenvalues": rounded(torch.linalg.eigvalsh((matrix + matrix.T) / 2).flip(0)[:5]),
    }


# Means over windows depend on one another here: any basis of the space without inputs gives other eigenvalues.
UNDEFINED = ("ekfac", "cnn", "cross-entropy", "type-2", "reduce")
json.dump([measure(kind, *case) for case in CASES for kind in KINDS if (kind, *case) != UNDEFINED], sys.stdout)
