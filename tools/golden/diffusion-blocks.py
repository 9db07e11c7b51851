"""Writes packages/recipe/test/golden/diffusion-blocks.json: in which block supermerger counts tensors of diffusion models.

    pip install sd-mecha==1.1.8 diffusers && python tools/golden/diffusion-blocks.py SUPERMERGER_CLONE
    npx biome format --write packages/recipe/test/golden

For each kind of model: names of one or two tensors of each block in the original layout (from the lists of sd-mecha), and as
diffusers names the same tensors (by its own converters, which are given tensors that hold their number). `blockfromkey` of supermerger's
scripts/mergers/mergers.py is run for the original names; for Stable Diffusion 3, which it does not know, the number in the name counts.
A tensor of diffusers is in the block of the tensor that it is made from. packages/recipe/test/golden/diffusion-vae.json has names of
tensors of an autoencoder in diffusers and in the original program, and their numbers of axes in diffusers.
"""
import ast
import json
import os
import re
import sys

import torch
import yaml
import sd_mecha
from diffusers.loaders import single_file_utils as converters

source = open(os.path.join(sys.argv[1], "scripts/mergers/mergers.py")).read()
wanted = [n for n in ast.parse(source).body if getattr(n, "name", "") == "blockfromkey" or "BLOCKID" in ast.unparse(n)[:7]]
scope = {"re": re}
exec(compile(ast.Module(wanted, []), "mergers", "exec"), scope)

PREFIX = "model.diffusion_model."
CONFIGS = os.path.join(os.path.dirname(sd_mecha.__file__), "extensions/builtin/model_configs")


def theirs(name, kind):
    if kind == "sd3":
        found = re.search(r"joint_blocks\.(\d+)", name)
        return f"J{int(found[1]):02}" if found else "BASE"
    block = scope["blockfromkey"](name, kind == "sdxl", kind == "flux")
    return block if isinstance(block, str) else block[1]


def convert(kind, shapes):
    """Returns the names of the tensors in diffusers, each with the original that it is made from."""
    names = list(shapes)
    given = {
        name: torch.full([shapes[name][0], *([1] * (len(shapes[name]) > 1))], float(i)) for i, name in enumerate(names)
    }
    if kind in ("sd1", "sdxl"):
        config = {"layers_per_block": 2, "addition_embed_type": "text_time", "class_embed_type": None}
        config["addition_embed_type"] = "text_time" if kind == "sdxl" else None
        made = converters.convert_ldm_unet_checkpoint(given, config)
    elif kind == "sd3":
        made = converters.convert_sd3_transformer_checkpoint_to_diffusers(given)
    else:
        made = converters.convert_flux_transformer_checkpoint_to_diffusers(given)
    return {name: names[int(tensor.flatten()[0])] for name, tensor in made.items()}


def shapes_of(file):
    components = yaml.safe_load(open(os.path.join(CONFIGS, f"{file}.yaml")))["components"]
    return {name: info["shape"] for part in components.values() for name, info in part.items()}


result = {}
for kind, file in [("sd1", "sd1-ldm"), ("sdxl", "sdxl-sgm"), ("sd3", "sd3-comfyui"), ("flux", "flux-flux")]:
    shapes = shapes_of(file)
    original = {}
    for name in shapes:
        if name.endswith((".weight", ".bias", ".scale")) and not (kind != "sdxl" and name.startswith("first_stage")):
            original.setdefault(theirs(name, kind), []).append(name)
    denoiser = {name: shapes[name] for name in shapes if name.startswith(PREFIX)}
    diffusers = {}
    for name, made_from in convert(kind, denoiser).items():
        diffusers.setdefault(theirs(made_from, kind), []).append(name)
    pick = lambda names: sorted({names[0], names[-1]}) if kind in ("sd1", "sdxl") else names[:1]
    result[kind] = {
        "original": {block: pick(names) for block, names in original.items() if block != "Not Merge"},
        "diffusers": {block: pick(names) for block, names in diffusers.items()},
    }
    if len(sys.argv) > 2:  # all names, to look at by hand
        json.dump({"original": original, "diffusers": diffusers}, open(f"{sys.argv[2]}/{kind}.json", "w"))

folder = os.path.join(os.path.dirname(__file__), "../../packages/recipe/test/golden")
with open(os.path.join(folder, "diffusion-blocks.json"), "w") as file:
    json.dump(result, file, indent=0)
    file.write("\n")

PREFIX_OF_VAE = "first_stage_model."
vae = {name: shape for name, shape in shapes_of("sdxl-sgm").items() if name.startswith(PREFIX_OF_VAE)}
given = {name: torch.full([shape[0], *shape[1:2], *([1] * len(shape[2:]))], float(i)) for i, (name, shape) in enumerate(vae.items())}
made = converters.convert_ldm_vae_checkpoint(given, {"down_block_types": [0] * 4, "up_block_types": [0] * 4})
pairs = [[name, list(vae)[int(tensor.flatten()[0])][len(PREFIX_OF_VAE) :], tensor.dim()] for name, tensor in made.items()]
if len(sys.argv) > 2:
    json.dump(pairs, open(f"{sys.argv[2]}/vae.json", "w"))
attention = [pair for pair in pairs if "attentions" in pair[0]]
chosen = [pair for pair in pairs[::5] if pair not in attention] + attention
with open(os.path.join(folder, "diffusion-vae.json"), "w") as file:
    json.dump(chosen, file, indent=0)
    file.write("\n")
