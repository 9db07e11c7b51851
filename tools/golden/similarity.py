# Makes packages/similarity/test/golden/similarity.json: similarities of matrices of activations, by NumPy
# 2.4.6 in f64, from the published formulas written out here and from no code of ours.
# python similarity.py > FILE && npx biome format --write FILE
#
# Matrices are waves, as test/helpers/waves.ts has them. ANCHORS are what createRandom(3, "anchors") draws.
# The minibatch CKA was also compared with torch_cka 0.21 (CKA.compare, batches of BLOCK), in f32, to 1e-5.
import json
import math
import sys

import numpy as np

SAMPLES, BLOCK, BANDWIDTH, NEIGHBOURS = 40, 10, 0.8, 5
ANCHORS = [1, 10, 13, 18, 19, 22, 23, 27, 30, 33, 34, 35]


def waves(shape, seed, scale):
    values = [scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(math.prod(shape))]
    return np.array(values).astype(np.float32).astype(np.float64).reshape(shape)


def hsic_biased(k, l):
    n = len(k)
    h = np.eye(n) - np.ones((n, n)) / n
    return np.trace(k @ h @ l @ h) / (n - 1) ** 2


def hsic_unbiased(k, l):
    """Song et al. 2012, equation 5."""
    n = len(k)
    k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))
    one = np.ones(n)
    means = (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2))
    return (np.trace(k @ l) + means - 2 / (n - 2) * (one @ k @ l @ one)) / (n * (n - 3))


def linear(x):
    return x @ x.T


def rbf(x):
    distances = np.sqrt(((x[:, None, :] - x[None, :, :]) ** 2).sum(-1))
    median = np.median(distances[np.triu_indices(len(x), 1)])
    return np.exp(-(distances**2) / (2 * (BANDWIDTH * median) ** 2))


def cka(x, y, kernel, hsic):
    k, l = kernel(x), kernel(y)
    return hsic(k, l) / math.sqrt(hsic(k, k) * hsic(l, l))


def minibatch_cka(x, y, kernel):
    """Nguyen et al. 2021, equation 2."""
    blocks = [(kernel(x[i : i + BLOCK]), kernel(y[i : i + BLOCK])) for i in range(0, len(x), BLOCK)]
    both, xs, ys = (
        np.mean([hsic_unbiased(pair[a], pair[b]) for pair in blocks]) for a, b in ((0, 1), (0, 0), (1, 1))
    )
    return both / math.sqrt(xs * ys)


def subspace(x, variance):
    """Left singular vectors of the centred samples, and the singular values, of a share of the variance."""
    u, s, _ = np.linalg.svd(x - x.mean(0), full_matrices=False)
    u, s = u[:, s > 1e-6 * s[0]], s[s > 1e-6 * s[0]]
    count = len(s) if variance == 1 else 1 + np.argmax(np.cumsum(s**2) >= variance * np.sum(s**2))
    return u[:, :count]


def svcca(x, y, variance):
    return np.linalg.svd(subspace(x, variance).T @ subspace(y, variance), compute_uv=False).mean()


def pwcca(x, y, variance):
    """Morcos et al. 2018, equation 3, on the directions of SVCCA."""
    u = subspace(x, variance)
    w, rho, _ = np.linalg.svd(u.T @ subspace(y, variance), full_matrices=False)
    alpha = np.abs((u @ w).T @ (x - x.mean(0))).sum(1)
    return (alpha * rho).sum() / alpha.sum()


def procrustes(x, y):
    """1 - d / 2 of the squared distance d of Ding et al. 2021, equation 4, by the rotation itself."""
    x, y = (z - z.mean(0) for z in (x, y))
    x, y = x / np.linalg.norm(x), y / np.linalg.norm(y)
    width = max(x.shape[1], y.shape[1])
    x, y = (np.pad(z, ((0, 0), (0, width - z.shape[1]))) for z in (x, y))
    u, _, v = np.linalg.svd(x.T @ y)
    return 1 - np.linalg.norm(x @ u @ v - y) ** 2 / 2


def relative(x, y):
    others = [i for i in range(SAMPLES) if i not in ANCHORS]

    def rows(z):
        z = z / np.linalg.norm(z, axis=1, keepdims=True)
        r = z[others] @ z[ANCHORS].T
        return r / np.linalg.norm(r, axis=1, keepdims=True)

    def nearest(r):
        cosines = r @ r.T
        np.fill_diagonal(cosines, -np.inf)
        return [set(np.argsort(-row)[:NEIGHBOURS]) for row in cosines]

    a, b = rows(x), rows(y)
    cosines = a @ b.T
    equal = np.diag(cosines)
    ranks = 1 + (cosines > equal[:, None]).sum(1)
    shared = [len(p & q) / len(p | q) for p, q in zip(nearest(a), nearest(b))]
    return {
        "relative-cosine": equal.mean(),
        "relative-mrr": (1 / ranks).mean(),
        "relative-jaccard": np.mean(shared),
    }


def numbers(x, y):
    return {
        "unbiased": {"linear-cka": cka(x, y, linear, hsic_unbiased), "rbf-cka": cka(x, y, rbf, hsic_unbiased)},
        "biased": {"linear-cka": cka(x, y, linear, hsic_biased), "rbf-cka": cka(x, y, rbf, hsic_biased)},
        "minibatch": {"linear-cka": minibatch_cka(x, y, linear), "rbf-cka": minibatch_cka(x, y, rbf)},
        "svcca": svcca(x, y, 0.99),
        "svccaOfAll": svcca(x, y, 1),
        "pwcca": pwcca(x, y, 0.99) if x.shape[1] <= len(x) and y.shape[1] <= len(y) else None,
        "procrustes": procrustes(x, y),
        "relative": relative(x, y),
    }


if __name__ == "__main__":
    mixing = waves([7, 11], 4, 1)
    x = waves([SAMPLES, 7], 1, 1.5) + 0.4
    matrices = {
        "x": x,
        "y": np.maximum(x @ mixing + 0.7 * waves([SAMPLES, 11], 2, 1), 0),
        "wide": np.tanh(x @ waves([7, 60], 3, 1)),
    }
    pairs = [("x", "y"), ("y", "x"), ("x", "wide"), ("wide", "y")]
    json.dump(
        {
            "anchors": ANCHORS,
            "pairs": [{"a": a, "b": b, **numbers(matrices[a], matrices[b])} for a, b in pairs],
        },
        sys.stdout,
    )
