"""Moves the fine-tunes of `widths.ts --save FOLDER` by the authors' program of Theseus, and checks `widths.ts` by PyTorch.

    git clone https://github.com/apanariello4/merge-and-rebase
    PYTHONPATH=merge-and-rebase/src python tools/transfer/theseus.py a.safetensors b.safetensors FOLDER IMAGES rotated,shifted [WIDENED]

IMAGES is a folder with the IDX files of Fashion-MNIST. Prints CSV: the task, the network, the scale, accuracy on the first 1,000
changed test images, accuracy on unchanged ones. The scale is chosen on the last 500 training images, maps are found on the first
1,000. Networks are the ViTs of `isthmus train`, whose fused queries, keys and values are split, as the authors do.
"""

import gzip
import sys
from pathlib import Path

import torch
from merge_and_rebase.rebase.methods import theseus
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

SCALES = [0.5, 1, 1.5, 2, 3, 4]


class Block(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width, 1e-6), nn.LayerNorm(width, 1e-6)
        self.q, self.k, self.v, self.proj = (nn.Linear(width, width) for _ in range(4))
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        z = self.norm1(x)
        q, k, v = (m(z).unflatten(-1, (self.heads, -1)).transpose(1, 2) for m in (self.q, self.k, self.v))
        x = x + self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Vit(nn.Module):
    def __init__(self, weights, heads: int = 4):
        super().__init__()
        width = weights["cls_token"].shape[-1]
        patch = weights["patch_embed.proj.weight"].shape[-1]
        self.embed = nn.Conv2d(1, width, patch, patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(weights["pos_embed"].shape))
        depth = len({name.split(".")[1] for name in weights if name.startswith("blocks.")})
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width, 1e-6), nn.Linear(width, weights["head.weight"].shape[0])
        self.load_state_dict(split(weights))

    def forward(self, images):
        x = self.embed(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])

    def encode_image(self, images):
        return self(images)


def split(weights):
    """Renames the weights of a file, and divides fused queries, keys and values."""
    named = {}
    for name, tensor in weights.items():
        new = name.replace(".attn.proj.", ".proj.").replace(".mlp.", ".").replace("patch_embed.proj", "embed")
        if ".attn.qkv." in new:
            for letter, part in zip("qkv", tensor.chunk(3)):
                named[new.replace("attn.qkv", letter)] = part.clone()
        else:
            named[new] = tensor.clone()
    return named


def read(folder: str, part: str):
    with gzip.open(f"{folder}/fashion-{part}-images-idx3-ubyte.gz") as file:
        pixels = torch.frombuffer(bytearray(file.read()[16:]), dtype=torch.uint8).reshape(-1, 1, 28, 28)
    with gzip.open(f"{folder}/fashion-{part}-labels-idx1-ubyte.gz") as file:
        labels = torch.frombuffer(bytearray(file.read()[8:]), dtype=torch.uint8).long()
    return (pixels.float() / 255 - 0.286) / 0.353, labels


def change(images, task: str):
    if task == "rotated":
        return torch.rot90(images, 1, (-2, -1))
    least, most = -0.286 / 0.353, (1 - 0.286) / 0.353
    if task == "inverted":
        return least + most - images
    shifted = torch.full_like(images, least)
    shifted[..., 4:, 4:] = images[..., :-4, :-4]
    return shifted


@torch.no_grad()
def accuracy(model, images, labels) -> float:
    return (model(images).argmax(1) == labels).float().mean().item()


def main(path_a: str, path_b: str, folder: str, data: str, tasks: str, widened: str = ""):
    (train, train_labels), (test, labels) = read(data, "train"), read(data, "t10k")
    test, labels, valid, valid_labels = test[:1000], labels[:1000], train[-500:], train_labels[-500:]
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(train[:1000]), batch_size=100)
    file_a, file_b = load_file(path_a), load_file(path_b)
    a, b = Vit(file_a), Vit(file_b)
    base_b = split(file_b)
    if widened:
        with torch.no_grad():
            one, two = a(test), Vit(load_file(widened))(test)
        print(f"# outputs of A and of A widened differ by {(one - two).abs().max() / one.abs().max():.1e} of the largest")
    print("task,network,scale,accuracy,accuracy before")
    for task in filter(None, tasks.split(",")):
        changed = change(test, task)

        def measure(name, weights, scale=""):
            model = Vit(file_b if weights["cls_token"].shape == file_b["cls_token"].shape else file_a)
            model.load_state_dict(weights)
            print(f'{task},"{name}",{scale},{accuracy(model, changed, labels):.4f},{accuracy(model, test, labels):.4f}')

        tuned = load_file(f"{folder}/{task}-tuned-A.safetensors")
        measure("PyTorch: base B", base_b)
        measure("PyTorch: tuned A", split(tuned))
        for path in sorted(Path(folder).glob(f"{task}-base-B-*.safetensors")):
            measure(f"PyTorch: {path.stem}", split(load_file(path)))
        before = split(file_a)
        delta = {name: tensor - before[name] for name, tensor in split(tuned).items()}
        moved = theseus.TheseusRebase().transport(
            source_base=before, target_base=base_b, delta=delta, source_model=a, target_model=b,
            source_dataloader=loader, target_dataloader=loader, device="cpu", patch_qkv=False, verbose=False,
            show_progress=False, batch_size=100, n_batches=10,
        )
        # The authors' target keeps its classes apart from the network; ours has the same classes in the same order.
        for name, taken in (("authors' Theseus", moved), ("authors' Theseus, head fixed", {**moved, "head.weight": 0, "head.bias": 0})):
            best = (-1.0, 1.0)
            for scale in SCALES:
                model = Vit(file_b)
                model.load_state_dict({key: tensor + scale * taken[key] for key, tensor in base_b.items()})
                best = max(best, (accuracy(model, change(valid, task), valid_labels), -scale))
            scale = -best[1]
            measure(name, {key: tensor + scale * taken[key] for key, tensor in base_b.items()}, scale)


main(*sys.argv[1:])
