# Makes packages/training/test/golden/local-training.json: trainings of a client by FedProx, SCAFFOLD and
# WAFL, and losses and sizes of a curriculum, as PyTorch 2.15.0 computes them on a CPU, in f64:
# python local-training.py > FILE && npx biome format --write FILE
#
# Weights and examples are waves, as test/helpers/waves.ts has them. Every step sees all examples.
import json
import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.append(str(Path(__file__).parents[2] / "test/golden"))

from sharpness_aware import climb

torch.set_default_dtype(torch.float64)
EXAMPLES, IN, HIDDEN, CLASSES, STEPS = 6, 5, 4, 3, 5
SHAPES = {"a.weight": [HIDDEN, IN], "a.bias": [HIDDEN], "b.weight": [CLASSES, HIDDEN], "b.bias": [CLASSES]}


def waves(shape, seed, scale):
    values = [scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(math.prod(shape))]
    return torch.tensor(values).to(torch.float32).double().reshape(shape)


def network(seed, scale=0.8):
    return {name: waves(shape, seed + k, scale) for k, (name, shape) in enumerate(SHAPES.items())}


X = waves([EXAMPLES, IN], 10, 1.5)
Y = torch.tensor([i % CLASSES for i in range(EXAMPLES)])


def losses_of(w, x, smoothing=0.0):
    logits = F.linear(torch.tanh(F.linear(x, w["a.weight"], w["a.bias"])), w["b.weight"], w["b.bias"])
    return F.cross_entropy(logits, Y, reduction="none", label_smoothing=smoothing)


def rounded(tensors):
    return {name: [float(f"{v:.9g}") for v in t.detach().flatten().tolist()] for name, t in tensors.items()}


def run(make, loss_of, rates, clip=None, rho=None, correct=None):
    w = {name: value.clone().requires_grad_() for name, value in network(1).items()}
    optimizer = make(list(w.values()))
    for rate in rates:
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        loss_of(w).backward()
        if rho is not None:
            climb(w, rho, loss_of)
        if correct is not None:
            for name, value in w.items():
                value.grad += correct[name]
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(w.values(), clip)
        optimizer.step()
    return w


CONSTANT = [0.1] * STEPS
FALLING = [0.1 * 0.5 ** (step // 2) for step in range(STEPS)]
sgd = lambda parameters: torch.optim.SGD(parameters, lr=0.1)

# -- FedProx ------------------------------------------------------------------------------------------------
MU = 0.5
REFERENCE = network(21)


def proximal_loss(w):
    return losses_of(w, X).mean() + MU / 2 * sum(((v - REFERENCE[name]) ** 2).sum() for name, v in w.items())


momentum = lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9)
adam = lambda parameters: torch.optim.Adam(parameters, lr=0.1)
proximal = [
    {"optimizer": spec, "weights": rounded(run(make, proximal_loss, CONSTANT, **more))}
    for spec, make, more in [
        ({"kind": "sgd"}, sgd, {}),
        ({"kind": "sgd", "momentum": 0.9, "clipNorm": 0.5}, momentum, {"clip": 0.5}),
        ({"kind": "adam"}, adam, {}),
        ({"kind": "sam", "rho": 0.3, "base": {"kind": "sgd"}}, sgd, {"rho": 0.3}),
    ]
]

# -- SCAFFOLD, algorithm 1 ----------------------------------------------------------------------------------
SERVER, CLIENT = network(31, 0.1), network(41, 0.1)


def scaffold(rates, decay):
    def loss_of(w):
        return losses_of(w, X).mean() + decay / 2 * sum((v**2).sum() for v in w.values())

    x = {name: value.clone().requires_grad_() for name, value in network(1).items()}
    loss_of(x).backward()
    y = run(sgd, loss_of, rates, correct={name: SERVER[name] - CLIENT[name] for name in SHAPES})
    by_steps = {n: CLIENT[n] - SERVER[n] + (x[n].detach() - y[n].detach()) / sum(rates) for n in SHAPES}
    return {
        "weights": rounded(y),
        "weightChange": rounded({n: y[n].detach() - x[n].detach() for n in SHAPES}),
        "I": rounded({n: x[n].grad for n in SHAPES}),
        "II": rounded(by_steps),
        "changeII": rounded({n: by_steps[n] - CLIENT[n] for n in SHAPES}),
    }


control = [
    {"schedule": schedule, "weightDecay": decay, **scaffold(rates, decay)}
    for schedule, rates in [
        ({"kind": "constant", "learningRate": 0.1}, CONSTANT),
        ({"kind": "step", "learningRate": 0.1, "every": 2, "factor": 0.5}, FALLING),
    ]
    for decay in [0, 0.01]
]


# -- WAFL ---------------------------------------------------------------------------------------------------
def robust_loss(gamma, steps, step_size):
    def loss_of(w):
        fixed = {name: value.detach() for name, value in w.items()}
        x = X.clone()
        for _ in range(steps):
            x.requires_grad_()
            objective = losses_of(fixed, x).sum() - gamma * ((x - X) ** 2).sum()
            (slope,) = torch.autograd.grad(objective, x)
            x = (x + step_size * slope).detach()
        return losses_of(w, x).mean()

    return loss_of


wasserstein = [
    {"options": options, "weights": rounded(run(make, robust_loss(gamma, steps, size), CONSTANT)), "optimizer": spec}
    for options, gamma, steps, size, make, spec in [
        ({"gamma": 2, "steps": 3, "stepSize": 0.1}, 2, 3, 0.1, sgd, {"kind": "sgd"}),
        ({"gamma": 0.7}, 0.7, 10, 1 / 1.4, sgd, {"kind": "sgd"}),
        ({"gamma": 5, "steps": 1}, 5, 1, 0.1, momentum, {"kind": "sgd", "momentum": 0.9}),
    ]
]


# -- Curricula: pacing as in google-research/understanding-curricula, utils/utils.py ------------------------
def size_at(pacing, step, steps, examples, a, b):
    start = b * examples
    if pacing == "linear":
        size = int((examples - start) / (a * steps) * step + start)
    elif pacing == "root":
        size = int((examples - start) / (a * steps) ** 0.5 * step**0.5 + start)
    else:
        size = int(examples * (step // (a * steps)) + start)
    return min(size, examples)


pacings = [
    {
        "pacing": {"pacing": pacing, "start": b, "full": a},
        "examples": examples,
        "sizes": [size_at(pacing, step, 20, examples, a, b) for step in range(20)],
    }
    for pacing in ["linear", "root", "step"]
    for examples, a, b in [(37, 0.83, 0.21), (600, 0.47, 0.06)]
]
losses = [
    {"labelSmoothing": smoothing, "losses": losses_of(network(1), X, smoothing).tolist()}
    for smoothing in [0.0, 0.1]
]

json.dump(
    {"proximal": proximal, "control": control, "wasserstein": wasserstein, "pacings": pacings, "losses": losses},
    sys.stdout,
)
