"""Writes zoo.json: names and shapes of weights, and logits, of PyTorch modules that the zoo's networks must equal.

Modules are written as torchvision, timm and transformers have them, with their names. Weights and inputs are closed formulas of
the index of an element, evaluated in f64 and rounded to f32; zoo.test.ts evaluates the same formulas.

Made with torch 2.15.0 on a CPU: python generate-zoo.py
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F
from golden_networks import Conv1D
from torch import nn

FOLDER = pathlib.Path(__file__).parent
EXAMPLES = 2


def waves(shape, seed, scale, offset=0.0):
    """offset + scale * sin(0.01 (i + 1)^2 + seed), row-major; see waves() of zoo.test.ts"""
    values = [offset + scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(math.prod(shape))]
    return torch.tensor(values, dtype=torch.float64).to(torch.float32).reshape(shape)


class LayerNorm2d(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def group_norm(channels):
    groups = max(g for g in range(1, 33) if channels % g == 0 and (g == 1 or channels // g >= 8))
    return nn.GroupNorm(groups, channels)


NORMS = {"batch": nn.BatchNorm2d, "layer": LayerNorm2d, "group": group_norm}


class Mlp(nn.Module):
    def __init__(self, widths, activation):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        self.activation = activation

    def forward(self, x):
        x = x.flatten(1)
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x)


class LeNet(nn.Module):
    """LeNet-5 with rectifiers and maxima, as in PyTorch's tutorials."""

    def __init__(self, inputs, flat, classes):
        super().__init__()
        first = [nn.Conv2d(inputs, 6, 5), nn.ReLU(), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*first, nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2))
        head = [nn.Linear(flat, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, classes)]
        self.classifier = nn.Sequential(*head)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Vgg(nn.Module):
    """torchvision.models.vgg, with the number of channels a parameter, and the usual single layer for small images."""

    def __init__(self, stages, channels, norm, head, side, inputs, classes):
        super().__init__()
        layers = []
        for count, out in zip(stages, channels):
            for _ in range(count):
                layers += [nn.Conv2d(inputs, out, 3, padding=1)]
                layers += [NORMS[norm](out)] if norm else []
                layers += [nn.ReLU()]
                inputs = out
            layers += [nn.MaxPool2d(2) if side > 1 else nn.Identity()]
            side = max(1, side // 2)
        self.features = nn.Sequential(*layers)
        flat = inputs * side * side
        self.classifier = nn.Linear(flat, classes)
        if head:
            parts = [nn.Linear(flat, head), nn.ReLU(), nn.Dropout(), nn.Linear(head, head), nn.ReLU(), nn.Dropout()]
            self.classifier = nn.Sequential(*parts, nn.Linear(head, classes))

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Basic(nn.Module):
    def __init__(self, before, inner, stride, norm):
        super().__init__()
        self.conv1 = nn.Conv2d(before, inner, 3, stride, 1, bias=False)
        self.bn1 = norm(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, 1, 1, bias=False)
        self.bn2 = norm(inner)
        self.downsample = None
        if stride > 1 or before != inner:
            self.downsample = nn.Sequential(nn.Conv2d(before, inner, 1, stride, bias=False), norm(inner))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    def __init__(self, before, inner, stride, norm):
        super().__init__()
        out = 4 * inner
        self.conv1 = nn.Conv2d(before, inner, 1, bias=False)
        self.bn1 = norm(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, bias=False)
        self.bn2 = norm(inner)
        self.conv3 = nn.Conv2d(inner, out, 1, bias=False)
        self.bn3 = norm(out)
        self.downsample = None
        if stride > 1 or before != out:
            self.downsample = nn.Sequential(nn.Conv2d(before, out, 1, stride, bias=False), norm(out))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(y)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Resnet(nn.Module):
    """torchvision.models.resnet, with first channels and stem as parameters."""

    def __init__(self, block, blocks, channels, norm, large, inputs, classes):
        super().__init__()
        norm = NORMS[norm]
        self.conv1 = nn.Conv2d(inputs, channels, *((7, 2, 3) if large else (3, 1, 1)), bias=False)
        self.bn1 = norm(channels)
        self.maxpool = nn.MaxPool2d(3, 2, 1) if large else nn.Identity()
        self.stages = len(blocks)
        before = channels
        for stage, count in enumerate(blocks):
            inner = channels * 2**stage
            layer = []
            for i in range(count):
                layer.append(block(before, inner, 2 if stage > 0 and i == 0 else 1, norm))
                before = inner * (4 if block is Bottleneck else 1)
            self.add_module(f"layer{stage + 1}", nn.Sequential(*layer))
        self.fc = nn.Linear(before, classes)

    def forward(self, x):
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.fc(x.mean((2, 3)))


class Module(nn.Module):
    """Submodules by name."""

    def __init__(self, **modules):
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)


