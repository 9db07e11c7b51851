"""Measures where routers of a mixture lose what experts know, and how much any router must lose.

Reads the models that train.py wrote with `--tuned mlp` (experts that differ from the base in feed-forward networks alone), and
the routers of a mixture of them in which all experts see each token, by the softmax of the scores:

    python by_position.py --in FOLDER --mixture FOLDER-OF-RESULTS/mixture-dense

Prints tables in Markdown, on the first windows of the test text of each corpus:

- the share of each expert's gain that is kept, over whole windows and over their second halves alone, of the mixture, of the
  mixture with the right expert forced in one layer, of equal shares, and of two routers that no layout has: `prefix` gives experts the
  probabilities that they themselves give to the text so far (each expert's likelihood, by Bayes' rule with equal priors), which
  is about the best that can be known of the corpus; `two layers` is a network with a hidden layer in place of the linear router;
  and of the model joint/, which learned from all corpora, if there is one;
- gain, loss and mean share of the right expert by position in the window;
- for each layer of the base, the cross-entropy of the corpus by a linear router, which shows how much a hidden state tells.

The linear routers and `two layers` learn from `--windows` windows of each training text, from all over it. Tried with torch 2.15 and
transformers 5.24.
"""
import argparse
import json
import os
import time

import torch
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy, nll_loss
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

CORPORA = ("shakespeare", "code", "language")
EDGES = (0, 8, 16, 32, 64, 128, 256)
# Windows that run at once.
BATCH = 8


