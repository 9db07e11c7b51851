"""Writes packages/zoo/test/golden/unets.json.golden: what tiny U-Nets of diffusers compute, from the configs that describe them.

Each model is made by diffusers from a config; its weights are replaced by closed formulas of the index of an element, evaluated in f64
and rounded to f32, in the order of their names, as model-families.py does. models.test.ts evaluates the same formulas. "saved" is the
config as this version of diffusers writes it.

Prints what remains of images by a few schedules of DDPMScheduler, which noise-objective.test.ts expects.

Made with diffusers 0.42.1 and torch 2.15.0 on a CPU: python tools/golden/unets.py
"""

import json
import math
from pathlib import Path

import torch
from diffusers import DDPMScheduler, UNet2DConditionModel, UNet2DModel

FILE = Path(__file__).parents[2] / "packages/zoo/test/golden/unets.json.golden"
EXAMPLES, TOKENS, SIDE = 2, 77, 4
STEPS = torch.tensor([3, 700])


def waves(shape, seed, scale, offset=0.0):
    """offset + scale * sin(0.01 (i + 1)^2 + seed), row-major; see test/helpers/waves.ts"""
    values = [offset + scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(math.prod(shape))]
    return torch.tensor(values, dtype=torch.float64).to(torch.float32).reshape(shape)


def filled(state):
    weights = {}
    for index, name in enumerate(sorted(state)):
        shape = list(state[name].shape)
        if len(shape) == 1:
            weights[name] = waves(shape, index + 1, 0.3, 1.0 if name.endswith("weight") else 0.0)
        else:
            weights[name] = waves(shape, index + 1, math.sqrt(2 / math.prod(shape[1:])))
    return weights


PLAIN = {
    "_class_name": "UNet2DModel",
    "sample_size": SIDE,
    "in_channels": 2,
    "out_channels": 2,
    "layers_per_block": 1,
    "block_out_channels": [8, 16],
    "norm_num_groups": 4,
    "attention_head_dim": 4,
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
    "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
}
TEXT = {
    "_class_name": "UNet2DConditionModel",
    "sample_size": SIDE,
    "in_channels": 2,
    "out_channels": 2,
    "layers_per_block": 1,
    "block_out_channels": [8, 16],
    "norm_num_groups": 4,
    "attention_head_dim": 2,
    "cross_attention_dim": 6,
    "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
}
CASES = {
    "UNet2DModel": PLAIN,
    "UNet2DModel, as of DDPM, with classes": {
        **PLAIN,
        "num_class_embeds": 3,
        "flip_sin_to_cos": False,
        "freq_shift": 1,
        "downsample_padding": 0,
        "center_input_sample": True,
        "act_fn": "gelu",
        "mid_block_scale_factor": 2,
        "attention_head_dim": None,
    },
    "UNet2DConditionModel": TEXT,
    "UNet2DConditionModel, XL": {
        **TEXT,
        "attention_head_dim": [2, 4],
        "transformer_layers_per_block": [1, 2],
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 4,
        "projection_class_embeddings_input_dim": 29,
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
    },
}


def inputs_of(config):
    inputs = {"sample": waves([EXAMPLES, 2, SIDE, SIDE], 0, 1.5), "timestep": STEPS}
    if config.get("num_class_embeds"):
        inputs["class_labels"] = torch.tensor([(7 * i + 3) % config["num_class_embeds"] for i in range(EXAMPLES)])
    if config["_class_name"] == "UNet2DConditionModel":
        inputs["encoder_hidden_states"] = waves([EXAMPLES, TOKENS, config["cross_attention_dim"]], 0, 1.5)
    if config.get("addition_embed_type"):
        ids = 6
        pooled = config["projection_class_embeddings_input_dim"] - ids * config["addition_time_embed_dim"]
        inputs["added_cond_kwargs"] = {
            "text_embeds": waves([EXAMPLES, pooled], 0, 1.5),
            "time_ids": waves([EXAMPLES, ids], 0, 1.5),
        }
    return inputs


def run(config):
    model_class = UNet2DModel if config["_class_name"] == "UNet2DModel" else UNet2DConditionModel
    model = model_class.from_config(config).eval()
    state = model.state_dict()
    model.load_state_dict(filled(state))
    with torch.no_grad():
        output = model(**inputs_of(config), return_dict=False)[0].double()
    saved = json.loads(model.to_json_string())
    return {
        "config": config,
        "saved": {key: value for key, value in saved.items() if key != "_diffusers_version"},
        "tensors": {name: list(tensor.shape) for name, tensor in state.items()},
        "idle": {},
        "outputs": {"out_sample": [float(f"{v:.7g}") for v in output.flatten()]},
    }


FILE.write_text(json.dumps({name: run(config) for name, config in CASES.items()}) + "\n")
for fields in [
    {},
    {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012},
    {"beta_schedule": "squaredcos_cap_v2"},
    {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "rescale_betas_zero_snr": True},
]:
    print(fields, DDPMScheduler(**fields).alphas_cumprod[[0, 3, 700, 999]].tolist())
