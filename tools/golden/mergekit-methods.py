"""Writes golden values of merge methods by running mergekit 0.1.5 on small tensors.

    python tools/golden/mergekit-methods.py > packages/merging/test/golden/task-vectors.json

Needs mergekit 0.1.5 and torch. Numbers are the bytes of tensors in hexadecimal, little-endian. Deterministic methods
have one result; random ones the mean, the variance and the share of changed elements over many draws. Results of bf16
tensors are given twice: computed in f32 (`dtype: float32`, `out_dtype: bfloat16`), and all in bf16, as mergekit does
where a recipe has no dtype. torch sorts equal numbers in any order, so it is told to keep them in the order of their
positions: which of several equal differences are kept would else depend on the processor.
"""

import functools
import json
import sys
from importlib.metadata import version

import torch
from mergekit.merge_methods import merge_tensors

SEED = 2026
DRAWS = 2000
DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f64": torch.float64}
SHAPES = [[1], [7], [37], [5, 9], [1, 8], [6, 1], [3, 2, 3, 3], [12, 17]]


torch.sort = functools.partial(torch.sort, stable=True)
torch.argsort = functools.partial(torch.argsort, stable=True)


def stable_topk(tensor, k, largest=True):
    values, indices = torch.sort(tensor, descending=largest)
    return values[:k], indices[:k]


torch.topk = stable_topk


def encode(tensor):
    return tensor.contiguous().view(torch.uint8).numpy().tobytes().hex()


def make_inputs(shape, count, dtype, kind):
    """Makes a base and networks: far apart (`plain`), with few distinct differences (`ties`), or equal in places (`zeros`)."""
    base = torch.randn(shape) * 0.5
    networks = []
    for _ in range(count):
        if kind == "ties":
            base = (base * 4).round() / 4
            delta = torch.randint(-3, 4, shape) * 0.125
        else:
            delta = torch.randn(shape) * 0.1
            if kind == "zeros":
                delta = delta * (torch.rand(shape) < 0.6)
        networks.append(base + delta)
    return [tensor.to(dtype) for tensor in [base, *networks]]


def run(method, tensors, parameters, per_network, dtype=None, out_dtype=None):
    ids = ["base", *(f"n{k}" for k in range(len(tensors) - 1))]
    values = dict(parameters)
    for name, numbers in per_network.items():
        values[name] = dict(zip(ids[1:], numbers))
    return merge_tensors(
        [tensor.clone() for tensor in tensors],
        method,
        parameters=values,
        ids=ids,
        base_index=0,
        dtype=dtype,
        out_dtype=out_dtype,
    )


def describe(method, name, tensors, shape, parameters, per_network):
    return {
        "method": method,
        "dtype": name,
        "shape": shape,
        "parameters": {**parameters, **per_network},
        "base": encode(tensors[0]),
        "networks": [encode(tensor) for tensor in tensors[1:]],
    }


# Method, parameters of the merge, parameters of networks, and how many networks.
FIXED = [
    ("task_arithmetic", {}, {"weight": [0.5, -0.25, 1.5]}, 3),
    ("task_arithmetic", {"normalize": True, "lambda": 0.7}, {"weight": [0.5, 0.25, 1.5]}, 3),
    ("task_arithmetic", {}, {"weight": [0.333]}, 1),
    ("ties", {}, {"weight": [0.5, 0.3], "density": [0.5, 0.31]}, 2),
    ("ties", {"rescale": True, "lambda": 1.3}, {"weight": [0.7, 0.2, 0.4], "density": [0.2, 0.6, 1.0]}, 3),
    ("ties", {"normalize": False, "int8_mask": True}, {"weight": [1, -0.5], "density": [0.4, 0.9]}, 2),
    ("ties", {}, {"weight": [1, 1], "density": [0.01, 0.0]}, 2),
    ("breadcrumbs", {}, {"weight": [0.6, 0.4], "density": [0.5, 0.7], "gamma": [0.1, 0.01]}, 2),
    ("breadcrumbs", {"rescale": True}, {"weight": [0.6, 0.4], "density": [0.9, 1.0], "gamma": [0.3, 0.2]}, 2),
    ("breadcrumbs_ties", {}, {"weight": [0.6, 0.4, 1], "density": [0.5, 0.7, 0.3], "gamma": [0.1, 0.05, 0.2]}, 3),
    ("dare_ties", {}, {"weight": [0.6, 0.4, 1], "density": [1, 1, 0]}, 3),
    ("della", {}, {"weight": [0.6, 0.4, 1], "density": [1, 1, 0]}, 3),
    ("model_stock", {}, {}, 2),
    ("model_stock", {"filter_wise": True}, {}, 3),
    ("sce", {}, {}, 3),
    ("sce", {"select_topk": 0.4}, {}, 3),
    ("sce", {"select_topk": 0.7, "int8_mask": True}, {}, 2),
    ("nearswap", {"t": 0.05}, {}, 1),
    ("nearswap", {"t": 0.0001}, {}, 1),
    ("ram", {}, {}, 3),
    ("ram", {"epsilon": 0.08}, {}, 3),
    ("ramplus_tl", {}, {}, 3),
    ("ramplus_tl", {"epsilon": 0.1, "r": 0.5, "alpha": 0.9}, {}, 3),
    ("arcee_fusion", {}, {}, 1),
]

