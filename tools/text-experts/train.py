"""Trains one small language model on three corpora together, then on each of them alone.

Writes to the folder OUT: base/ (the common start), shakespeare/, code/ and language/ (fine-tuned from it), each with
config.json, model.safetensors and a tokenizer, as transformers reads them; data/*-train.txt and *-test.txt; losses.json and
README.txt with the loss of each model on each test text. The model has the layout of Llama, the tokenizer is a byte-level
BPE of 512 tokens that is learned on the three corpora. One seed gives the same files on the same machine.

The corpora are Shakespeare's plays (two text files), TypeScript (sources of rxjs 7.8.2, Apache-2.0) and German (the Debian
Reference, GPL-2+, from Debian's package debian-reference-de):

    npm pack rxjs@7.8.2 && tar xzf rxjs-7.8.2.tgz                              # package/src/**/*.ts
    apt-get download debian-reference-de && dpkg-deb -x debian-reference-de_*.deb reference
    python train.py --shakespeare FOLDER --code package/src \\
        --language reference/usr/share/debian-reference/debian-reference.de.txt.gz --out OUT

With `--tuned mlp` the fine-tunings change the feed-forward networks alone, which are all that a mixture of experts keeps of each
model; `--base OUT/base` takes the base of an earlier run. `--replay SHARE` keeps fine-tunings from forgetting: that share of their
windows is from the other two corpora, in turn, spread evenly over the steps. Raise `--steps` for as many windows of the own corpus.
With it comes joint/, which learned from all three corpora in turn in the same way: what one model of this size gains by as many steps.

Tried with torch 2.15, transformers 5.24 and tokenizers 0.22; about ten minutes of one processor core.
"""
import argparse
import glob
import gzip
import json
import math
import os
import random
import re
import time

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

CORPORA = ("shakespeare", "code", "language")
WIDTH, DEPTH, HEADS, KEY_HEADS, HIDDEN = 96, 4, 4, 2, 256
VOCABULARY = 512
# Tokens of one training step.
BATCH = 2048
TEST_BYTES = 64 * 1024


def read_text(path):
    opened = gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8")
    with opened as file:
        return file.read()


def read_shakespeare(folder):
    return tuple(read_text(os.path.join(folder, f"shakespeare-{part}.txt")) for part in ("train", "test"))


def read_code(folder, seed):
    """Files in a random order, the last tenth of them for the test."""
    files = sorted(glob.glob(os.path.join(folder, "**", "*.ts"), recursive=True))
    random.Random(seed).shuffle(files)
    cut = len(files) * 9 // 10
    return tuple("\n".join(read_text(path) for path in part) for part in (files[:cut], files[cut:]))


def read_language(path):
    """Prose without the frames of tables and the indentation, the last tenth for the test."""
    lines = [line.strip() for line in read_text(path).replace("\u00a0", " ").split("\n")]
    text = "\n".join(line for line in lines if not re.match(r"[|+]|.*\.{4}", line))
    text = re.sub(r"\n{3,}", "\n\n", text)
    cut = len(text) * 9 // 10
    return text[:cut], text[cut:]


def learn_tokenizer(texts):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|end|>", eos_token="<|end|>")


def create_model(length):
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=WIDTH,
            intermediate_size=HIDDEN,
            num_hidden_layers=DEPTH,
            num_attention_heads=HEADS,
            num_key_value_heads=KEY_HEADS,
            max_position_embeddings=length,
            tie_word_embeddings=False,
            bos_token_id=0,
            eos_token_id=0,
        )
    )


def losses_of(model, ids):
    """Mean loss of the next token."""
    logits = model(input_ids=ids).logits[:, :-1]
    return torch.nn.functional.cross_entropy(logits.reshape(-1, VOCABULARY), ids[:, 1:].reshape(-1))


def text_of(window, texts, others, replay):
    """Text of a window by its number: the texts in turn, but for the share `replay` of windows, which is of the other texts."""
    replayed = math.floor((window + 1) * replay)
    if replayed > math.floor(window * replay):
        return others[replayed % len(others)]
    return texts[window % len(texts)]


def train(model, texts, steps, rate, generator, others=(), replay=0.0):
    """Trains on windows at random places of the texts, with a warm-up and half a cosine."""
    length = model.config.max_position_embeddings
    batch = BATCH // length
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=rate, betas=(0.9, 0.95), weight_decay=0.01)
    warm = steps // 20 + 1
    schedule = torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        [
            torch.optim.lr_scheduler.LinearLR(optimizer, 1 / warm, 1, warm),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps - warm),
        ],
        [warm],
    )
    model.train()
    for step in range(steps):
        rows = []
        for row in range(batch):
            ids = text_of(step * batch + row, texts, others, replay)
            start = torch.randint(len(ids) - length, (1,), generator=generator).item()
            rows.append(ids[start : start + length])
        loss = losses_of(model, torch.stack(rows))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(json.dumps({"step": step, "loss": round(loss.item(), 3), "cpu": round(time.process_time())}), flush=True)
    model.eval()


