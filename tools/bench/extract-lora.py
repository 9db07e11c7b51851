"""Prints for each adapter what it leaves of the change between two models once PEFT has loaded and merged it, and the least that factors of its
rank leave, as shares of the norm of the change: python extract-lora.py BASE TUNED RANK=ADAPTER ...
"""
import json
import sys
import warnings

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

warnings.filterwarnings("ignore")
base, tuned, *adapters = sys.argv[1:]
state = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).state_dict()
wanted = AutoModelForCausalLM.from_pretrained(tuned, dtype=torch.float32).state_dict()
squares, change = [], 0.0
for name, value in wanted.items():
    difference = (value - state[name]).double()
    change += float(difference.square().sum())
    if difference.ndim == 2 and bool(difference.any()):
        wide = difference if difference.shape[0] <= difference.shape[1] else difference.T
        squares.append(torch.linalg.eigvalsh(wide @ wide.T).flip(0))
for word in adapters:
    rank, adapter = word.split("=", 1)
    loaded = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), adapter)
    merged = loaded.merge_and_unload().state_dict()
    left = sum(float((value - merged[name]).double().square().sum()) for name, value in wanted.items())
    least = sum(float(values[int(rank):].clamp(min=0).sum()) for values in squares)
    print(json.dumps({"adapter": adapter, "left": (left / change) ** 0.5, "least": (least / change) ** 0.5}), flush=True)
