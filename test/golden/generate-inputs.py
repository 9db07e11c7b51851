"""Exports networks of several inputs, outputs and labels, and for one size of batch, with what PyTorch computes beside them.

For every network: two state dicts (seeds 0 and 1), the graph of seed 0 by exporter and batch, examples, and PyTorch's mean loss, share of errors
and perplexity for both seeds. packages/graph/test/exported-inputs.test.ts holds the library against them, packages/cli/test/cli-inputs.test.ts the command.

Run in an environment with torch 2.15, onnx 1.23, onnxscript and safetensors:

    python test/golden/generate-inputs.py
"""

import contextlib
import io
import os
import warnings

import torch
from one_file import strip
from safetensors.torch import save_file
from torch import nn

warnings.filterwarnings("ignore")
OUT = os.path.join(os.path.dirname(__file__), "..", "fixtures", "inputs")
EXAMPLES, LENGTH, VOCABULARY, CLASSES, WIDTH = 23, 6, 11, 3, 8


class Towers(nn.Module):
    """Two inputs of different widths."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.head = nn.Linear(6, 8), nn.Linear(4, 8), nn.Linear(8, CLASSES)

    def forward(self, left, right):
        return self.head(torch.relu(self.one(left)) * torch.tanh(self.two(right)))


class Tagger(nn.Module):
    """A class for every token; padding is masked."""

    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.layer = nn.TransformerEncoderLayer(WIDTH, 2, 12, dropout=0.0, batch_first=True, norm_first=True)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, input_ids, attention_mask):
        x = self.words(input_ids) + self.places(torch.arange(input_ids.shape[1]))
        return self.head(self.layer(x, src_key_padding_mask=attention_mask == 0))


class Speller(nn.Module):
    """A language model that returns a dictionary, its logits neither alone nor first."""

    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.fused, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, VOCABULARY, bias=False)

    def forward(self, input_ids):
        n, length = input_ids.shape
        x = self.words(input_ids) + self.places(torch.arange(length))
        q, k, v = (part.reshape(n, length, 2, WIDTH // 2).transpose(1, 2) for part in self.fused(x).chunk(3, -1))
        # Heads join the batch, as torch.bmm has it.
        q, k, v = (part.reshape(n * 2, length, WIDTH // 2) for part in (q, k, v))
        mask = torch.full((length, length), float("-inf")).triu(1)
        mixed = torch.bmm(torch.softmax(torch.bmm(q, k.transpose(1, 2)) / 2 + mask, -1), v)
        mixed = mixed.reshape(n, 2, length, WIDTH // 2).transpose(1, 2).reshape(n, length, WIDTH)
        x = self.norm(x + self.out(mixed))
        keys = k.reshape(n, 2, length, WIDTH // 2)
        return {"hidden": x, "logits": self.head(x), "keys": keys}


class Picker(nn.Module):
    """Examples are independent, but exporters number them: the graph takes one size of batch only."""

    def __init__(self):
        super().__init__()
        self.rows, self.norm, self.head = nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, CLASSES)

    def forward(self, x):
        rows = torch.relu(self.rows(x))
        picked = rows[torch.arange(x.shape[0]), x.sum(-1).argmax(-1)]
        return self.head(torch.relu(self.norm(picked)))


class Attention(nn.Module):
    """A class token that the batch repeats, and attention over time first."""

    def __init__(self):
        super().__init__()
        self.inside, self.token = nn.Linear(4, WIDTH), nn.Parameter(torch.randn(1, 1, WIDTH) * 0.3)
        self.attention, self.head = nn.MultiheadAttention(WIDTH, 2), nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), self.inside(x)], 1).transpose(0, 1)
        return self.head((x + self.attention(x, x, x, need_weights=False)[0])[0])


class Recurrent(nn.Module):
    """A recurrent layer, whose first state is made for every example."""

    def __init__(self):
        super().__init__()
        self.layer, self.head = nn.LSTM(4, 5, batch_first=True, bidirectional=True), nn.Linear(10, CLASSES)

    def forward(self, x):
        return self.head(self.layer(x)[0][:, -1])


NETWORKS = {"towers": Towers, "tagger": Tagger, "speller": Speller, "picker": Picker, "attention": Attention, "recurrent": Recurrent}

# Networks that are exported with any batch, too.
DYNAMIC = {"towers", "tagger", "speller"}


def randomize(network):
    """Exporters join tensors that are equal, as those of fresh norms are."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
        for name, buffer in network.named_buffers():
            if buffer.is_floating_point():
                buffer.copy_(0.5 + torch.rand_like(buffer))
    return network.eval()


