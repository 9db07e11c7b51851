"""Writes packages/merging/test/golden/adapters/: LoRA adapters of a small network, and what PEFT makes of them.

    python tools/golden/peft-adapters.py

Made with peft 0.21.2, torch 2.15, transformers 5 (Conv1D); numbers are random, seeded, f32. `merged/NAME.safetensors` is
`merge_and_unload` of adapter NAME; `merged/COMBINATION.safetensors` is the same of `add_weighted_adapter`. `merged/combinations.json`
has two weights of further combinations, to save space: those that draw random numbers with a density of 1, which draws none.
"""
import json
import os
import shutil
import sys

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from torch import nn
from transformers.pytorch_utils import Conv1D

OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../../packages/merging/test/golden/adapters")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 6)
        self.layers = nn.ModuleList([nn.ModuleDict({"up": nn.Linear(6, 9), "down": nn.Linear(9, 6)}) for _ in range(2)])
        self.conv = nn.Conv2d(2, 4, 3)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.embed(x))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_attn = Conv1D(8, 5)

    def forward(self, x):
        return self.c_attn(x)


def base(kind=Net):
    torch.manual_seed(1)
    return kind().requires_grad_(False)


def adapter(name, seed, kind=Net, **settings):
    model = get_peft_model(base(kind), LoraConfig(**settings))
    torch.manual_seed(seed)
    for parameter_name, parameter in model.named_parameters():
        if "lora_magnitude" in parameter_name:
            parameter.data *= 1 + 0.3 * torch.rand_like(parameter)
        elif "lora_" in parameter_name or "modules_to_save" in parameter_name:
            parameter.data = 0.5 * torch.randn_like(parameter)
    model.save_pretrained(f"{OUT}/{name}")
    os.remove(f"{OUT}/{name}/README.md")
    merged = PeftModel.from_pretrained(base(kind), f"{OUT}/{name}").merge_and_unload()
    save(f"merged/{name}", merged)


def save(name, model):
    tensors = {key: value.contiguous() for key, value in model.state_dict().items()}
    save_file(tensors, f"{OUT}/{name}.safetensors")


def combined(adapters, weights, **settings):
    model = PeftModel.from_pretrained(base(), f"{OUT}/{adapters[0]}", adapter_name=adapters[0])
    for other in adapters[1:]:
        model.load_adapter(f"{OUT}/{other}", adapter_name=other)
    model.add_weighted_adapter(adapters, weights, "sum", **settings)
    model.set_adapter("sum")
    return model.merge_and_unload(adapter_names=["sum"])


def combine(name, adapters, weights, **settings):
    save(f"merged/{name}", combined(adapters, weights, **settings))


shutil.rmtree(OUT, ignore_errors=True)
os.makedirs(f"{OUT}/merged")
save("base", base())
save("gpt", base(Gpt))
both = dict(target_modules=["up", "down", "embed", "conv"])
adapter("plain", 2, r=2, lora_alpha=4, **both)
adapter("stabilized", 3, r=2, lora_alpha=3, use_rslora=True, **both)
adapter(
    "patterns", 4, r=3, lora_alpha=6, target_modules=["up", "down"],
    rank_pattern={"up": 2, r"layers\.1\.down": 4}, alpha_pattern={r"^layers\.0\.down": 5, "1.up": 7},
    modules_to_save=["head"],
)
adapter("dora", 5, r=2, lora_alpha=4, use_dora=True, target_modules=["up", "conv"])
adapter("biases", 6, r=2, lora_alpha=4, lora_bias=True, target_modules=["down"])
adapter("gpt2", 7, Gpt, r=2, lora_alpha=4, target_modules=["c_attn"], fan_in_fan_out=True)
adapter("small", 8, r=2, lora_alpha=2, target_modules=["up", "embed"])

combine("linear", ["plain", "stabilized"], [0.7, -0.4], combination_type="linear")
combine("linear_partial", ["plain", "small"], [1.0, 0.5], combination_type="linear")
combine("cat", ["plain", "stabilized"], [0.7, -0.4], combination_type="cat")
combine("svd", ["plain", "stabilized"], [0.7, 0.4], combination_type="svd")
combine("svd_3", ["plain", "stabilized"], [0.7, -0.4], combination_type="svd", svd_rank=3)
combine("ties", ["plain", "stabilized"], [0.7, 0.4], combination_type="ties", density=0.5)

FURTHER = {
    "ties_frequency": dict(combination_type="ties", density=0.5, majority_sign_method="frequency"),
    "ties_svd": dict(combination_type="ties_svd", density=0.5, svd_rank=3),
    "dare_ties": dict(combination_type="dare_ties", density=1.0),
    "dare_linear": dict(combination_type="dare_linear", density=1.0),
    "dare_ties_svd": dict(combination_type="dare_ties_svd", density=1.0, majority_sign_method="frequency"),
    "dare_linear_svd": dict(combination_type="dare_linear_svd", density=1.0),
    "magnitude_prune": dict(combination_type="magnitude_prune", density=0.4),
    "magnitude_prune_svd": dict(combination_type="magnitude_prune_svd", density=0.4),
}
TENSORS = ["layers.0.up.weight", "embed.weight"]
further = {}
for name, settings in FURTHER.items():
    state = combined(["plain", "stabilized", "small"], [0.7, -0.4, 0.5], **settings).state_dict()
    further[name] = {key: [round(x, 6) for x in state[key].flatten().tolist()] for key in TENSORS}
with open(f"{OUT}/merged/combinations.json", "w") as file:
    file.write("{\n" + ",\n".join(f'"{name}": {json.dumps(value)}' for name, value in further.items()) + "\n}\n")
