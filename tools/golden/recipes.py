"""Makes small Llama-shaped models, merges them with mergekit by recipes in the style of its documentation and of model
cards, and writes what mergekit planned and made: packages/recipe/test/golden/recipes.

    python tools/golden/recipes.py [names of recipes]

Written with mergekit 0.1.5, torch 2.15, transformers 5. A recipe whose first line has "plan only" is not run: its method
draws random numbers.
"""

import json
import os
import shutil
import sys
import tempfile

os.environ["CUDA_VISIBLE_DEVICES"] = ""

import torch
import yaml
from mergekit import merge_methods
from mergekit.architecture import get_architecture_info
from mergekit.config import MergeConfiguration
from mergekit.merge import run_merge
from mergekit.options import MergeOptions
from mergekit.plan import MergePlanner
from safetensors.torch import load_file, save_file

FOLDER = os.path.join(os.path.dirname(__file__), "../../packages/recipe/test/golden/recipes")
HIDDEN, INNER, VOCABULARY, LAYERS = 8, 12, 16, 6
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": HIDDEN,
    "intermediate_size": INNER,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 4,
    "vocab_size": VOCABULARY,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": False,
    "dtype": "float32",
}


def shapes():
    yield "model.embed_tokens.weight", (VOCABULARY, HIDDEN)
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}."
        yield prefix + "self_attn.q_proj.weight", (8, HIDDEN)
        yield prefix + "self_attn.k_proj.weight", (4, HIDDEN)
        yield prefix + "self_attn.v_proj.weight", (4, HIDDEN)
        yield prefix + "self_attn.o_proj.weight", (HIDDEN, 8)
        yield prefix + "mlp.gate_proj.weight", (INNER, HIDDEN)
        yield prefix + "mlp.up_proj.weight", (INNER, HIDDEN)
        yield prefix + "mlp.down_proj.weight", (HIDDEN, INNER)
        yield prefix + "input_layernorm.weight", (HIDDEN,)
        yield prefix + "post_attention_layernorm.weight", (HIDDEN,)
    yield "model.norm.weight", (HIDDEN,)
    yield "lm_head.weight", (VOCABULARY, HIDDEN)


def make_models():
    generator = torch.Generator().manual_seed(13)
    base = {name: torch.randn(shape, generator=generator) for name, shape in shapes()}
    models = {"base": base}
    for name in "abc":
        models[name] = {k: v + 0.3 * torch.randn(v.shape, generator=generator) for k, v in base.items()}
    for name, tensors in models.items():
        os.makedirs(name, exist_ok=True)
        save_file({k: v.contiguous() for k, v in tensors.items()}, f"{name}/model.safetensors", {"format": "pt"})
        with open(f"{name}/config.json", "w") as file:
            json.dump(CONFIG, file, indent=2)


def plan_of(config: MergeConfiguration):
    options = MergeOptions()
    out = config.referenced_models()[0].config()
    planner = MergePlanner(config, get_architecture_info(config, options), options, out)
    planner._plan()
    plan = {}
    for weight, task in planner._tensors:
        base = task.base_model
        inputs = {
            str(model.model.path): {"tensor": info.name, **dict(task.input_parameters.get(model, {}))}
            for model, info in task.gather_tensors.weight_info.items()
        }
        plan[weight.name] = {
            "base": base and str(base.model.path),
            "parameters": dict(task.parameters),
            "inputs": inputs,
        }
    return plan


def main():
    os.chdir(FOLDER)
    make_models()
    for file in sorted(name for name in os.listdir(".") if name.endswith(".yml")):
        name = file[:-4]
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        with open(file) as stream:
            text = stream.read()
        config = MergeConfiguration.model_validate(yaml.safe_load(text))
        with open(f"{name}.plan.json", "w") as stream:
            json.dump(plan_of(MergeConfiguration.model_validate(yaml.safe_load(text))), stream, separators=(",", ":"))
        if "plan only" in text.split("\n")[0]:
            continue
        with tempfile.TemporaryDirectory() as out:
            run_merge(config, out, MergeOptions(copy_tokenizer=False, write_model_card=False))
            save_file(load_file(f"{out}/model.safetensors"), f"{name}.safetensors", {"format": "pt"})
        print(name)


main()
