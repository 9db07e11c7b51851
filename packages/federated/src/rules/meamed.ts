import type { CoordinateRule } from "./aggregation-rule.ts";
import { averageClosestInto } from "./average-closest.ts";
import { F } from "./parameters.ts";
import { leastOfMajority } from "./majority.ts";

const PARAMETERS = { f: F } as const;

/** The mean, in each element, of the `n - f` values that are closest to the median. */
export const meamed: CoordinateRule<typeof PARAMETERS> = {
  kind: "coordinates",
  name: "meamed",
  description: "Averages, in each element, all values but the f that are farthest from the median.",
  source: "Xie et al., Generalized Byzantine-tolerant SGD, 2018, definition 5",
  parameters: PARAMETERS,
  needs: [],
  least: leastOfMajority,
  combineInto(values, { f }, out) {
    averageClosestInto(values, values.length - f, out);
  },
};
