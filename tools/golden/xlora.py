"""Writes packages/mixtures/test/golden/xlora.json.golden: what PEFT's X-LoRA computes for a tiny Llama with two adapters and a router of two layers.

The file has the names and shapes of the router's tensors, the fields of the settings, and the scalings of some tokens. Weights are closed formulas of the
index of an element, as in mixture-gates.py; the base is the one of that file.

Made with peft 0.21.2, transformers 5.24.0 and torch 2.15.0 on a CPU: python tools/golden/xlora.py
"""

import json
import math
import tempfile
from pathlib import Path

import torch
import transformers
from peft import LoraConfig, PeftModel, XLoraConfig, get_peft_model
from safetensors.torch import save_file

FILE = Path(__file__).parents[2] / "packages/mixtures/test/golden/xlora.json.golden"
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
    "use_cache": False,
}
IDS = [1, 2, 3, 4, 5, 6, 7, 8]
SIZE = 6


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


def main():
    with tempfile.TemporaryDirectory() as folder:
        adapters = {}
        for index in range(2):
            torch.manual_seed(index)
            config = LoraConfig(r=2, target_modules=["q_proj", "up_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
            adapters[str(index)] = f"{folder}/{index}"
            get_peft_model(build(), config).save_pretrained(adapters[str(index)])
        config = XLoraConfig(hidden_size=8, adapters=adapters, xlora_depth=2, xlora_size=SIZE, xlora_dropout_p=0.0, task_type="CAUSAL_LM")
        config.save_pretrained(folder)
        layers = {"0.weight": [SIZE, 8], "0.bias": [SIZE], "2.weight": [2, SIZE], "2.bias": [2]}
        router = {f"base_model.internal_xlora_classifier.layers.{name}": waves(shape, index + 1, 1.0) for index, (name, shape) in enumerate(layers.items())}
        save_file(router, f"{folder}/adapter_model.safetensors", metadata={"format": "pt"})
        model = PeftModel.from_pretrained(build(), folder).eval()
        loaded = model.state_dict()
        assert all(torch.equal(loaded[name], tensor) for name, tensor in router.items())
        with torch.no_grad():
            model(input_ids=torch.tensor([IDS]))
        scalings = model.base_model.internal_xlora_scalings[0, :, 0]
        golden = {
            "config": {"model_type": "llama", **CONFIG},
            "ids": IDS,
            "router": {name: list(tensor.shape) for name, tensor in router.items()},
            "settings": sorted(set(config.to_dict()) - {"peft_version"}),
            "scalings": [[round(value, 7) for value in row] for row in scalings.tolist()],
        }
    FILE.write_text(json.dumps(golden) + "\n")


main()
