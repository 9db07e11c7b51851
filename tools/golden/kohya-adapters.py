"""Writes packages/merging/test/golden/adapters/files/: LoRA adapters in one file each, and what NumPy makes of them.

    python tools/golden/kohya-adapters.py

Made with numpy 2.4 and safetensors 0.8; numbers are random, seeded. `kohya-a` (rank 4, alpha 1, f32) and `kohya-b` (rank 3, alpha 6,
f16, without the text encoder) have the names of sd-scripts, `diffusers-a` and `diffusers-b` those of diffusers: `lora_A` and `lora_B`
with settings in the metadata, and `lora.down` and `lora.up`, whose scale is 1. `NAME.products` is `up @ down * alpha / rank` of each
module in f64, `sum` is .7 of a and -.4 of b, `best` the nearest matrices of rank 4 to `sum`, by numpy.linalg.svd. `network` is a
network with dotted names, `applied` the same with `kohya-a`.
"""
import json
import os
import sys

import numpy as np
from safetensors.numpy import save_file

OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../../packages/merging/test/golden/adapters/files")
ATTENTION, ENCODER, CONV = "down_blocks.0.attn.to_q", "encoder.layers.0.fc1", "mid_block.conv"
SHAPES = {ATTENTION: (12, 8), ENCODER: (10, 6), CONV: (7, 4, 3, 3)}


def factors(seed, rank, names):
    draw = np.random.default_rng(seed).standard_normal
    pairs = {}
    for name in names:
        out, *inner = SHAPES[name]
        ones = [1] * (len(inner) - 1)
        pairs[name] = (draw((out, rank, *ones)), draw((rank, *inner)))
    return pairs


def delta(up, down, scale):
    rank = down.shape[0]
    product = up.astype(np.float64).reshape(-1, rank) @ down.astype(np.float64).reshape(rank, -1)
    return (product * scale).reshape(up.shape[0], *down.shape[1:])


def write(name, tensors, metadata=None):
    save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, f"{OUT}/{name}.safetensors", metadata)


def kohya(name, seed, rank, alpha, dtype, names):
    tensors, products = {}, {}
    for module, (up, down) in factors(seed, rank, names).items():
        key = ("lora_te_" if module == ENCODER else "lora_unet_") + module.replace(".", "_")
        up, down = up.astype(dtype), down.astype(dtype)
        tensors.update({f"{key}.lora_up.weight": up, f"{key}.lora_down.weight": down, f"{key}.alpha": np.array(alpha, dtype)})
        products[key] = delta(up, down, alpha / rank)
    write(name, tensors, {"ss_network_dim": str(rank), "ss_network_alpha": str(alpha), "ss_base_model_version": "sd_v1"})
    return products


def diffusers(name, seed, rank, endings, settings=None):
    tensors, products = {}, {}
    down_end, up_end = endings
    for module, (up, down) in factors(seed, rank, [ATTENTION, CONV]).items():
        key = f"unet.{module}"
        up, down = up.astype(np.float32), down.astype(np.float32)
        tensors.update({key + up_end: up, key + down_end: down})
        alpha = rank if settings is None else settings["alpha_pattern"].get(module, settings["lora_alpha"])
        products[key] = delta(up, down, alpha / rank)
    packed = None if settings is None else {"lora_adapter_metadata": json.dumps({f"unet.{key}": value for key, value in settings.items()})}
    write(name, tensors, packed)
    return products


def merged(prefix, a, b):
    total = {}
    for weight, products in ((0.7, a), (-0.4, b)):
        for key, value in products.items():
            total[key] = total.get(key, 0) + weight * value
    best = {}
    for key, value in total.items():
        u, s, v = np.linalg.svd(value.reshape(value.shape[0], -1), full_matrices=False)
        best[key] = (u[:, :4] * s[:4] @ v[:4]).reshape(value.shape)
    write(f"{prefix}-sum", total)
    write(f"{prefix}-best", best)


os.makedirs(OUT, exist_ok=True)
a = kohya("kohya-a", 1, 4, 1.0, np.float32, [ATTENTION, ENCODER, CONV])
b = kohya("kohya-b", 2, 3, 6.0, np.float16, [ATTENTION, CONV])
merged("kohya", a, b)
settings = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "alpha_pattern": {ATTENTION: 2}}
merged(
    "diffusers",
    diffusers("diffusers-a", 3, 4, (".lora_A.weight", ".lora_B.weight"), settings),
    diffusers("diffusers-b", 4, 2, (".lora.down.weight", ".lora.up.weight")),
)
network = {f"{module}.weight": np.random.default_rng(5).standard_normal(shape) for module, shape in SHAPES.items()}
write("network", network)
prefixed = {"lora_te_" + ENCODER.replace(".", "_"): ENCODER}
prefixed.update({"lora_unet_" + module.replace(".", "_"): module for module in (ATTENTION, CONV)})
write("applied", {f"{module}.weight": network[f"{module}.weight"] + a[key] for key, module in prefixed.items()})
