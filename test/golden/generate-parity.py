"""Writes parity.json: the logits PyTorch computes for the three architectures under test/fixtures.

Weights and inputs are closed formulas of the index of an element, evaluated in f64 and rounded to f32, so that
only the logits are stored; parity.test.ts evaluates the same formulas.

Made with torch 2.15.0 on a CPU: python generate-parity.py
With a folder of checkpoints NAME/s0-parity.safetensors and NAME/s0.safetensors as argument, first checks the networks
below against those, which were trained and run by code of their own.
"""

import json
import math
import pathlib
import sys

import torch
import torch.nn.functional as F

FOLDER = pathlib.Path(__file__).parent
EXAMPLES = 3


def waves(shape, seed, scale, offset=0.0):
    """offset + scale * sin(0.01 (i + 1)^2 + seed), row-major: no two rows alike; see waves() of parity.test.ts"""
    size = math.prod(shape)
    values = [offset + scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(size)]
    return torch.tensor(values, dtype=torch.float64).to(torch.float32).reshape(shape)


def weights_of(shapes):
    """Weight number k of seed k + 1: matrices of deviation about 1 over the root of their fan-in; scales and variances
    about 1; biases and means about 0."""
    weights = {}
    for seed, (name, shape) in enumerate(shapes, 1):
        centred = len(shape) == 1 and not name.endswith(("weight", "running_var"))
        if len(shape) == 1:
            weights[name] = waves(shape, seed, 0.3, 0.0 if centred else 1.0)
        else:
            weights[name] = waves(shape, seed, math.sqrt(2 / math.prod(shape[1:])))
    return weights


def mlp_shapes():
    widths = [784, 512, 512, 512, 10]
    for i in range(4):
        yield f"layers.{i}.weight", [widths[i + 1], widths[i]]
        yield f"layers.{i}.bias", [widths[i + 1]]


def mlp(w, x):
    x = x.flatten(1)
    for i in range(4):
        x = F.linear(x, w[f"layers.{i}.weight"], w[f"layers.{i}.bias"])
        if i < 3:
            x = F.relu(x)
    return x


CONVS = {0: (1, 32), 1: (32, 32), 3: (32, 64), 4: (64, 64), 6: (64, 128)}


def cnn_shapes():
    for i, (before, after) in CONVS.items():
        yield f"features.{i}.0.weight", [after, before, 3, 3]
        for part in ["weight", "bias", "running_mean", "running_var"]:
            yield f"features.{i}.1.{part}", [after]
    yield from [("fc1.weight", [256, 6272]), ("fc1.bias", [256]), ("fc2.weight", [10, 256]), ("fc2.bias", [10])]


def cnn(w, x):
    for i in CONVS:
        x = F.conv2d(x, w[f"features.{i}.0.weight"], padding=1)
        norm = [w[f"features.{i}.1.{part}"] for part in ["running_mean", "running_var", "weight", "bias"]]
        x = F.relu(F.batch_norm(x, *norm, training=False, eps=1e-5))
        if i in (1, 4):
            x = F.max_pool2d(x, 2)
    x = F.relu(F.linear(x.flatten(1), w["fc1.weight"], w["fc1.bias"]))
    return F.linear(x, w["fc2.weight"], w["fc2.bias"])


WIDTH, HEADS, BLOCKS = 96, 4, 4


def vit_shapes():
    yield from [("cls", [1, 1, WIDTH]), ("pos", [1, 17, WIDTH]), ("patch.weight", [WIDTH, 1, 7, 7]), ("patch.bias", [WIDTH])]
    for i in range(BLOCKS):
        for name, shape in [
            ("ln1", [WIDTH]),
            ("attn.qkv", [3 * WIDTH, WIDTH]),
            ("attn.proj", [WIDTH, WIDTH]),
            ("ln2", [WIDTH]),
            ("fc1", [4 * WIDTH, WIDTH]),
            ("fc2", [WIDTH, 4 * WIDTH]),
        ]:
            yield f"blocks.{i}.{name}.weight", shape
            yield f"blocks.{i}.{name}.bias", shape[:1]
    yield from [("ln.weight", [WIDTH]), ("ln.bias", [WIDTH]), ("head.weight", [10, WIDTH]), ("head.bias", [10])]


def vit(w, x):
    def linear(name, x):
        return F.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])

    def norm(name, x):
        return F.layer_norm(x, [WIDTH], w[f"{name}.weight"], w[f"{name}.bias"], eps=1e-5)

    x = F.conv2d(x, w["patch.weight"], w["patch.bias"], stride=7).flatten(2).transpose(1, 2)
    x = torch.cat([w["cls"].expand(len(x), -1, -1), x], 1) + w["pos"]
    for i in range(BLOCKS):
        block = f"blocks.{i}"
        n, tokens, _ = x.shape
        qkv = linear(f"{block}.attn.qkv", norm(f"{block}.ln1", x)).reshape(n, tokens, 3, HEADS, WIDTH // HEADS)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(WIDTH // HEADS), -1) @ v
        x = x + linear(f"{block}.attn.proj", mixed.transpose(1, 2).reshape(n, tokens, WIDTH))
        x = x + linear(f"{block}.fc2", F.gelu(linear(f"{block}.fc1", norm(f"{block}.ln2", x))))
    return linear("head", norm("ln", x)[:, 0])


NETWORKS = {"mnist-mlp": (mlp, mlp_shapes), "fmnist-cnn": (cnn, cnn_shapes), "fmnist-vit": (vit, vit_shapes)}


def check(folder):
    from safetensors.torch import load_file

    for name, (network, shapes) in NETWORKS.items():
        weights = load_file(folder / name / "s0.safetensors")
        parity = load_file(folder / name / "s0-parity.safetensors")
        for weight, shape in shapes():
            assert list(weights[weight].shape) == shape, weight
        logits = next(value for key, value in parity.items() if value.shape[-1] == 10 and value.ndim == 2)
        error = (network(weights, parity["x"]) - logits).abs().max().item()
        print(f"{name}: {error:.1e} from the checkpoint's logits")
        assert error < 1e-4


def main():
    torch.set_grad_enabled(False)
    if len(sys.argv) > 1:
        check(pathlib.Path(sys.argv[1]))
    logits = {}
    for name, (network, shapes) in NETWORKS.items():
        weights = weights_of(list(shapes()))
        x = waves([EXAMPLES, 1, 28, 28], 0, 1.5)
        y = network(weights, x)
        exact = network({key: value.double() for key, value in weights.items()}, x.double())
        print(f"{name}: logits {y.min():.2f} to {y.max():.2f}, f32 {(y - exact).abs().max():.1e} from f64")
        logits[name] = y.tolist()
    header = f"torch {torch.__version__.split('+')[0]}, generate-parity.py"
    (FOLDER / "parity.json").write_text(json.dumps({"madeBy": header, "logits": logits}, indent=1) + "\n")


main()
