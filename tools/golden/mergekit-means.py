"""Writes golden values of merge methods that average networks, to test packages/merging against.

    python tools/golden/mergekit-means.py > packages/merging/test/golden/means.json

"mergekit" holds what mergekit 0.1.5 computes for small tensors of seed 20261126, by `merge_tensors`, in f64, f32 and bf16. "reference"
holds what plain NumPy computes in f64 from the formulas of the papers, for methods that mergekit lacks or gets wrong. Tensors are
base64 of their little-endian bytes.
"""

import base64
import json
import sys

import numpy as np
import torch
from mergekit.merge_methods import merge_tensors

SEED = 20261126
DTYPES = {"f64": torch.float64, "f32": torch.float32, "bf16": torch.bfloat16}
generator = torch.Generator().manual_seed(SEED)


def encode(tensor):
    tensor = tensor.contiguous()
    raw = tensor.view(torch.uint16) if tensor.dtype == torch.bfloat16 else tensor
    return base64.b64encode(raw.numpy().tobytes()).decode()


def draw(*shape):
    return torch.randn(*shape, generator=generator)


def family(shape, count, spread):
    """A base and networks near it: `spread` is the size of changes beside weights of size 1."""
    base = draw(*shape)
    return base, [base + spread * draw(*shape) for _ in range(count)]


INPUTS = {}
for name, shape, count, spread in [
    ("far", (4, 6), 4, 1.5),
    ("near", (4, 6), 4, 0.01),
    ("vector", (9,), 4, 0.8),
    ("kernel", (3, 2, 2, 3), 4, 0.8),
]:
    INPUTS[name] = family(shape, count, spread)

# The first network is zero, or has not moved from the base: neither has a direction.
base, networks = family((4, 6), 4, 0.8)
INPUTS["zero"] = (base, [torch.zeros(4, 6), *networks[1:]])
INPUTS["unmoved"] = (base, [base.clone(), *networks[1:]])


def cases():
    for name in INPUTS:
        yield name, "linear", {"weight": [0.7, 0.2, 0.4, 0.9]}, 4, False
        yield name, "linear", {"weight": [0.7, -0.2, 0.4, 0.9], "normalize": False}, 4, False
        yield name, "linear", {"weight": [1.5, -0.5]}, 2, False
        for t in (0.0, 0.25, 0.5, 1.0):
            yield name, "slerp", {"t": t}, 2, False
        for flatten in (True, False):
            for row_wise in (True, False):
                for with_base in (True, False):
                    parameters = {"nuslerp_flatten": flatten, "nuslerp_row_wise": row_wise}
                    yield name, "nuslerp", {"weight": [0.6, 0.2], **parameters}, 2, with_base
        yield name, "nuslerp", {"weight": [0.5, -0.5]}, 2, False
        for with_base in (True, False):
            yield name, "multislerp", {"weight": [0.5, 0.5]}, 2, with_base
            yield name, "multislerp", {"weight": [1.0]}, 1, False
        yield name, "karcher", {}, 4, False
        yield name, "karcher", {"max_iter": 1}, 3, False
        yield name, "karcher", {"max_iter": 0}, 3, False
        yield name, "passthrough", {"scale": [0.3]}, 1, False
        yield name, "passthrough", {}, 1, False


def run_mergekit(name, method, parameters, count, with_base, dtype):
    base, networks = INPUTS[name]
    tensors = [x.to(dtype) for x in networks[:count]]
    options = {}
    if method == "slerp":
        options["base_index"] = 0
    if with_base:
        tensors = [base.to(dtype), *tensors]
        options["base_index"] = 0
    # mergekit changes a few inputs in place.
    return merge_tensors([t.clone() for t in tensors], method, parameters=parameters, **options)


# What follows is NumPy in f64, from formulas.


def log_map(point, other):
    cosine = np.clip(point @ other, -1, 1)
    angle = np.arccos(cosine)
    return other - cosine * point if angle == 0 else angle / np.sin(angle) * (other - cosine * point)


def exp_map(point, way):
    length = np.linalg.norm(way)
    return point if length == 0 else np.cos(length) * point + np.sin(length) / length * way


def sphere_mean(vectors, weights, steps):
    """Vectors of zeros have no direction: they count for the length only."""
    weights = np.array(weights) / np.sum(weights)
    norms = [np.linalg.norm(v) for v in vectors]
    units = [(w, v / n) for w, v, n in zip(weights, vectors, norms) if n > 0]
    total = sum(w for w, _ in units)
    mean = sum(w * u for w, u in units)
    point = mean / np.linalg.norm(mean)
    for _ in range(steps):
        point = exp_map(point, sum(w / total * log_map(point, u) for w, u in units))
    return point * sum(w * n for w, n in zip(weights, norms))


def ema(vectors, decay):
    mean = vectors[0]
    for vector in vectors[1:]:
        mean = decay * mean + (1 - decay) * vector
    return mean


def decayed(vectors, schedule):
    """Updates between checkpoints, scaled as a decay of the learning rate would."""
    result = vectors[0]
    for j in range(1, len(vectors)):
        result = result + schedule(j / len(vectors)) * (vectors[j] - vectors[j - 1])
    return result


