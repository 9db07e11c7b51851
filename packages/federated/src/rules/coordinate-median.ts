import { at } from "@isthmus/core";
import { forSortedRows } from "../kernels/sorted-rows.ts";
import type { CoordinateRule } from "./aggregation-rule.ts";

/** The median of the updates in each element; of an even number, the mean of the two in the middle. */
export const coordinateMedian: CoordinateRule<Record<never, never>> = {
  kind: "coordinates",
  name: "coordinate-median",
  description: "Takes the median of the updates in each element, whatever their numbers of examples.",
  source: "Yin et al., Byzantine-robust distributed learning, 2018, definition 1",
  parameters: {},
  needs: [],
  robust: true,
  combineInto(values, _parameters, out) {
    const [low, high] = [(values.length - 1) >> 1, values.length >> 1];
    forSortedRows(values, ({ rows, begin }) => {
      const [below, above] = [at(rows, low), at(rows, high)];
      for (let i = 0; i < below.length; i++) {
        out[begin + i] = ((below[i] as number) + (above[i] as number)) / 2;
      }
    });
  },
};
