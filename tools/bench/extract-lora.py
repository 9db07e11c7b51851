"""Prints what an adapter leaves of the change between two models once PEFT has loaded and merged it, and the least that factors of a rank leave,
as shares of the norm of the change: python extract-lora.py BASE TUNED ADAPTER RANK
"""
import json
import sys
import warnings

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

warnings.filterwarnings("ignore")
base, tuned, adapter, rank = sys.argv[1:]
state = {name: value.clone() for name, value in AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).state_dict().items()}
wanted = AutoModelForCausalLM.from_pretrained(tuned, dtype=torch.float32).state_dict()
loaded = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), adapter)
merged = loaded.merge_and_unload().state_dict()
change = left = least = 0.0
for name, value in wanted.items():
    difference = (value - state[name]).double()
    change += float(difference.square().sum())
    left += float((value - merged[name]).double().square().sum())
    if difference.ndim == 2 and bool(difference.any()):
        least += float(torch.linalg.svdvals(difference.float())[int(rank):].double().square().sum())
print(json.dumps({"left": (left / change) ** 0.5, "least": (least / change) ** 0.5}))
