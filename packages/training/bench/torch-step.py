"""Prints the median time in ms of PyTorch's step of training of an MLP, for step.bench.ts.

Arguments: optimizer, batch, widths, rounds, steps in a round.
"""

import statistics
import sys
import time

import torch
import torch.nn.functional as F

kind, batch, widths, rounds, steps = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
widths = [int(width) for width in widths.split(",")]
torch.manual_seed(0)
layers = []
for before, after in zip(widths, widths[1:]):
    layers += [torch.nn.Linear(before, after), torch.nn.ReLU()]
network = torch.nn.Sequential(*layers[:-1])
x, y = torch.randn(batch, widths[0]), torch.randint(widths[-1], (batch,))
rate = 0.01
make = {
    "sgd": lambda p: torch.optim.SGD(p, rate),
    "clipped": lambda p: torch.optim.SGD(p, rate),
    "momentum": lambda p: torch.optim.SGD(p, rate, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, rate),
    "adamw": lambda p: torch.optim.AdamW(p, rate),
}
optimizer = make[kind](network.parameters())


def step():
    optimizer.zero_grad()
    F.cross_entropy(network(x), y).backward()
    if kind == "clipped":
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()


times = []
for _ in range(rounds + 1):
    start = time.perf_counter()
    for _ in range(steps):
        step()
    times.append((time.perf_counter() - start) / steps * 1e3)
print(statistics.median(times[1:]))
