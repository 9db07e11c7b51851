"""Exported graphs in one file each."""

import os

import onnx


def save_in_one_file(path):
    """Writes an exported graph anew with its weights inside, and without what names this machine."""
    model = onnx.load(path)
    folder = os.path.dirname(path)
    for file in os.listdir(folder):
        if file.endswith(".onnx.data"):
            os.remove(os.path.join(folder, file))
    model.ClearField("metadata_props")
    for node in model.graph.node:
        node.ClearField("doc_string")
        node.ClearField("metadata_props")
    onnx.save(model, path)


def strip(path):
    """Removes stack traces of this machine from an exported graph, which are most of the file."""
    model = onnx.load(path)
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.metadata_props[:], model.metadata_props[:]
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info, *model.graph.initializer]:
        del value.metadata_props[:]
    onnx.save(model, path)
