"""Makes mixtures of five pairs of tiny models by Isthmus and by mergekit-moe from the same recipes, and compares their tensors.

    python tools/coming-from/mixtures.py            # prints a table, a line of JSON for each mixture
    python tools/coming-from/mixtures.py --write    # also writes docs/coming-from/mixtures.json and the table of mergekit.md
    python tools/coming-from/mixtures.py llama      # of this alone

Needs torch, transformers and mergekit in one environment, and the command of this repository (`npm run setup`). Random models of a class, three near
each other, are saved by transformers in f32 with a tokenizer of bytes; each program makes the mixture in a process of its own, whose processor time and
peak memory are taken. mergekit 0.1.5 writes the experts of a layer in one tensor, which is taken apart. Experts and all that is copied must be equal bit
by bit; gates of hidden states are computed by mergekit in bf16 and compared by their cosine, and once more after a run of mergekit in f32 by the largest
difference. Then the mixture of Isthmus is loaded by transformers, and its loss compared with that of the graph by which Isthmus measures.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools/golden"))
TABLE = ROOT / "docs" / "coming-from" / "mixtures.json"
PAGE = ROOT / "docs" / "coming-from" / "mergekit.md"

DECODER = {
    "vocab_size": 272,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
# A model of 188 million weights, stored in bf16; its losses are not compared.
LARGE = {**DECODER, "vocab_size": 4096, "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 12, "num_attention_heads": 16}
SHARED = "shared_experts:\n  - source_model: {folder}/base\n"
GATED = SHARED + '    positive_prompts: ["Texts of all kinds."]\n'
# Class and config of the models, mode of gates, and further lines of the recipe, by the name of the mixture.
MIXTURES = {
    "llama": ("LlamaForCausalLM", DECODER, "cheap_embed", ""),
    "mistral": ("MistralForCausalLM", DECODER, "hidden", ""),
    "llama, shared": ("LlamaForCausalLM", DECODER, "hidden", SHARED),
    "qwen2": ("Qwen2ForCausalLM", DECODER, "hidden", GATED),
    "qwen3": ("Qwen3ForCausalLM", {**DECODER, "head_dim": 16}, "hidden", ""),
    "llama, large": ("LlamaForCausalLM", LARGE, "hidden", ""),
}
RECIPE = """base_model: {folder}/base
gate_mode: {mode}
dtype: {dtype}
experts_per_token: 2
experts:
  - source_model: {folder}/a
    residual_scale: 0.5
    positive_prompts: ["Write a poem about the sea.", "Love."]
    negative_prompts: ["def main():"]
  - source_model: {folder}/b
    positive_prompts: ["def main(): return 1", "x = [2 + 3, 7]"]