class VitBlock(nn.Module):
    """timm.models.vision_transformer.Block"""

    def __init__(self, width, heads, hidden):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Module(qkv=nn.Linear(width, 3 * width), proj=nn.Linear(width, width))
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = Module(fc1=nn.Linear(width, hidden), fc2=nn.Linear(hidden, width))
        self.heads = heads

    def forward(self, x):
        n, length, width = x.shape
        qkv = self.attn.qkv(self.norm1(x)).reshape(n, length, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, length, width)
        x = x + self.attn.proj(mixed)
        return x + self.mlp.fc2(F.gelu(self.mlp.fc1(self.norm2(x))))


class Vit(nn.Module):
    """timm.models.vision_transformer.VisionTransformer"""

    def __init__(self, channels, side, patch, depth, width, heads, hidden, classes):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + (side // patch) ** 2, width))
        self.patch_embed = Module(proj=nn.Conv2d(channels, width, patch, patch))
        self.blocks = nn.Sequential(*(VitBlock(width, heads, hidden) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.patch_embed.proj(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
        return self.head(self.norm(self.blocks(x))[:, 0])


class GptBlock(nn.Module):
    """transformers.models.gpt2.modeling_gpt2.GPT2Block"""

    def __init__(self, width, heads, hidden):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Module(c_attn=Conv1D(3 * width, width), c_proj=Conv1D(width, width))
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = Module(c_fc=Conv1D(hidden, width), c_proj=Conv1D(width, hidden))
        self.heads = heads

    def forward(self, x):
        n, length, width = x.shape
        q, k, v = (
            part.reshape(n, length, self.heads, -1).transpose(1, 2)
            for part in self.attn.c_attn(self.ln_1(x)).split(width, 2)
        )
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(n, length, width)
        x = x + self.attn.c_proj(mixed)
        return x + self.mlp.c_proj(F.gelu(self.mlp.c_fc(self.ln_2(x)), approximate="tanh"))


class Gpt(nn.Module):
    """transformers.models.gpt2.modeling_gpt2.GPT2LMHeadModel"""

    def __init__(self, vocabulary, context, depth, width, heads, hidden, tied=True):
        super().__init__()
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(context, width)
        self.h = nn.Sequential(*(GptBlock(width, heads, hidden) for _ in range(depth)))
        self.ln_f = nn.LayerNorm(width)
        self.lm_head = None if tied else nn.Linear(width, vocabulary, bias=False)

    def forward(self, ids):
        x = self.ln_f(self.h(self.wte(ids) + self.wpe.weight))
        return x @ (self.wte if self.lm_head is None else self.lm_head).weight.T


def rotate_half(x):
    first, second = x.chunk(2, -1)
    return torch.cat([-second, first], -1)


class LlamaBlock(nn.Module):
    """transformers.models.llama.modeling_llama.LlamaDecoderLayer"""

    def __init__(self, width, heads, groups, hidden, base):
        super().__init__()

        def linear(before, out):
            return nn.Linear(before, out, bias=False)

        inner = width // heads
        self.input_layernorm = nn.RMSNorm(width, eps=1e-5)
        self.self_attn = Module(
            q_proj=linear(width, width),
            k_proj=linear(width, groups * inner),
            v_proj=linear(width, groups * inner),
            o_proj=linear(width, width),
        )
        self.post_attention_layernorm = nn.RMSNorm(width, eps=1e-5)
        self.mlp = Module(
            gate_proj=linear(width, hidden), up_proj=linear(width, hidden), down_proj=linear(hidden, width)
        )
        self.heads, self.groups, self.base = heads, groups, base

    def rotate(self, x):
        length, inner = x.shape[-2:]
        wavelengths = self.base ** (torch.arange(0, inner, 2, dtype=torch.float64) / inner)
        angles = torch.outer(torch.arange(length, dtype=torch.float64), 1 / wavelengths).repeat(1, 2)
        return x * angles.cos().to(x.dtype) + rotate_half(x) * angles.sin().to(x.dtype)

    def forward(self, x):
        n, length, width = x.shape
        y = self.input_layernorm(x)
        q, k, v = (
            getattr(self.self_attn, f"{name}_proj")(y).reshape(n, length, count, -1).transpose(1, 2)
            for name, count in [("q", self.heads), ("k", self.groups), ("v", self.groups)]
        )
        k, v = (part.repeat_interleave(self.heads // self.groups, 1) for part in (self.rotate(k), v))
        mixed = F.scaled_dot_product_attention(self.rotate(q), k, v, is_causal=True)
        x = x + self.self_attn.o_proj(mixed.transpose(1, 2).reshape(n, length, width))
        y = self.post_attention_layernorm(x)
        return x + self.mlp.down_proj(F.silu(self.mlp.gate_proj(y)) * self.mlp.up_proj(y))


class Llama(nn.Module):
    """transformers.models.llama.modeling_llama.LlamaForCausalLM"""

    def __init__(self, vocabulary, depth, width, heads, groups, hidden, base=10000, tied=False):
        super().__init__()
        self.model = Module(
            embed_tokens=nn.Embedding(vocabulary, width),
            layers=nn.Sequential(*(LlamaBlock(width, heads, groups, hidden, base) for _ in range(depth))),
            norm=nn.RMSNorm(width, eps=1e-5),
        )
        self.lm_head = None if tied else nn.Linear(width, vocabulary, bias=False)

    def forward(self, ids):
        x = self.model.norm(self.model.layers(self.model.embed_tokens(ids)))
        return x @ (self.model.embed_tokens if self.lm_head is None else self.lm_head).weight.T


NETWORKS = {
    "mlp:16x2": ([1, 4, 4], 5, Mlp([16, 16, 16, 5], F.relu)),
    "mlp:12-9:gelu": ([7], 5, Mlp([7, 12, 9, 5], F.gelu)),
    "mlp:9:silu": ([7], 5, Mlp([7, 9, 5], F.silu)),
    "lenet": ([2, 16, 18], 5, LeNet(2, 16, 5)),
    "vgg:1-2:w0.125": ([3, 8, 8], 5, Vgg([1, 2], [8, 16], "batch", 0, 8, 3, 5)),
    "vgg:11:w0.0625:layer": ([1, 16, 16], 5, Vgg([1, 1, 2, 2, 2], [4, 8, 16, 32, 32], "layer", 0, 16, 1, 5)),
    "vgg:1-1:w0.5:group": ([1, 6, 6], 5, Vgg([1, 1], [32, 64], "group", 0, 6, 1, 5)),
    "vgg:11:w0.015625:none": ([3, 66, 66], 5, Vgg([1, 1, 2, 2, 2], [1, 2, 4, 8, 8], None, 64, 66, 3, 5)),
    "resnet8:w0.5": ([3, 9, 9], 5, Resnet(Basic, [1, 1, 1], 8, "batch", False, 3, 5)),
    "resnet14:w0.5:layer": ([3, 8, 8], 5, Resnet(Basic, [2, 2, 2], 8, "layer", False, 3, 5)),
    "resnet8:group": ([3, 8, 8], 5, Resnet(Basic, [1, 1, 1], 16, "group", False, 3, 5)),
    "resnet18:w0.0625": ([3, 66, 66], 5, Resnet(Basic, [2, 2, 2, 2], 4, "batch", True, 3, 5)),
    "resnet50:w0.0625": ([1, 14, 14], 5, Resnet(Bottleneck, [3, 4, 6, 3], 4, "batch", False, 1, 5)),
    "vit:p4:d2:w12:h3": ([2, 8, 8], 5, Vit(2, 8, 4, 2, 12, 3, 48, 5)),
    "vit:p2:d1:w8:h2:f20": ([1, 4, 4], 5, Vit(1, 4, 2, 1, 8, 2, 20, 5)),
    "gpt:d2:w12:h3:c6": ([6], 11, Gpt(11, 6, 2, 12, 3, 48)),
    "gpt:d1:w8:h2:c5:f20:untied": ([5], 11, Gpt(11, 5, 1, 8, 2, 20, tied=False)),
    "llama:d2:w16:h4:kv2:c6:f24": ([6], 11, Llama(11, 2, 16, 4, 2, 24)),
    "llama:d1:w12:h2:c5:tied:theta100": ([5], 11, Llama(11, 1, 12, 2, 2, 32, base=100, tied=True)),
}


def start(module):
    """Weights by the order of their names; matrices of deviation about 1 over the root of all axes but the first; scales and
    variances about 1; biases and means about 0."""
    state = {name: value for name, value in module.state_dict().items() if not name.endswith("num_batches_tracked")}
    for seed, name in enumerate(sorted(state), 1):
        shape = list(state[name].shape)
        centred = not name.endswith(("weight", "running_var"))
        if len(shape) == 1:
            state[name] = waves(shape, seed, 0.3, 0.0 if centred else 1.0)
        else:
            state[name] = waves(shape, seed, math.sqrt(2 / math.prod(shape[1:])))
    module.load_state_dict(state, strict=False)
    return {name: list(value.shape) for name, value in state.items()}


def main():
    torch.set_grad_enabled(False)
    networks = {}
    for spec, (shape, classes, module) in NETWORKS.items():
        weights = start(module.eval())
        if len(shape) == 1 and not spec.startswith("mlp"):
            x = torch.arange(EXAMPLES * shape[0]).reshape(EXAMPLES, -1).mul(7).add(3).remainder(classes)
        else:
            x = waves([EXAMPLES, *shape], 0, 1.5)
        y = module(x)
        exact = module.double()(x if x.dtype == torch.int64 else x.double())
        print(f"{spec}: logits {y.min():.2f} to {y.max():.2f}, f32 {(y - exact).abs().max():.1e} from f64")
        logits = [float(f"{value:.7g}") for value in exact.flatten().tolist()]
        networks[spec] = {"exampleShape": shape, "classes": classes, "weights": weights, "logits": logits}
    header = f"torch {torch.__version__.split('+')[0]}, generate-zoo.py"
    entries = ",\n".join(f" {json.dumps(spec)}: {json.dumps(entry)}" for spec, entry in networks.items())
    (FOLDER / "zoo.json").write_text(f'{{"madeBy": {json.dumps(header)}, "networks": {{\n{entries}\n}}}}\n')


if __name__ == "__main__":
    main()
