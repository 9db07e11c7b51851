# Makes packages/sparsity/test/golden/pruning.json: masks by torch.nn.utils.prune (global_unstructured and
# l1_unstructured) and weights by torch.fake_quantize_per_channel_affine and per_tensor_affine, of PyTorch 2.
# python pruning.py > FILE && npx biome format --write FILE
#
# Weights are waves, as test/helpers/waves.ts has them. Scales are the largest magnitudes over 127 or 7,
# rounded to 17 bits.
import json
import math
import sys

import numpy as np
import torch
from torch import nn
from torch.nn.utils import prune

SHAPES = {"a.weight": (5, 7), "b.weight": (3, 5), "c.weight": (4, 3, 2, 2)}


def waves(shape, seed):
    values = [math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(math.prod(shape))]
    return torch.tensor(np.array(values).astype(np.float32)).reshape(shape)


def modules():
    made = {}
    for seed, (name, shape) in enumerate(SHAPES.items()):
        module = nn.Module()
        module.weight = nn.Parameter(waves(shape, seed))
        made[name] = module
    return made


def masks_of(made):
    return {name: "".join(str(int(x)) for x in module.weight_mask.flatten()) for name, module in made.items()}


def pruned(sparsity):
    whole = modules()
    prune.global_unstructured(
        [(module, "weight") for module in whole.values()], pruning_method=prune.L1Unstructured, amount=sparsity
    )
    layers = modules()
    for module in layers.values():
        prune.l1_unstructured(module, "weight", amount=sparsity)
    return {"sparsity": sparsity, "global": masks_of(whole), "layer": masks_of(layers)}


def scale_of(largest, levels):
    exact = largest / levels
    unit = 2.0 ** (math.floor(math.log2(exact)) - 16)
    return round(exact / unit) * unit


def quantized(bits):
    levels = 2 ** (bits - 1) - 1
    out = {"bits": bits, "channel": {}, "tensor": {}}
    for seed, (name, shape) in enumerate(SHAPES.items()):
        weight = waves(shape, seed)
        largest = weight.abs().reshape(shape[0], -1).max(1).values.tolist()
        scales = torch.tensor([scale_of(x, levels) for x in largest])
        zeros = torch.zeros(shape[0], dtype=torch.int32)
        channel = torch.fake_quantize_per_channel_affine(weight, scales, zeros, 0, -levels, levels)
        scale = scale_of(weight.abs().max().item(), levels)
        tensor = torch.fake_quantize_per_tensor_affine(weight, scale, 0, -levels, levels)
        out["channel"][name] = channel.flatten().tolist()
        out["tensor"][name] = tensor.flatten().tolist()
    return out


json.dump(
    {
        "shapes": {name: list(shape) for name, shape in SHAPES.items()},
        "pruned": [pruned(sparsity) for sparsity in (0.1, 0.5, 0.9)],
        "quantized": [quantized(bits) for bits in (8, 4)],
    },
    sys.stdout,
)