RANDOM = [
    ("dare_linear", {}, {"weight": [0.6, 0.4], "density": [0.5, 0.3]}, 2),
    ("dare_linear", {"rescale": False}, {"weight": [1.0], "density": [0.25]}, 1),
    ("dare_ties", {}, {"weight": [0.6, 0.4], "density": [0.7, 0.4]}, 2),
    ("dare_ties", {"normalize": True, "lambda": 0.8}, {"weight": [0.6, 0.4], "density": [0.7, 0.4]}, 2),
    ("della", {}, {"weight": [0.6, 0.4], "density": [0.5, 0.6], "epsilon": [0.2, 0.3]}, 2),
    ("della_linear", {}, {"weight": [0.6, 0.4], "density": [0.5, 0.6]}, 2),
    ("della_linear", {"rescale": False}, {"weight": [1.0], "density": [0.4], "epsilon": [0.35]}, 1),
]


def fixed_cases():
    for index, (method, parameters, per_network, count) in enumerate(FIXED):
        for shape_index, shape in enumerate(SHAPES):
            kind = ["plain", "ties", "zeros"][(index + shape_index) % 3]
            for name in ("f32", "bf16") if shape_index % 2 == index % 2 else ("f32",):
                # Differences of bf16 weights that were rounded have equal magnitudes anyway.
                tensors = make_inputs(shape, count, DTYPES[name], kind)
                case = describe(method, name, tensors, shape, parameters, per_network)
                case["kind"] = kind
                if name == "bf16":
                    wide = {"dtype": torch.float32, "out_dtype": torch.bfloat16}
                    case["expected"] = encode(run(method, tensors, parameters, per_network, **wide))
                    case["inBf16"] = encode(run(method, tensors, parameters, per_network))
                else:
                    case["expected"] = encode(run(method, tensors, parameters, per_network))
                yield case


def random_cases():
    for method, parameters, per_network, count in RANDOM:
        shape = [4, 12]
        tensors = make_inputs(shape, count, torch.float32, "plain")
        case = describe(method, "f32", tensors, shape, parameters, per_network)
        draws = torch.stack([run(method, tensors, parameters, per_network) for _ in range(DRAWS)])
        case["draws"] = DRAWS
        case["mean"] = encode(draws.double().mean(0))
        case["variance"] = encode(draws.double().var(0))
        case["changed"] = (draws != tensors[0]).double().mean().item()
        yield case


torch.manual_seed(SEED)
golden = {
    "mergekit": version("mergekit"),
    "torch": torch.__version__,
    "seed": SEED,
    "fixed": list(fixed_cases()),
    "random": list(random_cases()),
}
# One case a line, so that changes can be read.
lines = [json.dumps(key) + ": " + json.dumps(golden[key]) for key in ("mergekit", "torch", "seed")]
for key in ("fixed", "random"):
    cases = ",\n    ".join(json.dumps(case) for case in golden[key])
    lines.append(f'{json.dumps(key)}: [\n    {cases}\n  ]')
sys.stdout.write("{\n  " + ",\n  ".join(lines) + "\n}\n")
