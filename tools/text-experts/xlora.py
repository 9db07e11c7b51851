"""Makes mixtures of adapters (X-LoRA) of the models that train.py beside this file wrote, and measures them with PEFT.

    python xlora.py --in FOLDER --out OUT --isthmus "node packages/cli/bin/isthmus.js"

Trains a LoRA adapter of the base on each corpus, rank 16 on all linear layers of all blocks; OUT/adapters has them, and what is there is kept. Makes
three mixtures by `isthmus moe`: of these adapters with a linear router, the same with a router of 1024 random features, and one of the fine-tunes in
FOLDER, as adapters of rank 32. Prints and writes OUT/xlora.md: losses on 16,384 tokens of the test text of each corpus, in PEFT, and the share of each
expert's gain over the base that a mixture keeps; below it the share by the position in the window. Bytes are of the files of weights, without the base.

Tried with torch 2.15, transformers 5.24 and peft 0.21.2.
"""
import argparse
import json
import os
import shlex
import subprocess

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoTokenizer, LlamaForCausalLM

CORPORA = ("shakespeare", "code", "language")
LAYERS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
RANK, STEPS, RATE, BATCH = 16, 400, 3e-3, 2048
ROUTED_TOKENS, TESTED_TOKENS = 32 * 1024, 16 * 1024
EDGES = (0, 8, 32, 64)


def losses_of(model, ids):
    """Losses of the next token, by window and position."""
    logits = model(input_ids=ids).logits[:, :-1].transpose(1, 2)
    return torch.nn.functional.cross_entropy(logits, ids[:, 1:], reduction="none")


