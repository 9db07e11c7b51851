"""Merges two tiny models of each of 28 architectures by Isthmus and by mergekit, and compares what transformers loads with the plain average.

    python tools/coming-from/any-architecture.py            # prints a table, a line of JSON for each architecture
    python tools/coming-from/any-architecture.py --write    # also writes docs/coming-from/architectures.json and the table of mergekit.md
    python tools/coming-from/any-architecture.py clip bert  # of these alone

Needs torch, transformers and mergekit in one environment, and the command of this repository (`npm run setup`). Two random models of a class,
the second near the first, are saved by transformers in f32; the same recipe (`linear`, weights 0.5 and 0.5) is merged by both programs, and the result
loaded by transformers. A tensor is equal if each of its numbers is the average within one unit in the last place, in f32, of the larger of the two that were averaged; it is
lost if transformers does not find it in the result, and starts it at random.
"""

import argparse
import contextlib
import io
import json
import os
import subprocess
import tempfile
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

import mergekit
import torch
import transformers
from mergekit.config import MergeConfiguration
from mergekit.merge import MergeOptions, run_merge

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "coming-from" / "architectures.json"
PAGE = ROOT / "docs" / "coming-from" / "mergekit.md"

DECODER = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32,
    **{f"{kind}_token_id": 0 for kind in ("pad", "bos", "eos")},
}
ENCODER = {key: value for key, value in DECODER.items() if key != "num_key_value_heads"}
MULTI_HEAD = {**DECODER, "num_key_value_heads": 4}
EXPERTS = {"num_experts_per_tok": 2, "moe_intermediate_size": 16}
LATENT = {
    **MULTI_HEAD,
    **EXPERTS,
    **{"q_lora_rank": 16, "kv_lora_rank": 16, "qk_rope_head_dim": 4, "qk_nope_head_dim": 8, "v_head_dim": 8},
    **{"n_routed_experts": 4, "n_shared_experts": 1, "first_k_dense_replace": 1, "n_group": 1, "topk_group": 1},
}
VISION = {key: value for key, value in ENCODER.items() if not key.endswith("token_id") and key != "vocab_size"}
IMAGES = {"image_size": 16, "patch_size": 8}
QWEN_VISION = {"depth": 2, "embed_dim": 32, "hidden_size": 32, "num_heads": 4, "mlp_ratio": 2, "patch_size": 8}
STACKS = {
    **{f"{stack}_layers": 2 for stack in ("encoder", "decoder")},
    **{f"{stack}_attention_heads": 4 for stack in ("encoder", "decoder")},
    **{f"{stack}_ffn_dim": 48 for stack in ("encoder", "decoder")},
}
SPEECH = {"d_model": 32, "num_mel_bins": 8, "max_source_positions": 12, "max_target_positions": 16}
T5 = {"vocab_size": 64, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4}
LLAVA = {
    "text_config": {**DECODER, "model_type": "llama"},
    "vision_config": {**VISION, **IMAGES, "model_type": "clip_vision_model", "projection_dim": 16},
    "image_token_index": 63,
}
CLIP = {
    "text_config": {**ENCODER, "projection_dim": 16},
    "vision_config": {**VISION, **IMAGES, "projection_dim": 16},
    "projection_dim": 16,
}
QWEN2_VL = {
    "text_config": {**DECODER, "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e4}},
    "vision_config": QWEN_VISION,
    **{f"{kind}_token_id": 60 + i for i, kind in enumerate(("image", "video", "vision_start", "vision_end"))},
}

# Class and fields of the config of each architecture.
ARCHITECTURES = {
    "llama": ("LlamaForCausalLM", DECODER),
    "mistral": ("MistralForCausalLM", DECODER),
    "phi3": ("Phi3ForCausalLM", DECODER),
    "gpt2": ("GPT2LMHeadModel", {"vocab_size": 64, "n_embd": 32, "n_head": 4, "n_layer": 2, "n_positions": 32}),
    "qwen2": ("Qwen2ForCausalLM", DECODER),
    "qwen3": ("Qwen3ForCausalLM", {**DECODER, "head_dim": 8}),
    "gemma2": ("Gemma2ForCausalLM", {**DECODER, "head_dim": 8}),
    "gemma3_text": ("Gemma3ForCausalLM", {**DECODER, "head_dim": 8}),
    "mixtral": ("MixtralForCausalLM", {**DECODER, "num_local_experts": 4, "num_experts_per_tok": 2}),
    "gpt_neox": ("GPTNeoXForCausalLM", ENCODER),
    "bert": ("BertForMaskedLM", ENCODER),
    "roberta": ("RobertaForMaskedLM", ENCODER),
    "vit": ("ViTForImageClassification", {**VISION, **IMAGES}),
    "t5": ("T5ForConditionalGeneration", T5),
    "falcon": ("FalconForCausalLM", ENCODER),
    "cohere": ("CohereForCausalLM", DECODER),
    "stablelm": ("StableLmForCausalLM", DECODER),
    "starcoder2": ("Starcoder2ForCausalLM", DECODER),
    "olmo2": ("Olmo2ForCausalLM", DECODER),
    "granite": ("GraniteForCausalLM", DECODER),
    "mamba": ("MambaForCausalLM", {"vocab_size": 64, "hidden_size": 32, "state_size": 4, "num_hidden_layers": 2}),
    "qwen3_moe": ("Qwen3MoeForCausalLM", {**DECODER, **EXPERTS, "head_dim": 8, "num_experts": 4}),
    "deepseek_v2": ("DeepseekV2ForCausalLM", LATENT),
    "deepseek_v3": ("DeepseekV3ForCausalLM", LATENT),
    "llava": ("LlavaForConditionalGeneration", LLAVA),
    "clip": ("CLIPModel", CLIP),
    "qwen2_vl": ("Qwen2VLForConditionalGeneration", QWEN2_VL),
    "whisper": ("WhisperForConditionalGeneration", {**SPEECH, **STACKS, "vocab_size": 64, "decoder_start_token_id": 1, **{f"{kind}_token_id": 0 for kind in ("pad", "bos", "eos")}}),
}

RECIPE = "merge_method: linear\ndtype: float32\nmodels:\n" + "".join(
    f"  - model: {{{name}}}\n    parameters: {{{{weight: 0.5}}}}\n" for name in "ab"
)


def build(name, folder):
    """Saves two models, of which the second is the first and noise; returns the tensors that transformers loads from both."""
    class_name, fields = ARCHITECTURES[name]
    model_class = getattr(transformers, class_name)
    torch.manual_seed(0)
    model = model_class(model_class.config_class(**fields))
    states = {}
    for which in "ab":
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
        model.save_pretrained(folder / which)
        states[which], _ = load(name, folder / which)
    return states


def load(name, folder):
    """Returns the state dict of a folder as transformers loads it, and the names that it does not find."""
    model_class = getattr(transformers, ARCHITECTURES[name][0])
    model, info = model_class.from_pretrained(folder, output_loading_info=True, dtype=torch.float32)
    return model.state_dict(), info


def by_isthmus(recipe, out):
    command = ["node", str(ROOT / "packages" / "cli" / "bin" / "isthmus.js"), "merge", str(recipe), "-o", str(out), "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())


def by_mergekit(recipe, out):
    import yaml

    config = MergeConfiguration.model_validate(yaml.safe_load(recipe.read_text()))
    run_merge(config, str(out), MergeOptions(copy_tokenizer=False, quiet=True))


def judge(name, states, merge, recipe, out):
    """Merges, loads, and compares: tensors that are the average, tensors that are lost, and the error if there is one."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            merge(recipe, out)
    except Exception as error:
        return {"merges": False, "loads": False, "error": first_line(error)}
    try:
        merged, info = load(name, out)
    except Exception as error:
        return {"merges": True, "loads": False, "error": first_line(error)}
    lost, equal, largest = set(info["missing_keys"]), 0, 0.0
    for key, tensor in merged.items():
        a, b = states["a"][key].double(), states["b"][key].double()
        error = (tensor.double() - (a + b) / 2).abs()
        larger = torch.maximum(a.abs(), b.abs()).float()
        if bool((error <= torch.nextafter(larger, torch.tensor(torch.inf)) - larger).all()):
            equal += 1
        elif key not in lost:
            largest = max(largest, float(error.max()))
    clean = not (lost or info["unexpected_keys"] or info["mismatched_keys"])
    result = {"merges": True, "loads": clean, "equal": equal, "tensors": len(merged), "lost": len(lost)}
    return result | ({"unexpected": len(info["unexpected_keys"])} if info["unexpected_keys"] else {}) | (
        {"largest_difference": largest} if largest > 0 else {}
    )


def first_line(error):
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}"


def compare(name):
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        states = build(name, folder)
        recipe = folder / "recipe.yml"
        recipe.write_text(RECIPE.format(a=folder / "a", b=folder / "b"))
        row = {"family": name, "class": ARCHITECTURES[name][0]}
        for program, merge in (("isthmus", by_isthmus), ("mergekit", by_mergekit)):
            judged = judge(name, states, merge, recipe, folder / program)
            row[program] = json.loads(json.dumps(judged).replace(place, "."))
    return row


# Characters of an error in the table.
LONGEST = 60


def described(judged):
    if "equal" not in judged:
        reason = judged["error"].split(": ", 1)[-1].replace(" but not present in model ./a", "").replace("|", "\\|")
        return f"fails: {reason if len(reason) < LONGEST else reason[:LONGEST] + ' ...'}"
    share = f"{judged['equal']} of {judged['tensors']} equal"
    return share + (f", **{judged['lost']} lost**" if judged["lost"] else "")


def is_right(judged):
    return judged["loads"] and judged["equal"] == judged["tensors"]


def summary(rows):
    right = {program: sum(is_right(row[program]) for row in rows) for program in ("isthmus", "mergekit")}
    return f"isthmus {right['isthmus']} of {len(rows)}, mergekit {right['mergekit']} of {len(rows)}"


def write(rows):
    TABLE.write_text(
        json.dumps({"mergekit": mergekit_version(), "transformers": transformers.__version__, "torch": torch.__version__, "rows": rows}, indent=1)
        + "\n"
    )
    lines = ["| family | Isthmus | mergekit |", "|---|---|---|"]
    lines += [f"| `{row['family']}` | {described(row['isthmus'])} | {described(row['mergekit'])} |" for row in rows]
    text = PAGE.read_text()
    begin, end = "<!-- architectures -->\n", "\n<!-- /architectures -->"
    before, after = text.split(begin)[0], text.split(end)[1]
    PAGE.write_text(before + begin + "\n" + "\n".join(lines) + "\n" + end + after)


def mergekit_version():
    from importlib.metadata import version

    return version("mergekit")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("families", nargs="*")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    rows = []
    for name in options.families or ARCHITECTURES:
        rows.append(compare(name))
        print(json.dumps(rows[-1]), flush=True)
    print(summary(rows))
    if options.write:
        write(rows)


main()
