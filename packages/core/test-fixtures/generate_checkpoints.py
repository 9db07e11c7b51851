"""Writes small files of torch.save and safetensors, and expected.json.golden with the tensors in each.

Run with: python generate_checkpoints.py (the versions used are in expected.json.golden).
"""

import collections
import json
import os
import pathlib
import pickle
import struct
import warnings
import zipfile

import numpy
import safetensors
import safetensors.torch
import torch

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent
NAMES = {
    torch.float64: "f64", torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16",
    torch.float8_e4m3fn: "f8e4m3", torch.float8_e5m2: "f8e5m2", torch.int64: "i64", torch.int32: "i32",
    torch.int16: "i16", torch.int8: "i8", torch.uint64: "u64", torch.uint32: "u32", torch.uint16: "u16",
    torch.uint8: "u8", torch.bool: "bool",
}  # fmt: skip
OLD = [dtype for dtype in NAMES if dtype not in (torch.uint64, torch.uint32, torch.uint16)]
expected = {"versions": {"torch": torch.__version__, "safetensors": safetensors.__version__}, "files": {}}


def describe(tensor):
    dense = tensor.detach().contiguous().clone()
    data = dense.reshape(-1).view(torch.uint8).numpy().tobytes() if dense.numel() else b""
    return {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "bytes": data.hex()}


def record(file, tensors, metadata=None):
    expected["files"][file] = {"tensors": {name: describe(t) for name, t in tensors.items()}, "metadata": metadata or {}}


def save(file, value, tensors, **options):
    torch.save(value, HERE / file, **options)
    record(file, tensors)


def all_types(dtypes):
    values = torch.tensor([0.0, 1.0, 2.0, 3.0, 0.5, 1.5])
    return {f"t.{NAMES[dtype]}": values.to(dtype).reshape(2, 3) for dtype in dtypes}


def strided():
    base = torch.arange(24, dtype=torch.float32)
    matrix = base.reshape(4, 6)
    return collections.OrderedDict(
        whole=matrix,
        rows=matrix[1:3],
        columns=matrix[:, 1:3],
        transposed=matrix.t(),
        every_other=base[::2],
        permuted=base.reshape(2, 3, 4).permute(2, 0, 1),
        expanded=torch.tensor([1.0, 2.0]).reshape(2, 1).expand(2, 3),
        scalar=base[5],
        empty=torch.zeros(0, 3),
        ones_between=matrix.reshape(4, 1, 6)[:, :, :6],
    )


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(3, 2)
        self.norm = torch.nn.BatchNorm1d(2)
        self.second = torch.nn.Linear(2, 2, bias=False)
        self.second.weight = torch.nn.Parameter(torch.eye(2))
        self.tied = self.second


class Harmful:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def torch_files():
    torch.manual_seed(0)
    for protocol in (2, 3, 4, 5):
        tensors = all_types(NAMES)
        save(f"types-protocol{protocol}.pt", tensors, tensors, pickle_protocol=protocol)
    tensors = all_types(OLD)
    save("types-legacy.pt", tensors, tensors, _use_new_zipfile_serialization=False)
    tensors = strided()
    save("strided.pt", tensors, tensors)
    save("strided-legacy.pt", tensors, tensors, _use_new_zipfile_serialization=False)
    net = Net()
    state = net.state_dict()
    save("module.pt", state, state)
    optimizer = torch.optim.Adam(net.parameters())
    net.second(torch.relu(net.first(torch.ones(1, 3)))).sum().backward()
    optimizer.step()
    state = net.state_dict()
    training = {
        "epoch": 3, "best": 0.5, "lr": [0.1, 0.01], "note": "é", "big": 2**70, "none": None, "flags": {True, False},
        "shape": torch.Size([2, 3]), "device": torch.device("cpu"), "dtype": torch.bfloat16, "counts": collections.Counter("aab"),
        "raw": b"bytes", "per": collections.defaultdict(list, {"a": [1]}),
        "state_dict": state, "optimizer": optimizer.state_dict(), "rng_state": torch.get_rng_state(),
    }  # fmt: skip
    save("training.pt", training, state)
    save("training-protocol4.pt", training, state, pickle_protocol=4)
    parts = {"encoder": {"weight": torch.ones(2)}, "heads": [torch.zeros(1), {"bias": torch.full((1,), 2.0)}], "step": 1}
    save("nested.pt", parts, {"encoder.weight": parts["encoder"]["weight"], "heads.0": parts["heads"][0], "heads.1.bias": parts["heads"][1]["bias"]})
    save("lone.pt", torch.arange(3), {"tensor": torch.arange(3)})
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.note = "an attribute"
    save("parameter.pt", {"p": parameter, "q": torch.nn.Parameter(torch.zeros(1), requires_grad=False)}, {"p": parameter, "q": torch.zeros(1)})


def refused_torch_files():
    torch.save({"weight": Harmful(os.system, "touch /tmp/isthmus-was-here")}, HERE / "harmful-system.pt")
    torch.save({"weight": Harmful(eval, "1 + 1")}, HERE / "harmful-eval-legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(Net(), HERE / "whole-module.pt")
    torch.save({"scalar": numpy.float64(1)}, HERE / "numpy-scalar.pt")
    torch.save({"epoch": 1}, HERE / "no-tensors.pt")
    torch.save({"c": torch.zeros(1, dtype=torch.complex64)}, HERE / "complex.pt")
    # A bomb: a pickle of zeros that deflates a thousandfold.
    with zipfile.ZipFile(HERE / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", b"\0" * 20_000_000)
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), HERE / "script.pt")


def safetensors_files():
    tensors = all_types(NAMES) | {"scalar": torch.tensor(1.5), "empty": torch.zeros(0, 2), 'odd "name" \\ é\n': torch.ones(1)}
    safetensors.torch.save_file(tensors, HERE / "types.safetensors", {"format": "pt"})
    record("types.safetensors", tensors, {"format": "pt"})
    # Types the format has and we do not handle; written by hand, as PyTorch has no such tensors.
    header = json.dumps({"x": {"dtype": "F8_E8M0", "shape": [1], "data_offsets": [0, 1]}}).encode()
    (HERE / "unsupported.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"\0")


torch_files()
refused_torch_files()
safetensors_files()
(HERE / "expected.json.golden").write_text(json.dumps(expected, indent=1) + "\n")