def read_windows(folder, part, length):
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=os.path.join(folder, "base", "tokenizer.json"))
    windows = []
    for corpus in CORPORA:
        with open(os.path.join(folder, "data", f"{corpus}-{part}.txt"), encoding="utf-8", newline="") as file:
            ids = torch.tensor(tokenizer(file.read())["input_ids"])
        windows.append(ids[: len(ids) // length * length].reshape(-1, length))
    return windows


def differing_layers(base, experts):
    """Layers whose feed-forward networks the experts changed; all else must be the base's."""
    layers = set()
    for expert in experts:
        for (name, own), other in zip(expert.named_parameters(), base.parameters()):
            if torch.equal(own, other):
                continue
            if ".mlp." not in name:
                raise SystemExit(f"{name} differs from the base: experts must differ in feed-forward networks alone")
            layers.add(int(name.split(".")[2]))
    return sorted(layers)


class Mixture:
    def __init__(self, base, experts):
        self.base, self.experts = base, experts
        self.layers = differing_layers(base, experts)

    def run(self, ids, routers):
        """Losses of next tokens [windows, length - 1]; states before experts and shares of experts, by layer.

        A router is given by layer: a function of the states [windows, length, width], or shares that broadcast.
        """
        model = self.base.model
        hidden = model.embed_tokens(ids)
        places = torch.arange(ids.shape[1])[None]
        rotary = model.rotary_emb(hidden, places)
        states, shares = {}, {}
        for index, layer in enumerate(model.layers):
            hidden = hidden + layer.self_attn(layer.input_layernorm(hidden), position_embeddings=rotary, attention_mask=None)[0]
            state = states[index] = layer.post_attention_layernorm(hidden)
            if index not in self.layers:
                hidden = hidden + layer.mlp(state)
                continue
            router = routers[index]
            share = router(state) if callable(router) else router.expand(*state.shape[:2], -1)
            shares[index] = share
            for place, expert in enumerate(self.experts):
                hidden = hidden + share[..., place : place + 1] * expert.model.layers[index].mlp(state)
        logits = self.base.lm_head(model.norm(hidden))[:, :-1]
        return losses_of(logits, ids), states, shares

    def forced(self, expert, layers=None):
        return {layer: torch.eye(len(self.experts))[expert][None, None] for layer in layers or self.layers}

    def measure(self, windows, routers_of):
        """Losses by corpus, and the share of the right expert by corpus and layer, [windows, length]."""
        losses, shares = [], []
        for corpus, ids in enumerate(windows):
            parts = [self.run(part, routers_of(corpus, start * BATCH)) for start, part in enumerate(ids.split(BATCH))]
            losses.append(torch.cat([loss for loss, _, _ in parts]))
            shares.append({n: torch.cat([s[n][..., corpus] for _, _, s in parts]) for n in self.layers})
        return losses, shares

    def states(self, windows):
        """States of each corpus by layer, each through its own expert."""
        found = [{n: [] for n in range(len(self.base.model.layers))} for _ in windows]
        for corpus, ids in enumerate(windows):
            for part in ids.split(BATCH):
                for index, state in self.run(part, self.forced(corpus))[1].items():
                    found[corpus][index].append(state.flatten(0, 1))
        return [{index: torch.cat(parts) for index, parts in by_layer.items()} for by_layer in found]


def losses_of(logits, ids):
    return cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none").reshape(len(ids), -1)


def dense_losses(model, windows):
    return [torch.cat([losses_of(model(input_ids=part).logits[:, :-1], part) for part in ids.split(BATCH)]) for ids in windows]


def prefix_shares(experts, windows):
    """Probabilities of the experts given the tokens up to each position, [windows, length, experts]."""
    shares = []
    for ids in windows:
        likelihoods = -torch.stack([dense_losses(expert, [ids])[0] for expert in experts], -1).cumsum(1)
        shares.append(torch.cat([torch.zeros(len(ids), 1, len(experts)), likelihoods], 1).softmax(-1))
    return shares


@torch.enable_grad()
def learn(network, states, steps=400, rate=1e-2):
    """Learns to tell the corpus of a state; returns a router."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, steps)
    generator = torch.Generator().manual_seed(1)
    for _ in range(steps):
        rows = [part[torch.randint(len(part), (512,), generator=generator)] for part in states]
        labels = torch.arange(len(states)).repeat_interleave(512)
        optimizer.zero_grad()
        cross_entropy(network(torch.cat(rows)), labels).backward()
        optimizer.step()
        schedule.step()
    return lambda state: network(state).softmax(-1)


def judged(router, states):
    """Mean cross-entropy of the corpus, and shares of states whose largest score is that of their corpus."""
    logs = [router(part).log() for part in states]
    loss = sum(nll_loss(log, torch.full((len(log),), i)).item() for i, log in enumerate(logs)) / len(logs)
    return loss, [log.argmax(-1).eq(i).float().mean().item() for i, log in enumerate(logs)]


def print_table(titles, rows):
    print("\n| " + " | ".join(titles) + " |\n|" + "---|" * len(titles))
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def percent(number):
    return f"{100 * number:.1f} %"


@torch.no_grad()
def main():
    options = argparse.ArgumentParser()
    options.add_argument("--in", dest="folder", required=True)
    options.add_argument("--mixture", required=True, help="folder of a mixture in which all experts see each token")
    options.add_argument("--windows", type=int, default=64, help="windows of each training text that routers learn from")
    options.add_argument("--test-tokens", type=int, default=16 * 1024, help="first tokens of each test text that are measured")
    args = options.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    base, *experts = [
        LlamaForCausalLM.from_pretrained(os.path.join(args.folder, name), dtype=torch.float32).eval().requires_grad_(False)
        for name in ("base", *CORPORA)
    ]
    mixture = Mixture(base, experts)
    length = base.config.max_position_embeddings
    test = [ids[: args.test_tokens // length] for ids in read_windows(args.folder, "test", length)]
    weights = load_file(os.path.join(args.mixture, "model.safetensors"))
    gates = {n: weights[f"model.layers.{n}.mlp.gate.weight"].float() for n in mixture.layers}
    routers = {n: (lambda state, gate=gate: (state @ gate.T).softmax(-1)) for n, gate in gates.items()}
    before = dense_losses(base, test)
    right, _ = mixture.measure(test, lambda corpus, _: mixture.forced(corpus))
    own, shares = mixture.measure(test, lambda *_: routers)
    equal = torch.full((1, 1, len(experts)), 1 / len(experts))
    known = prefix_shares(experts, test)
    train = [ids[:: max(1, len(ids) // args.windows)][: args.windows] for ids in read_windows(args.folder, "train", length)]
    states, held = mixture.states(train), mixture.states(test)
    width = base.config.hidden_size
    probes, deep = {}, {}
    for n in range(len(base.model.layers)):
        probes[n] = learn(torch.nn.Linear(width, len(experts), bias=False), [part[n] for part in states])
        if n in mixture.layers:
            layers = (torch.nn.Linear(width, 128), torch.nn.SiLU(), torch.nn.Linear(128, len(experts)))
            deep[n] = learn(torch.nn.Sequential(*layers), [part[n] for part in states], rate=3e-3)
    rows = {"mixture": own}
    for n in mixture.layers:
        rows[f"right expert in layer {n}"] = mixture.measure(
            test, lambda corpus, _, n=n: {**routers, **mixture.forced(corpus, [n])}
        )[0]
    rows["equal shares"] = mixture.measure(test, lambda *_: {n: equal for n in mixture.layers})[0]
    rows["linear, from all over the text"] = mixture.measure(test, lambda *_: probes)[0]
    rows["two layers"] = mixture.measure(test, lambda *_: deep)[0]
    rows["prefix"] = mixture.measure(
        test, lambda corpus, start: {n: known[corpus][start : start + BATCH] for n in mixture.layers}
    )[0]

    joint = os.path.join(args.folder, "joint")
    if os.path.isdir(joint):
        rows["joint"] = dense_losses(LlamaForCausalLM.from_pretrained(joint, dtype=torch.float32).eval(), test)

    def kept(losses, part):
        return [
            ((b[:, part].mean() - x[:, part].mean()) / (b[:, part].mean() - r[:, part].mean())).item()
            for b, x, r in zip(before, losses, right)
        ]

    half = slice(length // 2 - 1, None)
    titles = ["router", *CORPORA, *(f"{corpus}, second halves" for corpus in CORPORA)]
    print_table(
        titles,
        [[name, *map(percent, kept(losses, slice(None))), *map(percent, kept(losses, half))] for name, losses in rows.items()],
    )
    spans = []
    for begin, end in zip(EDGES, (*EDGES[1:], length - 1)):
        part = slice(begin, end)
        cells = []
        for b, x, r, share in zip(before, own, right, shares):
            gain, lost = (b - r)[:, part].mean().item(), (x - r)[:, part].mean().item()
            of_all = ((x - r)[:, part].sum() / (b - r).sum()).item()
            means = ", ".join(f"{share[n][:, part].mean().item():.2f}" for n in mixture.layers)
            cells.append(f"{gain:.3f}, {lost:.3f}, {percent(of_all)}; {means}")
        spans.append([f"{begin + 1} to {end}", *cells])
    print_table(["predicted after tokens", *CORPORA], spans)
    print("\nEach cell: gain of the expert, loss of the mixture, loss as a share of the whole gain; mean share of the right expert by layer.")
    found = {n: judged(probes[n], [part[n] for part in held]) for n in probes}
    print_table(
        ["layer", "cross-entropy of the corpus", *CORPORA],
        [[str(n), f"{loss:.3f}", *map(percent, accuracies)] for n, (loss, accuracies) in found.items()],
    )
    print("\n" + json.dumps({"windows": [len(ids) for ids in test], "cpu seconds": round(time.process_time())}))


main()
