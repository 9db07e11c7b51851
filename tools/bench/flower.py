"""Runs one federation in Flower's simulation: aggregated by Flower, or by the isthmus command.

    python tools/bench/flower.py --strategy flower|isthmus [--clients 10] [--rounds 20] [--seed 0]
        --images FOLDER [--examples 60000] [--isthmus packages/isthmus/bin/isthmus.js] [--arguments '{"rule": "krum:f=2"}']

FOLDER has the files of MNIST (train-images-idx3-ubyte and so on, with or without .gz). Clients hold iid parts, train mlp 784-512-512-512-10 with
SGD (0.05, batch 64) for one epoch a round. Prints one JSON line: seconds, the peak of resident memory of this process and
of all its children, and the test accuracy of the last network. Needs flwr[simulation] 1.42, torch and safetensors.
"""

import argparse
import gzip
import json
import os
import resource
import sys
import threading
import time
from pathlib import Path

import numpy as np
import torch
from flwr.app import ArrayRecord, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp
from flwr.serverapp.strategy import FedAvg
from flwr.simulation import run_simulation

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "examples" / "flower"))

parser = argparse.ArgumentParser()
parser.add_argument("--strategy", choices=["flower", "isthmus"], required=True)
parser.add_argument("--clients", type=int, default=10)
parser.add_argument("--rounds", type=int, default=20)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--images", required=True)
parser.add_argument("--examples", type=int, default=60000)
parser.add_argument("--isthmus", default=str(HERE.parent.parent / "packages" / "isthmus" / "bin" / "isthmus.js"))
parser.add_argument("--arguments", default="{}")
args = parser.parse_args()


def read(name: str) -> np.ndarray:
    path = Path(args.images) / name
    data = path.read_bytes() if path.exists() else gzip.decompress(path.with_suffix(".gz").read_bytes())
    dimensions = data[3]
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(dimensions)]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def examples(split: str, part: slice) -> tuple[torch.Tensor, torch.Tensor]:
    """Reads a part of the examples; only these become numbers."""
    images = read(f"{split}-images-idx3-ubyte")[part].astype(np.float32).reshape(-1, 784) / 255
    labels = read(f"{split}-labels-idx1-ubyte")[part].astype(np.int64)
    return torch.from_numpy(images), torch.from_numpy(labels)


def network() -> torch.nn.Sequential:
    sizes = [784, 512, 512, 512, 10]
    layers = [torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])]
    return torch.nn.Sequential(*[part for layer in layers[:-1] for part in (layer, torch.nn.ReLU())], layers[-1])


client_app = ClientApp()
server_app = ServerApp()


@client_app.train()
def train(message: Message, context) -> Message:
    torch.set_num_threads(1)
    part = int(context.node_config["partition-id"])
    images, labels = examples("train", slice(part, args.examples, args.clients))
    model = network()
    model.load_state_dict(message.content["arrays"].to_torch_state_dict())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(args.seed * 1000 + part))
    for batch in order.split(64):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
        optimizer.step()
    content = {
        "arrays": ArrayRecord(model.state_dict()),
        "metrics": MetricRecord({"num-examples": len(images)}),
    }
    return Message(content=RecordDict(content), reply_to=message)


result = {}


@server_app.main()
def main(grid, context) -> None:
    torch.manual_seed(args.seed)
    options = {"fraction_evaluate": 0.0, "min_train_nodes": args.clients, "min_available_nodes": args.clients}
    if args.strategy == "flower":
        strategy = FedAvg(**options)
    else:
        from isthmus_strategy import IsthmusStrategy

        strategy = IsthmusStrategy(command=["node", args.isthmus], **json.loads(args.arguments), **options)
    done = strategy.start(grid=grid, initial_arrays=ArrayRecord(network().state_dict()), num_rounds=args.rounds)
    model = network()
    model.load_state_dict(done.arrays.to_torch_state_dict())
    images, labels = examples("t10k", slice(None))
    with torch.no_grad():
        result["accuracy"] = (model(images).argmax(1) == labels).float().mean().item()


def resident() -> int:
    """Bytes that all processes of this session hold."""
    total = 0
    session = os.getsid(0)
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if os.getsid(int(entry.name)) == session:
                total += int((entry / "statm").read_text().split()[1]) * 4096
        except (OSError, ValueError):
            continue
    return total


peak = 0


def watch() -> None:
    global peak
    while True:
        peak = max(peak, resident())
        time.sleep(0.5)


threading.Thread(target=watch, daemon=True).start()
started = time.perf_counter()
run_simulation(
    server_app=server_app,
    client_app=client_app,
    num_supernodes=args.clients,
    backend_config={"client_resources": {"num_cpus": 1, "num_gpus": 0.0}},
)
print(
    json.dumps(
        {
            "strategy": args.strategy,
            "clients": args.clients,
            "rounds": args.rounds,
            "seconds": round(time.perf_counter() - started, 1),
            "peakMegabytes": round(peak / 2**20),
            "serverPeakMegabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            **result,
        }
    )
)
