"""Cycle-consistent matching by the algorithm of C2M3 (Crisostomi et al. 2024), in NumPy and SciPy, from its description.

Frank-Wolfe over all permutations of all networks at once: the objective is the sum over pairs of the inner products of
the weights in the universe; the oracle is linear_sum_assignment for each permutation of each network; the one step length
is found by fminbound (xtol 1e-3, at most 20 evaluations); it stops where a step gains less than 1e-6, relatively, or after
STEPS steps; the start is uniform with noise of 0.01, projected to doubly stochastic matrices; the end is rounded by
linear_sum_assignment. BLAS is of f32.

    python many-networks.py NETWORKS SEED OUT STEPS

NETWORKS.f32 has the raw arrays that NETWORKS.json lists: w0, [n, out, in], b0, [n, out], w1, ... of multilayer perceptrons.
OUT gets raw i32: for each network and hidden layer, the unit at each place of the universe. Prints one JSON object.
"""
import json
import resource
import sys
import time

import numpy as np
from scipy.optimize import fminbound, linear_sum_assignment

TOLERANCE = 1e-6


def sinkhorn(matrix, rounds=100):
    for _ in range(rounds):
        matrix = matrix / matrix.sum(axis=1, keepdims=True)
        matrix = matrix / matrix.sum(axis=0, keepdims=True)
    return matrix


def start(n, widths, random):
    return [
        [sinkhorn((1 / w + 0.01 * random.random((w, w)) / w).astype(np.float32)) for w in widths] for _ in range(n)
    ]


def in_universe(weights, biases, perms):
    """P_l W_l P_(l-1)' and P_l b_l of one network."""
    last = len(weights) - 1
    placed = []
    for layer, (w, b) in enumerate(zip(weights, biases)):
        if layer < last:
            w, b = perms[layer] @ w, perms[layer] @ b
        if layer > 0:
            w = w @ perms[layer - 1].T
        placed.append((w, b))
    return placed


def pairs(placed):
    """The sum over all pairs of inner products, as half of the norm of the sum less the norms."""
    total = 0.0
    for layer in range(len(placed[0])):
        for part in range(2):
            terms = [network[layer][part] for network in placed]
            s = sum(terms)
            total += 0.5 * float(np.vdot(s, s)) - 0.5 * sum(float(np.vdot(t, t)) for t in terms)
    return total


def gradients(weights, biases, perms, placed):
    """For each network and layer, the slope of the objective by its permutation."""
    n, layers = len(weights), len(weights[0])
    sums = [[sum(placed[i][layer][part] for i in range(n)) for part in range(2)] for layer in range(layers)]
    slopes = []
    for i in range(n):
        others = [[sums[layer][part] - placed[i][layer][part] for part in range(2)] for layer in range(layers)]
        own = []
        for layer in range(layers - 1):
            incoming = weights[i][layer] if layer == 0 else weights[i][layer] @ perms[i][layer - 1].T
            slope = others[layer][0] @ incoming.T + np.outer(others[layer][1], biases[i][layer])
            outgoing = weights[i][layer + 1]
            if layer + 1 < layers - 1:
                outgoing = perms[i][layer + 1] @ outgoing
            own.append(slope + others[layer + 1][0].T @ outgoing)
        slopes.append(own)
    return slopes


def vertex(matrix):
    rows, columns = linear_sum_assignment(matrix, maximize=True)
    permutation = np.zeros_like(matrix)
    permutation[rows, columns] = 1
    return permutation


def match(weights, biases, seed, most_steps):
    n, widths = len(weights), [w.shape[0] for w in weights[0][:-1]]
    perms = start(n, widths, np.random.default_rng(seed))
    place = lambda all_perms: [in_universe(w, b, p) for w, b, p in zip(weights, biases, all_perms)]
    placed = place(perms)
    objective = pairs(placed)
    steps = evaluations = 0
    for steps in range(1, most_steps + 1):
        slopes = gradients(weights, biases, perms, placed)
        ends = [[vertex(m) for m in own] for own in slopes]
        blend = lambda t: [
            [np.float32(1 - t) * p + np.float32(t) * e for p, e in zip(own, to)] for own, to in zip(perms, ends)
        ]

        def loss(t):
            nonlocal evaluations
            evaluations += 1
            return -pairs(place(blend(t)))

        t = fminbound(loss, 0, 1, xtol=1e-3, maxfun=20)
        perms = blend(t)
        placed = place(perms)
        after = pairs(placed)
        gain, objective = after - objective, after
        if gain < TOLERANCE * abs(after):
            break
    return [[linear_sum_assignment(p, maximize=True)[1] for p in own] for own in perms], steps, evaluations, objective


def main():
    source, seed, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    numbers = np.fromfile(f"{source}.f32", dtype=np.float32)
    data, begin = {}, 0
    with open(f"{source}.json", encoding="utf8") as listed:
        for entry in json.load(listed):
            size = int(np.prod(entry["shape"]))
            data[entry["name"]] = numbers[begin : begin + size].reshape(entry["shape"])
            begin += size
    layers, n = len(data) // 2, data["w0"].shape[0]
    weights = [[data[f"w{layer}"][i] for layer in range(layers)] for i in range(n)]
    biases = [[data[f"b{layer}"][i] for layer in range(layers)] for i in range(n)]
    usage = resource.getrusage(resource.RUSAGE_SELF)
    wall = time.perf_counter()
    choices, steps, evaluations, relaxed = match(weights, biases, seed, int(sys.argv[4]))
    wall = time.perf_counter() - wall
    now = resource.getrusage(resource.RUSAGE_SELF)
    cpu = now.ru_utime + now.ru_stime - usage.ru_utime - usage.ru_stime
    np.concatenate([choice for own in choices for choice in own]).astype("<i4").tofile(out)
    print(json.dumps({"wall": wall, "cpu": cpu, "steps": steps, "evaluations": evaluations, "relaxed": relaxed}))


main()
