"""Learns the weights of a merge by entropy in PyTorch, as tune-tasks.ts does, and prints what becomes of the predictions.

    python tools/three-tasks/entropy.py FOLDER [--by layer]

FOLDER is what train.py wrote. Prints JSON lines: at single weights for all networks, then before and after 60 steps of Adam at
0.01 in batches of 16 of the first 200 training images of each task. All numbers are means over the tasks on the first 1,000 test
images of each: entropy and loss in nats, accuracy, and the share of the class that is predicted most.
"""
import argparse
import json
import os

import numpy as np
import torch
from safetensors.torch import load_file
from torch.func import functional_call
from torch.nn import functional as F
from train import TASKS, Network, read_idx

options = argparse.ArgumentParser()
options.add_argument("folder")
options.add_argument("--by", choices=("model", "layer", "tensor"), default="layer")
args = options.parse_args()


def load(task, part, count):
    images, labels = (
        read_idx(os.path.join(args.folder, f"{task}-{part}-{kind}-ubyte"))[:count]
        for kind in ("images-idx3", "labels-idx1")
    )
    return torch.from_numpy(images.astype(np.float32) / 255)[:, None], torch.from_numpy(labels.astype(np.int64))


def part_of(name):
    words = name.split(".")
    layer = ".".join(words[:2]) if words[0] == "blocks" else words[0]
    return {"model": "all", "layer": layer, "tensor": name}[args.by]


base, *networks = (load_file(os.path.join(args.folder, f"{name}.safetensors")) for name in ("base", *TASKS))
changes = {name: torch.stack([network[name] - base[name] for network in networks]) for name in base}
parts = list(dict.fromkeys(map(part_of, base)))
train, test = ({task: load(task, part, count) for task in TASKS} for part, count in (("train", 200), ("test", 1000)))
network = Network().eval()


def outputs(weights, x, task):
    merged = {name: base[name] + torch.tensordot(weights[parts.index(part_of(name))], changes[name], 1) for name in base}
    return functional_call(network, merged, (x, task))


def entropy(z):
    return -(z.softmax(1) * z.log_softmax(1)).sum(1).mean()


@torch.no_grad()
def report(name, weights):
    rows = []
    for task, (x, y) in test.items():
        z = outputs(weights, x, task)
        classes = z.argmax(1)
        most = classes.bincount().max() / len(y)
        rows.append([entropy(z), F.cross_entropy(z, y), (classes == y).float().mean(), most])
    means = torch.tensor(rows).mean(0).tolist()
    line = {"weights": name, "mean weights": [round(w, 2) for w in weights.mean(0).tolist()]}
    line |= {key: round(mean, 3) for key, mean in zip(("entropy", "loss", "accuracy", "commonest class"), means)}
    print(json.dumps(line), flush=True)


for value in (0.1, 0.2, 0.3, 0.4, 0.5):
    report(f"{value} for all", torch.full((len(parts), len(TASKS)), value))
weights = torch.full((len(parts), len(TASKS)), 0.3, requires_grad=True)
optimizer = torch.optim.Adam([weights], lr=0.01)
generator = torch.Generator().manual_seed(0)
for _ in range(60):
    rows = torch.randperm(200, generator=generator)[:16]
    loss = sum(entropy(outputs(weights, x[rows], task)) for task, (x, _) in train.items())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
report(f"learned by {args.by}", weights.detach())
