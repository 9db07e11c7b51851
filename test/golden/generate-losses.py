"""Exports tiny networks of every kind of loss, with PyTorch's losses of the networks between two of them.

Every kind has two state dicts (NAME-a and NAME-b), its examples (NAME.safetensors) and the graph as the default exporter (dynamo) and the former one (legacy)
write it. losses.json holds the mean loss over examples, in f64, at 0, 1/2 and 1 between both, where the loss of an example is the mean over what counts in it;
the share of errors where there is one; and the gradient of the mean loss of network a by the bias of its last layer.
packages/graph/test/losses.test.ts and packages/training/test/losses.test.ts hold the library against them.

Run in an environment with torch 2.15, onnx 1.23, onnxscript and safetensors:

    python test/golden/generate-losses.py && npx biome format --write test/fixtures/losses
"""

import contextlib
import io
import json
import os
import warnings

import torch
from one_file import save_in_one_file
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")
OUT = os.path.join(os.path.dirname(__file__), "..", "fixtures", "losses")
NOTHING = -100


class Rows(nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.one, self.last = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)

    def raw(self, x):
        return self.last(torch.relu(self.one(x)))

    def forward(self, x):
        return self.raw(x)


class Sigmoid(Rows):
    def forward(self, x):
        return torch.sigmoid(self.raw(x))


class OneLogit(Rows):
    def forward(self, x):
        return self.raw(x).squeeze(-1)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.deep = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1)
        self.up, self.last = nn.ConvTranspose2d(6, 4, 2, stride=2), nn.Conv2d(8, 3, 1)

    def raw(self, x):
        high = torch.relu(self.down(x))
        low = torch.relu(self.deep(F.max_pool2d(high, 2)))
        return self.last(torch.cat([high, torch.relu(self.up(low))], 1))

    def forward(self, x):
        return self.raw(x)


class UNetSoftmax(UNet):
    """Softmax over the channels, which are the classes."""

    def forward(self, x):
        return torch.softmax(self.raw(x), 1)


class Encoder(nn.Module):
    """One layer of attention that sees the whole text."""

    def __init__(self):
        super().__init__()
        self.embed, self.place = nn.Embedding(16, 8), nn.Parameter(torch.randn(8, 8) / 4)
        self.query, self.key, self.value = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.last = nn.Linear(8, 16)

    def raw(self, ids):
        x = self.embed(ids) + self.place
        attention = torch.softmax(self.query(x) @ self.key(x).transpose(1, 2) / 8**0.5, -1)
        return self.last(x + attention @ self.value(x))

    def forward(self, input_ids):
        return self.raw(input_ids)


class Heads(Rows):
    """Two outputs with a loss each: labels 0 or 1 behind a sigmoid, and numbers."""

    def forward(self, x):
        both = self.raw(x)
        return torch.sigmoid(both[:, :3]), both[:, 3:]


def rows(losses):
    """The mean over examples of the mean over what belongs to each."""
    return losses.flatten(1).mean(1).mean() if losses.dim() > 1 else losses.mean()


def classes(raw, y):
    """Cross-entropy of places, of which those labelled NOTHING do not count: loss, error, and the mean over all places."""
    losses, counts = F.cross_entropy(raw, y, reduction="none", ignore_index=NOTHING), (y != NOTHING).double()
    share = lambda what: ((what * counts).flatten(1).sum(1) / counts.flatten(1).sum(1)).mean()
    return share(losses), share((raw.argmax(1) != y).double())


def binary(raw, y):
    raw = raw.reshape(y.shape)  # one logit for each example has an axis of extent 1
    return rows(F.binary_cross_entropy_with_logits(raw, y.double(), reduction="none")), rows(((raw > 0) != (y > 0.5)).double())


def squared(raw, y):
    return rows((raw - y.double()) ** 2), None


def absolute(raw, y):
    return rows((raw - y.double()).abs()), None


def heads(raw, y):
    return binary(raw[:, :3], y["labels"])[0] + squared(raw[:, 3:], y["numbers"])[0], None


