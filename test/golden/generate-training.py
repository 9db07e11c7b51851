"""Writes training.json: losses, updates and learning rates as PyTorch computes them.

Weights and examples are closed formulas of the index of an element, evaluated in f64 and rounded to f32, as waves() of
test/helpers/waves.ts evaluates them, so that only results are stored. Everything is computed in f64 from there on.

Made with torch 2.15.0 on a CPU: python generate-training.py && npx biome format --write training.json
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F
from sharpness_aware import climb
from torch.optim import lr_scheduler

FOLDER = pathlib.Path(__file__).parent
torch.set_default_dtype(torch.float64)


def waves(shape, seed, scale, offset=0.0):
    """offset + scale * sin(0.01 (i + 1)^2 + seed), row-major"""
    size = math.prod(shape)
    values = [offset + scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(size)]
    return torch.tensor(values).to(torch.float32).double().reshape(shape)


def rounded(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


# -- Updates: some steps of a small network ---------------------------------------------------------------------------

BATCH, IN, HIDDEN, CLASSES, STEPS = 6, 5, 4, 3, 5
SHAPES = {"a.weight": [HIDDEN, IN], "a.bias": [HIDDEN], "b.weight": [CLASSES, HIDDEN], "b.bias": [CLASSES]}


def start():
    return {name: waves(shape, k, 0.8).requires_grad_() for k, (name, shape) in enumerate(SHAPES.items(), 1)}


def loss_of(w, step):
    x = waves([BATCH, IN], 10 + step, 1.5)
    y = torch.tensor([(i + step) % CLASSES for i in range(BATCH)])
    h = torch.tanh(F.linear(x, w["a.weight"], w["a.bias"]))
    return F.cross_entropy(F.linear(h, w["b.weight"], w["b.bias"]), y)


def train(make, clip=None, rho=None, norms=None):
    w = start()
    optimizer = make(w)
    rates = [0.1 * (1 - 0.1 * step) for step in range(STEPS)]
    losses = []
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = rates[step]
        optimizer.zero_grad()
        loss = loss_of(w, step)
        loss.backward()
        losses.append(loss.item())
        if rho is not None:
            climb(w, rho, lambda moved: loss_of(moved, step))
        if clip is not None:
            norms.append(torch.nn.utils.clip_grad_norm_(w.values(), clip).item())
        optimizer.step()
    return {"losses": losses, "weights": {name: rounded(value) for name, value in w.items()}}


def groups(w, decay, is_decayed):
    return [
        {"params": [v for n, v in w.items() if is_decayed(n, v)], "weight_decay": decay},
        {"params": [v for n, v in w.items() if not is_decayed(n, v)], "weight_decay": 0.0},
    ]


SGD, ADAM, ADAMW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
MATRICES = lambda name, value: value.ndim >= 2


def updates():
    def case(spec, make, **more):
        norms = [] if "clip" in more else None
        result = train(make, norms=norms, **more)
        return {"optimizer": spec, **result, **({} if norms is None else {"norms": norms})}

    sgd = {"kind": "sgd"}
    yield case(sgd, lambda w: SGD(w.values(), 0.1))
    yield case({**sgd, "weightDecay": 0.1}, lambda w: SGD(w.values(), 0.1, weight_decay=0.1))
    yield case({**sgd, "momentum": 0.9}, lambda w: SGD(w.values(), 0.1, momentum=0.9))
    yield case(
        {**sgd, "momentum": 0.9, "weightDecay": 0.1},
        lambda w: SGD(w.values(), 0.1, momentum=0.9, weight_decay=0.1),
    )
    yield case(
        {**sgd, "momentum": 0.8, "nesterov": True, "weightDecay": 0.05, "decayExcept": ["b.*"]},
        lambda w: SGD(groups(w, 0.05, lambda n, _: n[0] == "a"), 0.1, momentum=0.8, nesterov=True),
    )
    yield case({**sgd, "momentum": 0.9, "clipNorm": 0.3}, lambda w: SGD(w.values(), 0.1, momentum=0.9), clip=0.3)
    yield case({**sgd, "clipNorm": 100}, lambda w: SGD(w.values(), 0.1), clip=100.0)
    yield case({"kind": "adam"}, lambda w: ADAM(w.values(), 0.1))
    yield case(
        {"kind": "adam", "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3, "weightDecay": 0.1},
        lambda w: ADAM(w.values(), 0.1, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1),
    )
    yield case({"kind": "adamw"}, lambda w: ADAMW(groups(w, 0.01, MATRICES), 0.1))
    yield case(
        {"kind": "adamw", "weightDecay": 0.2, "decayFromRank": 0},
        lambda w: ADAMW(w.values(), 0.1, weight_decay=0.2),
    )
    yield case({"kind": "adamw", "clipNorm": 0.2}, lambda w: ADAMW(groups(w, 0.01, MATRICES), 0.1), clip=0.2)
    yield case({"kind": "sam", "base": sgd}, lambda w: SGD(w.values(), 0.1), rho=0.05)
    yield case(
        {"kind": "sam", "rho": 0.5, "base": {**sgd, "momentum": 0.9, "weightDecay": 0.01, "clipNorm": 0.4}},
        lambda w: SGD(w.values(), 0.1, momentum=0.9, weight_decay=0.01),
        rho=0.5,
        clip=0.4,
    )
    yield case({"kind": "sam", "rho": 0.2, "base": {"kind": "adam"}}, lambda w: ADAM(w.values(), 0.1), rho=0.2)


# -- Batch norm in training -------------------------------------------------------------------------------------------


def batch_norm():
    names = {"conv.weight": [4, 2, 3, 3], "norm.weight": [4], "norm.bias": [4], "head.weight": [3, 4]}
    w = {
        name: waves(shape, k, 0.5, 1.0 if name == "norm.weight" else 0.0).requires_grad_()
        for k, (name, shape) in enumerate(names.items(), 1)
    }
    mean, variance = waves([4], 8, 0.3), waves([4], 9, 0.3, 1.0)
    optimizer = SGD(w.values(), 0.1, momentum=0.9)
    losses = []
    for step in range(STEPS):
        x = waves([3, 2, 5, 5], 20 + step, 1.2)
        y = torch.tensor([(i + step) % 3 for i in range(3)])
        optimizer.zero_grad()
        h = F.conv2d(x, w["conv.weight"], padding=1)
        h = F.batch_norm(h, mean, variance, w["norm.weight"], w["norm.bias"], training=True, momentum=0.1)
        loss = F.cross_entropy(F.linear(F.relu(h).mean((2, 3)), w["head.weight"]), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    weights = {**w, "norm.running_mean": mean, "norm.running_var": variance}
    return {"losses": losses, "weights": {name: rounded(value) for name, value in weights.items()}}


# -- Losses -----------------------------------------------------------------------------------------------------------


def losses():
    for smoothing in [0.0, 0.1]:
        logits = waves([4, 5], 1, 3.0).requires_grad_()
        loss = F.cross_entropy(logits, torch.tensor([4, 0, 2, 2]), label_smoothing=smoothing)
        loss.backward()
        spec = {"kind": "cross-entropy", "labelSmoothing": smoothing}
        yield {"loss": spec, "value": loss.item(), "gradient": rounded(logits.grad)}
    tokens = torch.tensor([[3, 0, 1, 4], [2, 2, 1, 0], [4, 3, 3, 1]])
    counted = torch.tensor([[1.0, 1, 0, 1], [0, 1, 1, 0], [1, 0, 0, 0]])
    for smoothing, weighted in [(0.0, False), (0.2, False), (0.0, True), (0.1, True)]:
        logits = waves([3, 4, 5], 2, 3.0).requires_grad_()
        goal = tokens[:, 1:]
        if weighted:
            goal = torch.where(counted[:, 1:] > 0, goal, -100)
        loss = F.cross_entropy(logits[:, :-1].reshape(-1, 5), goal.reshape(-1), label_smoothing=smoothing)
        loss.backward()
        spec = {"kind": "next-token", "labelSmoothing": smoothing, "weighted": weighted}
        yield {"loss": spec, "value": loss.item(), "gradient": rounded(logits.grad)}
    prediction = waves([4, 5], 3, 2.0).requires_grad_()
    loss = F.mse_loss(prediction, waves([4, 5], 4, 1.0))
    loss.backward()
    yield {"loss": {"kind": "mean-squared-error"}, "value": loss.item(), "gradient": rounded(prediction.grad)}


# -- Learning rates ---------------------------------------------------------------------------------------------------


def schedules():
    def case(schedule, total, make, warmup=0, start_factor=0.01):
        optimizer = SGD([torch.zeros(1, requires_grad=True)], schedule["learningRate"])
        scheduler = make(optimizer)
        if warmup > 0:
            rise = lr_scheduler.LinearLR(optimizer, start_factor, 1.0, warmup)
            # Made anew so that the first rate is that of the warm-up.
            scheduler = lr_scheduler.SequentialLR(optimizer, [rise, make(optimizer)], [warmup])
            schedule = {**schedule, "warmupSteps": warmup, "warmupFrom": start_factor}
        rates = []
        for step in range(total):
            rates.append(float(f"{optimizer.param_groups[0]['lr']:.12g}"))
            optimizer.step()
            if step < total - 1:
                scheduler.step()
        return {"schedule": schedule, "totalSteps": total, "rates": rates}

    constant = {"kind": "constant", "learningRate": 0.1}
    yield case(constant, 4, lambda o: lr_scheduler.ConstantLR(o, 1.0))
    yield case(constant, 8, lambda o: lr_scheduler.ConstantLR(o, 1.0), warmup=5)
    cosine = {"kind": "cosine", "learningRate": 0.3}
    yield case(cosine, 10, lambda o: lr_scheduler.CosineAnnealingLR(o, 10))
    yield case({**cosine, "finalRate": 0.02}, 7, lambda o: lr_scheduler.CosineAnnealingLR(o, 7, 0.02))
    yield case(cosine, 12, lambda o: lr_scheduler.CosineAnnealingLR(o, 8), warmup=4, start_factor=0.2)
    cycle = {"kind": "one-cycle", "learningRate": 0.5}
    yield case(cycle, 20, lambda o: lr_scheduler.OneCycleLR(o, 0.5, 20))
    yield case(
        {**cycle, "rise": 0.45, "initialDivisor": 10, "finalDivisor": 100},
        13,
        lambda o: lr_scheduler.OneCycleLR(o, 0.5, 13, pct_start=0.45, div_factor=10, final_div_factor=100),
    )
    step = {"kind": "step", "learningRate": 0.2, "every": 3}
    yield case(step, 8, lambda o: lr_scheduler.StepLR(o, 3))
    yield case({**step, "factor": 0.5}, 9, lambda o: lr_scheduler.StepLR(o, 3, 0.5), warmup=2, start_factor=0.1)


def main():
    golden = {
        "madeBy": f"torch {torch.__version__.split('+')[0]}, generate-training.py",
        "losses": list(losses()),
        "updates": list(updates()),
        "batchNorm": batch_norm(),
        "schedules": list(schedules()),
    }
    (FOLDER / "training.json").write_text(json.dumps(golden, indent=2) + "\n")


main()
