import type { MergeMethod } from "../merge-method.ts";
import { defineSeriesMethod } from "../series/define-series-method.ts";
import { emaWeights } from "../series/series-weights.ts";

const PARAMETERS = {
  decay: {
    description: "Share of the earlier mean that remains after each checkpoint.",
    of: "merge",
    default: 0.8,
    least: 0,
    most: 1,
  },
} as const;

/**
 * The exponential moving average over the checkpoints of one run, from the oldest to the latest.
 *
 * Checkpoints are far apart, so that the decay is much smaller than for averages over steps.
 */
export const ema: MergeMethod<typeof PARAMETERS, readonly number[]> = defineSeriesMethod({
  name: "ema",
  description: "Averages checkpoints of one run with weights that fall geometrically with age.",
  source:
    "Polyak and Juditsky, 1992, of checkpoints: Li et al., Model merging in pre-training, 2025, section 3",
  parameters: PARAMETERS,
  weightsOf: ({ decay }, count) => emaWeights(count, decay),
});
