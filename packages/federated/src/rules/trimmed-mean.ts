import { at } from "@isthmus/core";
import { forSortedRows } from "../kernels/sorted-rows.ts";
import type { CoordinateRule } from "./aggregation-rule.ts";
import { leastOfMajority } from "./majority.ts";

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

/** Largest part of an update by which a number of updates may fall below a whole number by rounding. */
const ROUNDING = 1e-9;

/**
 * The mean of the updates in each element without the smallest and the largest ones.
 *
 * Flower 1.42 refuses `beta: 0.5`, and older versions return NaN; here `beta: 0.5` gives the median, the
 * limit of the trimmed mean. Flower also cuts 28 of 100 for 0.29, as 0.29 * 100 is below 29 in floating
 * point.
 */
export const trimmedMean: CoordinateRule<typeof PARAMETERS> = {
  kind: "coordinates",
  name: "trimmed-mean",
  description: "Averages the updates in each element without the smallest and the largest values.",
  source: "Yin et al., Byzantine-robust distributed learning, 2018, definition 2",
  parameters: PARAMETERS,
  needs: [],
  robust: true,
  least: leastOfMajority,
  combineInto(values, { beta, f }, out) {
    const { length: count } = values;
    const cut = Math.min((count - 1) >> 1, f > 0 ? f : Math.floor(beta * count + ROUNDING));
    forSortedRows(values, ({ rows, begin }) => {
      const part = out.subarray(begin, begin + at(rows, 0).length);
      averageInto(rows.slice(cut, count - cut), part);
    });
  },
};

/** Averages around the first row, so that the mean of equal values is that value, bit for bit. */
function averageInto(rows: readonly Float64Array[], out: Float64Array): void {
  const origin = at(rows, 0);
  out.fill(0);
  for (const row of rows) {
    for (let i = 0; i < out.length; i++)
      out[i] = (out[i] as number) + ((row[i] as number) - (origin[i] as number));
  }
  for (let i = 0; i < out.length; i++) out[i] = (origin[i] as number) + (out[i] as number) / rows.length;
}
