"""Small modules of torch.nn and common idioms, by name: what tools/exports/export-modules.py exports.

Each entry makes a module, the inputs it is traced with, and which axes of the inputs are the batch. Widths differ from each other
wherever they may, so that a permutation of the wrong axis cannot go unnoticed.
"""

from dataclasses import dataclass
from typing import Callable

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm


@dataclass
class Example:
    module: nn.Module
    inputs: tuple
    # For each input, the axis that is the batch.
    batch_axes: tuple


MODULES: dict[str, Callable[[], Example]] = {}


def example(*shapes, batch_axes=None, tokens=None):
    """Registers a module under the name of its class, in lower case with hyphens, with float inputs of these shapes."""

    def register(cls):
        name = "".join("-" + c.lower() if c.isupper() else c for c in cls.__name__).lstrip("-").replace("_", "")

        def make():
            torch.manual_seed(7)
            g = torch.Generator().manual_seed(7)
            if tokens is None:
                inputs = tuple(torch.randn(shape, generator=g) for shape in shapes)
            else:
                inputs = tuple(torch.randint(0, tokens, shape, generator=g) for shape in shapes)
            return Example(cls(), inputs, batch_axes or tuple(0 for _ in shapes))

        MODULES[name] = make
        return cls

    return register


# -- Linear maps ------------------------------------------------------------------------------------------------------


@example([2, 5])
class Mlp(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 3))


@example([2, 5])
class Regression(nn.Sequential):
    """One output: its bias has one element, as a scale or an epsilon has."""

    def __init__(self):
        super().__init__(nn.Linear(5, 8, bias=False), nn.GELU(), nn.Linear(8, 1))


@example([2, 5], [2, 4])
class Bilinear(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(5, 6), nn.Linear(4, 7)
        self.mix, self.head = nn.Bilinear(6, 7, 8), nn.Linear(8, 3)

    def forward(self, x, y):
        return self.head(torch.tanh(self.mix(torch.relu(self.left(x)), torch.relu(self.right(y)))))


@example([2, 4, 5])
class Einsum(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Parameter(torch.empty(5, 3, 4))
        self.down = nn.Parameter(torch.empty(3, 4, 2))

    def forward(self, x):
        return torch.einsum("bthd,hdo->bto", torch.relu(torch.einsum("btc,chd->bthd", x, self.up)), self.down)


@example([2, 5])
class Maxout(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.head = nn.Linear(5, 12), nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.up(x).unflatten(1, (4, 3)).amax(2))


@example([2, 9])
class TiedAutoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(7, 9))
        self.down, self.up = nn.Parameter(torch.empty(7)), nn.Parameter(torch.empty(9))

    def forward(self, x):
        return F.linear(torch.relu(F.linear(x, self.weight, self.down)), self.weight.t(), self.up)


@example([2, 5])
class WeightNorm(nn.Sequential):
    def __init__(self):
        super().__init__(weight_norm(nn.Linear(5, 8)), nn.ReLU(), weight_norm(nn.Linear(8, 6)), nn.ReLU(), nn.Linear(6, 3))


@example([2, 5])
class SpectralNorm(nn.Sequential):
    def __init__(self):
        super().__init__(spectral_norm(nn.Linear(5, 8)), nn.ReLU(), nn.Linear(8, 3))


@example([2, 5])
class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.a, self.b, self.head = nn.Linear(5, 6), nn.Linear(6, 8), nn.Linear(8, 6), nn.Linear(6, 3)

    def forward(self, x):
        h = self.stem(x)
        return self.head(F.silu(h + self.b(F.leaky_relu(self.a(h), 0.1))))


@example([2, 5])
class Experts(nn.Module):
    """A mixture by a softmax, of experts that are matrices in one tensor."""

    def __init__(self):
        super().__init__()
        self.stem, self.router = nn.Linear(5, 6), nn.Linear(6, 4)
        self.up, self.down = nn.Parameter(torch.empty(4, 6, 8)), nn.Parameter(torch.empty(4, 8, 7))
        self.head = nn.Linear(7, 3)

    def forward(self, x):
        h = torch.relu(self.stem(x))
        each = torch.relu(h.unsqueeze(0) @ self.up) @ self.down
        share = F.softmax(self.router(h), dim=-1)
        return self.head(torch.relu((each * share.t().unsqueeze(-1)).sum(0)))


@example([2, 5])
class StackedExperts(nn.Module):
    """The same of experts that are modules of their own, stacked as the network runs."""

    def __init__(self):
        super().__init__()
        self.stem, self.router = nn.Linear(5, 6), nn.Linear(6, 3)
        self.ups = nn.ModuleList(nn.Linear(6, 8, bias=False) for _ in range(3))
        self.downs = nn.ModuleList(nn.Linear(8, 4, bias=False) for _ in range(3))

    def forward(self, x):
        h = torch.relu(self.stem(x))
        up = torch.stack([m.weight for m in self.ups])
        down = torch.stack([m.weight for m in self.downs])
        each = torch.relu(h @ up.transpose(1, 2)) @ down.transpose(1, 2)
        return (each * F.softmax(self.router(h), dim=-1).t().unsqueeze(-1)).sum(0)


# -- Convolutions -----------------------------------------------------------------------------------------------------


def conv_net(conv, norm, widths=(2, 6, 8, 3), **options):
    a, b, c, d = widths
    return [conv(a, b, 3, padding=1, **options), norm(b), nn.ReLU(), conv(b, c, 3, padding=1), nn.ReLU(), conv(c, d, 1)]


@example([2, 2, 7])
class Conv1d(nn.Sequential):
    def __init__(self):
        super().__init__(*conv_net(nn.Conv1d, nn.BatchNorm1d, bias=False))


@example([2, 2, 5, 6])
class Conv2d(nn.Sequential):
    def __init__(self):
        super().__init__(*conv_net(nn.Conv2d, nn.BatchNorm2d, bias=False))


@example([2, 2, 3, 4, 5])
class Conv3d(nn.Sequential):
    def __init__(self):
        super().__init__(*conv_net(nn.Conv3d, nn.BatchNorm3d, widths=(2, 4, 5, 3)))


@example([2, 2, 5, 6])
class BatchNorm(nn.Sequential):
    """A bias before the norm, as exporters fold both into the kernel."""

    def __init__(self):
        super().__init__(*conv_net(nn.Conv2d, nn.BatchNorm2d), nn.AdaptiveAvgPool2d(1), nn.Flatten())


@example([2, 5])
class BatchNormLinear(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 6, bias=False), nn.BatchNorm1d(6), nn.Linear(6, 3))