def magmax(base, vectors, factor):
    changes = np.stack([v - base for v in vectors])
    last_largest = len(vectors) - 1 - np.abs(changes[::-1]).argmax(0)
    return base + factor * np.take_along_axis(changes, last_largest[None], 0)[0]


def tall_masks(base, vectors, threshold):
    changes = np.stack([v - base for v in vectors])
    total = changes.sum(0)
    return total, np.abs(changes) > threshold * np.abs(total - changes)


def consensus(base, vectors, factor, threshold, agreeing):
    total, masks = tall_masks(base, vectors, threshold)
    return base + factor * total * (masks.sum(0) >= agreeing)


def references():
    for name, (base, networks) in INPUTS.items():
        x = [n.double().numpy().ravel() for n in networks]
        b = base.double().numpy().ravel()
        total, masks = tall_masks(b, x, 0.6)
        weights = [0.7, 0.2, 0.4, 0.9]
        yield name, "multislerp", {"weight": weights}, 4, False, sphere_mean(x, weights, 1)
        yield name, "multislerp", {"weight": weights}, 4, True, b + sphere_mean([v - b for v in x], weights, 1)
        yield name, "karcher", {"weight": weights, "max_iter": 60, "tol": 1e-12}, 4, False, sphere_mean(x, weights, 60)
        yield name, "swa", {"start": 1}, 4, False, np.mean(x[1:], 0)
        yield name, "lawa", {"window": 2}, 4, False, np.mean(x[2:], 0)
        yield name, "ema", {"decay": 0.8}, 4, False, ema(x, 0.8)
        yield name, "wsm", {"schedule": "1-sqrt"}, 4, False, decayed(x, lambda s: 1 - np.sqrt(s))
        yield name, "wsm", {"schedule": "linear"}, 4, False, decayed(x, lambda s: 1 - s)
        yield name, "wsm", {"schedule": "cosine"}, 4, False, decayed(x, lambda s: (1 + np.cos(np.pi * s)) / 2)
        yield name, "magmax", {"lambda": 0.5}, 4, True, magmax(b, x, 0.5)
        yield name, "consensus_ta", {"lambda": 0.3}, 4, True, consensus(b, x, 0.3, 0.6, 2)
        yield name, "consensus_ta", {"prune_threshold": 1, "tall_mask_lambda": 0.4}, 4, True, consensus(b, x, 0.3, 0.4, 1)
        yield name, "tall_mask", {"task": 2}, 4, True, b + total * masks[2]
        yield name, "expo", {"alpha": 0.25}, 1, True, x[0] + 0.25 * (x[0] - b)


def fisher_and_regmean():
    """Networks y = W x of two tasks, with activations of their own."""
    rng = np.random.default_rng(SEED)
    inputs = [rng.normal(size=(40, 5)) * s for s in ([1, 2, 0.1, 1, 1], [1, 0.2, 3, 0.5, 1])]
    weights = [rng.normal(size=(3, 5)) for _ in inputs]
    biases = [rng.normal(size=3) for _ in inputs]
    grams = [x.T @ x for x in inputs]
    shrunk = [g * (0.95 + 0.05 * np.eye(5)) for g in grams]
    merged = np.linalg.solve(sum(shrunk), sum(g @ w.T for g, w in zip(shrunk, weights))).T
    fishers = [np.abs(rng.normal(size=(3, 5))) * rng.integers(0, 2, size=(3, 5)) for _ in inputs]
    floored = [np.maximum(1e-6, f) for f in fishers]
    averaged = sum(f * w for f, w in zip(floored, weights)) / sum(floored)
    lists = lambda arrays: [a.ravel().tolist() for a in arrays]
    return {
        "weights": lists(weights),
        "biases": lists(biases),
        "grams": lists(grams),
        "regmean": merged.ravel().tolist(),
        "fishers": lists(fishers),
        "fisher": averaged.ravel().tolist(),
    }


def main():
    mergekit = [
        {
            "input": name,
            "method": method,
            "parameters": parameters,
            "networks": count,
            "base": with_base,
            "result": {d: encode(run_mergekit(name, method, parameters, count, with_base, t)) for d, t in DTYPES.items()},
        }
        for name, method, parameters, count, with_base in cases()
    ]
    reference = [
        {
            "input": name,
            "method": method,
            "parameters": parameters,
            "networks": count,
            "base": with_base,
            "result": base64.b64encode(result.astype("<f8").tobytes()).decode(),
        }
        for name, method, parameters, count, with_base, result in references()
    ]
    inputs = {
        name: {
            "shape": list(base.shape),
            "base": encode(base),
            "networks": [encode(n) for n in networks],
        }
        for name, (base, networks) in INPUTS.items()
    }
    document = {
        "seed": SEED,
        "inputs": inputs,
        "mergekit": mergekit,
        "reference": reference,
        "withData": fisher_and_regmean(),
    }
    json.dump(document, sys.stdout, indent=1)
    print()


main()
