import assert from "node:assert/strict";
import {
  align,
  createOnnxRuntimeEngine,
  lerp,
  measureBarrier,
  openArchitecture,
  openCheckpoint,
  openDataSet,
  saveCheckpoint,
} from "isthmus";

const architecture = await openArchitecture("a.onnx", createOnnxRuntimeEngine());
const a = await openCheckpoint("a.safetensors");
const b = await openCheckpoint("b.safetensors");

const { networks } = await align(architecture, [a, b], { seed: 0 });
const [, aligned = b] = networks;
await saveCheckpoint(lerp(a, aligned, 0.5), "merged.safetensors", { overwrite: true });

const data = await openDataSet("mnist:test@2000");
const { barrier } = await measureBarrier(architecture, [a, aligned], data);
assert(barrier.loss.chord < 0.1); // in nats; 1.6 without alignment
