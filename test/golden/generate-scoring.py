"""Exports networks that end in probabilities, return several outputs or compute in half precision, with PyTorch's losses beside them.

All networks share two state dicts (a and b) and the examples. scores.json holds, for each of them, PyTorch's mean loss and share of errors of the
networks at 0, 1/2 and 1 between both, in f64 (f16 for the half network), and the quality of both networks' mean prediction as NumPy computes it.
Every network is exported by the default exporter (dynamo) and by the former one (legacy); keras/ has the one that ends in softmax as a LayersModel.
packages/graph/test/scoring.test.ts and packages/ensemble/test/scoring.test.ts hold the library against them.

Run in an environment with torch 2.15, onnx 1.23, onnxscript, safetensors and NumPy:

    python test/golden/generate-scoring.py && npx biome format --write test/fixtures/scoring
"""

import contextlib
import io
import json
import os
import warnings

import numpy as np
import torch
from one_file import save_in_one_file
from safetensors.torch import save_file
from torch import nn

warnings.filterwarnings("ignore")
OUT = os.path.join(os.path.dirname(__file__), "..", "fixtures", "scoring")
EXAMPLES, INPUTS, HIDDEN, CLASSES = 64, 6, 8, 4


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(INPUTS, HIDDEN), nn.Linear(HIDDEN, CLASSES)

    def features(self, x):
        return torch.relu(self.one(x))

    def logits(self, x):
        return self.two(self.features(x))


class Softmax(Network):
    def forward(self, x):
        return torch.softmax(self.logits(x), -1)


class LogSoftmax(Network):
    def forward(self, x):
        return torch.log_softmax(self.logits(x), -1)


class Features(Network):
    """Returns the features, which are more than the classes, before the logits."""

    def forward(self, x):
        features = self.features(x)
        return features, self.two(features)


class Both(Network):
    """Returns the probabilities before the logits that they are made of."""

    def forward(self, x):
        logits = self.logits(x)
        return torch.softmax(logits, -1), logits


class Pooled(Network):
    """Softmax over channels, which are flattened behind it."""

    def forward(self, x):
        maps = self.logits(x)[:, :, None, None]
        return torch.flatten(torch.softmax(maps, 1), 1)


class Rows(Network):
    """Softmax of examples that are cut into halves and joined again."""

    def forward(self, x):
        rows = self.logits(x).reshape(-1, 2, CLASSES).transpose(1, 2)
        return torch.softmax(rows, 1).transpose(1, 2).reshape(-1, CLASSES)


class Divided(Network):
    """Softmax in its parts."""

    def forward(self, x):
        logits = self.logits(x)
        powers = torch.exp(logits - logits.amax(-1, keepdim=True))
        return powers / powers.sum(-1, keepdim=True)


class Half(Network):
    def forward(self, x):
        return torch.softmax(self.logits(x), -1)


class Sigmoid(Network):
    def forward(self, x):
        return torch.sigmoid(self.logits(x))


class Across(Network):
    """Softmax over the examples of the batch, which is no probability of classes."""

    def forward(self, x):
        return torch.softmax(self.logits(x), 0)


class Heads(Network):
    """Two outputs of which neither is computed from the other."""

    def forward(self, x):
        return self.logits(x), self.logits(-x)


SCORED = {"softmax": Softmax, "log-softmax": LogSoftmax, "features": Features, "both": Both, "pooled": Pooled, "rows": Rows, "divided": Divided, "half": Half}
REFUSED = {"sigmoid": Sigmoid, "across": Across, "heads": Heads}


def export(network, name, x):
    for exporter in ("dynamo", "legacy"):
        path = os.path.join(OUT, f"{name}-{exporter}.onnx")
        options = {"dynamic_shapes": ({0: torch.export.Dim.DYNAMIC},)} if exporter == "dynamo" else {"dynamic_axes": {"x": {0: "n"}}}
        if name == "rows" and exporter == "dynamo":
            options = {"dynamic_shapes": ({0: 2 * torch.export.Dim("half")},)}
        if name == "softmax" and exporter == "legacy":
            options["opset_version"] = 11  # softmax over all axes from one on
        with contextlib.redirect_stdout(io.StringIO()):
            torch.onnx.export(network, (x,), path, input_names=["x"], dynamo=exporter == "dynamo", **options)
        save_in_one_file(path)


