"""Writes golden routers that are realigned after a merge, for @isthmus/mixtures.

    python tools/golden/realigned-routers.py path/to/HARC

HARC is https://github.com/huangcb01/HARC at commit 32189c8. Its own functions compute the products and the
conjugate gradients, cut out of `src/merge_method/router_calibration_cg.py`, as the file imports classes of an older
transformers. A dense solution in numpy stands beside them. Needs torch and numpy.
"""

import ast
import json
import sys
import types
from pathlib import Path
from typing import Any, Callable

import numpy as np
import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "packages/mixtures/test/golden/realigned-routers.json"
EXPERTS, WIDTH = 3, 4


def cut_out(path: Path, names: list[str]) -> dict[str, Any]:
    """Runs the definitions of some functions of a file."""
    tree = ast.parse(path.read_text())
    wanted = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in names]
    logger = types.SimpleNamespace(info=lambda *_: None, warning=lambda *_: None)
    scope: dict[str, Any] = {"torch": torch, "Tensor": Tensor, "Callable": Callable, "logger": logger}
    exec(compile(ast.Module(wanted, []), str(path), "exec"), scope)
    return scope


def authors(harc, merged, routers, states, regularization: float) -> np.ndarray:
    """The router that the authors' code finds, as `merge_router_weights_with_calibration` calls it."""

    def product(w=None):
        total = torch.zeros(EXPERTS * WIDTH, dtype=torch.float64)
        for i, router in enumerate(routers):
            target = router if w is None else w.view(EXPERTS, WIDTH)
            sigma, diagonal = harc["_compute_sigma_w_worker"](i, router, target)
            sigma, diagonal = sigma / len(states[i]), diagonal / len(states[i])
            total += regularization * sigma + (1 - regularization) * diagonal * target.reshape(-1)
        return total

    harc["ctx"] = types.SimpleNamespace(device="cpu", hidden_state_tensors=[[x] for x in states])
    solve = harc["_conjugate_gradient"]
    return solve(product, product(), merged.reshape(-1), None, 1000, 1e-12).numpy()


def dense(routers, states, regularization: float, probabilities: str) -> np.ndarray:
    """The same router from the matrices themselves."""
    size = EXPERTS * WIDTH
    left, right = np.zeros((size, size)), np.zeros(size)
    for router, x in zip(routers, states):
        z = x @ router.T
        p = np.exp(z) / np.exp(z).sum(1, keepdims=True) if probabilities == "softmax" else 1 / (1 + np.exp(-z))
        matrix = np.zeros((size, size))
        for row, share in zip(x, p):
            h = np.diag(share) - np.outer(share, share) if probabilities == "softmax" else np.diag(share * (1 - share))
            matrix += np.kron(h, np.outer(row, row)) / len(x)
        matrix = regularization * matrix + (1 - regularization) * np.diag(np.diag(matrix))
        left, right = left + matrix, right + matrix @ router.reshape(-1)
    return np.linalg.solve(left, right)


def main() -> None:
    harc = cut_out(
        Path(sys.argv[1]) / "src/merge_method/router_calibration_cg.py",
        ["_compute_sigma_w_worker", "_conjugate_gradient"],
    )
    random = np.random.default_rng(0)
    # Rounded, so that the file is small and reads as the same numbers in f32.
    draw = lambda *shape: np.round(random.normal(size=shape) * 64) / 64
    states = [draw(11, WIDTH), draw(7, WIDTH)]
    routers = [draw(EXPERTS, WIDTH), draw(EXPERTS, WIDTH)]
    merged = (routers[0] + routers[1]) / 2
    cases = []
    for probabilities, regularization in [("softmax", 0.9), ("softmax", 0.5), ("softmax", 0.0), ("sigmoid", 0.9)]:
        solution = dense(routers, states, regularization, probabilities)
        if probabilities == "softmax":
            theirs = authors(
                harc,
                torch.tensor(merged),
                [torch.tensor(router) for router in routers],
                [torch.tensor(x) for x in states],
                regularization,
            )
            error = np.abs(theirs - solution).max()
            # Their iteration ends where curvature is below 1e-14, whatever the size of the numbers.
            assert error < 1e-5, error
        cases.append(
            {"probabilities": probabilities, "regularization": regularization, "rows": [round(x, 9) for x in solution]}
        )
    golden = {
        "experts": EXPERTS,
        "merged": merged.reshape(-1).tolist(),
        "parents": [
            {"rows": router.reshape(-1).tolist(), "states": x.reshape(-1).tolist()}
            for router, x in zip(routers, states)
        ],
        "cases": cases,
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(golden) + "\n")


main()
