"""Fine-tunes a sentence encoder on pairs of texts that belong together, and writes a model directory.

    python tools/examples/fine-tune-encoder.py BASE OUT --pairs python|FILE [--token TOKEN] [--steps 100]

Pairs come from text that is at hand: `python` takes names and docstrings of Python's standard library, a FILE
halves of its lines. With --token the first text of each pair begins with a new token, which the tokenizer gets,
as networks often bring tokens of their own to a merge. One in ten pairs is left for `compare-encoders.py`.
Needs torch and transformers; the same seed gives the same weights on the same machine.
"""

import argparse
import importlib
import inspect
import random
import re
import shutil
import sys
from pathlib import Path

import torch
import transformers


def python_pairs():
    pairs = {}
    for name in sorted(sys.stdlib_module_names):
        if name.startswith("_") or name in ("antigravity", "this", "idlelib"):
            continue
        try:
            module = importlib.import_module(name)
        except Exception:
            continue
        for member, value in sorted(vars(module).items()):
            if member.startswith("_") or not callable(value) or getattr(value, "__module__", None) != name:
                continue
            summary = re.split(r"(?<=\.)\s|\n\n", inspect.getdoc(value) or "")[0].replace("\n", " ")
            if 30 <= len(summary) <= 200:
                pairs.setdefault(summary, f"{name} {re.sub(r'(?<=[a-z])(?=[A-Z])|_', ' ', member)}")
    return [(name, summary) for summary, name in pairs.items()]


def line_pairs(path):
    lines = [line.strip() for line in Path(path).read_text().splitlines()]
    words = [line.split() for line in dict.fromkeys(lines) if len(line.split()) >= 7]
    return [(" ".join(line[: len(line) // 2]), " ".join(line[len(line) // 2 :])) for line in words]


def load_pairs(source, token=""):
    """Splits the pairs into those to train on and those to test on, always in the same way."""
    pairs = python_pairs() if source == "python" else line_pairs(source)
    pairs = [(f"{token} {a}".strip(), b) for a, b in sorted(pairs)]
    random.Random(0).shuffle(pairs)
    cut = len(pairs) // 10
    return pairs[cut:], pairs[:cut]


def embed(model, tokenizer, texts):
    """Embeds texts as all-MiniLM does: the mean of the tokens' vectors, of length 1."""
    batch = tokenizer(texts, padding=True, truncation=True, max_length=48, return_tensors="pt")
    hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)
    return torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base")
    parser.add_argument("out")
    parser.add_argument("--pairs", required=True)
    parser.add_argument("--token", default="")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    tokenizer = transformers.AutoTokenizer.from_pretrained(options.base)
    model = transformers.AutoModel.from_pretrained(options.base, dtype=torch.float32)
    if options.token:
        tokenizer.add_tokens([options.token], special_tokens=True)
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    train, test = load_pairs(options.pairs, options.token)
    print(f"{len(train)} pairs to train on, {len(test)} to test on")
    order = random.Random(options.seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5)
    model.train()
    for step in range(options.steps):
        batch = order.sample(train, 16)
        a, b = (embed(model, tokenizer, list(texts)) for texts in zip(*batch))
        loss = torch.nn.functional.cross_entropy(20 * a @ b.T, torch.arange(len(batch)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 25 == 0 or step == options.steps - 1:
            print(f"step {step}: loss {loss.item():.3f}", flush=True)
    shutil.copytree(options.base, options.out, ignore=shutil.ignore_patterns("*.safetensors", ".git*"), dirs_exist_ok=True)
    model.save_pretrained(options.out)
    tokenizer.save_pretrained(options.out)


if __name__ == "__main__":
    main()
