// Measures which layers two networks can share, averages those, and draws the measurement as a page.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import {
  align,
  byLayer,
  chooseLayers,
  createOnnxRuntimeEngine,
  linear,
  measureLayers,
  merge,
  openArchitecture,
  openCheckpoint,
  openDataSet,
  renderResultPage,
} from "isthmus";

const architecture = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
const a = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
const other = await openCheckpoint("examples/mnist-mlp/s1.safetensors");
const { networks } = await align(architecture, [a, other], { seed: 0, restarts: 1 });
const [, b = other] = networks;
const data = await openDataSet("mnist:test@500");
const result = await measureLayers(architecture, [a, b], data, { points: 3 });
const shared = chooseLayers(result, 0.05); // nats
const share = byLayer(new Map(shared.map((layer) => [layer, 0.5])), 0, [...a.tensors.keys()]);
const weight = [(name: string) => 1 - share(name), share];
const merged = merge([a, b], { method: linear, parameters: { weight } });
assert.equal(merged.tensors.size, a.tensors.size);
const page = { result, title: "Layers", commands: [], version: "1" };
await writeFile("layers.html", await renderResultPage(page));
