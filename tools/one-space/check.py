"""Computes with PyTorch the loss and error of character-level GPT-2 networks that `run.ts` kept in a folder.

    python tools/one-space/check.py --text plays.txt --context 48 --heads 4 --windows 240 gpt-s0.safetensors means/jointly.safetensors

The test text is the last tenth of the file, cut into windows, and characters are numbered by their code points, as `run.ts`
does for `text:plays.txt:test@240`. Prints one JSON line for each network. Tried with torch 2.15.
"""
import argparse
import json
import math

import torch
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy, gelu, layer_norm

EPSILON = 1e-5


def logits_of(weights, ids, heads):
    norm = lambda x, name: layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], EPSILON)
    linear = lambda x, name: x @ weights[f"{name}.weight"] + weights[f"{name}.bias"]
    batch, length = ids.shape
    mask = torch.full((length, length), -math.inf).triu(1)
    x = weights["wte.weight"][ids] + weights["wpe.weight"][:length]
    layer = 0
    while f"h.{layer}.ln_1.weight" in weights:
        name = f"h.{layer}"
        parts = linear(norm(x, f"{name}.ln_1"), f"{name}.attn.c_attn").chunk(3, dim=-1)
        q, k, v = (part.view(batch, length, heads, -1).transpose(1, 2) for part in parts)
        shares = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + mask).softmax(-1)
        x = x + linear((shares @ v).transpose(1, 2).reshape(batch, length, -1), f"{name}.attn.c_proj")
        hidden = gelu(linear(norm(x, f"{name}.ln_2"), f"{name}.mlp.c_fc"), approximate="tanh")
        x = x + linear(hidden, f"{name}.mlp.c_proj")
        layer += 1
    return norm(x, "ln_f") @ weights["lm_head.weight"].T


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--text", required=True)
    parser.add_argument("--context", type=int, required=True)
    parser.add_argument("--heads", type=int, required=True)
    parser.add_argument("--windows", type=int, required=True)
    parser.add_argument("networks", nargs="+")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with open(args.text, encoding="utf-8") as file:
        text = file.read()
    number = {character: i for i, character in enumerate(sorted(set(text)))}
    test = text[int(len(text) * 0.9):]
    # The last character of a window is the first of the next, so that every character but the first is predicted once.
    starts = range(0, args.windows * (args.context - 1), args.context - 1)
    ids = torch.tensor([[number[character] for character in test[i : i + args.context]] for i in starts])
    for path in args.networks:
        weights = {name: tensor.float() for name, tensor in load_file(path).items()}
        with torch.no_grad():
            logits = logits_of(weights, ids, args.heads)[:, :-1].flatten(0, 1)
        targets = ids[:, 1:].flatten()
        row = {
            "network": path,
            "loss": round(cross_entropy(logits, targets).item(), 4),
            "error": round((logits.argmax(-1) != targets).float().mean().item(), 4),
        }
        print(json.dumps(row))


if __name__ == "__main__":
    main()
