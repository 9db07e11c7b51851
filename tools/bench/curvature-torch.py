"""Measures the Hessian of networks that curvature.ts wrote, by PyTorch and by its peers' libraries.

    python tools/bench/curvature-torch.py FOLDER TASK

TASK is one of products, pyhessian, curvlinops, eigenthings. FOLDER holds weights.safetensors, data.safetensors (x, y, vector) and
settings.json. Prints one JSON object. Libraries are asked for what curvature.ts asks of ours, by their own defaults.
Written with torch 2.15, pyhessian 0.1, curvlinops 3.0.1, hessian-eigenthings 1.0.0a5, scipy 1.17.
"""
import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file
from torch.func import functional_call, grad, jvp

folder, task = sys.argv[1:]
settings = json.load(open(f"{folder}/settings.json"))
torch.set_num_threads(settings["threads"])
torch.manual_seed(0)
batch, repeats = settings["batch"], settings["repeats"]
tensors = load_file(f"{folder}/data.safetensors")
X, Y, VECTOR = tensors["x"], tensors["y"].long(), tensors["vector"]


def block(before, after):
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU())


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        pool = lambda: nn.MaxPool2d(2)
        self.features = nn.Sequential(block(1, 32), block(32, 32), pool(), block(32, 64), block(64, 64), pool(), block(64, 128))
        self.fc1, self.fc2 = nn.Linear(6272, 256), nn.Linear(256, 10)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(self.features(x).flatten(1))))


class Mlp(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))

    def forward(self, x):
        x = x.flatten(1)
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


weights = load_file(f"{folder}/weights.safetensors")
model = Cnn() if settings["model"] == "cnn" else Mlp(settings["widths"])
model.load_state_dict(weights, strict=False)
model.eval()
params = dict(model.named_parameters())
names = settings["parameters"]
assert sorted(names) == sorted(params), (names, list(params))
BATCHES = [(X[i : i + batch], Y[i : i + batch]) for i in range(0, len(X), batch)]


def split(vector):
    parts, offset = {}, 0
    for name in names:
        size = params[name].numel()
        parts[name] = vector[offset : offset + size].reshape(params[name].shape)
        offset += size
    return parts


def join(parts):
    return torch.cat([parts[name].reshape(-1) for name in names])


def double_backward(vector):
    """What PyHessian and hessian-eigenthings do for each batch."""
    parts, total = split(vector), None
    for x, y in BATCHES:
        loss = F.cross_entropy(model(x), y)
        first = torch.autograd.grad(loss, [params[n] for n in names], create_graph=True)
        second = torch.autograd.grad(first, [params[n] for n in names], grad_outputs=[parts[n] for n in names])
        share = len(x) / len(X)
        scaled = {n: share * s.detach() for n, s in zip(names, second)}
        total = scaled if total is None else {n: total[n] + scaled[n] for n in names}
    return join(total)


def forward_over_reverse(vector):
    """torch.func: the derivative of the gradient along the vector."""
    parts, total = split(vector), None
    fixed = {n: p.detach() for n, p in params.items()}
    buffers = dict(model.named_buffers())
    for x, y in BATCHES:
        loss = lambda p: F.cross_entropy(functional_call(model, (p, buffers), (x,)), y)
        _, product = jvp(grad(loss), (fixed,), (parts,))
        share = len(x) / len(X)
        scaled = {n: share * s for n, s in product.items()}
        total = scaled if total is None else {n: total[n] + scaled[n] for n in names}
    return join(total)


