"""Writes packages/merging/test/golden/author-merges.json: merges by the code of the methods' authors, in f64.

    python tools/golden/author-merges.py FOLDER

FOLDER holds clones of github.com/JH-GEECS/CART, github.com/harveyhuang18/EMR_Merging, github.com/duguodong7/pcb-merging
and github.com/Sphere-AI-Lab/OrthoMerge under their names. Their functions are taken out of their scripts, which
would load models otherwise, and are given one tensor of matrix-merges.json at a time.
"""
import ast
import json
import os
import sys
import types
from copy import deepcopy

import numpy as np
import torch

FOLDER = sys.argv[1]
GOLDEN = os.path.join(os.path.dirname(__file__), "../../packages/merging/test/golden")
# The scripts compute in f32 whatever they are given.
torch.Tensor.float = torch.Tensor.double


def take(path, names, **scope):
    """Defines functions of a script, or of a class in it, without running the script."""
    with open(os.path.join(FOLDER, path)) as file:
        tree = ast.parse(file.read())
    found = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in names]
    scope = {"torch": torch, "np": np, "deepcopy": deepcopy, **scope}
    for node in found:
        node.decorator_list = []
    future = ast.ImportFrom(module="__future__", names=[ast.alias("annotations")], level=0)
    module = ast.fix_missing_locations(ast.Module(body=[future, *found], type_ignores=[]))
    exec(compile(module, path, "exec"), scope)
    return types.SimpleNamespace(**{name: scope[name] for name in names})


def cart(ratio, prior):
    vectors = take("CART/src/models/task_vectors.py", ["TaskVector"]).TaskVector
    code = take(
        "CART/src/merging.py",
        ["_get_truncated_task_vectors", "_get_origin", "_merge_weights"],
        TaskVector=vectors, CPU_DEVICE="cpu", tqdm=lambda items, **_: items,
    )

    def run(start, taus):
        # Only weights of attention and of perceptrons are of reduced rank there.
        key = "mlp.weight" if start.ndim == 2 else "mlp.bias"
        self = types.SimpleNamespace(
            config=types.SimpleNamespace(prior=prior, initial_rank_ratio=ratio, tasks=taus),
            task_vectors=[vectors(vector={key: tau}) for tau in taus],
            pretrained_model=types.SimpleNamespace(state_dict=lambda: {key: start.clone()}),
            device="cpu",
        )
        for name in ("_get_truncated_task_vectors", "_get_origin"):
            setattr(self, name, types.MethodType(getattr(code, name), self))
        code._merge_weights(self, "CART")
        return self._merged_state_dict[key]

    return run


def emr(task):
    code = take("EMR_Merging/merge_vit/src/main_emr_merging.py", ["emr_merge"])

    def run(start, taus):
        shared, masks, rescalers = code.emr_merge([types.SimpleNamespace(vector={"w": tau}) for tau in taus])
        return start + shared["w"] * masks["w"][task] * rescalers[task].item()

    return run


def pcb(ratio, clip, weights, lam):
    path = "pcb-merging/pcb-merging.py"
    code = take(path, ["normalize", "clamp", "act", "PCB_merge"])
    # The share that is clipped stands in the code.
    scope = code.PCB_merge.__globals__
    scope["clamp"] = lambda x, low=0, high=0, *, min_ratio=None, max_ratio=None: (
        code.clamp(x, low, high) if min_ratio is None else code.clamp(x, clip, clip)
    )

    def run(start, taus):
        _, changes, scale = code.PCB_merge(torch.stack([tau.reshape(-1) for tau in taus]), ratio)
        weighted = changes * torch.tensor(weights, dtype=torch.float64).unsqueeze(1)
        merged = torch.sum(weighted * scale, dim=0) / torch.clamp(torch.sum(scale, dim=0), min=1e-12)
        return start + lam * merged.view_as(start)

    return run


def ortho(conflicts):
    names = ["orthogonal_procrustes_torch_right", "cayley_to_skew", "cayley_from_skew", "merge_cayley_Q_list"]
    code = take("OrthoMerge/merge/OrthoMerge_C_TA.py", names, List=list, Tuple=tuple)

    def run(start, taus):
        mean = sum(taus) / len(taus)
        if start.ndim != 2:
            return start + mean
        skews = []
        for tau in taus:
            similarity = torch.nn.functional.cosine_similarity(tau, mean, dim=1, eps=1e-6).unsqueeze(1)
            target = start + (tau * (similarity < 0) if conflicts else tau)
            if start.shape[0] >= start.shape[1]:
                rotation = code.orthogonal_procrustes_torch_right(target, start)
            else:
                # Theirs depends on the arbitrary singular vectors of zero; this is the limit of ours.
                overlap = start.T @ target
                u, s, v = np.linalg.svd(overlap.numpy())
                rank = start.shape[0]
                u0, _, v0 = np.linalg.svd(u[:, rank:].T @ v[rank:].T)
                rotation = torch.tensor(u[:, :rank] @ v[:rank] + u[:, rank:] @ u0 @ v0 @ v[rank:])
            skews.append(code.cayley_to_skew(rotation))
        rests = [start + tau - start @ code.cayley_from_skew(skew) for tau, skew in zip(taus, skews)]
        return start @ code.cayley_from_skew(code.merge_cayley_Q_list(skews)) + sum(rests) / len(taus)

    return run


with open(os.path.join(GOLDEN, "matrix-merges.json")) as file:
    given = json.load(file)
read = lambda tensors, name: torch.tensor(tensors[name], dtype=torch.float64).reshape(given["shapes"][name])
CASES = [
    ("cart", {"rank_ratio": 0.3, "lambda": 0.7}, cart(0.3, 0.7)),
    ("emr", {"task": 0}, emr(0)),
    ("emr", {"task": 2}, emr(2)),
    ("pcb", {"density": 0.3, "clip": 0.1, "weight": [1, 0.9, 1.3], "lambda": 1.2}, pcb(0.3, 0.1, [1, 0.9, 1.3], 1.2)),
    ("pcb", {"density": 0.5, "clip": 0}, pcb(0.5, 0, [1, 1, 1], 1.2)),
    ("ortho_merge", {}, ortho(False)),
    ("ortho_merge", {"rotate": "conflicts"}, ortho(True)),
]
golden = []
for method, parameters, run in CASES:
    merged = {}
    for name in ("wide.weight", "tall.weight", "bias"):
        start = read(given["base"], name)
        result = run(start, [read(network, name) - start for network in given["networks"]])
        merged[name] = [float(f"{x:.7g}") for x in result.reshape(-1).tolist()]
    golden.append({"method": method, "parameters": parameters, "merged": merged})
with open(os.path.join(GOLDEN, "author-merges.json"), "w") as file:
    json.dump(golden, file)
