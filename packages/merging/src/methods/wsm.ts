import type { MergeMethod } from "../merge-method.ts";
import { defineSeriesMethod } from "../series/define-series-method.ts";
import { scheduleWeights } from "../series/series-weights.ts";

const PARAMETERS = {
  schedule: {
    description: "How the learning rate would have fallen: 1-sqrt, linear or cosine.",
    of: "merge",
    default: "1-sqrt",
    choices: ["1-sqrt", "linear", "cosine"],
  },
} as const;

/**
 * Average of checkpoints from a run with a constant learning rate, which replaces a decay of the rate.
 *
 * The decay would begin at the oldest checkpoint.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { merge, wsm } from "@isthmus/merging";
 *
 * const saved = [0, 3, 6].map((x) => createCheckpoint({ w: createTensor("f32", [1], Float32Array.of(x)) }));
 * const annealed = merge(saved, { method: wsm, parameters: { schedule: "linear" } });
 * assert.deepEqual((await annealed.read("w")).data, Float32Array.of(3));
 * ```
 */
export const wsm: MergeMethod<typeof PARAMETERS, readonly number[]> = defineSeriesMethod({
  name: "wsm",
  description: "Averages checkpoints of one run as if the learning rate had decayed over them.",
  source: "Tian et al., WSM: decay-free learning rate schedule via checkpoint merging, 2025, section 3",
  parameters: PARAMETERS,
  weightsOf: ({ schedule }, count) => scheduleWeights(count, schedule),
});
