"""Writes packages/merging/test/golden/adapters/kinds.json: adapters of LoHa, LoKr, OFT, BOFT, HRA, IA3, VeRA and trainable tokens with what
PEFT makes of them, and of LoHa, LoKr, LoCon, OFT, BOFT and IA3 with what LyCORIS makes of them.

    python tools/golden/adapter-kinds.py && npx biome format --write packages/merging/test/golden/adapters/kinds.json

Made with peft 0.21, lycoris-lora 4.1 and torch 2.15; numbers are random, seeded. Each case has the settings, the tensors as
`get_peft_model_state_dict` or LyCORIS names them, and the weights after `merge_and_unload` or `get_merged_weight`.
"""
import json
import os
import sys
import warnings

import torch
from peft import (
    BOFTConfig,
    HRAConfig,
    IA3Config,
    LoHaConfig,
    LoKrConfig,
    LoraConfig,
    OFTConfig,
    TrainableTokensConfig,
    VeraConfig,
    get_peft_model,
    get_peft_model_state_dict,
)
from peft.tuners.boft import layer as boft

warnings.filterwarnings("ignore")
OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../../packages/merging/test/golden/adapters/kinds.json")


def coarsen(value):
    """Rounds numbers to few digits, so that the file is small."""
    value.data.copy_((value.data * 64).round() / 64)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.fc = torch.nn.Linear(6, 4)
        self.conv = torch.nn.Conv2d(4, 6, 2)
        self.head = torch.nn.Linear(4, 8)
        self.tokens = torch.nn.Embedding(5, 3)
        for value in self.parameters():
            coarsen(value)

    def forward(self, x):
        return self.conv(x)


def numbers(state):
    return {name: {"shape": list(value.shape), "data": [float(f"{x:.7g}") for x in value.detach().float().flatten().tolist()]} for name, value in state.items()}


BASE = {name: value.clone() for name, value in Net().state_dict().items()}


def changed(state):
    """Leaves out weights that no adapter changes, so that the file is small."""
    return numbers({name: value for name, value in state.items() if not torch.equal(value, BASE[name])})


class BlockDiagonal:
    """What PEFT's kernel for CUDA computes, without which its BOFT has one stage."""

    @staticmethod
    def apply(blocks):
        return torch.stack([torch.block_diag(*stage) for stage in blocks])


def peft(config, stages=False):
    if stages:
        boft.get_fbd_cuda, boft.FastBlockDiag = (lambda: True), BlockDiagonal
    net = Net()
    model = get_peft_model(net, config)
    for name, value in model.named_parameters():
        if value.requires_grad:
            torch.nn.init.normal_(value, 1.0 if "ia3" in name or "boft_s" in name else 0.0, 0.3)
            coarsen(value)
    settings = {k: (sorted(v) if isinstance(v, set) else v) for k, v in model.peft_config["default"].to_dict().items()}
    kept = {k: settings[k] for k in (
        "peft_type", "r", "alpha", "rank_pattern", "alpha_pattern", "block_share", "coft", "eps", "use_cayley_neumann",
        "num_cayley_neumann_terms", "feedforward_modules", "fan_in_fan_out", "apply_GS", "lora_alpha",
        "token_indices", "trainable_token_indices", "use_rslora", "lora_bias") if settings.get(k) not in (None, {}, False)}
    if settings["peft_type"] == "OFT":
        kept["use_cayley_neumann"] = settings["use_cayley_neumann"]
    tensors = numbers(get_peft_model_state_dict(model))
    return {"settings": kept, "tensors": tensors, "merged": changed(model.merge_and_unload().state_dict())}


def lycoris(kind, linear, conv):
    from lycoris.modules.locon import LoConModule
    from lycoris.modules.loha import LohaModule
    from lycoris.modules.lokr import LokrModule

    net = Net()
    tensors, merged = {}, dict(net.state_dict())
    for name, options in (("fc", linear), ("conv", conv)):
        layer = getattr(net, name)
        module = {"LoCon": LoConModule, "LoHa": LohaModule, "LoKr": LokrModule}[kind](f"lora_unet_{name}", layer, 1.0, **options)
        for value in module.parameters():
            if value.requires_grad:
                torch.nn.init.normal_(value, 0.0, 0.5)
                coarsen(value)
        if getattr(module, "wd", False):
            module.dora_scale.data.copy_(module.dora_scale.data.abs() + 0.5)
        tensors.update({f"lora_unet_{name}.{k}": v for k, v in module.state_dict().items() if "org_" not in k})
        # The weight of the forward pass; `get_merged_weight` of LoKr multiplies by its scale twice in this version.
        diff = module.make_weight() if kind == "LoCon" else module.get_weight(layer.weight.shape)
        diff = diff.reshape(layer.weight.shape) * (module.scale if kind == "LoCon" else 1)
        weight = layer.weight + diff
        merged[f"{name}.weight"] = module.apply_weight_decompose(weight) if module.wd else weight
    return {"settings": None, "tensors": numbers(tensors), "merged": changed(merged)}


