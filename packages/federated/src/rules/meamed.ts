import type { CoordinateRule } from "./aggregation-rule.ts";
import { averageClosestInto } from "./average-closest.ts";
import { leastOfMajority } from "./majority.ts";
import { F, type FSpecs } from "./parameters.ts";

/** The mean, in each element, of the `n - f` values that are closest to the median. */
export const meamed: CoordinateRule<FSpecs> = {
  kind: "coordinates",
  name: "meamed",
  description: "Averages, in each element, all values but the f that are farthest from the median.",
  source: "Xie et al., Generalized Byzantine-tolerant SGD, 2018, definition 5",
  parameters: { f: F },
  needs: [],
  robust: true,
  least: leastOfMajority,
  combineInto(values, { f }, out) {
    averageClosestInto(values, values.length - f, out);
  },
};