def generate():
    torch.manual_seed(0)
    x = torch.randn(24, 6)
    mixed = torch.tanh(x @ torch.randn(6, 3)) + x[:, :3]
    images = torch.randn(8, 1, 8, 8)
    places = (images[:, 0] > 0.3).long() + (images[:, 0] > -0.5).long()
    places[:, :2, :3] = NOTHING
    places[3, 4] = NOTHING
    ids = torch.randint(2, 16, (12, 8))
    tokens = torch.full_like(ids, NOTHING)
    for row in range(len(ids)):
        chosen = torch.randperm(8)[: 1 + row % 4]
        tokens[row, chosen] = ids[row, chosen]
    masked = torch.where(tokens == NOTHING, ids, torch.ones_like(ids))
    wanted = {"labels": (mixed > 0).float(), "numbers": mixed[:, :2].clone()}
    return {
        "sigmoid": (lambda: Sigmoid(6, 8, 3), {"x": x, "y": (mixed > 0).float()}, {"binary-cross-entropy": binary}),
        "one-logit": (lambda: OneLogit(6, 8, 1), {"x": x, "y": (mixed[:, 0] > 0).long()}, {"binary-cross-entropy": binary}),
        "autoencoder": (lambda: Rows(6, 4, 6), {"x": x}, {"mean-squared-error": squared}),
        "regression": (lambda: Rows(6, 8, 3), {"x": x, "y": mixed}, {"mean-squared-error": squared, "mean-absolute-error": absolute}),
        "segmentation": (UNet, {"x": images, "y": places}, {"cross-entropy": classes}),
        "segmentation-softmax": (UNetSoftmax, {"x": images, "y": places}, {"cross-entropy": classes}),
        "encoder": (Encoder, {"input_ids": masked, "labels": tokens}, {"masked-token": lambda raw, y: classes(raw.transpose(1, 2), y)}),
        "heads": (lambda: Heads(6, 8, 5), {"x": x, **wanted}, {"several": heads}),
    }


def export(network, name, inputs):
    ((key, x),) = inputs.items()
    outputs = ["labels", "numbers"] if name == "heads" else ["out"]
    for exporter in ("dynamo", "legacy"):
        path = os.path.join(OUT, f"{name}-{exporter}.onnx")
        options = {"dynamic_shapes": ({0: torch.export.Dim.DYNAMIC},)} if exporter == "dynamo" else {"dynamic_axes": {each: {0: "n"} for each in [key, *outputs]}}
        with contextlib.redirect_stdout(io.StringIO()):
            torch.onnx.export(network, (x,), path, input_names=[key], output_names=outputs, dynamo=exporter == "dynamo", **options)
        save_in_one_file(path)


def main():
    os.makedirs(OUT, exist_ok=True)
    found = {}
    for name, (make, data, losses) in generate().items():
        key = next(iter(data))
        x, targets = data[key], {each: value for each, value in data.items() if each != key}
        y = targets if name == "heads" else next(iter(targets.values()), x)
        first = next(iter(losses.values()))
        states = []
        for seed in range(2):
            torch.manual_seed(seed)
            network = make()
            optimizer = torch.optim.Adam(network.parameters(), 0.03)
            for _ in range(40):
                optimizer.zero_grad()
                first(network.raw(x), y)[0].backward()
                optimizer.step()
            states.append({each: value.detach().clone() for each, value in network.state_dict().items()})
            save_file(states[-1], os.path.join(OUT, f"{name}-{'ab'[seed]}.safetensors"))
        save_file({each: value.contiguous() for each, value in data.items()}, os.path.join(OUT, f"{name}.safetensors"))
        network.load_state_dict(states[0])
        export(network.eval(), name, {key: x})
        for loss, compute in losses.items():
            measured = []
            for t in (0, 0.5, 1):
                network = make().double().eval()
                network.load_state_dict({each: (1 - t) * states[0][each].double() + t * states[1][each].double() for each in states[0]})
                value, error = compute(network.raw(x.double() if x.is_floating_point() else x), y)
                if t == 0:
                    gradient = torch.autograd.grad(value, network.last.bias)[0].tolist()
                measured.append((value.item(), None if error is None else error.item()))
            result = {"losses": [value for value, _ in measured], "gradient": gradient}
            if measured[0][1] is not None:
                result["errors"] = [error for _, error in measured]
            found[f"{name} {loss}"] = result
    with open(os.path.join(OUT, "losses.json"), "w") as file:
        json.dump(found, file, indent=2)


main()
