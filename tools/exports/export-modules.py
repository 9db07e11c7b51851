"""Exports the modules of modules.py by every exporter and option, with PyTorch's own numbers as witnesses.

    python tools/exports/export-modules.py FOLDER [--all] [MODULE...]

FOLDER/MODULE/OPTION.onnx   the graph. Strings for humans (documentation, metadata, shapes of values between) are left out; all else is
                            as it was exported. Files that would be the same as an earlier option's are not written
FOLDER/MODULE/witness.safetensors
    state.NAME              the module's state_dict
    input.I, output         what it is fed, and what it computes in evaluation mode
    other                   what it computes with the weights that other_state() makes of the state_dict
    gradient.NAME           of the sum of the output's squares by a parameter: its product with sin(1), sin(2), ... and its length
FOLDER/manifest.json        versions; for each module its inputs, and for each option the file, or why the exporter refuses

Without --all, options that only change how a file is laid out are exported for a few modules: what is committed in
test/fixtures/exports. Made with torch 2.15.0, onnx 1.23.2, onnxscript 0.7.2, safetensors 0.8.0 on a CPU.
"""

import argparse
import json
import logging
import pathlib
import tempfile
import warnings

import onnx
import onnxscript
import torch
from safetensors.torch import save_file

from modules import MODULES, other_state, randomize, state_of

warnings.filterwarnings("ignore")
logging.disable(logging.ERROR)

BATCH = torch.export.Dim("batch")
OPSET = 20

# How each option is exported; dynamic: whether the batch is of any size.
OPTIONS = {
    "dynamo": dict(dynamo=True, dynamic=True),
    "dynamo-unoptimized": dict(dynamo=True, dynamic=True, optimize=False),
    "legacy": dict(dynamo=False, dynamic=True),
    "legacy-unfolded": dict(dynamo=False, dynamic=True, do_constant_folding=False),
    "dynamo-static": dict(dynamo=True, dynamic=False),
    "dynamo-external": dict(dynamo=True, dynamic=True, external_data=True),
    "legacy-no-params": dict(dynamo=False, dynamic=True, export_params=False, do_constant_folding=False),
    "legacy-training": dict(dynamo=False, dynamic=True, training=torch.onnx.TrainingMode.TRAINING),
}
FOR_ALL = ["dynamo", "dynamo-unoptimized", "legacy", "legacy-unfolded"]
FOR_OTHERS = ["mlp", "regression", "bilinear", "conv2d", "batch-norm", "layer-norm", "multihead-attention", "lstm"]


def export(example, path, dynamic, **options):
    names = [f"x{i}" for i in range(len(example.inputs))]
    if options["dynamo"]:
        options.setdefault("external_data", False)
        if dynamic:
            options["dynamic_shapes"] = tuple({axis: BATCH} for axis in example.batch_axes)
    elif dynamic:
        options["dynamic_axes"] = {name: {axis: "batch"} for name, axis in zip(names, example.batch_axes)}
    torch.onnx.export(
        example.module, example.inputs, path, input_names=names, opset_version=OPSET, verbose=False, **options
    )


def strip(model):
    """Leaves out what only tells humans where something is from."""

    def clear(message):
        for name in ("doc_string", "metadata_props"):
            if name in message.DESCRIPTOR.fields_by_name:
                message.ClearField(name)

    def clear_graph(graph):
        clear(graph)
        graph.ClearField("value_info")
        for message in [*graph.node, *graph.initializer, *graph.input, *graph.output]:
            clear(message)
        for node in graph.node:
            for attribute in node.attribute:
                clear(attribute)
                if attribute.type == onnx.AttributeProto.GRAPH:
                    clear_graph(attribute.g)

    clear(model)
    clear_graph(model.graph)
    return model


def witness(module, inputs):
    state = state_of(module)
    with torch.no_grad():
        output = module(*inputs)
    module.zero_grad()
    (module(*inputs) ** 2).sum().backward()
    tensors = {f"state.{name}": t for name, t in state.items()}
    tensors |= {f"input.{i}": t for i, t in enumerate(inputs)} | {"output": output.contiguous()}
    for name, parameter in module.named_parameters():
        g = parameter.grad.double().flatten()
        along = torch.sin(torch.arange(1, g.numel() + 1, dtype=torch.float64))
        tensors[f"gradient.{name}"] = torch.stack([g @ along, g.norm()]).float()
    module.load_state_dict(other_state(state))
    with torch.no_grad():
        tensors["other"] = module(*inputs).contiguous()
    module.load_state_dict(state)
    return tensors


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("modules", nargs="*")
    arguments = parser.parse_args()
    versions = {m.__name__: m.__version__.split("+")[0] for m in (torch, onnx, onnxscript)}
    manifest = {"versions": versions, "opset": OPSET, "modules": {}}
    for name, make in MODULES.items():
        if arguments.modules and name not in arguments.modules:
            continue
        folder = arguments.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        example = make()
        randomize(example.module, 1).eval()
        save_file(witness(example.module, example.inputs), folder / "witness.safetensors")
        files, known = {}, {}
        for option, how in OPTIONS.items():
            if not (arguments.all or option in FOR_ALL or name in FOR_OTHERS):
                continue
            files[option] = write(make, folder, option, how, known)
            print(name, option, files[option], flush=True)
        manifest["modules"][name] = {"inputs": [list(x.shape) for x in example.inputs], "exports": files}
    (arguments.folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def write(make, folder, option, how, known):
    """Exports a module; the name of the file, which may be an earlier one that is the same, or why the exporter refuses."""
    example = make()
    randomize(example.module, 1).eval()
    with tempfile.TemporaryDirectory() as temporary:
        path = pathlib.Path(temporary) / f"{option}.onnx"
        try:
            export(example, path, **how)
        except Exception as error:
            return {"refused": f"{type(error).__name__}: {str(error).strip().splitlines()[0][:160]}"}
        model = strip(onnx.load(path, load_external_data=False))
        data = path.with_name(path.name + ".data")
        content = model.SerializeToString(deterministic=True)
        if content in known and not data.exists():
            return known[content]
        known[content] = f"{option}.onnx"
        (folder / f"{option}.onnx").write_bytes(content)
        if data.exists():
            (folder / data.name).write_bytes(data.read_bytes())
    return f"{option}.onnx"


main()
