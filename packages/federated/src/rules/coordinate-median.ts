import { at } from "@isthmus/core";
import type { CoordinateRule } from "./aggregation-rule.ts";

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
    const [below, above] = [(count - 1) >> 1, count >> 1];
    const sorted = new Float64Array(count);
    for (let i = 0; i < out.length; i++) {
      for (let k = 0; k < count; k++) sorted[k] = at(at(values, k), i);
      sorted.sort();
      out[i] = (at(sorted, below) + at(sorted, above)) / 2;
    }
  },
};
