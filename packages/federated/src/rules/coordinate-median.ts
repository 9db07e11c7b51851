import { at } from "@isthmus/core";
import type { CoordinateRule } from "./aggregation-rule.ts";
import { selectInPlace } from "./select.ts";

/** The median of the updates in each element; of an even number, the mean of the two in the middle. */
export const coordinateMedian: CoordinateRule<Record<never, never>> = {
  kind: "coordinates",
  name: "coordinate-median",
  description: "Takes the median of the updates in each element, whatever their numbers of examples.",
  source: "Yin et al., Byzantine-robust distributed learning, 2018, definition 1",
  parameters: {},
  needs: [],
  combineInto(values, _parameters, out) {
    const { length: count } = values;
    const middle = count >> 1;
    const column = new Float64Array(count);
    for (let i = 0; i < out.length; i++) {
      for (let k = 0; k < count; k++) column[k] = at(at(values, k), i);
      const above = selectInPlace(column, middle);
      out[i] = count % 2 === 1 ? above : (largestOf(column, middle) + above) / 2;
    }
  },
};

function largestOf(values: Float64Array, end: number): number {
  let largest = at(values, 0);
  for (let k = 1; k < end; k++) largest = Math.max(largest, at(values, k));
  return largest;
}
