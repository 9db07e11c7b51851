"""Checks by onnxruntime in Python that a wide network computes on the same inputs what it should.

    python tools/partial-merging/check-runtime.py GRAPH.onnx A.safetensors B.safetensors WIDE

WIDE.onnx and WIDE.safetensors are what `isthmus zip A B --graph GRAPH.onnx --width 2 -o WIDE` wrote: at width 2 they
must compute the mean of the outputs of A and B. For other widths the difference from it is printed only.
"""
import sys

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file


def run(graph, weights, inputs):
    model = onnx.load(graph)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(graph)
    feeds = {info.name: weights.get(info.name, inputs) for info in session.get_inputs()}
    return session.run(None, feeds)[0]


graph, a, b, wide = sys.argv[1:]
first = onnxruntime.InferenceSession(graph).get_inputs()
weights_a = load_file(a)
shape = next(info.shape for info in first if info.name not in weights_a)
inputs = np.random.default_rng(0).standard_normal([8, *shape[1:]]).astype(np.float32)
mean = (run(graph, weights_a, inputs) + run(graph, load_file(b), inputs)) / 2
actual = run(f"{wide}.onnx", load_file(f"{wide}.safetensors"), inputs)
print(f"shape {actual.shape}, difference from the mean {np.abs(actual - mean).max() / np.abs(mean).max():.2e} (relative)")
