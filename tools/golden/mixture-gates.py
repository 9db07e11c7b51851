"""Writes packages/mixtures/test/golden/gates.json.golden: gates that mergekit-moe computes for a tiny Llama, whose hidden states it computes in f32 here.

Weights are closed formulas of the index of an element, as in model-families.py; prompts are token ids, as characters are tokens there.

Made with mergekit 0.1.5, transformers 5.24.0 and torch 2.15.0 on a CPU: python tools/golden/mixture-gates.py
"""

import json
import math
from pathlib import Path

import torch
import transformers
from mergekit.moe.router import get_cheap_embedding, get_hidden_states

FILE = Path(__file__).parents[2] / "packages/mixtures/test/golden/gates.json.golden"
CONFIG = {
    "vocab_size": 12,
    "hidden_size": 8,
    "intermediate_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 16,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": False,
}
# Positive and negative prompts of each expert; those of the first differ in length.
EXPERTS = [[[[1, 2, 3, 4], [5, 6]], [[7, 7, 8]]], [[[9, 10, 11]], []]]


def waves(shape, seed, scale, offset=0.0):
    values = [offset + scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(math.prod(shape))]
    return torch.tensor(values, dtype=torch.float64).to(torch.float32).reshape(shape)


def build():
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**CONFIG)).eval()
    with torch.no_grad():
        for index, (name, weight) in enumerate(sorted(model.named_parameters())):
            shape = list(weight.shape)
            weight.copy_(waves(shape, index + 1, 0.3, 1.0) if len(shape) == 1 else waves(shape, index + 1, math.sqrt(2 / shape[1])))
    return model


def tokenized(prompts):
    """Pads prompts in front, as mergekit asks the tokenizer to."""
    longest = max(map(len, prompts))
    ids = [[0] * (longest - len(prompt)) + prompt for prompt in prompts]
    mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return transformers.BatchEncoding({"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask)})


def gates(vectors_of):
    rows = []
    for positive, negative in EXPERTS:
        vectors = vectors_of(tokenized(positive))
        if negative:
            vectors = vectors - vectors_of(tokenized(negative))
        rows.append(vectors / vectors.norm(p=2, dim=-1, keepdim=True).clamp(min=1e-8))
    stacked = torch.stack(rows, dim=0).permute(1, 0, 2)
    return [[float(f"{value:.7g}") for value in layer.flatten()] for layer in stacked]


def main():
    model = build()
    embedding = model.model.embed_tokens.weight.detach()
    result = {
        "config": {**CONFIG, "model_type": "llama", "architectures": ["LlamaForCausalLM"]},
        "experts": EXPERTS,
        "hidden": gates(lambda prompts: get_hidden_states(model, prompts, average=False)),
        "cheap_embed": gates(lambda prompts: get_cheap_embedding(embedding, prompts, CONFIG["num_hidden_layers"], CONFIG["vocab_size"])),
    }
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps(result) + "\n")


main()
