"""Times mergekit 0.1.5 on the files that packages/merging/bench/methods.bench.ts writes.

    python tools/golden/mergekit-bench.py FOLDER [METHOD...]

Reads the networks, merges their one tensor and writes the result, as the benchmark does. Standard output: one JSON object
for each method.
"""

import json
import os
import sys
import time

import torch
from mergekit.merge_methods import get, merge_tensors
from safetensors.torch import load_file, save_file

folder = sys.argv[1]
METHODS = sys.argv[2:] or (
    "task_arithmetic ties dare_linear dare_ties breadcrumbs breadcrumbs_ties della della_linear "
    "model_stock sce nearswap ram ramplus_tl arcee_fusion".split()
)
SINGLE = {"nearswap", "arcee_fusion"}
NETWORK = {"weight": 0.5, "density": 0.5, "gamma": 0.01, "epsilon": 0.1}
SHARED = {"t": 0.001, "select_topk": 0.5}


def path(name):
    return os.path.join(folder, f"{name}.safetensors")


for method in METHODS:
    names = ["base", "first"] if method in SINGLE else ["base", "first", "second"]
    known = {spec.name for spec in get(method).spec.parameters}
    parameters = {key: value for key, value in SHARED.items() if key in known}
    if not method.startswith("ram"):
        for key, value in NETWORK.items():
            if key in known:
                parameters[key] = {name: value for name in names[1:]}
    begin, before = time.perf_counter(), time.process_time()
    tensors = [load_file(path(name))["w"] for name in names]
    with torch.no_grad():
        merged = merge_tensors(tensors, method, parameters=parameters, ids=names, base_index=0)
    save_file({"w": merged}, path("mergekit"))
    seconds, cpu = time.perf_counter() - begin, time.process_time() - before
    os.remove(path("mergekit"))
    print(json.dumps({"method": method, "mergekitMs": round(1000 * seconds), "mergekitCpuMs": round(1000 * cpu)}), flush=True)
