"""Writes packages/merging/test/golden/layouts.json: single files of diffusion models, and what diffusers makes of them.

    python tools/golden/diffusion-layouts.py DIFFUSERS

DIFFUSERS is a checkout of https://github.com/huggingface/diffusers, of which `scripts/convert_diffusers_to_original_*.py` are used. Made
with diffusers 0.42.1 and torch 2.15. Models have few channels, and the blocks of the real ones where names depend on their number. Names of
single files come from the scripts for Stable Diffusion 1 and XL; those of Flux and Stable Diffusion 3 are written out here, and
the converters of diffusers take every one of them. Number `j` of tensor `i`, in the order of the names, is `(10007 i + j) mod 2^24`.

`original` has names and shapes of the file: JSON of nested objects, packed by gzip, in base64. `parts` has for each folder of diffusers the
SHA-256 of its tensors in the order of their names, each as `NAME EXTENT,EXTENT\\n` and its numbers in f32. `kohya` has a LoRA of Flux under
the names of sd-scripts, and the products that diffusers' converter makes of it.
"""
import base64
import gzip
import hashlib
import importlib.util
import inspect
import json
import os
import sys

import torch
from diffusers import AutoencoderKL, FluxTransformer2DModel, SD3Transformer2DModel, UNet2DConditionModel
from diffusers.loaders import lora_conversion_utils as lora
from diffusers.loaders import single_file_utils as single
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

OUT = os.path.join(os.path.dirname(__file__), "../../packages/merging/test/golden/layouts.json")


