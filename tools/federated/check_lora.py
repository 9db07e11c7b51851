"""Measures the loss of a GPT with an adapter by transformers and PEFT, which `lora.ts` stored, on the same windows.

    python tools/federated/check_lora.py FOLDER BASE ADAPTER --test shakespeare-test.txt,german-test.txt

`BASE` and `ADAPTER` are names of files in FOLDER without their ending, such as base-p600-s0 and products-s0. Prints the
loss in nats a character, to compare with the last line that `lora.ts` printed of that way.
"""

import argparse
import os

import torch
from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import GPT2Config, GPT2LMHeadModel

CONTEXT, TEST, VOCABULARY = 64, 256, 128

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folder")
parser.add_argument("base")
parser.add_argument("adapter")
parser.add_argument("--test", required=True)
options = parser.parse_args()

paths = options.test.split(",")
# Each window begins with the last character of the one before.
size = TEST // len(paths) * (CONTEXT - 1)
texts = []
for path in paths:
    with open(path, encoding="utf-8") as file:
        texts.append(torch.tensor([ord(c) if ord(c) < VOCABULARY else 63 for c in file.read()[: size + 1]]))
tokens = torch.cat([*(text[:-1] for text in texts), texts[-1][-1:]])
# A window counts only if a character follows it.
windows = tokens.unfold(0, CONTEXT, CONTEXT - 1)[:-1]

config = GPT2Config(
    vocab_size=VOCABULARY, n_positions=CONTEXT, n_embd=64, n_layer=2, n_head=4, activation_function="gelu"
)
model = GPT2LMHeadModel(config).eval()
weights = load_file(os.path.join(options.folder, f"{options.base}.safetensors"))
missing, unexpected = model.transformer.load_state_dict(weights, strict=False)
assert not unexpected and not missing, (missing, unexpected)
factors = load_file(os.path.join(options.folder, f"{options.adapter}.safetensors"))
rank = next(tensor.shape[0] for name, tensor in factors.items() if name.endswith("lora_A.weight"))
lora = LoraConfig(r=rank, lora_alpha=rank, target_modules=["c_attn", "c_proj", "c_fc"], fan_in_fan_out=True)
model = get_peft_model(model, lora).eval()
set_peft_model_state_dict(model, {f"base_model.model.transformer.{name}": tensor for name, tensor in factors.items()})
with torch.no_grad():
    logits = model(input_ids=windows).logits
loss = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), windows[:, 1:].flatten())
print(f"{loss.item():.6f}")
