# Makes packages/ensemble/test/golden/ensemble.json: adversarial examples of a multilayer perceptron and of two
# together, the mean of three networks' weights, and the quality of predictions, as PyTorch 2.15.0 computes them on a
# CPU, in f64.
# python ensemble.py > FILE && npx biome format --write FILE
#
# Weights and examples are waves, as test/helpers/waves.ts has them.
import json
import math
import sys

import torch
import torch.nn.functional as F
from torch.optim.swa_utils import AveragedModel

torch.set_default_dtype(torch.float64)
EXAMPLES, IN, HIDDEN, CLASSES = 14, 5, 4, 3
SHAPES = {"a.weight": [HIDDEN, IN], "a.bias": [HIDDEN], "b.weight": [CLASSES, HIDDEN], "b.bias": [CLASSES]}


def waves(shape, seed, scale):
    values = [scale * math.sin(0.01 * (i + 1) * (i + 1) + seed) for i in range(math.prod(shape))]
    return torch.tensor(values).to(torch.float32).double().reshape(shape)


def network(seed):
    model = torch.nn.Sequential()
    model.a, model.act, model.b = torch.nn.Linear(IN, HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, CLASSES)
    model.load_state_dict({name: waves(shape, seed + k, 0.8) for k, (name, shape) in enumerate(SHAPES.items())})
    return model


X = waves([EXAMPLES, IN], 10, 1.5)
Y = torch.tensor([i % CLASSES for i in range(EXAMPLES)])
first, second = network(1), network(7)


def attack(models, norm, epsilon, steps, size):
    x = X.clone()
    for _ in range(steps):
        x.requires_grad_(True)
        logits = torch.stack([model(x) for model in models]).mean(0)
        (g,) = torch.autograd.grad(F.cross_entropy(logits, Y), x)
        x = x.detach()
        if norm == "linf":
            x = X + (x + size * g.sign() - X).clamp(-epsilon, epsilon)
        else:
            x = x + size * g / g.norm(dim=1, keepdim=True)
            delta = x - X
            x = X + delta * (epsilon / delta.norm(dim=1, keepdim=True)).clamp(max=1)
    return x


def cases():
    for models, name in [([first], "one"), ([first, second], "two")]:
        for norm, epsilon, steps, size in [
            ("linf", 0.1, 1, 0.1),
            ("linf", 0.1, 4, 0.04),
            ("l2", 0.5, 1, 0.5),
            ("l2", 0.5, 4, 0.2),
        ]:
            changed = attack(models, norm, epsilon, steps, size)
            with torch.no_grad():
                logits = torch.stack([model(changed) for model in models]).mean(0)
                loss = F.cross_entropy(logits, Y).item()
            yield {
                "models": name,
                "norm": norm,
                "epsilon": epsilon,
                "steps": steps,
                "stepSize": size,
                "loss": loss,
                "accuracy": (first(changed).argmax(1) == Y).double().mean().item(),
            }


x = X.clone().requires_grad_(True)
(gradient,) = torch.autograd.grad(F.cross_entropy(first(x), Y), x)
averaged = AveragedModel(first)
for model in [first, second, network(13)]:
    averaged.update_parameters(model)

# Predictions, sharpened so that bins of all confidences are met.
probabilities = torch.softmax(waves([400, CLASSES], 3, 4.0), 1)
labels = torch.tensor([(i * i) % CLASSES for i in range(400)])
confidence, predicted = probabilities.max(1)
right = (predicted == labels).double()
edges = torch.linspace(0, 1, 16)
ece = 0.0
for low, high in zip(edges[:-1], edges[1:]):
    inside = (confidence > low) & (confidence <= high)
    if inside.any():
        ece += inside.double().mean().item() * abs(right[inside].mean() - confidence[inside].mean()).item()
json.dump(
    {
        "gradient": gradient.flatten().tolist(),
        "attacks": list(cases()),
        "mean": {name: tensor.flatten().tolist() for name, tensor in averaged.module.state_dict().items()},
        "quality": {
            "accuracy": right.mean().item(),
            "nll": F.nll_loss(probabilities.log(), labels).item(),
            "ece": ece,
            "brier": (probabilities - F.one_hot(labels, CLASSES)).pow(2).sum(1).mean().item(),
        },
    },
    sys.stdout,
)
