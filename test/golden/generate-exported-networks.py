"""Exports small networks as people export them, with what PyTorch computes beside them.

For every network: two state dicts (seeds 0 and 1, trained for some steps so that norms have statistics of their own), the graph of
seed 0 by exporter and option, and inputs with PyTorch's logits, losses and errors for both seeds. packages/graph/test/exported-networks.test.ts holds our reading of each graph
against them.

Run in an environment with torch 2.15, onnx 1.23, onnxscript and safetensors:

    python test/golden/generate-exported-networks.py
"""

import contextlib
import io
import os
import warnings

import torch
from golden_networks import outputs_of
from one_file import strip
from safetensors.torch import save_file
from torch import nn

warnings.filterwarnings("ignore")
OUT = os.path.join(os.path.dirname(__file__), "..", "fixtures", "exported-networks")
INPUT, CLASSES = (1, 8, 8), 5


class ConvNorm(nn.Module):
    """Convolutions with biases, each with a batch norm behind it: exporters fold the norms and may keep the names."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 4, 3, 2, 1), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6)
        self.up, self.bn3 = nn.ConvTranspose2d(6, 4, 2, 2, groups=2), nn.BatchNorm2d(4, affine=False)
        self.fc = nn.Linear(4, CLASSES)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.bn2(self.conv2(x)))
        return self.fc(torch.relu(self.bn3(self.up(x))).mean((2, 3)))


class LinearNorm(nn.Module):
    """A linear layer with a batch norm behind it."""

    def __init__(self):
        super().__init__()
        self.fc1, self.bn1, self.fc2 = nn.Linear(64, 7), nn.BatchNorm1d(7, eps=1e-3), nn.Linear(7, CLASSES)

    def forward(self, x):
        return self.fc2(torch.relu(self.bn1(self.fc1(x.flatten(1)))))


class Encoder(nn.Module):
    """Convolution and norm, positions, a transformer layer: matrices that exporters transpose and rename."""

    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(1, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8)
        self.pos = nn.Parameter(torch.randn(1, 16, 8) * 0.1)
        self.layer = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, batch_first=True)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x):
        x = torch.relu(self.bn(self.conv(x))).flatten(2).transpose(1, 2) + self.pos
        return self.head(self.layer(x).mean(1))


class ClassToken(nn.Module):
    """A class token that a fixed batch repeats, and attention with a fused projection."""

    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(1, 8, 4, 4)
        self.cls = nn.Parameter(torch.randn(1, 1, 8) * 0.1)
        self.pos = nn.Parameter(torch.randn(1, 9, 8) * 0.1)
        self.norm, self.attn, self.head = nn.LayerNorm(8), nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(8, CLASSES)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1) + self.pos[:, : x.shape[1] + 1]
        y = self.norm(x)
        return self.head((x + self.attn(y, y, y, need_weights=False)[0])[:, 0])


NETWORKS = {"conv-norm": ConvNorm, "linear-norm": LinearNorm, "encoder": Encoder, "class-token": ClassToken}

DYNAMIC = {"dynamic_shapes": ({0: torch.export.Dim.DYNAMIC},)}
AXES = {"dynamic_axes": {"input": {0: "N"}, "output": {0: "N"}}}
EXPORTS = {
    "dynamo": dict(dynamo=True, **DYNAMIC),
    "dynamo-fixed": dict(dynamo=True),
    "dynamo-unoptimized": dict(dynamo=True, optimize=False, **DYNAMIC),
    "legacy": dict(dynamo=False, **AXES),
    "legacy-unfolded": dict(dynamo=False, do_constant_folding=False, **AXES),
    "legacy-inputs": dict(dynamo=False, export_params=False, do_constant_folding=False, **AXES),
    "legacy-training": dict(
        dynamo=False, training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False, **AXES
    ),
}


def teacher():
    return torch.randn(64, CLASSES, generator=torch.Generator().manual_seed(7))


def train(build, seed):
    """A network after some steps on noise, with classes that can be learnt from it."""
    torch.manual_seed(seed)
    network = build()
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(60):
        x = torch.randn(32, *INPUT)
        loss = nn.functional.cross_entropy(network(x), (x.flatten(1) @ teacher()).argmax(1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval(), optimizer


def export(network, path, options):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        torch.onnx.export(network, (torch.randn(2, *INPUT),), path, input_names=["input"], output_names=["output"],
                          **({"external_data": False} if options["dynamo"] else {}), **options)
    strip(path)


def main():
    os.makedirs(OUT, exist_ok=True)
    for name, build in NETWORKS.items():
        x = torch.randn(4, *INPUT, generator=torch.Generator().manual_seed(5))
        examples = torch.randn(60, *INPUT, generator=torch.Generator().manual_seed(6))
        labels = (examples.flatten(1) @ teacher()).argmax(1)
        save_file({"x": examples, "y": labels}, f"{OUT}/examples.safetensors")
        parity = {"x": x}
        for seed in (0, 1):
            network, optimizer = train(build, seed)
            torch.save(network.state_dict(), f"{OUT}/{name}-{seed}.pt")
            parity |= outputs_of(network, seed, x, examples, labels)
            if seed == 1:
                continue
            for kind, options in EXPORTS.items():
                copy = build()
                copy.load_state_dict(network.state_dict())
                export(copy.eval(), f"{OUT}/{name}-{kind}.onnx", options)
            if name == "conv-norm":
                state = network.state_dict()
                torch.save({"module." + key: value for key, value in state.items()}, f"{OUT}/{name}-0-parallel.pt")
                torch.save({"_orig_mod." + key: value for key, value in state.items()}, f"{OUT}/{name}-0-compiled.pt")
                training = {"model": state, "opt": optimizer.state_dict(), "epoch": 1}
                torch.save(training, f"{OUT}/{name}-0-training.pt")
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    torch.onnx.export(network, (x,), f"{OUT}/{name}-external.onnx", input_names=["input"],
                                      output_names=["output"], dynamo=True, external_data=True, **DYNAMIC)
        save_file(parity, f"{OUT}/{name}-parity.safetensors")


main()
