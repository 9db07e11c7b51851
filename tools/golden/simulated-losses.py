"""Writes the losses of small simulated federations as PyTorch computes them, in f64, from the same first networks and clients.

    npx tsx --conditions=@isthmus/source tools/golden/simulated-losses.ts | python tools/golden/simulated-losses.py && npx biome format --write packages/simulation/test/golden

Needs torch 2.15 and safetensors. packages/simulation/test/golden/simulated-losses.json says what is simulated; this adds what comes of each round: the mean over
clients of the mean loss of their last epoch, each step's measured before it, and the loss of the averaged network on all examples, with its accuracy if there is one.
Every client makes full steps, so that the order of its examples is of no account.
"""

import json
import os
import sys

import torch
from safetensors.torch import load_file
from torch.nn import functional as F

HERE = os.path.dirname(__file__)
GOLDEN = os.path.join(HERE, "..", "..", "packages", "federated", "test", "golden", "simulated-losses.json")
FIXTURES = os.path.join(HERE, "..", "..", "test", "fixtures", "losses")
LOSSES = {
    "mean-squared-error": F.mse_loss,
    "mean-absolute-error": F.l1_loss,
    "binary-cross-entropy": F.binary_cross_entropy_with_logits,
}


def forward(weights, x):
    for layer in range(len(weights) // 2):
        x = F.linear(torch.relu(x) if layer > 0 else x, weights[2 * layer], weights[2 * layer + 1])
    return x


def simulate(federation, case):
    data = load_file(os.path.join(FIXTURES, f"{case['name']}.safetensors"))
    x = data["x"].double()
    y = data.get("y", x).double()
    loss = LOSSES[case["loss"]]
    sizes = [x.shape[1], int(federation["net"].split(":")[1]), y.shape[1]]
    shapes = [shape for i, o in zip(sizes, sizes[1:]) for shape in ((o, i), (o,))]
    values = [torch.tensor(each, dtype=torch.float64).reshape(shape) for each, shape in zip(case["weights"].values(), shapes)]
    rounds = []
    for _ in range(federation["rounds"]):
        sums, last = [torch.zeros_like(each) for each in values], []
        for positions in case["clients"]:
            own = [each.clone().requires_grad_() for each in values]
            for _ in range(federation["client"]["epochs"]):
                mean = loss(forward(own, x[positions]), y[positions])
                gradients = torch.autograd.grad(mean, own)
                with torch.no_grad():
                    for each, gradient in zip(own, gradients):
                        each -= federation["client"]["schedule"]["learningRate"] * gradient
            last.append(mean.item())
            for total, each in zip(sums, own):
                total += each.detach() * len(positions) / len(x)
        values = sums
        found = {"trainLoss": sum(last) / len(last), "loss": loss(forward(values, x), y).item()}
        if case["loss"] == "binary-cross-entropy":
            found["accuracy"] = ((forward(values, x) > 0) == (y > 0.5)).double().mean().item()
        rounds.append(found)
    return {"name": case["name"], "loss": case["loss"], "rounds": rounds}


def main():
    given = json.load(sys.stdin)
    cases = [simulate(given["federation"], case) for case in given["cases"]]
    with open(GOLDEN, "w") as file:
        json.dump({"federation": given["federation"], "cases": cases}, file, indent=2)


main()
