import type { MergeMethod } from "../merge-method.ts";
import { defineSeriesMethod } from "../series/define-series-method.ts";
import { windowWeights } from "../series/series-weights.ts";

const PARAMETERS = {
  start: {
    description: "Position of the first checkpoint that counts; 0 is the oldest.",
    of: "merge",
    default: 0,
    least: 0,
  },
} as const;

/** Unweighted mean of the checkpoints of one run, without the first `start` of them. */
export const swa: MergeMethod<typeof PARAMETERS, readonly number[]> = defineSeriesMethod({
  name: "swa",
  description: "Averages checkpoints of one run equally, from a place in the run on.",
  source:
    "Izmailov et al., Averaging weights leads to wider optima and better generalization, 2018, algorithm 1",
  parameters: PARAMETERS,
  findConflict({ start }, count) {
    if (Math.ceil(start) < count) return undefined;
    const text = `must be in [0, ${count - 1}], as there ${count === 1 ? "is 1 checkpoint" : `are ${count} checkpoints`}: it is ${start}`;
    return { parameter: "start", network: 0, text };
  },
  weightsOf: ({ start }, count) => windowWeights(count, count - Math.ceil(start)),
});
