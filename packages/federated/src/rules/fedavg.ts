import type { LinearRule } from "./aggregation-rule.ts";

/** The mean of the updates, each weighted by its number of examples. */
export const fedavg: LinearRule<Record<never, never>> = {
  kind: "linear",
  name: "fedavg",
  description: "Averages the updates, each weighted by its number of examples.",
  source: "McMahan et al., Communication-efficient learning of deep networks, 2017, algorithm 1",
  parameters: {},
  needs: [],
  weigh: ({ shares }) => ({ weights: shares }),
};
