// Fine-tunes a graph, is stopped after the first epoch, and goes on to the same bytes as if it never had been.
import assert from "node:assert/strict";
import { createOnnxRuntimeEngine, openArchitecture, openCheckpoint, openDataSet, train } from "isthmus";

const { graph, engine } = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
const weights = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
const data = await openDataSet("mnist:train@1000");
const schedule = { kind: "constant", learningRate: 0.01 } as const;
const once = await train({ graph, engine }, weights, data, { seed: 0, epochs: 2, schedule });

const stop = new AbortController();
const options = { seed: 0, epochs: 2, schedule, statePath: "tuning.safetensors", resume: true };
await train({ graph, engine }, weights, data, {
  ...options,
  signal: stop.signal,
  onEpoch: async () => stop.abort(),
}).catch(() => undefined);
const resumed = await train({ graph, engine }, weights, data, options);
assert.deepEqual(await resumed.weights.read("layers.0.weight"), await once.weights.read("layers.0.weight"));
