# Makes packages/connectivity/test/golden/tune.json: connectivity-based fine-tuning by PyTorch, in f64, as
# CBFT() of mech_fine_tuning.py in EkdeepSLubana/MMC has it: losses, order of both updates of one SGD with
# momentum and weight decay, and LR_Scheduler of utils.py, which is stepped from the second epoch of the
# invariance loss on. One batch is an epoch here, so that the order of examples does not matter.
# python mechanisms.py > FILE && npx biome format --write FILE
#
# Numbers are waves, as test/helpers/waves.ts has them. PLACES are what createRandom(7, "places on the line,
# epoch N") draws, clipped as in the paper.
import json
import math

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
EXAMPLES, SIDE, HIDDEN, CLASSES, EPOCHS, WARMUP = 12, 4, 5, 3, 6, 1
RATE, DECAY, MARGIN, LAMBDA = 0.2, 0.01, 2.0, 3.0
PLACES = [0.25, 0.25, 0.6524183758746067, 0.25, 0.25, 0.75]


def waves(shape, seed, scale):
    values = [scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(math.prod(shape))]
    return torch.tensor(np.array(values).astype(np.float32).astype(np.float64).reshape(shape))


def features(w, x):
    return F.relu(x.flatten(1) @ w["layers.0.weight"].T + w["layers.0.bias"])


def head(w, z):
    return z @ w["layers.1.weight"].T + w["layers.1.bias"]


SHAPES = {
    "layers.0.weight": (HIDDEN, SIDE * SIDE),
    "layers.0.bias": (HIDDEN,),
    "layers.1.weight": (CLASSES, HIDDEN),
    "layers.1.bias": (CLASSES,),
}
before = {name: waves(shape, 5 + i, 0.5) for i, (name, shape) in enumerate(SHAPES.items())}
clean = waves((EXAMPLES, 1, SIDE, SIDE), 1, 1.0)
cue = waves((EXAMPLES, 1, SIDE, SIDE), 2, 1.0)
labels = torch.arange(EXAMPLES) % CLASSES

tuned = {name: value.clone().requires_grad_() for name, value in before.items()}
optimizer = torch.optim.SGD(tuned.values(), lr=RATE, momentum=0.9, weight_decay=DECAY)
schedule = 0.5 * RATE * (1 + np.cos(np.pi * np.arange(EPOCHS) / EPOCHS))
iteration = 0
epochs = []
for epoch in range(EPOCHS):
    t = PLACES[epoch]
    between = {
        name: (t * before[name] + (1 - t) * tuned[name].detach()).requires_grad_() for name in SHAPES
    }
    on_line = F.cross_entropy(head(between, features(between, cue)), labels)
    (MARGIN - on_line).abs().backward()
    for name in SHAPES:
        tuned[name].grad = (1 - t) * between[name].grad
    optimizer.step()

    optimizer.zero_grad()
    z_clean, z_cue = features(tuned, clean), features(tuned, cue)
    plain = F.cross_entropy(head(tuned, z_clean), labels)
    invariance = torch.zeros(())
    if epoch >= WARMUP:
        for label in range(CLASSES):
            u, v = (
                F.normalize(z[labels == label].mean(dim=0, keepdim=True), dim=1) for z in (z_clean, z_cue)
            )
            invariance = invariance + (u - v).norm().pow(2)
        invariance = LAMBDA * invariance / CLASSES
    (plain + invariance).backward()
    optimizer.step()
    if epoch > WARMUP:
        for group in optimizer.param_groups:
            group["lr"] = schedule[iteration]
        iteration += 1
    epochs.append({"clean": plain.item(), "onLine": on_line.item(), "invariance": invariance.item()})

print(
    json.dumps(
        {
            "torch": torch.__version__,
            "epochs": epochs,
            "weights": {name: value.detach().flatten().tolist() for name, value in tuned.items()},
        }
    )
)