def script(name):
    spec = importlib.util.spec_from_file_location(name, f"{sys.argv[1]}/scripts/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


XL = script("convert_diffusers_to_original_sdxl")
V1 = script("convert_diffusers_to_original_stable_diffusion")
UNET = dict(layers_per_block=2, norm_num_groups=2)


def prefixed(prefix, tensors):
    return {prefix + name: tensor for name, tensor in tensors.items()}


def vae(latents, has_quant):
    return AutoencoderKL(
        block_out_channels=(2, 4, 4, 4), layers_per_block=2, norm_num_groups=2, latent_channels=latents, use_quant_conv=has_quant,
        use_post_quant_conv=has_quant, down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4)


def clip(projection=None):
    config = dict(hidden_size=4, intermediate_size=8, num_hidden_layers=2, num_attention_heads=2, vocab_size=5, max_position_embeddings=6)
    model = CLIPTextModelWithProjection(CLIPTextConfig(**config, projection_dim=projection or 3, bos_token_id=0, eos_token_id=2))
    return {n: t for n, t in model.state_dict().items() if "position_ids" not in n and (projection or n != "text_projection.weight")}


def fill(tensors):
    return {
        name: ((torch.arange(tensors[name].numel(), dtype=torch.int64) + 10007 * i) % 2**24).float().reshape(tensors[name].shape)
        for i, name in enumerate(sorted(tensors))}


def digest(tensors):
    sha = hashlib.sha256()
    for name in sorted(tensors):
        sha.update(f"{name} {','.join(map(str, tensors[name].shape))}\n".encode())
        sha.update(tensors[name].contiguous().numpy().tobytes())
    return sha.hexdigest()


def tree(tensors):
    nested = {}
    for name, tensor in tensors.items():
        *words, last = name.split(".")
        place = nested
        for word in words:
            place = place.setdefault(word, {})
        place[last] = list(tensor.shape)
    return base64.b64encode(gzip.compress(json.dumps(nested, separators=(",", ":")).encode(), 9, mtime=0)).decode()


def linear(name, rows, columns):
    return {f"{name}.weight": torch.zeros(rows, columns), f"{name}.bias": torch.zeros(rows)}


FLUX_WIDTH = 8


def flux_linears(d=FLUX_WIDTH):
    rows = {}
    for i in range(2):
        for kind in ("img", "txt"):
            of = f"double_blocks.{i}.{kind}_"
            rows |= {of + "attn.qkv": (3 * d, d), of + "attn.proj": (d, d), of + "mod.lin": (6 * d, d)}
            rows |= {of + "mlp.0": (4 * d, d), of + "mlp.2": (d, 4 * d)}
    for i in range(3):
        of = f"single_blocks.{i}."
        rows |= {of + "linear1": (7 * d, d), of + "linear2": (d, 5 * d), of + "modulation.lin": (3 * d, d)}
    for name, columns in (("time_in", 16), ("vector_in", 5), ("guidance_in", 16)):
        rows |= {name + ".in_layer": (d, columns), name + ".out_layer": (d, d)}
    return rows | {"img_in": (d, 6), "txt_in": (d, 7), "final_layer.linear": (6, d), "final_layer.adaLN_modulation.1": (2 * d, d)}


def flux():
    tensors = {}
    for name, (rows, columns) in flux_linears().items():
        tensors |= linear(name, rows, columns)
    for block in ["double_blocks.%d.%s_attn" % (i, kind) for i in range(2) for kind in ("img", "txt")] + ["single_blocks.%d" % i for i in range(3)]:
        tensors |= {f"{block}.norm.{part}_norm.scale": torch.zeros(4) for part in ("query", "key")}
    return tensors


def stable_diffusion_3(d=8, blocks=3, dual=2):
    tensors = {"pos_embed": torch.zeros(1, 9, d), "x_embedder.proj.weight": torch.zeros(d, 4, 2, 2), "x_embedder.proj.bias": torch.zeros(d)}
    for name, columns in (("t_embedder", 16), ("y_embedder", 5)):
        tensors |= linear(name + ".mlp.0", d, columns) | linear(name + ".mlp.2", d, d)
    tensors |= linear("context_embedder", d, 7)
    tensors |= linear("final_layer.linear", 16, d) | linear("final_layer.adaLN_modulation.1", 2 * d, d)
    for i in range(blocks):
        for kind in ("x", "context"):
            of, is_last = f"joint_blocks.{i}.{kind}_block.", kind == "context" and i == blocks - 1
            attentions = ["attn", "attn2"] if kind == "x" and i < dual else ["attn"]
            for attention in attentions:
                tensors |= linear(f"{of}{attention}.qkv", 3 * d, d) | {f"{of}{attention}.ln_{p}.weight": torch.zeros(4) for p in "qk"}
                if not is_last:
                    tensors |= linear(f"{of}{attention}.proj", d, d)
            parts = 2 if is_last else 9 if len(attentions) == 2 else 6
            tensors |= linear(of + "adaLN_modulation.1", parts * d, d)
            if not is_last:
                tensors |= linear(of + "mlp.fc1", 4 * d, d) | linear(of + "mlp.fc2", d, 4 * d)
    return tensors


def convert_flux(tensors):
    # The converter has the number of channels of the published model in it.
    code = inspect.getsource(single.convert_flux_transformer_checkpoint_to_diffusers)
    scope = {"torch": torch}
    exec(code.replace("inner_dim = 3072", f"inner_dim = {FLUX_WIDTH}"), scope)
    return scope["convert_flux_transformer_checkpoint_to_diffusers"](tensors)


def open_clip(tensors):
    converted = XL.convert_openclip_text_enc_state_dict(tensors)
    return converted | {"text_projection": converted.pop("text_projection.weight").T.contiguous()}


def main(kind, convert):
    def run(tensors):
        own = {n: t for n, t in tensors.items() if n.startswith("model.diffusion_model.")}
        count = len(own)
        converted = convert(own)
        assert kind == "unet" or not own, f"{len(own)} of {count} names are not taken: {sorted(own)[:3]}"
        return converted
    return run


def text(prefix):
    return lambda tensors: {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def text_of_open_clip(prefix):
    return lambda tensors: single.convert_open_clip_checkpoint(CLIPTextModelWithProjection(CLIPTextConfig(hidden_size=4, num_attention_heads=2)), tensors, prefix)


def case(original, converters):
    tensors = fill(original)
    return {"original": tree(tensors), "parts": {folder: digest(convert(dict(tensors))) for folder, convert in converters.items()}}


def stable_diffusion(unet, source, texts, converters):
    coder = vae(4, True)
    original = prefixed("model.diffusion_model.", source.convert_unet_state_dict(unet.state_dict()))
    original |= prefixed("first_stage_model.", XL.convert_vae_state_dict(coder.state_dict())) | texts
    return case(original, {
        "unet": main("unet", lambda tensors: single.convert_ldm_unet_checkpoint(tensors, dict(unet.config))),
        "vae": lambda tensors: single.convert_ldm_vae_checkpoint(tensors, dict(coder.config)), **converters})


def transformer(original, convert, prefix):
    coder = vae(4, False)
    file = prefixed("model.diffusion_model.", original) | prefixed(prefix, XL.convert_vae_state_dict(coder.state_dict()))
    return case(file, {
        "transformer": main("transformer", convert), "vae": lambda tensors: single.convert_ldm_vae_checkpoint(tensors, dict(coder.config))})


def kohya():
    tensors, products = {}, {}
    for i, (name, (rows, columns)) in enumerate(flux_linears().items()):
        key = "lora_unet_" + name.replace(".", "_")
        tensors |= {key + ".lora_down.weight": torch.ones(1, columns), key + ".lora_up.weight": (torch.arange(rows) + 100.0 * i).reshape(rows, 1)}
    code = inspect.getsource(lora._convert_kohya_flux_lora_to_diffusers)
    scope = dict(vars(lora))
    exec(code.replace("[3072, 3072, 3072, 12288]", str([FLUX_WIDTH] * 3 + [4 * FLUX_WIDTH])), scope)
    converted = scope["_convert_kohya_flux_lora_to_diffusers"](dict(tensors))
    for name, up in converted.items():
        if name.endswith(".lora_B.weight"):
            # One number for each run of rows: its first row, and how many follow.
            rows = up.flatten().int().tolist()
            runs = [[rows[0], 1]]
            for row in rows[1:]:
                if row == sum(runs[-1]):
                    runs[-1][1] += 1
                else:
                    runs.append([row, 1])
            products[name.removesuffix(".lora_B.weight").removeprefix("transformer.")] = runs
    return {"shapes": {n: list(s) for n, s in flux_linears().items()}, "products": products}


cases = {
    "Stable Diffusion 1": stable_diffusion(
        UNet2DConditionModel(block_out_channels=(2, 4, 4, 4), cross_attention_dim=4, attention_head_dim=2, **UNET), V1,
        prefixed("cond_stage_model.transformer.", clip()), {"text_encoder": text("cond_stage_model.transformer.")}),
    "Stable Diffusion XL": stable_diffusion(
        UNet2DConditionModel(
            block_out_channels=(2, 4, 4), cross_attention_dim=4, attention_head_dim=2, transformer_layers_per_block=[1, 2, 3],
            down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
            up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"], use_linear_projection=True,
            addition_embed_type="text_time", addition_time_embed_dim=2, projection_class_embeddings_input_dim=6, **UNET), XL,
        prefixed("conditioner.embedders.0.transformer.", clip()) | prefixed("conditioner.embedders.1.model.", open_clip(clip(4))),
        {"text_encoder": text("conditioner.embedders.0.transformer."), "text_encoder_2": text_of_open_clip("conditioner.embedders.1.model.")}),
    "Stable Diffusion 3": transformer(stable_diffusion_3(), single.convert_sd3_transformer_checkpoint_to_diffusers, "first_stage_model."),
    "Flux": transformer(flux(), convert_flux, "vae."),
}
with open(OUT, "w") as file:
    json.dump({"cases": cases, "kohya": kohya()}, file, indent=1)
    file.write("\n")