def lycoris_multiplied(module_class, names=("fc", "conv"), **options):
    net = Net()
    tensors, merged = {}, dict(net.state_dict())
    for name in names:
        layer = getattr(net, name)
        module = module_class(f"lora_unet_{name}", layer, 1.0, **options)
        for key, value in module.named_parameters():
            if value.requires_grad and "org_" not in key:
                torch.nn.init.normal_(value, 1.0 if key == "rescale" else 0.0, 0.25)
                coarsen(value)
        tensors.update({f"lora_unet_{name}.{k}": v for k, v in module.state_dict().items() if "org_" not in k})
        merged[f"{name}.weight"] = module.get_merged_weight()[0]
    return {"settings": None, "tensors": numbers(tensors), "merged": changed(merged)}


BOTH = ["fc", "conv"]
from lycoris.modules.boft import ButterflyOFTModule
from lycoris.modules.diag_oft import DiagOFTModule
from lycoris.modules.ia3 import IA3Module

cases = {
    "LoHa of PEFT": peft(LoHaConfig(r=2, alpha=3, target_modules=BOTH)),
    "LoHa of PEFT with cores": peft(LoHaConfig(r=2, alpha=3, target_modules=BOTH, use_effective_conv2d=True, rank_pattern={"fc": 3}, alpha_pattern={"fc": 1})),
    "LoKr of PEFT": peft(LoKrConfig(r=2, alpha=3, target_modules=BOTH, decompose_both=True, decompose_factor=2)),
    "LoKr of PEFT with whole factors": peft(LoKrConfig(r=8, alpha=3, target_modules=BOTH, use_effective_conv2d=True)),
    "LoKr of PEFT with a core": peft(LoKrConfig(r=1, alpha=3, target_modules=["conv"], use_effective_conv2d=True)),
    "OFT of PEFT": peft(OFTConfig(oft_block_size=3, r=0, target_modules=BOTH)),
    "OFT of PEFT by the exact inverse": peft(OFTConfig(oft_block_size=2, r=0, target_modules=BOTH, use_cayley_neumann=False)),
    "OFT of PEFT, shared and constrained": peft(OFTConfig(oft_block_size=3, r=0, target_modules=BOTH, block_share=True, coft=True, eps=0.1, num_cayley_neumann_terms=3)),
    "IA3 of PEFT": peft(IA3Config(target_modules=BOTH, feedforward_modules=[])),
    "IA3 of PEFT, feed-forward": peft(IA3Config(target_modules=BOTH, feedforward_modules=BOTH)),
    "LoCon of LyCORIS": lycoris("LoCon", {"lora_dim": 2, "alpha": 1}, {"lora_dim": 2, "alpha": 1, "use_tucker": True}),
    "LoCon of LyCORIS with lengths of rows": lycoris("LoCon", {"lora_dim": 2, "alpha": 1, "weight_decompose": True}, {"lora_dim": 2, "alpha": 1, "weight_decompose": True}),
    "LoHa of LyCORIS": lycoris("LoHa", {"lora_dim": 2, "alpha": 1}, {"lora_dim": 2, "alpha": 1, "use_tucker": True}),
    "LoKr of LyCORIS": lycoris("LoKr", {"lora_dim": 1, "alpha": 0.5, "factor": 2}, {"lora_dim": 1, "alpha": 0.5, "use_tucker": True}),
    "OFT of LyCORIS": lycoris_multiplied(DiagOFTModule, lora_dim=2),
    "OFT of LyCORIS, constrained, with lengths": lycoris_multiplied(DiagOFTModule, lora_dim=2, constraint=0.05, rescaled=True),
    "BOFT of LyCORIS": lycoris_multiplied(ButterflyOFTModule, ("fc", "head"), lora_dim=2, constraint=0.1, rescaled=True),
    "IA3 of LyCORIS": lycoris_multiplied(IA3Module),
    "IA3 of LyCORIS, of inputs": lycoris_multiplied(IA3Module, train_on_input=True),
    "BOFT of PEFT": peft(BOFTConfig(boft_block_size=2, target_modules=BOTH)),
    "BOFT of PEFT in stages": peft(BOFTConfig(boft_block_size=4, boft_n_butterfly_factor=3, target_modules=["conv"]), stages=True),
    "HRA of PEFT": peft(HRAConfig(r=3, target_modules=BOTH)),
    "HRA of PEFT, orthogonal": peft(HRAConfig(r=2, target_modules=BOTH, apply_GS=True)),
    "VeRA of PEFT": peft(VeraConfig(r=2, target_modules=["fc", "head"])),
    "trainable tokens of PEFT": peft(TrainableTokensConfig(target_modules=["tokens"], token_indices=[3, 0])),
    "LoRA of PEFT with trainable tokens": peft(LoraConfig(r=2, lora_alpha=3, target_modules=["fc"], trainable_token_indices={"tokens": [1, 4]}, use_rslora=True, lora_bias=True)),
    "LoKr of LyCORIS with whole factors and lengths": lycoris("LoKr", {"lora_dim": 1, "alpha": 0.5, "full_matrix": True, "weight_decompose": True}, {"lora_dim": 8, "alpha": 2}),
}
with open(OUT, "w") as file:
    json.dump({"base": numbers(Net().state_dict()), "cases": cases}, file, separators=(",", ":"))
    file.write("\n")
