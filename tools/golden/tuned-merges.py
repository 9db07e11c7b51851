# Makes packages/merge-learning/test/golden/tuned-merges.json: weights of merges that are learned from data, as
# PyTorch 2.15.0 learns them on a CPU, in f64, and weights in closed form, as SciPy finds them:
# python tuned-merges.py > FILE && npx biome format --write FILE
#
# Networks and examples are waves, as test/helpers/waves.ts has them. Two networks share a trunk, and each task has a
# head of its own. Every step sees all examples.
import json
import math
import sys

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import minimize

torch.set_default_dtype(torch.float64)
EXAMPLES, IN, HIDDEN, CLASSES, STEPS, RATE = 6, 5, 4, 3, 6, 0.05
SHAPES = {
    "a.weight": [HIDDEN, IN],
    "a.bias": [HIDDEN],
    "heads.0.weight": [CLASSES, HIDDEN],
    "heads.0.bias": [CLASSES],
    "heads.1.weight": [CLASSES, HIDDEN],
    "heads.1.bias": [CLASSES],
}


def waves(shape, seed, scale):
    values = [scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(math.prod(shape))]
    return torch.tensor(values).to(torch.float32).double().reshape(shape)


def network(seed):
    """The base if the seed is 0, else a network that differs from it by smaller waves."""
    base = {name: waves(shape, 1 + k, 0.8) for k, (name, shape) in enumerate(SHAPES.items())}
    if seed == 0:
        return base
    changes = {name: waves(shape, 20 * seed + k, 0.5) for k, (name, shape) in enumerate(SHAPES.items())}
    return {name: (base[name] + changes[name]).float().double() for name in SHAPES}


BASE, NETWORKS = network(0), [network(1), network(2)]
X = [waves([EXAMPLES, IN], 10 + 7 * task, 1.5) for task in (0, 1)]
Y = torch.tensor([i % CLASSES for i in range(EXAMPLES)])


def hidden(w, task):
    return torch.tanh(F.linear(X[task], w["a.weight"], w["a.bias"]))


def logits(w, task):
    return F.linear(hidden(w, task), w[f"heads.{task}.weight"], w[f"heads.{task}.bias"])


def entropy(w, task):
    logs = F.log_softmax(logits(w, task), -1)
    return -(logs.exp() * logs).sum(-1).mean()


def loss(w, task):
    return F.cross_entropy(logits(w, task), Y)


def distillation(w, task):
    target = F.log_softmax(logits(NETWORKS[task], task), -1)
    return F.kl_div(F.log_softmax(logits(w, task), -1), target, log_target=True, reduction="batchmean")


OBJECTIVES = {"entropy": entropy, "loss": loss, "distillation": distillation}
# Weights of the parts: of all tensors, of the trunk and the heads, or of each tensor in the order of its file.
PARTS = {
    "model": {name: 0 for name in SHAPES},
    "layer": {name: {"a": 0, "heads.0": 1, "heads.1": 2}[name.rsplit(".", 1)[0]] for name in SHAPES},
    "tensor": {name: k for k, name in enumerate(sorted(SHAPES))},
}


def merged(weights, by, method):
    out = {}
    for name in SHAPES:
        own = weights[PARTS[by][name]]
        if method == "linear":
            out[name] = sum(w * net[name] for w, net in zip(own / own.sum(), NETWORKS))
        else:
            out[name] = BASE[name] + sum(w * (net[name] - BASE[name]) for w, net in zip(own, NETWORKS))
    return out


def numbers(values):
    return [float(f"{v:.9g}") for v in np.asarray(values).flatten().tolist()]


def learn(objective, by, method):
    total = lambda w: sum(OBJECTIVES[objective](merged(w, by, method), task) for task in (0, 1))
    weights = torch.full([1 + max(PARTS[by].values()), 2], 0.3, requires_grad=True)
    slope = torch.func.grad(total)(weights.detach())
    optimizer = torch.optim.Adam([weights], lr=RATE)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        value = total(weights)
        value.backward()
        if step == 0:
            assert torch.allclose(weights.grad, slope, atol=1e-12)
        optimizer.step()
        losses.append(value.item() / 2)
    return {"losses": numbers(losses), "gradient": numbers(slope), "weights": numbers(weights.detach())}


def distances(by):
    """H, b and c of x'Hx - 2b'x + c for each part with a linear layer."""
    parts = {}
    for task in (0, 1):
        own = NETWORKS[task]
        inputs = {"a.weight": X[task], f"heads.{task}.weight": hidden(own, task)}
        for name, x in inputs.items():
            moves = [((net[name] - BASE[name]) @ x.T).flatten() / math.sqrt(EXAMPLES) for net in NETWORKS]
            target = ((own[name] - BASE[name]) @ x.T).flatten() / math.sqrt(EXAMPLES)
            h = np.array([[float(a @ b) for a in moves] for b in moves])
            part = parts.setdefault(PARTS[by][name], [np.zeros((2, 2)), np.zeros(2), 0.0])
            part[0] += h
            part[1] += np.array([float(a @ target) for a in moves])
            part[2] += float(target @ target)
    return parts


def solve(by, bounds, total):
    parts = distances(by)
    everything = [sum(part[i] for part in parts.values()) for i in range(3)]
    found, value = [], 0.0
    for part in range(1 + max(PARTS[by].values())):
        h, b, c = parts.get(part, everything)
        limits = {} if bounds is None else {"bounds": [bounds] * 2}
        sums = [] if total is None else [{"type": "eq", "fun": lambda x: x.sum() - total}]
        result = minimize(
            lambda x: x @ h @ x - 2 * b @ x + c,
            np.full(2, 0.3),
            jac=lambda x: 2 * h @ x - 2 * b,
            method="SLSQP",
            constraints=sums,
            options={"ftol": 1e-16, "maxiter": 1000},
            **limits,
        )
        found.append(result.x)
        if part in parts:
            value += result.fun
    return {"weights": numbers(found), "distance": numbers([value / everything[2]])[0]}


learned = [
    {"objective": objective, "by": by, "method": method, **learn(objective, by, method)}
    for objective, by, method in [
        ("entropy", "model", "task_arithmetic"),
        ("entropy", "layer", "task_arithmetic"),
        ("entropy", "tensor", "linear"),
        ("loss", "tensor", "task_arithmetic"),
        ("distillation", "layer", "linear"),
        ("distillation", "tensor", "task_arithmetic"),
    ]
]
solved = [
    {"by": by, "bounds": bounds, "sum": total, **solve(by, bounds, total)}
    for by, bounds, total in [
        ("model", None, None),
        ("tensor", None, None),
        ("layer", [0, 0.5], None),
        ("layer", None, 1),
        ("tensor", [0.2, 0.7], 1),
    ]
]
json.dump({"steps": STEPS, "rate": RATE, "learned": learned, "solved": solved}, sys.stdout)
