"""Small networks of PyTorch with data for them, and what PyTorch itself computes on them."""

import torch
from torch import nn
from torch.nn import functional as F

_CENTRES = torch.randn(4, 20, generator=torch.Generator().manual_seed(0))


class Network(nn.Module):
    """A network whose weights are moved off their first values, so that no two are alike."""

    def shake(self):
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))

    @staticmethod
    def data(count):
        labels = torch.randint(0, 4, (count,))
        return _CENTRES[labels] + torch.randn(count, 20), labels


class MultilayerPerceptron(Network):
    def __init__(self):
        super().__init__()
        self.hidden, self.output = nn.Linear(20, 16), nn.Linear(16, 4)

    def forward(self, x):
        return self.output(F.relu(self.hidden(x)))


class WithUnused(MultilayerPerceptron):
    def __init__(self):
        super().__init__()
        self.unused = nn.Linear(3, 3)


class Convolutional(Network):
    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6)
        self.second, self.output = nn.Conv2d(6, 8, 3), nn.Linear(8, 4)

    def shake(self):
        super().shake()
        for _ in range(3):
            self.train()(self.data(16)[0])

    def forward(self, image):
        features = F.relu(self.second(F.relu(self.norm(self.first(image)))))
        return self.output(features.mean((2, 3)))

    @staticmethod
    def data(count):
        return torch.randn(count, 1, 8, 8), torch.randint(0, 4, (count,))


class Transformer(Network):
    def __init__(self):
        super().__init__()
        self.embedding, self.output = nn.Embedding(16, 8), nn.Linear(8, 4)
        layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)

    def forward(self, ids):
        return self.output(self.encoder(self.embedding(ids)).mean(1))

    @staticmethod
    def data(count):
        return torch.randint(0, 16, (count, 6)), torch.randint(0, 4, (count,))


class Autoencoder(Network):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(20, 12), nn.Linear(12, 20)

    def forward(self, x):
        return self.decoder(torch.tanh(self.encoder(x)))

    @staticmethod
    def data(count):
        inputs, _ = Network.data(count)
        return inputs, inputs


class TiedLanguageModel(Network):
    def __init__(self):
        super().__init__()
        self.embedding, self.inner = nn.Embedding(12, 6), nn.Linear(6, 10)
        self.outer, self.head = nn.Linear(10, 6), nn.Linear(6, 12, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, ids):
        hidden = self.embedding(ids)
        return self.head(hidden + self.outer(F.gelu(self.inner(hidden))))

    @staticmethod
    def data(count):
        ids = torch.randint(0, 12, (count, 7))
        return ids[:, :-1], ids[:, 1:]


class NamedInputs(Network):
    def __init__(self):
        super().__init__()
        self.left, self.right, self.output = nn.Linear(12, 10), nn.Linear(8, 10), nn.Linear(10, 4)

    def forward(self, first, *, second):
        return {"logits": self.output(F.relu(self.left(first) + self.right(second)))}

    @staticmethod
    def data(count):
        inputs, labels = Network.data(count)
        return {"second": inputs[:, 12:], "first": inputs[:, :12]}, labels


def network_of(make, weights):
    """Makes a network with weights, as f32, in evaluation mode."""
    network = make()
    network.load_state_dict(
        {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}
    )
    return network.eval()


def run(network, inputs):
    with torch.no_grad():
        outputs = network(**inputs) if isinstance(inputs, dict) else network(inputs)
    return outputs["logits"] if isinstance(outputs, dict) else outputs


def outputs_of(make, weights, inputs):
    return run(network_of(make, weights), inputs)


def loss_of(make, weights, inputs, labels):
    outputs = outputs_of(make, weights, inputs)
    if labels.is_floating_point():
        return F.mse_loss(outputs, labels).item()
    return F.cross_entropy(outputs.flatten(0, -2), labels.flatten()).item()


def mean_of(a, b):
    """Returns the mean of two networks; whole numbers are those of the first."""
    return {
        name: ((value.double() + b[name].double()) / 2).float() if value.is_floating_point() else value
        for name, value in a.items()
    }


def recalibrated(make, weights, inputs):
    """Measures the statistics of batch norms anew, with the variance of the examples, not that of a sample."""
    network = network_of(make, weights)
    hooks = []
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            hooks.append(module.register_forward_pre_hook(_measure))
    run(network, inputs)
    for hook in hooks:
        hook.remove()
    return network.state_dict()


def _measure(module, inputs):
    (values,) = inputs
    module.running_mean.copy_(values.mean((0, 2, 3)))
    module.running_var.copy_(values.var((0, 2, 3), unbiased=False))