def is_mlp(parameter, first, last):
    """Whether a parameter is of the feed-forward network of a layer from `first` to `last`."""
    layer = re.match(r"model\.layers\.(\d+)\.mlp\.", parameter)
    return layer is not None and first <= int(layer.group(1)) <= last


@torch.no_grad()
def evaluate(model, ids):
    length = model.config.max_position_embeddings
    windows = ids[: len(ids) // length * length].reshape(-1, length)
    return sum(losses_of(model, part).item() * len(part) for part in windows.split(16)) / len(windows)


def main():
    options = argparse.ArgumentParser()
    for name in (*CORPORA, "out"):
        options.add_argument(f"--{name}", required=True)
    options.add_argument("--base-steps", type=int, help="steps of the base (default: 1200, or 0 with --base)")
    options.add_argument("--steps", type=int, default=500, help="steps of each fine-tuning")
    options.add_argument("--rate", type=float, default=1e-3, help="learning rate of the fine-tunings")
    options.add_argument("--tuned", choices=("all", "mlp"), default="all", help="weights that the fine-tunings change")
    options.add_argument("--first-layer", type=int, default=0, help="first layer that `--tuned mlp` changes")
    options.add_argument("--last-layer", type=int, default=DEPTH - 1, help="last layer that `--tuned mlp` changes")
    options.add_argument("--length", type=int, default=128, help="tokens of a window")
    options.add_argument("--base", help="folder of a base that is there already, which --base-steps train on")
    options.add_argument("--replay", type=float, default=0.0, help="share of the fine-tunings' windows from the other corpora")
    options.add_argument("--seed", type=int, default=1)
    args = options.parse_args()
    if not 0 <= args.replay < 1:
        options.error(f"--replay is a share of the windows, from 0 to less than 1, not {args.replay}")
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(args.seed)
    os.makedirs(os.path.join(args.out, "data"), exist_ok=True)
    parts = {
        "shakespeare": read_shakespeare(args.shakespeare),
        "code": read_code(args.code, args.seed),
        "language": read_language(args.language),
    }
    parts = {name: (text, test.encode()[:TEST_BYTES].decode(errors="ignore")) for name, (text, test) in parts.items()}
    for name, texts in parts.items():
        for part, text in zip(("train", "test"), texts):
            with open(os.path.join(args.out, "data", f"{name}-{part}.txt"), "w", encoding="utf-8", newline="") as file:
                file.write(text)
    tokenizer = learn_tokenizer([text[:300_000] for text, _ in parts.values()])
    ids = {name: [torch.tensor(tokenizer(text)["input_ids"]) for text in texts] for name, texts in parts.items()}
    table = {}

    def keep(name, model):
        model.save_pretrained(os.path.join(args.out, name))
        tokenizer.save_pretrained(os.path.join(args.out, name))
        table[name] = {corpus: round(evaluate(model, ids[corpus][1]), 4) for corpus in CORPORA}
        print(json.dumps({"model": name, "cpu seconds": round(time.process_time()), **table[name]}), flush=True)

    base = create_model(args.length)
    if args.base is not None:
        base.load_state_dict(LlamaForCausalLM.from_pretrained(args.base, dtype=torch.float32).state_dict())
    base_steps = args.base_steps if args.base_steps is not None else 1200 if args.base is None else 0
    if base_steps > 0:
        rate = 3e-3 if args.base is None else 1e-3
        train(base, [ids[name][0] for name in CORPORA], base_steps, rate, generator)
    keep("base", base)

    def tune(name, corpora, generator, others=()):
        model = create_model(args.length)
        model.load_state_dict(base.state_dict())
        for parameter, weight in model.named_parameters():
            weight.requires_grad_(args.tuned == "all" or is_mlp(parameter, args.first_layer, args.last_layer))
        own, other = ([ids[corpus][0] for corpus in part] for part in (corpora, others))
        train(model, own, args.steps, args.rate, generator, other, args.replay if others else 0)
        keep(name, model)

    for name in CORPORA:
        tune(name, [name], generator, [corpus for corpus in CORPORA if corpus != name])
    if args.replay > 0:
        tune("joint", CORPORA, torch.Generator().manual_seed(args.seed))
    with open(os.path.join(args.out, "losses.json"), "w", encoding="utf-8") as file:
        json.dump(table, file, indent=2)
    with open(os.path.join(args.out, "README.txt"), "w", encoding="utf-8") as file:
        file.write(f"Loss (nats for a token, windows of {args.length} tokens) of each model on each test text.\n\n")
        file.write("model".ljust(14) + "".join(f"{name:>14}" for name in CORPORA) + "\n")
        for name, row in table.items():
            file.write(name.ljust(14) + "".join(f"{row[corpus]:14.4f}" for corpus in CORPORA) + "\n")
        parameters = sum(p.numel() for p in base.parameters())
        file.write(f"\n{parameters} parameters each; tokens of the training texts: ")
        file.write(", ".join(f"{name} {len(ids[name][0])}" for name in CORPORA) + "\n")


main()
