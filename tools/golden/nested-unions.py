"""Merges three small models by two recipes, the second of which uses the result of the first, both with the union of
vocabularies, and writes the embedding that mergekit made: packages/recipe/test/golden/nested-union.json.

    python tools/golden/nested-unions.py

Row t of the embedding of model m is the three numbers sin(100 m + 3 t + j) for j from 0 to 2, rounded to 1/256; the test
makes the same rows. Written with mergekit 0.1.5, whose mergekit-multi must be beside the interpreter.
"""

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../packages/recipe/test/golden")
MODELS = (("a", "bpe"), ("b", "bpe-chat"), ("c", "bpe-other"))
RECIPE = """
name: first
merge_method: linear
models:
  - {{ model: {a}, parameters: {{ weight: 0.75 }} }}
  - {{ model: {b}, parameters: {{ weight: 0.25 }} }}
tokenizer_source: union
dtype: float32
---
merge_method: linear
models:
  - {{ model: first, parameters: {{ weight: 0.5 }} }}
  - {{ model: {c}, parameters: {{ weight: 0.5 }} }}
tokenizer_source: union
dtype: float32
"""


def rows(model, count):
    values = [[round(256 * math.sin(100 * model + 3 * t + j)) / 256 for j in range(3)] for t in range(count)]
    return torch.tensor(values)


def save(folder, index, tokenizer, count):
    shutil.copytree(os.path.join(GOLDEN, "vocabularies", tokenizer), folder)
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump({**config, "num_hidden_layers": 1, "vocab_size": count}, file)
    tensors = {"model.embed_tokens.weight": rows(index, count), "lm_head.weight": rows(index, count)}
    tensors["model.norm.weight"] = torch.ones(3)
    layer = "model.layers.0."
    for name, shape in {
        "self_attn.q_proj": (4, 3),
        "self_attn.k_proj": (4, 3),
        "self_attn.v_proj": (4, 3),
        "self_attn.o_proj": (3, 4),
        "mlp.gate_proj": (5, 3),
        "mlp.up_proj": (5, 3),
        "mlp.down_proj": (3, 5),
        "input_layernorm": (3,),
        "post_attention_layernorm": (3,),
    }.items():
        tensors[f"{layer}{name}.weight"] = torch.ones(shape)
    save_file(tensors, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})


with tempfile.TemporaryDirectory() as folder:
    paths = {name: os.path.join(folder, name) for name, _ in MODELS}
    for index, (name, tokenizer) in enumerate(MODELS):
        with open(os.path.join(GOLDEN, "vocabularies", tokenizer, "tokenizer.json")) as file:
            data = json.load(file)
        ids = [*data["model"]["vocab"].values(), *(token["id"] for token in data["added_tokens"])]
        save(paths[name], index, tokenizer, max(ids) + 1)
    recipe = os.path.join(folder, "recipe.yml")
    with open(recipe, "w") as file:
        file.write(RECIPE.format(**paths))
    program = os.path.join(os.path.dirname(sys.executable), "mergekit-multi")
    out = os.path.join(folder, "out")
    subprocess.run([program, recipe, "--out-path", out, "-I", os.path.join(folder, "between")], check=True)
    made = load_file(os.path.join(out, "model.safetensors"))
    with open(os.path.join(out, "tokenizer.json")) as file:
        data = json.load(file)
    vocabulary = {**data["model"]["vocab"], **{token["content"]: token["id"] for token in data["added_tokens"]}}
    embedding = made["model.embed_tokens.weight"]
    golden = {token: [round(x, 6) for x in embedding[i].tolist()] for token, i in vocabulary.items()}
    with open(os.path.join(GOLDEN, "nested-union.json"), "w") as file:
        json.dump(golden, file, ensure_ascii=False)
        file.write("\n")
