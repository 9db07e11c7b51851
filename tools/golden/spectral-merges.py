"""Writes packages/merging/test/golden/spectral-merges.json: merges by the code of the authors of each method.

    python tools/golden/spectral-merges.py --actmat DIR --ace DIR --wudi DIR --dc DIR --esm DIR --smile DIR

Each DIR is a clone of a repository of GitHub, whose functions run in f64: marawangamal/actmat (42292c7),
unravel-xu/ACE-Merging (22d9dfe), apanariello4/merge-and-rebase (345c570), Tobeginwith/DC-Merge (3c443e4),
kiddo127/ESM (fc82fe7) and tanganke/fusion_bench (54c9e8c).
"""
import argparse
import ast
import importlib.util
import json
import os
import sys
import types

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
torch.Tensor.cuda = lambda self: self

options = argparse.ArgumentParser()
for name in ("actmat", "ace", "wudi", "dc", "esm", "smile"):
    options.add_argument(f"--{name}", required=True)
args = options.parse_args()

T = 3
RNG = np.random.default_rng(11)
SHAPES = {"wide.weight": (6, 9), "tall.weight": (9, 6), "mixed.weight": (6, 6), "thin.weight": (6, 20), "bias": (3,)}
# Sizes of the changes of the networks: "mixed" is heterogeneous to ACE.
SIZES = {"mixed.weight": (0.6, 0.05, 0.01)}
INPUTS = 40


def short(x, digits):
    return np.round(x, digits)


base = {name: short(RNG.normal(size=shape), 2) for name, shape in SHAPES.items()}
networks = [
    {name: short(base[name] + SIZES.get(name, (0.4, 0.3, 0.2))[i] * RNG.normal(size=shape), 4) for name, shape in SHAPES.items()}
    for i in range(T)
]
# Inputs of each layer on the data of each network, with directions of different sizes; the others have none.
inputs = [
    {
        name: short(RNG.normal(size=(INPUTS, shape[1])) * np.linspace(2, 0.2, shape[1]), 3)
        for name, shape in SHAPES.items()
        if name in ("wide.weight", "tall.weight")
    }
    for _ in range(T)
]
taus = [{name: torch.from_numpy(network[name] - base[name]) for name in SHAPES} for network in networks]


def load(path, stubs=()):
    """Imports one file of a repository, with stand-ins for modules that it imports and does not need here."""
    for stub in stubs:
        module = types.ModuleType(stub)
        module.__getattr__ = lambda name: None
        sys.modules[stub] = module
    spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def take(path, *names):
    """Takes functions or methods out of a file without running the rest of it."""
    with open(path) as file:
        tree = ast.parse(file.read())
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in names]
    scope = {"torch": torch, "Tensor": torch.Tensor, "nn": torch.nn, "Tuple": tuple}
    for node in found:
        node.returns = None
        for argument in node.args.args:
            argument.annotation = None
    exec(compile(ast.Module(found, []), path, "exec"), scope)
    return [scope[name] for name in names]


def stacked(rule):
    return {name: rule(torch.stack([tau[name] for tau in taus])) for name, shape in SHAPES.items() if len(shape) == 2}


def actmat():
    module = load(os.path.join(args.actmat, "src/merging.py"), ["src", "src.task_vectors"])
    return stacked(module.merge_actmat), stacked(lambda d: module.merge_tact(d, tact_k=0.5))


def ace():
    module = load(os.path.join(args.ace, "src/merge/strategy.py"))
    vectors = [types.SimpleNamespace(task_vector_param_dict=tau) for tau in taus]
    return module.MergeStrategy([name for name in SHAPES if name != "bias"], vectors, "cpu").ace_merging()


def wudi():
    sys.path.insert(0, os.path.join(args.wudi, "src"))
    from merge_and_rebase.merge.methods.functional.wudi import wudi_impl

    return stacked(lambda d: wudi_impl(list(d), torch.ones(T), {"work_dtype": "float64"}))


def dc(smoothing, density):
    """Runs the code for LoRA, whose rank is a number in the text, with the rank of each matrix."""
    path = os.path.join(args.dc, "vision_lora_merge/merging_functions.py")
    with open(path) as file:
        text = file.read()
    merged = {}
    for name, shape in SHAPES.items():
        if len(shape) != 2:
            continue
        scope = {}
        exec(compile(text.replace("low_rank_per_task = 16", f"low_rank_per_task = {min(shape) // T}"), path, "exec"), scope)
        keep = scope["keep_topk_percent"]
        scope["keep_topk_percent"] = lambda matrices, _: keep(matrices, density)
        merged |= scope["dc_merge"]({name: [tau[name] for tau in taus]}, smoothing_strategy=smoothing)
    return merged