def loss_of(state, x, y, half=False):
    network = Network()
    network.load_state_dict(state)
    network = (network.half() if half else network.double()).eval()
    with torch.no_grad():
        logits = network.logits(x.half() if half else x.double()).double()
    return nn.functional.cross_entropy(logits, y).item(), (logits.argmax(-1) != y).double().mean().item()


def quality(states, x, y):
    """Negative log-likelihood, expected calibration error in 15 bins and Brier score of the mean of the probabilities."""
    total = 0
    for state in states:
        network = Softmax()
        network.load_state_dict(state)
        total = total + network.double().eval()(x.double()).detach().numpy() / len(states)
    labels, rows = y.numpy(), np.arange(len(y))
    confidence, right = total.max(-1), total.argmax(-1) == labels
    bins = np.ceil(confidence * 15).clip(1, 15)
    ece = sum((bins == b).mean() * abs(right[bins == b].mean() - confidence[bins == b].mean()) for b in set(bins))
    return {"nll": -np.log(total[rows, labels]).mean(), "ece": ece, "brier": ((total - np.eye(CLASSES)[labels]) ** 2).sum(-1).mean()}


def save_keras(state, folder):
    """Writes the network that ends in softmax as a LayersModel of two dense layers."""
    dense = lambda name, units, activation, **more: {
        "class_name": "Dense",
        "config": {"name": name, "units": units, "activation": activation, "use_bias": True, "trainable": True, **more},
    }
    layers = [dense("one", HIDDEN, "relu", batch_input_shape=[None, INPUTS]), dense("two", CLASSES, "softmax")]
    tensors = [(f"{layer}/{kind}", state[f"{layer}.{part}"].T.contiguous().numpy()) for layer in ("one", "two") for kind, part in (("kernel", "weight"), ("bias", "bias"))]
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "weights.bin"), "wb") as file:
        for _, tensor in tensors:
            file.write(tensor.astype("<f4").tobytes())
    weights = [{"name": name, "shape": list(tensor.shape), "dtype": "float32"} for name, tensor in tensors]
    model = {
        "format": "layers-model",
        "generatedBy": "keras v2.15.0",
        "modelTopology": {"keras_version": "2.15.0", "backend": "tensorflow", "model_config": {"class_name": "Sequential", "config": {"name": "keras", "layers": layers}}},
        "weightsManifest": [{"paths": ["weights.bin"], "weights": weights}],
    }
    with open(os.path.join(folder, "model.json"), "w") as file:
        json.dump(model, file)


def main():
    os.makedirs(OUT, exist_ok=True)
    torch.manual_seed(0)
    x, y = torch.randn(EXAMPLES, INPUTS), torch.arange(EXAMPLES) % CLASSES
    x[torch.arange(EXAMPLES), y] += 1.5
    states = []
    for name in "ab":
        network = Network()
        optimizer = torch.optim.Adam(network.parameters(), 0.03)
        for _ in range(25):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network.logits(x), y).backward()
            optimizer.step()
        states.append({key: value.detach().clone() for key, value in network.state_dict().items()})
        save_file(states[-1], os.path.join(OUT, f"{name}.safetensors"))
        save_keras(states[-1], os.path.join(OUT, f"keras-{name}"))
    save_file({"x": x, "y": y}, os.path.join(OUT, "examples.safetensors"))
    for name, make in {**SCORED, **REFUSED}.items():
        network = make()
        network.load_state_dict(states[0])
        network.eval()
        export(network.half() if name == "half" else network, name, x.half() if name == "half" else x)
    middle = {key: (states[0][key] + states[1][key]) / 2 for key in states[0]}
    along = [loss_of(state, x, y) for state in (states[0], middle, states[1])]
    scores = {"losses": [loss for loss, _ in along], "errors": [error for _, error in along], "ensemble": quality(states, x, y)}
    scores["half"] = [loss_of(state, x, y, half=True)[0] for state in (states[0], middle, states[1])]
    with open(os.path.join(OUT, "scores.json"), "w") as file:
        json.dump(scores, file, indent=2)


main()
