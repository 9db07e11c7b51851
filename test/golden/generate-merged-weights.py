"""Exports networks whose tensors have values that exporters merge or leave out: zeros, ones, and equal layers.

For every network: the state dict that the graph was exported from (seed 0, in which some tensors are new or frozen) and one in which all are
trained (seed 1), the graph of seed 0 by both exporters of PyTorch, and inputs with PyTorch's logits, losses and errors for both seeds. Without its records
("-bare"), the graph of the default exporter does not say which tensors it merged. packages/graph/test/merged-weights.test.ts holds our reading
of each graph against them.

Run in an environment with torch 2.15, onnx 1.23, onnxscript and safetensors:

    python test/golden/generate-merged-weights.py
"""

import contextlib
import io
import os
import warnings

import onnx
import torch
from golden_networks import outputs_of
from safetensors.torch import save_file
from torch import nn

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
OUT = os.path.join(os.path.dirname(__file__), "..", "fixtures", "merged-weights")
INPUTS, WIDTH, CLASSES = 8, 6, 3
RECORD = "pkg.torch.onnx.fx_node"


class ZeroBiases(nn.Module):
    """Biases of zeros, which the default exporter leaves out and the older one merges, beside a parameter that nothing reads."""

    def __init__(self):
        super().__init__()
        self.fc0, self.fc1, self.fc2 = nn.Linear(INPUTS, WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.head, self.unused = nn.Linear(WIDTH, CLASSES), nn.Parameter(torch.randn(5))
        for layer in (self.fc1, self.fc2):
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        return self.head(torch.relu(self.fc2(torch.relu(self.fc1(torch.relu(self.fc0(x)))))))


class ConvBiases(nn.Module):
    """Convolutions with biases of zeros, one of them transposed and in groups."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, WIDTH, 3, padding=1)
        self.up, self.head = nn.ConvTranspose2d(WIDTH, WIDTH, 2, groups=2), nn.Linear(WIDTH, CLASSES)
        for layer in (self.conv, self.up):
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = torch.relu(self.conv(x.reshape(-1, 1, 2, 4)))
        return self.head(torch.relu(self.up(x)).mean((2, 3)))


class NewNorms(nn.Module):
    """Layer norms with new gains and offsets, and gains of residual branches."""

    def __init__(self):
        super().__init__()
        self.fc0, self.norm0 = nn.Linear(INPUTS, WIDTH), nn.LayerNorm(WIDTH)
        self.fc1, self.norm1 = nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH)
        self.gain0, self.gain1 = nn.Parameter(torch.ones(WIDTH)), nn.Parameter(torch.ones(WIDTH))
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        x = self.gain0 * torch.relu(self.norm0(self.fc0(x)))
        return self.head(x + self.gain1 * torch.relu(self.norm1(self.fc1(x))))


class EqualLayers(nn.Module):
    """Two layers that begin as copies of each other, one of them read as a transposed matrix."""

    def __init__(self):
        super().__init__()
        self.fc0, self.fc1, self.fc2 = nn.Linear(4, WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, CLASSES)
        self.fc2.load_state_dict(self.fc1.state_dict())

    def forward(self, x):
        x = torch.relu(self.fc0(x.reshape(-1, 2, 4)))
        return self.head(torch.relu(self.fc2(torch.relu(self.fc1(x)).mean(1))))


class GroupNorms(nn.Module):
    """Group norms, for which exporters write constants of ones and zeros, beside a parameter that nothing reads."""

    def __init__(self):
        super().__init__()
        self.conv0, self.norm0 = nn.Conv2d(1, WIDTH, 3, padding=1), nn.GroupNorm(2, WIDTH)
        self.conv1, self.norm1 = nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.GroupNorm(2, WIDTH)
        self.head, self.unused = nn.Linear(WIDTH, CLASSES), nn.Parameter(torch.randn(5))

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x.reshape(-1, 1, 2, 4))))
        return self.head(torch.relu(self.norm1(self.conv1(x))).mean((2, 3)))


class Numbers(nn.Module):
    """Trained numbers: of residual branches, and a temperature whose exponential the default exporter computes beforehand."""

    def __init__(self):
        super().__init__()
        self.fc0, self.fc1, self.head = nn.Linear(INPUTS, WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, CLASSES)
        self.gate, self.temperature = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(()))

    def forward(self, x):
        x = self.fc0(x)
        return self.head(x + self.gate * torch.relu(self.fc1(x))) * self.temperature.exp()


class TiedLayers(nn.Module):
    """One layer under two names, which is read as it is and as a transposed copy."""

    def __init__(self):
        super().__init__()
        self.fc0, self.fc1, self.head = nn.Linear(4, WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, CLASSES)
        self.fc2 = self.fc1

    def forward(self, x):
        x = torch.relu(self.fc0(x.reshape(-1, 2, 4)))
        return self.head(torch.relu(self.fc2(torch.relu(self.fc1(x)).mean(1))))


# Whether the network that the graph is exported from is trained but for the tensors of these endings; else it is new.
NETWORKS = {
    "zero-biases": (ZeroBiases, ("fc1.bias", "fc2.bias")),
    "conv-biases": (ConvBiases, ("conv.bias", "up.bias")),
    "new-norms": (NewNorms, None),
    "equal-layers": (EqualLayers, None),
    "group-norms": (GroupNorms, ()),
    "tied-layers": (TiedLayers, ()),
    "numbers": (Numbers, ()),
}

EXPORTS = {
    "dynamo": dict(dynamo=True, dynamic_shapes=({0: torch.export.Dim.DYNAMIC},), external_data=False),
    "legacy": dict(dynamo=False, dynamic_axes={"input": {0: "N"}, "output": {0: "N"}}),
}


def teacher():
    return torch.randn(INPUTS, CLASSES, generator=torch.Generator().manual_seed(7))


def train(network, seed, frozen=()):
    """A network after some steps on noise, with classes that can be learnt from it."""
    generator = torch.Generator().manual_seed(seed)
    trained = [p for name, p in network.named_parameters() if not name.endswith(frozen)]
    optimizer = torch.optim.Adam(trained, 1e-2)
    for _ in range(60):
        x = torch.randn(32, INPUTS, generator=generator)
        loss = nn.functional.cross_entropy(network(x), (x @ teacher()).argmax(1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network


def export(network, path, options):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        torch.onnx.export(network, (torch.randn(2, INPUTS),), path, input_names=["input"], output_names=["output"],
                          **options)
    model = onnx.load(path)
    for node in model.graph.node:  # Stack traces of this machine are most of the file.
        records = [(prop.key, prop.value) for prop in node.metadata_props if prop.key == RECORD]
        node.doc_string = ""
        del node.metadata_props[:]
        for key, value in records:
            node.metadata_props.add(key=key, value=value)
    del model.graph.metadata_props[:], model.metadata_props[:]
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info, *model.graph.initializer]:
        del value.metadata_props[:]
    onnx.save(model, path)
    return model


def main():
    os.makedirs(OUT, exist_ok=True)
    x = torch.randn(4, INPUTS, generator=torch.Generator().manual_seed(5))
    examples = torch.randn(60, INPUTS, generator=torch.Generator().manual_seed(6))
    labels = (examples @ teacher()).argmax(1)
    save_file({"x": examples, "y": labels}, f"{OUT}/examples.safetensors")
    for name, (build, frozen) in NETWORKS.items():
        parity = {"x": x}
        for seed in (0, 1):
            torch.manual_seed(seed)
            network = build()
            if seed == 1:
                train(network, seed)
            elif frozen is not None:
                train(network, seed, frozen)
            network.eval()
            torch.save(network.state_dict(), f"{OUT}/{name}-{seed}.pt")
            parity |= outputs_of(network, seed, x, examples, labels)
            if seed == 1:
                continue
            for kind, options in EXPORTS.items():
                model = export(network, f"{OUT}/{name}-{kind}.onnx", options)
                if kind == "dynamo":
                    for node in model.graph.node:
                        del node.metadata_props[:]
                    onnx.save(model, f"{OUT}/{name}-bare.onnx")
        save_file(parity, f"{OUT}/{name}-parity.safetensors")


main()