def dc_whole(density):
    """Runs the code for whole networks, which does not smooth."""
    module = load(os.path.join(args.dc, "vision_fft_merge/src/utils/DC_utils.py"))
    keep = module.keep_topk_percent
    module.keep_topk_percent = lambda matrices, _: keep(matrices, density)
    config = types.SimpleNamespace(DATASETS=list(range(T)), device="cpu")
    return module.dc_merge([types.SimpleNamespace(vector=tau) for tau in taus], config)


def directions():
    (compute,) = take(os.path.join(args.esm, "ESM-ViT/essential_subspace_decomposition.py"), "_compute_esd")
    found = []
    for tau, xs in zip(taus, inputs):
        parts = {name: compute(torch.from_numpy(x) @ tau[name].T) for name, x in xs.items()}
        found.append({name: {"eigenvalues": part[0], "eigenvectors": part[1]} for name, part in parts.items()})
    return found


def esm():
    module = load(os.path.join(args.esm, "ESM-ViT/src/utils/esm_utils.py"))
    vectors = {i: types.SimpleNamespace(vector=tau) for i, tau in enumerate(taus)}
    config = types.SimpleNamespace(DATASETS=list(range(T)), device="cpu")
    merged = module.esm_merge(vectors, config, None, dict(enumerate(directions())))
    # Their final factor of 2 for layers with data is a part of the scale here.
    return {name: x / 2 if name in inputs[0] else x for name, x in merged.items()}


def esm_unscaled():
    """Runs the code for RoBERTa, which has neither scaling of networks nor of columns."""
    process, orthogonalize = take(
        os.path.join(args.esm, "ESM-RoBERTa/merge.py"), "_esm_process_2d_param", "_procrustes_orthogonalize"
    )
    owner = types.SimpleNamespace(
        merged_task_vector_norm=0, _procrustes_orthogonalize=lambda x: orthogonalize(None, x)
    )
    vectors = {i: types.SimpleNamespace(param_dict=tau) for i, tau in enumerate(taus)}
    found = dict(enumerate(directions()))
    return {
        name: process(owner, name, torch.zeros(SHAPES[name]), vectors, T, 1 / T, found, True, 1.0)
        for name in inputs[0]
    }


def projection(keep, k):
    """Runs the code of fusion_bench on the mean of the networks, as it takes one network."""
    path = os.path.join(args.smile, "fusion_bench/method/smile_upscaling/singular_projection_merging.py")
    svd, project = take(path, "svd", "projection_merge_linear")
    owner = types.SimpleNamespace(config=types.SimpleNamespace(full_matrices=keep == "high", rank=keep))
    merged = {}
    for name, shape in SHAPES.items():
        if len(shape) != 2:
            continue
        start = torch.from_numpy(base[name])
        layer = lambda weight: types.SimpleNamespace(weight=torch.nn.Parameter(weight, False), bias=None)
        mean = start + sum(tau[name] for tau in taus) / T
        merged[name] = project(owner, layer(start.clone()), layer(mean), k).weight.data - start
    return merged


def plain(tensors, digits):
    return {name: np.round(np.asarray(x), digits).ravel().tolist() for name, x in tensors.items()}


whole, trimmed = actmat()
merged = {
    "actmat": whole,
    "tact": trimmed,
    "ace": ace(),
    "wudi_closed_form": wudi(),
    "dc_merge": dc("avg", 1e-3),
    "dc_merge_dense": dc("avg", 0.4),
    "dc_merge_linear": dc("linear", 0.4),
    "dc_merge_whole": dc_whole(0.4),
    "esm": esm(),
    "esm_unscaled": esm_unscaled(),
    "singular_projection": projection("low", 2),
    "singular_projection_rest": projection("high", -1),
}
golden = {
    "shapes": SHAPES,
    "base": plain(base, 2),
    "networks": [plain(network, 4) for network in networks],
    "grams": [plain({name: x.T @ x for name, x in xs.items()}, 6) for xs in inputs],
    # Differences from the base.
    "merged": {rule: plain({k: v for k, v in tensors.items() if k != "bias"}, 10) for rule, tensors in merged.items()},
}
path = os.path.join(os.path.dirname(__file__), "../../packages/merging/test/golden/spectral-merges.json")
with open(path, "w") as file:
    json.dump(golden, file, separators=(",", ":"))
    file.write("\n")