@example([2, 3, 5, 6])
class GroupedConv(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 12, 3, padding=1, groups=4), nn.ReLU(), nn.Conv2d(12, 2, 1)
        )


@example([2, 3, 5, 6])
class DepthwiseConv(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 6, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(6),
            nn.ReLU6(),
            nn.Conv2d(6, 6, 3, padding=1, groups=6, bias=False),
            nn.BatchNorm2d(6),
            nn.Hardswish(),
            nn.Conv2d(6, 2, 1),
        )


@example([2, 3, 4, 5])
class ConvTranspose(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 8, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(8, 12, 3, stride=2, padding=1, output_padding=1, groups=4),
            nn.ELU(),
            nn.ConvTranspose2d(12, 5, 2, bias=False),
            nn.BatchNorm2d(5),
            nn.ReLU(),
            nn.Conv2d(5, 2, 3),
        )


@example([2, 3, 4, 5])
class PixelShuffle(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 16, 3, padding=1), nn.PixelShuffle(2), nn.ReLU(), nn.Conv2d(4, 2, 3))


@example([2, 3, 4, 6])
class PixelUnshuffle(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.PixelUnshuffle(2), nn.Conv2d(16, 2, 1))


@example([2, 3, 4, 5])
class ChannelShuffle(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 8, 1),
            nn.ReLU(),
            nn.Conv2d(8, 12, 1, groups=2),
            nn.ChannelShuffle(2),
            nn.Conv2d(12, 12, 3, padding=1, groups=12),
            nn.ReLU(),
            nn.Conv2d(12, 2, 1, groups=2),
        )


@example([2, 3, 4, 5])
class SqueezeExcite(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.head = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 2, 1)
        self.squeeze, self.excite = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)

    def forward(self, x):
        h = F.relu(self.stem(x))
        scale = F.hardsigmoid(self.excite(F.relu(self.squeeze(F.adaptive_avg_pool2d(h, 1)))))
        return self.head(h * scale)


@example([2, 3, 6, 6])
class AdaptivePools(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.head = nn.Conv2d(3, 5, 3, padding=1), nn.Linear(2 * 5 * 2 * 3, 4)

    def forward(self, x):
        h = F.relu(self.stem(x))
        pools = [F.adaptive_avg_pool2d(h, (2, 3)), F.adaptive_max_pool2d(h, (2, 3))]
        return self.head(torch.cat(pools, 1).flatten(1))


@example([2, 3, 8, 7])
class Pools(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.ReflectionPad2d(1),
            nn.Conv2d(3, 6, 3),
            nn.PReLU(6),
            nn.MaxPool2d(3, 2, padding=1, ceil_mode=True),
            nn.Conv2d(6, 8, 3, padding=1, padding_mode="circular"),
            nn.PReLU(),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(8 * 2 * 2, 3),
        )


@example([2, 3, 4, 5])
class Upsample(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 6, 1),
            nn.Upsample(scale_factor=2, mode="bilinear"),
            nn.ReLU(),
            nn.Conv2d(6, 5, 3),
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(5, 2, 1),
        )