def examples(name):
    """Inputs and labels of a network."""
    generator = torch.Generator().manual_seed(3)
    floats = lambda *shape: torch.randn(EXAMPLES, *shape, generator=generator)
    integers = lambda high, *shape: torch.randint(0, high, (EXAMPLES, *shape), generator=generator)
    lengths = 3 + torch.arange(EXAMPLES) % (LENGTH - 2)
    mask = (torch.arange(LENGTH)[None] < lengths[:, None]).long()
    if name == "towers":
        return {"left": floats(6), "right": floats(4)}, {"y": integers(CLASSES)}
    if name == "tagger":
        inputs = {"input_ids": integers(VOCABULARY, LENGTH), "attention_mask": mask}
        return inputs, {"y": integers(CLASSES, LENGTH)}
    if name == "speller":
        ids = integers(VOCABULARY, LENGTH)
        return {"input_ids": ids}, {"labels": torch.where(mask == 1, ids, torch.full_like(ids, -100))}
    return {"x": floats(5, 4)}, {"y": integers(CLASSES)}


def scores(network, inputs, labels):
    """Mean loss of examples, share of errors, and perplexity of all positions, as `createEvaluator` defines them."""
    with torch.no_grad():
        out = network(**inputs)
    logits = out["logits"] if isinstance(out, dict) else out
    if "labels" in labels:
        logits, wanted = logits[:, :-1], labels["labels"][:, 1:]
    elif logits.dim() == 3:
        wanted = torch.where(inputs["attention_mask"] == 1, labels["y"], torch.full_like(labels["y"], -100))
    else:
        logits, wanted = logits[:, None], labels["y"][:, None]
    loss = nn.functional.cross_entropy(logits.transpose(1, 2), wanted, reduction="none", ignore_index=-100).double()
    counts = wanted >= 0
    right = ((logits.argmax(-1) == wanted) & counts).double()
    each = lambda values: (values.sum(1) / counts.sum(1)).mean()
    return torch.stack([each(loss), 1 - each(right), torch.exp(loss.sum() / counts.sum())])


def export(network, path, inputs, dynamo=True, batch=None, **options):
    """Exports for one size of batch, or for any if none is given."""
    some = {key: value[: batch or 2] for key, value in inputs.items()}
    names = list(inputs)
    with torch.no_grad():
        out = network(**some)
    outputs = list(out) if isinstance(out, dict) else ["output"]
    if dynamo:
        options["external_data"] = False
        if batch is None:
            options["dynamic_shapes"] = {key: {0: torch.export.Dim.DYNAMIC} for key in names}
    elif batch is None:
        options["dynamic_axes"] = {key: {0: "N"} for key in [*names, *outputs]}
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        torch.onnx.export(network, tuple(some.values()), path, dynamo=dynamo, input_names=names, output_names=outputs, **options)
    strip(path)


def main():
    os.makedirs(OUT, exist_ok=True)
    for name, build in NETWORKS.items():
        inputs, labels = examples(name)
        results = {}
        for seed in (0, 1):
            torch.manual_seed(seed)
            network = randomize(build())
            save_file({key: value.contiguous() for key, value in network.state_dict().items()}, f"{OUT}/{name}-{seed}.safetensors")
            results[f"scores{seed}"] = scores(network, inputs, labels)
            if seed == 1:
                continue
            for exporter, dynamo in (("dynamo", True), ("legacy", False)):
                copy = build()
                copy.load_state_dict(network.state_dict())
                copy.eval()
                for batch in (1, 2):
                    export(copy, f"{OUT}/{name}-{exporter}-{batch}.onnx", inputs, dynamo, batch)
                if name in DYNAMIC:
                    export(copy, f"{OUT}/{name}-{exporter}-any.onnx", inputs, dynamo)
            if name == "towers":
                export(copy, f"{OUT}/{name}-parameters-2.onnx", inputs, False, 2, export_params=False, do_constant_folding=False)
        save_file({**inputs, **labels}, f"{OUT}/{name}-examples.safetensors")
        save_file(results, f"{OUT}/{name}-scores.safetensors")


main()