"""


def dtype_of(name):
    return "bfloat16" if MIXTURES[name][1] is LARGE else "float32"


def build(name, folder):
    import torch
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    class_name, fields, _, _ = MIXTURES[name]
    model_class = getattr(transformers, class_name)
    torch.manual_seed(0)
    torch.set_default_dtype(getattr(torch, dtype_of(name)))
    model = model_class(model_class.config_class(**fields))
    vocabulary = ["<pad>", "<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(vocabulary)}, merges=[]))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer.add_special_tokens(["<pad>", "<s>", "</s>"])
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>")
    for which in ("base", "a", "b"):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
        model.save_pretrained(folder / which)
        fast.save_pretrained(folder / which)
        # The class of a family of models would split texts by rules of its own.
        settings = folder / which / "tokenizer_config.json"
        settings.write_text(json.dumps(json.loads(settings.read_text()) | {"tokenizer_class": "PreTrainedTokenizerFast"}))


def measured(command):
    """Runs a command; returns its processor time in seconds and its peak memory in MB, measured by a process between."""
    code = "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], capture_output=True, text=True); use = resource.getrusage(resource.RUSAGE_CHILDREN); print(use.ru_utime + use.ru_stime, use.ru_maxrss / 1024); sys.exit(done.stderr[-2000:] if done.returncode else 0)"
    done = subprocess.run([sys.executable, "-c", code, *map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    seconds, megabytes = done.stdout.split()
    return {"seconds": round(float(seconds), 2), "megabytes": round(float(megabytes))}


def make_by_mergekit(recipe, out, exact):
    """Makes a mixture by mergekit in this process; with hidden states in f32 if they should be exact."""
    import torch
    import yaml
    from mergekit.moe import router
    from mergekit.moe.config import MoEMergeConfig
    from mergekit.options import MergeOptions
    from mergekit.scripts.moe import build as build_mixture

    if exact:
        load = router.AutoModelForCausalLM.from_pretrained
        router.AutoModelForCausalLM.from_pretrained = lambda *args, **kwargs: load(*args, **kwargs | {"torch_dtype": torch.float32})
    config = MoEMergeConfig.model_validate(yaml.safe_load(Path(recipe).read_text()))
    build_mixture(config, out, MergeOptions(copy_tokenizer=False, quiet=True), device="cpu")


def tensors_of(folder):
    """Reads all tensors of a folder under the names of mergekit; experts in one tensor are taken apart."""
    from safetensors.torch import load_file

    tensors = {}
    for file in folder.glob("*.safetensors"):
        for name, tensor in load_file(file).items():
            place, _, part = name.rpartition("experts.")
            if part == "gate_up_proj":
                for i, expert in enumerate(tensor):
                    tensors[f"{place}experts.{i}.gate_proj.weight"], tensors[f"{place}experts.{i}.up_proj.weight"] = expert.chunk(2)
            elif part == "down_proj":
                tensors |= {f"{place}experts.{i}.down_proj.weight": expert for i, expert in enumerate(tensor)}
            else:
                tensors[name.replace("block_sparse_moe", "mlp").replace(".w1.", ".gate_proj.").replace(".w2.", ".down_proj.").replace(".w3.", ".up_proj.")] = tensor
    return tensors


def is_gate(name):
    return name.endswith(("mlp.gate.weight", "shared_expert_gate.weight"))


def compare(ours, theirs, exact):
    import torch

    gates = [name for name in theirs if is_gate(name)]
    others = [name for name in theirs if not is_gate(name)]
    cosines = [torch.nn.functional.cosine_similarity(ours[name].double(), theirs[name].double()).min() for name in gates]
    return {
        "tensors": len(theirs),
        "only_isthmus": len(set(ours) - set(theirs)),
        "equal": sum(torch.equal(ours[name], theirs[name]) for name in others),
        "of": len(others),
        "gate_tensors": len(gates),
        "cosine": round(float(min(cosines)), 6),
        "difference": float(f"{max(float((ours[name].float() - exact[name].float()).abs().max()) for name in gates):.1e}"),
    }


def losses(folder, text):
    """Returns the mean loss of the tokens of a text by transformers, and by the graph of Isthmus, in nats."""
    import deepseek_moe
    import torch
    import transformers

    config = json.loads((folder / "config.json").read_text())
    [class_name] = config["architectures"]
    model_class = getattr(transformers, class_name, None) or getattr(deepseek_moe, class_name)
    model, info = model_class.from_pretrained(folder, output_loading_info=True, dtype=torch.float32)
    assert not info["missing_keys"] and not info["unexpected_keys"], info
    ids = transformers.PreTrainedTokenizerFast.from_pretrained(folder)(text, add_special_tokens=False)["input_ids"]
    # The windows of Isthmus: of the first nine tenths, 64 tokens each, from the last token of the one before.
    ids = ids[: len(ids) * 9 // 10]
    windows = torch.tensor([ids[i * 63 : i * 63 + 64] for i in range((len(ids) - 2) // 63)])
    with torch.no_grad():
        logits = model(input_ids=windows).logits[:, :-1]
    theirs = float(torch.nn.functional.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten()))
    file = folder.parent / "text.txt"
    file.write_text(text)
    command = ["node", ROOT / "packages/cli/bin/isthmus.js", "barrier", folder, folder]
    command += ["--data", f"text:{file}:train", "--points", "3", "--json", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return {"transformers": round(theirs, 6), "isthmus": round(json.loads(done.stdout)["points"][0]["loss"], 6)}


def run(name):
    _, _, mode, lines = MIXTURES[name]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        build(name, folder)
        recipe = folder / "recipe.yml"
        recipe.write_text((RECIPE + lines).format(folder=folder, mode=mode, dtype=dtype_of(name)))
        isthmus = ["node", ROOT / "packages/cli/bin/isthmus.js", "moe", recipe, "-o", folder / "isthmus", "--quiet"]
        mergekit = [sys.executable, __file__, "--mergekit", recipe, folder / "mergekit"]
        row = {"models": name, "gates": mode, "isthmus": measured(isthmus), "mergekit": measured(mergekit)}
        exact = folder / "mergekit"
        if mode == "hidden":
            exact = folder / "exact"
            measured([*mergekit[:-1], exact, "--exact"])
        row |= compare(*(tensors_of(one) for one in (folder / "isthmus", folder / "mergekit", exact)))
        row["layout"] = json.loads((folder / "isthmus" / "config.json").read_text())["model_type"]
        text = "It was a bright cold day in April, and the clocks were striking thirteen. "
        return row if dtype_of(name) == "bfloat16" else row | {"loss": losses(folder / "isthmus", 12 * text)}


def write(rows):
    from importlib.metadata import version

    versions = {name: version(name) for name in ("mergekit", "transformers", "torch")}
    TABLE.write_text(json.dumps({**versions, "rows": rows}, indent=1) + "\n")
    lines = [
        "| models | layout | gates | tensors equal | gates: cosine, and difference in f32 | loss: Isthmus, transformers | Isthmus | mergekit |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        used = [f"{row[program]['seconds']} s, {row[program]['megabytes']} MB" for program in ("isthmus", "mergekit")]
        loss = f"{row['loss']['isthmus']:.5f}, {row['loss']['transformers']:.5f}" if "loss" in row else ""
        gates = f"{row['cosine']:.5f}, {row['difference']:.0e}"
        cells = [row["models"], f"`{row['layout']}`", f"`{row['gates']}`", f"{row['equal']} of {row['of']}", gates, loss, *used]
        lines.append(f"| {' | '.join(cells)} |")
    text = PAGE.read_text()
    begin, end = "<!-- mixtures -->\n", "\n<!-- /mixtures -->"
    before, after = text.split(begin)[0], text.split(end)[1]
    PAGE.write_text(before + begin + "\n" + "\n".join(lines) + "\n" + end + after)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="*")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--mergekit", nargs=2, metavar=("RECIPE", "OUT"), help="only make one mixture by mergekit")
    parser.add_argument("--exact", action="store_true", help="with --mergekit: compute hidden states in f32")
    options = parser.parse_args()
    if options.mergekit:
        make_by_mergekit(*options.mergekit, options.exact)
        return
    rows = []
    for name in options.models or MIXTURES:
        rows.append(run(name))
        print(json.dumps(rows[-1]), flush=True)
    if options.write:
        write(rows)


main()