# -- Norms ------------------------------------------------------------------------------------------------------------


@example([2, 4, 5])
class LayerNorm(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(5, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 6), nn.LayerNorm(6, bias=False), nn.Linear(6, 3))


@example([2, 4, 5])
class RmsNorm(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(5, 8), nn.RMSNorm(8, eps=1e-6), nn.Linear(8, 3))


@example([2, 3, 4, 5])
class GroupNorm(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 12, 3), nn.GroupNorm(3, 12), nn.ReLU(), nn.Conv2d(12, 2, 1))


@example([2, 3, 4, 5])
class InstanceNorm(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 6, 1), nn.InstanceNorm2d(6, affine=True), nn.ReLU(), nn.Conv2d(6, 2, 1))


@example([2, 4, 5])
class Normalize(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.head = nn.Linear(5, 6), nn.Linear(5, 6), nn.Linear(4, 3)

    def forward(self, x):
        u, v = F.normalize(self.a(x), dim=-1), F.normalize(self.b(x), dim=-1)
        return self.head(torch.relu(u @ v.transpose(1, 2)))


# -- Gates and layout -------------------------------------------------------------------------------------------------


@example([2, 5])
class Glu(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(5, 12), nn.GLU(), nn.Linear(6, 3))


@example([2, 4, 5])
class SwiGlu(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate, self.up, self.down = nn.Linear(5, 8, bias=False), nn.Linear(5, 8, bias=False), nn.Linear(8, 5, bias=False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


@example([2, 5])
class Chunk(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.head = nn.Linear(5, 12), nn.Linear(4, 3)

    def forward(self, x):
        a, b, c = self.up(x).chunk(3, dim=-1)
        return self.head(torch.sigmoid(a) * torch.tanh(b) + F.softplus(c))


@example([2, 5])
class Split(nn.Module):
    """Parts of unequal sizes, the last of which is not used."""

    def __init__(self):
        super().__init__()
        self.up, self.a, self.b = nn.Linear(5, 12), nn.Linear(4, 3), nn.Linear(6, 3)

    def forward(self, x):
        a, b, _ = torch.split(torch.relu(self.up(x)), [4, 6, 2], dim=1)
        return self.a(a) + self.b(b)


@example([2, 5])
class Unbind(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.head = nn.Linear(5, 12), nn.Linear(4, 3)

    def forward(self, x):
        a, b, c = self.up(x).unflatten(1, (3, 4)).unbind(1)
        return self.head(torch.relu(a) * b.tanh() - c)


@example([2, 5])
class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.head = nn.Linear(5, 6), nn.Linear(5, 6), nn.Linear(6, 3)

    def forward(self, x):
        return self.head(torch.stack([torch.relu(self.a(x)), torch.sin(self.b(x))], dim=1).mean(1))


@example([2, 3, 4, 5])
class Cat(nn.Module):
    """A dense block: each layer reads what all before it made."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 4, 1), nn.Conv2d(7, 5, 1), nn.Conv2d(12, 2, 1)

    def forward(self, x):
        h = torch.cat([x, F.relu(self.a(x))], 1)
        return self.c(torch.cat([h, F.relu(self.b(h))], 1))


@example([2, 5])
class Unflatten(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Linear(5, 24), nn.ReLU(), nn.Unflatten(1, (6, 2, 2)), nn.Conv2d(6, 4, 1), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)
        )


@example([2, 4, 5])
class Masked(nn.Module):
    """Sums up to each position by a triangle of ones, and another constant by a mask."""

    def __init__(self):
        super().__init__()
        self.up, self.head = nn.Linear(5, 6), nn.Linear(6, 3)
        self.register_buffer("later", torch.ones(4, 4).tril().bool(), persistent=False)

    def forward(self, x):
        h = self.up(x).clamp(-1, 1)
        weights = torch.zeros(4, 4).masked_fill(~self.later, float("-inf")).softmax(-1)
        return self.head(torch.where(h > 0, weights @ h, h.cumsum(1)))


# -- Tokens and attention ---------------------------------------------------------------------------------------------


@example([2, 4], tokens=9)
class Embedding(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(9, 6), nn.Embedding(4, 6)
        self.head = nn.Linear(6, 9, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, x):
        h = self.tokens(x) + self.positions(torch.arange(4))
        return self.head(torch.relu(h))


@example([2, 4], tokens=9)
class EmbeddingBag(nn.Module):
    def __init__(self):
        super().__init__()
        self.bag, self.head = nn.EmbeddingBag(9, 6, mode="mean"), nn.Linear(6, 3)

    def forward(self, x):
        return self.head(torch.relu(self.bag(x)))


@example([2, 4, 5])
class MultiheadAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.attention, self.head = nn.Linear(5, 8), nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(8, 3)

    def forward(self, x):
        h = self.stem(x)
        return self.head(self.attention(h, h, h, need_weights=False)[0])


@example([2, 4, 5], [2, 3, 6])
class CrossAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, kdim=6, vdim=6, batch_first=True, add_bias_kv=True)
        self.stem, self.head = nn.Linear(5, 8), nn.Linear(8, 3)

    def forward(self, x, y):
        mixed, shares = self.attention(self.stem(x), y, y)
        return self.head(mixed) + shares.mean(-1, keepdim=True)


@example([2, 4, 6])
class TransformerEncoderLayer(nn.Module):
    """With what a vision transformer puts before it: a class token and positions."""

    def __init__(self):
        super().__init__()
        self.cls, self.positions = nn.Parameter(torch.empty(1, 1, 6)), nn.Parameter(torch.empty(1, 5, 6))
        self.layer = nn.TransformerEncoderLayer(6, 2, 8, batch_first=True, norm_first=True)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        h = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1) + self.positions
        return self.head(self.layer(h)[:, 0])


@example([2, 4, 6], [2, 3, 6])
class TransformerDecoderLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerDecoderLayer(6, 2, 8, batch_first=True, activation="gelu")
        self.head = nn.Linear(6, 3)

    def forward(self, x, memory):
        mask = nn.Transformer.generate_square_subsequent_mask(4)
        return self.head(self.layer(x, memory, tgt_mask=mask))


@example([2, 4, 8])
class GroupedQueries(nn.Module):
    """Four query heads to two heads of keys and values."""

    def __init__(self):
        super().__init__()
        self.q, self.kv, self.o = nn.Linear(8, 12), nn.Linear(8, 12), nn.Linear(12, 8)
        self.norm = nn.LayerNorm(8)

    def forward(self, x):
        h = self.norm(x)
        q = self.q(h).unflatten(-1, (4, 3)).transpose(1, 2)
        k, v = self.kv(h).unflatten(-1, (2, 2, 3)).unbind(2)
        k, v = (t.transpose(1, 2).repeat_interleave(2, dim=1) for t in (k, v))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return x + self.o(mixed.transpose(1, 2).flatten(2))


@example([2, 4, 8])
class Rotary(nn.Module):
    """Attention whose queries and keys are turned by their position, halves of a head's dimensions against each other."""

    def __init__(self):
        super().__init__()
        self.qkv, self.o = nn.Linear(8, 24, bias=False), nn.Linear(8, 8, bias=False)
        self.stem, self.head = nn.Linear(8, 8), nn.Linear(8, 3)
        angles = torch.arange(4.0).outer(torch.tensor([1.0, 0.3]))
        self.register_buffer("cos", torch.cat([angles.cos(), angles.cos()], -1), persistent=False)
        self.register_buffer("sin", torch.cat([angles.sin(), angles.sin()], -1), persistent=False)

    def turn(self, x):
        a, b = x.chunk(2, dim=-1)
        return x * self.cos + torch.cat([-b, a], dim=-1) * self.sin

    def forward(self, x):
        h = self.stem(x)
        q, k, v = self.qkv(h).unflatten(-1, (3, 2, 4)).permute(2, 0, 3, 1, 4).unbind(0)
        scores = self.turn(q) @ self.turn(k).transpose(-1, -2) / 2
        return self.head(h + self.o((scores.softmax(-1) @ v).transpose(1, 2).flatten(2)))


# -- Recurrent networks -----------------------------------------------------------------------------------------------


class Recurrent(nn.Module):
    """A stack of recurrent layers behind a linear one, read at all steps."""

    def __init__(self, cls, **options):
        super().__init__()
        self.stem = nn.Linear(5, 4)
        self.layers = cls(4, 6, batch_first=True, **options)
        self.head = nn.Linear(12 if options.get("bidirectional") else 6, 3)

    def forward(self, x):
        return self.head(self.layers(torch.relu(self.stem(x)))[0])


@example([2, 4, 5])
class Rnn(Recurrent):
    def __init__(self):
        super().__init__(nn.RNN)


@example([2, 4, 5])
class RnnRelu(Recurrent):
    def __init__(self):
        super().__init__(nn.RNN, nonlinearity="relu", bias=False, num_layers=2)


@example([2, 4, 5])
class Gru(Recurrent):
    def __init__(self):
        super().__init__(nn.GRU)


@example([2, 4, 5])
class GruBidirectional(Recurrent):
    def __init__(self):
        super().__init__(nn.GRU, bidirectional=True, num_layers=2)


@example([2, 4, 5])
class Lstm(Recurrent):
    def __init__(self):
        super().__init__(nn.LSTM)


@example([2, 4, 5])
class LstmLayers(Recurrent):
    def __init__(self):
        super().__init__(nn.LSTM, num_layers=3, bias=False)


@example([2, 4, 5])
class LstmBidirectional(nn.Module):
    """Read by the last state of each direction."""

    def __init__(self):
        super().__init__()
        self.layers, self.head = nn.LSTM(5, 6, bidirectional=True, batch_first=True), nn.Linear(12, 3)

    def forward(self, x):
        _, (h, _) = self.layers(x)
        return self.head(torch.cat([h[0], h[1]], dim=-1))


@example([4, 2, 5], [3, 2, 5], batch_axes=(1, 1))
class EncoderDecoder(nn.Module):
    """Time first; the states of one network start the other."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder, self.head = nn.LSTM(5, 6), nn.LSTM(5, 6), nn.Linear(6, 3)

    def forward(self, x, y):
        _, state = self.encoder(x)
        return self.head(self.decoder(y, state)[0])


@example([2, 4, 5])
class LearnedState(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers, self.head = nn.GRU(5, 6, batch_first=True), nn.Linear(6, 3)
        self.start = nn.Parameter(torch.empty(1, 1, 6))

    def forward(self, x):
        y, last = self.layers(x, self.start.expand(-1, x.shape[0], -1).contiguous())
        return self.head(y) + self.head(last[0]).unsqueeze(1)


@example([2, 4, 5], [1, 2, 6], [1, 2, 6], batch_axes=(0, 1, 1))
class GivenState(nn.Module):
    """States come from outside, so hidden units keep their order."""

    def __init__(self):
        super().__init__()
        self.layers, self.head = nn.LSTM(5, 6, batch_first=True), nn.Linear(6, 3)

    def forward(self, x, h, c):
        return self.head(self.layers(x, (h, c))[0])


@example([2, 3, 5])
class Cells(nn.Module):
    """Cells stepped through by hand."""

    def __init__(self):
        super().__init__()
        self.lstm, self.gru, self.head = nn.LSTMCell(5, 6), nn.GRUCell(6, 7), nn.Linear(7, 3)

    def forward(self, x):
        h = c = x.new_zeros(x.shape[0], 6)
        g = x.new_zeros(x.shape[0], 7)
        for step in range(3):
            h, c = self.lstm(x[:, step], (h, c))
            g = self.gru(h, g)
        return self.head(g)


def randomize(module, seed):
    """Random weights of sensible size, biases and statistics among them: zeros and ones would be permuted unseen."""
    g = torch.Generator().manual_seed(seed)

    def uniform(t, low, high):
        return torch.rand(t.shape, generator=g) * (high - low) + low

    tensors = [*module.named_parameters(), *((n, b) for n, b in module.named_buffers() if "running_" in n)]
    with torch.no_grad():
        for name, t in tensors:
            if name.endswith("running_var") or name.endswith("original0") or (t.dim() == 1 and name.endswith("weight")):
                t.copy_(uniform(t, 0.5, 1.5))
            elif t.dim() < 2 or "bias" in name:
                t.copy_(uniform(t, -0.5, 0.5))
            else:
                t.copy_(uniform(t, -1.7, 1.7) / (t.numel() / t.shape[0]) ** 0.5)
    return module


def state_of(module):
    """The tensors of a module by name, each with memory of its own."""
    return {name: t.detach().clone().contiguous() for name, t in module.state_dict().items()}


def other_state(state):
    """Another network of the same architecture: every number changed by a factor that a formula gives."""

    def changed(t):
        if not t.is_floating_point():
            return t
        factors = 1 + 0.25 * torch.sin(torch.arange(1, t.numel() + 1, dtype=torch.float64))
        return (t.double().flatten() * factors).float().reshape(t.shape)

    return {name: changed(t) for name, t in state.items()}
