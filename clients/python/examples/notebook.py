# A notebook in the percent format, which Jupyter (by Jupytext), VS Code and PyCharm open cell by cell. The last line of
# a cell draws itself.

# %% [markdown]
# # Two networks, one basin

# %% Two networks that learned the same from two random starts
import torch
from torch import nn

import isthmus

torch.manual_seed(0)
x = torch.randn(2000, 2)
y = (x.prod(1) > 0).long()
a, b = (nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 2)) for _ in range(2))
optimizer = torch.optim.Adam([*a.parameters(), *b.parameters()], lr=0.01)
for _ in range(300):
    optimizer.zero_grad()
    sum(nn.functional.cross_entropy(network(x), y) for network in (a, b)).backward()
    optimizer.step()

# %% Which units may change places?
isthmus.symmetry(a, x[:2], verify=True)

# %% Can they be merged as they are?
isthmus.compare(a, b, model=a, example=x[:2])

# %% The loss on the way, as they are and aligned
result = isthmus.barrier(a, a, b, data=(x, y), align=True, compare=True)
result

# %% The merged network
merged = isthmus.merge(a, [a, b], x[:2], align=True)
merged
