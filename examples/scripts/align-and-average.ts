// Aligns three networks that were trained apart to the first, proves it, and writes their mean as bf16 shards.
import assert from "node:assert/strict";
import { align, average, createOnnxRuntimeEngine, openArchitecture, openCheckpoint, saveCheckpoint } from "isthmus";

const paths = ["s0", "s1", "s2"].map((name) => `examples/mnist-mlp/${name}.safetensors`);
const networks = await Promise.all(paths.map((path) => openCheckpoint(path)));
const architecture = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());

const { networks: aligned, aligned: pairs } = await align(architecture, networks, { seed: 0, restarts: 2 });
assert(pairs.every(({ summary }) => summary.verified.passed));

const shards = { dtype: "bf16", maxShardBytes: 1e6, overwrite: true } as const;
const { files } = await saveCheckpoint(average(aligned), "merged", shards);
assert(files.length > 1);
