import { at } from "@isthmus/core";
import type { CoordinateRule } from "./aggregation-rule.ts";
import { leastOfMajority } from "./majority.ts";
import { selectInPlace } from "./select.ts";

const PARAMETERS = {
  beta: {
    description: "Share of the values of each element to cut at each end; 0.5 leaves the median.",
    of: "merge",
    default: 0.2,
    least: 0,
    most: 0.5,
  },
  f: {
    description: "Number of values to cut at each end; 0 cuts the share `beta`.",
    of: "merge",
    default: 0,
    least: 0,
    whole: true,
  },
} as const;

/** Largest part of a value by which a share of updates may miss a whole number by rounding. */
const ROUNDING = 1e-9;

/**
 * The mean of the updates in each element without the smallest and the largest ones.
 *
 * Flower 1.42 refuses `beta: 0.5`, older versions return NaN; here what is left then is the median, its limit. Flower
 * also cuts 28 of 100 for 0.29, as 0.29 * 100 is below 29 in floating point.
 */
export const trimmedMean: CoordinateRule<typeof PARAMETERS> = {
  kind: "coordinates",
  name: "trimmed-mean",
  description: "Averages the updates in each element without the smallest and the largest values.",
  source: "Yin et al., Byzantine-robust distributed learning, 2018, definition 2",
  parameters: PARAMETERS,
  needs: [],
  least: leastOfMajority,
  combineInto(values, { beta, f }, out) {
    const { length: count } = values;
    const cut = Math.min((count - 1) >> 1, f > 0 ? f : Math.floor(beta * count + ROUNDING));
    const column = new Float64Array(count);
    const end = count - cut;
    for (let i = 0; i < out.length; i++) {
      for (let k = 0; k < count; k++) column[k] = at(at(values, k), i);
      // The mean around one value, so that the mean of equal values is that value, bit for bit.
      const origin = selectInPlace(column, cut);
      selectInPlace(column, end - 1, cut);
      let sum = 0;
      for (let k = cut + 1; k < end; k++) sum += at(column, k) - origin;
      out[i] = origin + sum / (end - cut);
    }
  },
};
