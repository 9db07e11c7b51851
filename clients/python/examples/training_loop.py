"""Watches two trainings: when do they lie in one basin, up to the order of their units?

    python training_loop.py

Two networks learn the same task from two random starts. After each epoch the barrier between them is measured, as they
are and aligned; the graph is exported once. At the end they are merged.
"""

import argparse

import torch
from torch import nn

import isthmus


def make_data(count: int, seed: int) -> "tuple[torch.Tensor, torch.Tensor]":
    """Draws points of four noisy rings, each a class."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 4, (count,), generator=generator)
    angles = 6.2832 * torch.rand(count, generator=generator)
    radii = 1 + labels + 0.15 * torch.randn(count, generator=generator)
    return torch.stack([radii * angles.cos(), radii * angles.sin()], 1), labels


def main(epochs: int, width: int) -> None:
    data = torch.utils.data.TensorDataset(*make_data(4000, seed=0))
    points, labels = make_data(1000, seed=1)
    models = []
    for seed in range(2):
        torch.manual_seed(seed)
        models.append(
            nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 4))
        )
    optimizers = [torch.optim.Adam(model.parameters(), lr=0.003) for model in models]
    print("epoch  loss of a  loss of b  barrier  aligned")
    with isthmus.export(models[0], points[:2]) as graph:
        for epoch in range(1, epochs + 1):
            for model, optimizer in zip(models, optimizers):
                for inputs, targets in torch.utils.data.DataLoader(data, 100, shuffle=True):
                    optimizer.zero_grad()
                    nn.functional.cross_entropy(model(inputs), targets).backward()
                    optimizer.step()
            found = isthmus.barrier(graph, *models, data=(points, labels), align=True, compare=True, points=11)
            ends = found.points[0].loss, found.points[-1].loss
            before, after = found.asGiven.barrier.loss.chord, found.barrier.loss.chord
            print(f"{epoch:5}  {ends[0]:9.4f}  {ends[1]:9.4f}  {before:7.4f}  {after:7.4f}")
        merged = isthmus.merge(graph, models, align=True)
    models[0].load_state_dict(merged)
    with torch.no_grad():
        loss = nn.functional.cross_entropy(models[0](points), labels)
    print(f"merged: loss {loss:.4f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--width", type=int, default=64)
    main(**vars(parser.parse_args()))