def train(model, ids, length):
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=RATE, betas=(0.9, 0.95), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS, pct_start=0.05)
    generator = torch.Generator().manual_seed(1)
    model.train()
    for _ in range(STEPS):
        starts = torch.randint(len(ids) - length, (BATCH // length,), generator=generator)
        loss = losses_of(model, torch.stack([ids[start : start + length] for start in starts])).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        schedule.step()
    model.eval()


@torch.no_grad()
def measure(model, ids, length):
    """Mean losses by position."""
    model.eval()
    windows = ids[: TESTED_TOKENS // length * length].reshape(-1, length)
    return torch.cat([losses_of(model, part) for part in windows.split(BATCH // length)]).mean(0)


def size_of(folder):
    """Parameters and bytes of the weights in a folder and the folders in it."""
    from safetensors import safe_open

    parameters, count = 0, 0
    for path, _, names in os.walk(folder):
        for name in names:
            if not name.endswith(".safetensors"):
                continue
            count += os.path.getsize(os.path.join(path, name))
            with safe_open(os.path.join(path, name), "pt") as file:
                parameters += sum(file.get_tensor(key).numel() for key in file.keys())
    return parameters, count


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--in", dest="folder", required=True)
    options.add_argument("--out", required=True)
    options.add_argument("--isthmus", default="npx isthmus", help="command line of isthmus")
    args = options.parse_args()
    torch.set_num_threads(1)
    folder, out = os.path.abspath(args.folder), os.path.abspath(args.out)
    os.makedirs(out, exist_ok=True)
    place = os.path.join(folder, "base")
    tokenizer = AutoTokenizer.from_pretrained(place)

    def open_base(name="base"):
        model = LlamaForCausalLM.from_pretrained(os.path.join(folder, name), dtype=torch.float32)
        model.config.use_cache = False
        return model

    def read(name, part):
        with open(os.path.join(folder, "data", f"{name}-{part}.txt"), encoding="utf-8", newline="") as file:
            return torch.tensor(tokenizer(file.read())["input_ids"])

    length = open_base().config.max_position_embeddings
    adapter_of = {name: os.path.join(out, "adapters", name) for name in CORPORA}
    for name, path in adapter_of.items():
        if os.path.exists(path):
            continue
        torch.manual_seed(1)
        config = LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=LAYERS, task_type="CAUSAL_LM")
        model = get_peft_model(open_base(), config)
        train(model, read(name, "train"), length)
        model.save_pretrained(path)

    def mix(name, sources, keys):
        path = os.path.join(out, name)
        text = "".join(
            f"  - {{ source_model: {source}, data: 'text:{folder}/data/{corpus}-train.txt:train@{ROUTED_TOKENS // length}' }}\n"
            for corpus, source in sources.items()
        )
        with open(f"{path}.yml", "w", encoding="utf-8") as file:
            file.write(f"base_model: {place}\narchitecture: xlora\ngate_mode: ridge\n{keys}experts:\n{text}")
        if not os.path.exists(os.path.join(path, "adapter_config.json")):
            subprocess.run([*shlex.split(args.isthmus), "moe", f"{path}.yml", "-o", path, "--quiet"], check=True)
        return path

    tuned = {name: os.path.join(folder, name) for name in CORPORA}
    mixtures = {
        "mixture of adapters, linear router": mix("linear", adapter_of, ""),
        "mixture of adapters, 1024 features": mix("features", adapter_of, "router_size: 1024\n"),
        "mixture of fine-tunes, 1024 features": mix("fine-tunes", tuned, "router_size: 1024\nrank: 32\n"),
    }
    ids = {name: read(name, "test") for name in CORPORA}

    def row(model_of):
        return {name: measure(model_of(i, name), ids[name], length) for i, name in enumerate(CORPORA)}

    def right(path):
        return row(lambda i, _: PeftModel.from_pretrained(open_base(), os.path.join(path, str(i))))

    base = row(lambda *_: open_base())
    adapters = right(mixtures["mixture of adapters, linear router"])
    fine = row(lambda _, name: open_base(name))
    parameters = sum(weight.numel() for weight in open_base().parameters())
    units = sum(weight.numel() for name, weight in open_base().named_parameters() if ".mlp." in name)
    table = [("base", base, None, (parameters, 4 * parameters)), ("right adapter for each text", adapters, adapters, (0, 0))]
    for label, path in mixtures.items():
        gained = fine if "fine-tunes" in label else adapters
        if gained is fine:
            table.append(("right fine-tune for each text", fine, fine, (0, 0)))
            table.append(("right fine-tune, as an adapter of rank 32", right(path), fine, (0, 0)))
        table.append((label, row(lambda *_: PeftModel.from_pretrained(open_base(), path)), gained, size_of(path)))
    lines = ["| network | " + " | ".join([*CORPORA, *(f"kept of {name}" for name in CORPORA), "parameters", "MB"]) + " |"]
    lines.append("|---" * 9 + "|")
    later = []
    for label, losses, gained, (count, size) in table:
        def kept(name, begin=0, end=None):
            part = slice(begin, end)
            return ((base[name] - losses[name])[part].sum() / (base[name] - gained[name])[part].sum()).item()

        shares = ["" if gained is None or gained is losses else f"{100 * kept(name):.0f} %" for name in CORPORA]
        cells = [f"{losses[name].mean().item():.3f}" for name in CORPORA] + shares
        lines.append("| " + " | ".join([label, *cells, f"{count:,}" if count else "", f"{size / 1e6:.2f}" if size else ""]) + " |")
        if label.startswith("mixture"):
            for begin, end in zip(EDGES, (*EDGES[1:], length - 1)):
                cells = [f"{100 * kept(name, begin, end):.0f} %" for name in CORPORA]
                later.append("| " + " | ".join([label, f"{begin} to {end - 1}", *cells]) + " |")
    dense = parameters + (len(CORPORA) - 1) * units
    lines += ["", f"A dense mixture (Mixtral) of three has {dense:,} parameters and {4 * dense / 1e6:.2f} MB without its routers.", ""]
    lines += ["| network | positions | " + " | ".join(f"kept of {name}" for name in CORPORA) + " |", "|---" * 5 + "|", *later]
    text = "\n".join(lines) + "\n"
    print(text)
    with open(os.path.join(out, "xlora.md"), "w", encoding="utf-8") as file:
        file.write(text)
    with open(os.path.join(out, "xlora.json"), "w", encoding="utf-8") as file:
        json.dump([{"network": label, **{name: losses[name].mean().item() for name in CORPORA}} for label, losses, *_ in table], file, indent=2)


main()
