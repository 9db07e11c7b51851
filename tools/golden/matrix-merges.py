"""Writes packages/merging/test/golden/matrix-merges.json: merges of matrices by full singular value decompositions.

    python tools/golden/matrix-merges.py

Each function is its paper's formula written out with NumPy, in f64. Inputs are random f32 numbers.
"""
import json
import os

import numpy as np

T = 3
RNG = np.random.default_rng(7)
SHAPES = {"wide.weight": (8, 11), "tall.weight": (12, 6), "square.weight": (9, 9), "bias": (5,)}


def f32(x):
    return x.astype(np.float32).astype(np.float64)


base = {name: f32(RNG.normal(size=shape)) for name, shape in SHAPES.items()}
networks = [
    {name: f32(base[name] + 0.1 * RNG.normal(size=shape)) for name, shape in SHAPES.items()} for _ in range(T)
]


def svd(x):
    return np.linalg.svd(x, full_matrices=False)


def polar(x):
    u, _, v = svd(x)
    return u @ v


def iso_c(taus):
    u, s, v = svd(sum(taus))
    return s.mean() * u @ v


def iso_cts(taus, fraction=0.8):
    r = min(taus[0].shape)
    specific = round((r - int(r * fraction)) / T) * T
    common = r - specific
    each = specific // T
    u, s, v = svd(sum(taus))
    us, ss, vs = [u[:, :common]], [s[:common]], [v[:common]]
    for tau in taus:
        ut, st, vt = svd(tau - u[:, :common] @ u[:, :common].T @ tau)
        us.append(ut[:, :each])
        ss.append(st[:each])
        vs.append(vt[:each])
    return np.concatenate(ss).mean() * polar(np.concatenate(us, 1)) @ polar(np.concatenate(vs, 0))


def tsv_m(taus):
    keep = min(taus[0].shape) // T
    parts = [svd(tau) for tau in taus]
    u = np.concatenate([u[:, :keep] for u, _, _ in parts], 1)
    s = np.concatenate([s[:keep] for _, s, _ in parts])
    v = np.concatenate([v[:keep] for _, _, v in parts], 0)
    return polar(u) @ np.diag(s) @ polar(v)


def calibrate(merged, taus, alpha):
    u, s, v = svd(merged)
    for r in range(len(s)):
        agreements = [
            max(alpha, (u[:, r] @ merged) @ (u[:, r] @ tau) / np.sum((u[:, r] @ tau) ** 2)) for tau in taus
        ]
        s[r] *= T / sum(agreements)
    return u @ np.diag(s) @ v


def svc(taus):
    return calibrate(sum(taus), taus, 0.1)


def svc_tsv_m(taus):
    return calibrate(tsv_m(taus), taus, 1.0)


def knots(taus, density=1.0):
    u, s, v = svd(np.concatenate(taus, 1))
    keep = s > 1e-5
    u, sv = u[:, keep], s[keep, None] * v[keep]
    parts = np.split(sv, T, 1)
    count = int(density * parts[0].size)
    trimmed = []
    for part in parts:
        least = np.sort(np.abs(part).ravel())[part.size - count]
        trimmed.append(np.where(np.abs(part) >= least, part, 0))
    stacked = np.stack(trimmed)
    sign = np.where(stacked.sum(0) >= 0, 1, -1)
    agrees = stacked * sign > 0
    return u @ ((stacked * agrees).sum(0) / np.maximum(agrees.sum(0), 1))


def knots_half(taus):
    return knots(taus, 0.5)


def wudi(taus, iterations=300, rate=1e-5):
    """Adam on the loss as it is written, its gradient by the chain rule over each network."""
    x = sum(taus)
    m, v = np.zeros_like(x), np.zeros_like(x)
    for step in range(1, iterations + 1):
        g = sum(2 * ((x - tau) @ tau.T) @ tau / np.sum(tau**2) for tau in taus)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        x = x - rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    return x


def wudi_fast(taus):
    return wudi(taus, 40, 1e-3)


def merge(rule):
    merged = {}
    for name, start in base.items():
        taus = [network[name] - start for network in networks]
        merged[name] = start + (rule(taus) if start.ndim == 2 else sum(taus) / T)
    return merged


def plain(tensors):
    return {name: x.ravel().tolist() for name, x in tensors.items()}


RULES = [iso_c, iso_cts, tsv_m, svc, svc_tsv_m, knots, knots_half, wudi, wudi_fast]
golden = {
    "shapes": SHAPES,
    "base": plain(base),
    "networks": [plain(network) for network in networks],
    "merged": {rule.__name__: plain(merge(rule)) for rule in RULES},
}
path = os.path.join(os.path.dirname(__file__), "../../packages/merging/test/golden/matrix-merges.json")
os.makedirs(os.path.dirname(path), exist_ok=True)
with open(path, "w") as file:
    json.dump(golden, file)
    file.write("\n")
