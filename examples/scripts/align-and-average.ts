// Trains three networks apart, aligns them to the first, and writes their mean as bf16 shards.
import assert from "node:assert/strict";
import {
  align,
  average,
  createOnnxRuntimeEngine,
  openDataSet,
  parseNetwork,
  saveCheckpoint,
  train,
} from "isthmus";

const data = await openDataSet("mnist:train@2000");
const { graph, initialize } = parseNetwork("mlp:64x2", data);
const architecture = { graph, engine: createOnnxRuntimeEngine() };
const trained = [];
for (const seed of [0, 1, 2]) {
  trained.push((await train(architecture, initialize(seed), data, { seed, epochs: 2 })).weights);
}
const { networks, aligned } = await align(architecture, trained, { seed: 0 }); // nothing unproved comes back
assert(aligned.every(({ summary }) => summary.verified.passed));
const shards = { dtype: "bf16", maxShardBytes: 1e5, overwrite: true } as const;
assert((await saveCheckpoint(average(networks), "merged", shards)).files.length > 1);
