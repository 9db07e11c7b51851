import type { MergeMethod } from "../merge-method.ts";
import { defineSeriesMethod } from "../series/define-series-method.ts";
import { findWideWindow, windowWeights } from "../series/series-weights.ts";

const PARAMETERS = {
  window: {
    description: "How many of the latest checkpoints count; by default all, if there are fewer.",
    of: "merge",
    default: 6,
    least: 1,
  },
} as const;

/** Unweighted mean of the latest checkpoints of one run. */
export const lawa: MergeMethod<typeof PARAMETERS, readonly number[]> = defineSeriesMethod({
  name: "lawa",
  description: "Averages the latest checkpoints of one run equally.",
  source:
    "Kaddour, Stop wasting my time: saving days of training by latest weight averaging, 2022, equation 1",
  parameters: PARAMETERS,
  findConflict: ({ window }, count) =>
    findWideWindow(window, { most: count, count, usual: PARAMETERS.window.default }),
  weightsOf: ({ window }, count) => windowWeights(count, Math.floor(window)),
});
