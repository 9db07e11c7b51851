"""PyTorch's ResNet20 (He et al. 2016, for CIFAR), trained step by step on request, for resnet.bench.ts.

Arguments: width multiplier, batch, threads, "default" or "channels_last". For each line read makes as many steps as it says and
answers the mean time of one in ms.
"""

import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

width, batch, threads, layout = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
torch.set_num_threads(threads)
torch.manual_seed(0)


class Block(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.shortcut = nn.Sequential()
        if stride != 1 or before != after:
            self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


def resnet20():
    channels = [16 * width, 32 * width, 64 * width]
    layers = [nn.Conv2d(1, channels[0], 3, 1, 1, bias=False), nn.BatchNorm2d(channels[0]), nn.ReLU()]
    before = channels[0]
    for stage, after in enumerate(channels):
        for block in range(3):
            layers.append(Block(before, after, 2 if stage > 0 and block == 0 else 1))
            before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 10))


network = resnet20().train()
x, y = torch.randn(batch, 1, 28, 28), torch.randint(10, (batch,))
if layout == "channels_last":
    network, x = network.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9, weight_decay=5e-4)


def step():
    optimizer.zero_grad()
    F.cross_entropy(network(x), y).backward()
    optimizer.step()


step()
print("ready", flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    for _ in range(int(line)):
        step()
    print((time.perf_counter() - start) / int(line) * 1e3, flush=True)
