"""The peers of `npm run bench` for work on arrays and files: NumPy, SciPy, PyTorch, safetensors, byzfl and mergekit.

    python tools/bench/speed/array-peer.py FOLDER SETTING

FOLDER has task.json and what it is about. SETTING is one of the row's peers. serve.py says what is printed. With numpy 2.4, scipy 1.17,
torch 2.15, safetensors 0.8, byzfl 0.0.9; mergekit 0.1.5.
"""
import json
import os
import pathlib
import sys

import numpy as np
import torch
from serve import serve

folder, setting = pathlib.Path(sys.argv[1]), sys.argv[2]
task = json.loads((folder / "task.json").read_text())
torch.set_num_threads(task["threads"])


def matrix(dtype=np.float32):
    return np.fromfile(folder / "matrix", dtype=dtype).reshape(task["size"], task["size"])


def assignment():
    from scipy.optimize import linear_sum_assignment

    costs = matrix()

    def once():
        rows, columns = linear_sum_assignment(costs)
        return float(costs[rows, columns].astype(np.float64).sum())

    return once


def durable(path):
    """Waits until a file is on the disk, as ours does."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def merge():
    from mergekit.merge_methods import get, merge_tensors
    from safetensors.torch import load_file, save_file

    method, has_base = task["method"], task["hasBase"]
    names = ["base", "first", "second"] if has_base else ["first", "second"]
    known = {spec.name for spec in get(method).spec.parameters}
    parameters = {name: value for name, value in {"t": 0.5, "select_topk": 0.5}.items() if name in known}
    for name, value in {"weight": 0.5, "density": 0.5, "gamma": 0.01}.items():
        if name in known:
            parameters[name] = {network: value for network in names[-2:]}
    base = {"base_index": 0} if has_base or method == "slerp" else {}

    def once():
        networks = [load_file(folder / f"{name}.safetensors") for name in names]
        with torch.no_grad():
            merged = {
                name: merge_tensors([network[name] for network in networks], method, parameters=parameters, ids=names, **base)
                for name in networks[0]
            }
        save_file(merged, folder / "theirs.safetensors")
        durable(folder / "theirs.safetensors")

    def check():
        once()
        merged = load_file(folder / "theirs.safetensors").values()
        return None if task["isRandom"] else float(sum(tensor.double().square().sum() for tensor in merged) ** 0.5)

    return once, check


def rule():
    n = task["clients"]
    values, f = np.fromfile(folder / "values", dtype=np.float64).reshape(n, -1), task["f"]
    if setting == "byzfl":
        import byzfl

        names = {"coordinate-median": "Median", "trimmed-mean": "TrMean", "meamed": "Meamed"}
        made = getattr(byzfl, names[task["rule"]])
        theirs = made() if task["rule"] == "coordinate-median" else made(f)
        return lambda: float(np.linalg.norm(theirs(values)))

    def meamed(x):
        distances = np.abs(x - np.median(x, axis=0))
        nearest = np.argpartition(distances, n - f, axis=0)[: n - f]
        return np.take_along_axis(x, nearest, axis=0).mean(axis=0)

    rules = {
        "coordinate-median": lambda x: np.median(x, axis=0),
        "trimmed-mean": lambda x: np.partition(x, (f, n - f - 1), axis=0)[f : n - f].mean(axis=0),
        "meamed": meamed,
    }
    return lambda: float(np.linalg.norm(rules[task["rule"]](values)))


def matching():
    """Weight matching of Git Re-Basin (Ainsworth et al. 2023, algorithm 1) for layers in a row, in NumPy and SciPy."""
    from safetensors.numpy import load_file
    from scipy.optimize import linear_sum_assignment

    count = len(task["widths"]) - 1

    def once():
        a, b = (load_file(folder / f"{name}.safetensors") for name in "ab")
        of = lambda network: [(network[f"layers.{k}.weight"], network[f"layers.{k}.bias"]) for k in range(count)]
        a, b = of(a), of(b)
        order = [np.arange(width) for width in task["widths"]]
        random, moved = np.random.default_rng(0), True
        while moved:
            moved = False
            for k in random.permutation(range(1, count)):
                (w, bias), (next_w, _) = a[k - 1], a[k]
                (v, v_bias), (next_v, _) = b[k - 1], b[k]
                gains = w @ v[:, order[k - 1]].T + np.outer(bias, v_bias) + next_w.T @ next_v[order[k + 1]]
                chosen = linear_sum_assignment(gains, maximize=True)[1]
                rows = np.arange(len(chosen))
                if gains[rows, chosen].sum() > gains[rows, order[k]].sum() + 1e-6:
                    order[k], moved = chosen, True
        return float(
            sum(
                (w.astype(np.float64) * v[order[k + 1]][:, order[k]]).sum() + (x.astype(np.float64) * y[order[k + 1]]).sum()
                for k, ((w, x), (v, y)) in enumerate(zip(a, b))
            )
        )

    return once


def read():
    from safetensors.numpy import load_file

    return lambda: float(sum(tensor.flat[-1] for tensor in load_file(folder / "tensors.safetensors").values()))


def write():
    from safetensors.numpy import load_file, save_file

    tensors = load_file(folder / "tensors.safetensors")

    def once():
        save_file(tensors, folder / "theirs.safetensors")
        durable(folder / "theirs.safetensors")
        return (folder / "theirs.safetensors").stat().st_size / 1e6

    return once


def largest_singular_values():
    from scipy.sparse.linalg import svds

    a, rank = matrix(), task["rank"]
    if setting == "scipy":
        return lambda: float(svds(a, k=rank)[1].max())
    tensor = torch.from_numpy(a)
    return lambda: float(torch.svd_lowrank(tensor, q=rank + 12, niter=3)[1][0])


def singular_values():
    a = matrix()
    if setting == "numpy":
        return lambda: float(np.linalg.svd(a)[1][0])
    tensor = torch.from_numpy(a)
    return lambda: float(torch.linalg.svd(tensor)[1][0])


def polar_factor():
    from scipy.linalg import polar

    a = matrix()
    if setting == "scipy":
        return lambda: float((polar(a)[0] * a).sum())
    tensor = torch.from_numpy(a)

    def once():
        left, _, right = torch.linalg.svd(tensor)
        return float(((left @ right) * tensor).sum())

    return once


work = globals()[task["kind"].replace(" ", "_")]()
once, check = work if isinstance(work, tuple) else (work, work)
serve(once, torch.__version__, check)