def timed(product):
    product(VECTOR)
    times, cpu = [], []
    for _ in range(repeats):
        started, used = time.perf_counter(), time.process_time()
        result = product(VECTOR)
        times.append(time.perf_counter() - started)
        cpu.append(time.process_time() - used)
    return {"cpuSeconds": min(cpu), "seconds": min(times), "median": sorted(times)[len(times) // 2], "norm": result.norm().item()}, result


def clocked(run):
    """Returns what a solver returns, and the processor time of the whole of it, which others on the machine change less than seconds."""
    started = time.process_time()
    result = run()
    return result, time.process_time() - started


def products():
    backward, product = timed(double_backward)
    forward, other = timed(forward_over_reverse)
    ours = tensors["product"]
    size = product.norm()
    global BATCHES
    model.double()
    BATCHES = [(x.double(), y) for x, y in BATCHES]
    exact = double_backward(VECTOR.double())
    apart = lambda vector: ((vector.double() - exact).norm() / exact.norm()).item()
    return {
        # Rounding moves values across kinks, here as there.
        "fromDouble": {"torch": apart(product), "ours": apart(ours)},
        "doubleBackward": backward,
        "forwardOverReverse": forward,
        "torchApart": ((product - other).norm() / size).item(),
        "oursApart": ((ours - product).norm() / size).item(),
    }


def eig(matrix, eigenvectors):
    """What torch.eig was until 1.13, for the symmetric matrices that PyHessian 0.1 calls it with."""
    values, vectors = torch.linalg.eigh(matrix)
    return torch.stack([values, torch.zeros_like(values)], dim=1), vectors


def pyhessian():
    from pyhessian import hessian

    torch.eig = eig

    measured = hessian(model, nn.CrossEntropyLoss(), dataloader=BATCHES, cuda=False)
    products = counted(measured, "dataloader_hv_product")
    (values, _), seconds = clocked(lambda: measured.eigenvalues(top_n=1))
    eigenvalue_products = products()
    trace, trace_seconds = clocked(measured.trace)
    error = (torch.tensor(trace).std() / len(trace) ** 0.5).item()
    result = {"largest": values[0], "products": eigenvalue_products, "cpuSeconds": seconds, "trace": sum(trace) / len(trace), "traceError": error}
    result |= {"traceProducts": len(trace), "traceCpuSeconds": trace_seconds}
    if settings["runs"] == 0:
        return result
    (nodes, weights), density_seconds = clocked(lambda: measured.density(iter=settings["steps"], n_v=settings["runs"]))
    torch.manual_seed(1)
    again, again_weights = measured.density(iter=settings["steps"], n_v=settings["runs"])
    return {**result, "nodes": nodes, "weights": weights, "again": again, "againWeights": again_weights, "densityCpuSeconds": density_seconds}


def counted(owner, name):
    """Counts the calls of a method, and returns what says how many there were since it last did."""
    calls, method = [0], getattr(owner, name)

    def call(*args, **kwargs):
        calls[0] += 1
        return method(*args, **kwargs)

    def since():
        count, calls[0] = calls[0], 0
        return count

    setattr(owner, name, call)
    return since


def curvlinops_():
    from curvlinops import HessianLinearOperator, hutchpp_trace
    from scipy.sparse.linalg import eigsh

    operator = HessianLinearOperator(model, nn.CrossEntropyLoss(), list(model.parameters()), BATCHES, check_deterministic=False)
    wrapped = operator.to_scipy()
    products = counted(wrapped, "_matvec")
    values, seconds = clocked(lambda: eigsh(wrapped, k=3, which="LA", tol=1e-4, return_eigenvectors=False))
    eigenvalue_products = products()
    trace, trace_seconds = clocked(lambda: hutchpp_trace(operator, num_matvecs=99))
    result = {"largest": sorted(values.tolist(), reverse=True), "products": eigenvalue_products, "cpuSeconds": seconds}
    return {**result, "trace": float(trace), "traceProducts": 99, "traceCpuSeconds": trace_seconds}


def eigenthings():
    from hessian_eigenthings import HessianOperator, lanczos, spectral_density, supervised_loss, trace

    operator = HessianOperator(model, BATCHES, supervised_loss(F.cross_entropy))
    top, seconds = clocked(lambda: lanczos(operator, k=3, seed=0))
    residuals = [float(x) for x in top.residuals]
    estimate, trace_seconds = clocked(lambda: trace(operator, num_matvecs=99, seed=0))
    result = {"largest": [float(x) for x in top.eigenvalues], "residuals": residuals, "cpuSeconds": seconds}
    result |= {"trace": float(estimate.estimate), "traceProducts": 99, "traceCpuSeconds": trace_seconds}
    runs, steps = settings["runs"], settings["steps"]
    if runs == 0:
        return result
    density, density_seconds = clocked(lambda: spectral_density(operator, num_runs=runs, lanczos_steps=steps, seed=0))
    grid, values = density.grid, density.density
    step = (grid[1] - grid[0]).item()
    shares = [(values[grid > cut].sum() * step).item() for cut in settings["cuts"]]
    mean = ((values * grid).sum() * step).item()
    return {**result, "densityAbove": shares, "densityMean": mean, "densityCpuSeconds": density_seconds}


tasks = {"products": products, "pyhessian": pyhessian, "curvlinops": curvlinops_, "eigenthings": eigenthings}
print(json.dumps(tasks[task](), default=lambda numbers: numbers.tolist()))
