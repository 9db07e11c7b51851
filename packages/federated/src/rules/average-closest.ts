import { at } from "@isthmus/core";
import { forSortedRows } from "../kernels/sorted-rows.ts";

/**
 * Writes, for each element, the mean of the values that are closest to the median; of two that are equally
 * far, the smaller counts as closer.
 *
 * The closest values are neighbours once values are sorted, so a window slides over them while its far end is
 * closer to the median than its near end.
 *
 * @param values - `[points][elements]`
 * @param count - number of values of each element to average, at least 1
 * @param out - `[elements]`
 */
export function averageClosestInto(values: readonly Float64Array[], count: number, out: Float64Array): void {
  const { length: points } = values;
  const sorted = new Float64Array(points);
  forSortedRows(values, ({ rows, begin }) => {
    for (let i = 0; i < at(rows, 0).length; i++) {
      for (let k = 0; k < points; k++) sorted[k] = (rows[k] as Float64Array)[i] as number;
      out[begin + i] = meanOfClosest(sorted, count);
    }
  });
}

function meanOfClosest(sorted: Float64Array, count: number): number {
  const { length: points } = sorted;
  const median = (at(sorted, (points - 1) >> 1) + at(sorted, points >> 1)) / 2;
  let first = 0;
  while (first + count < points && at(sorted, first + count) - median < median - at(sorted, first)) first++;
  // Differences to one of the values are summed, so that the mean of equal values is that value, bit for bit.
  const origin = at(sorted, first);
  let sum = 0;
  for (let k = first + 1; k < first + count; k++) sum += (sorted[k] as number) - origin;
  return origin + sum / count;
}
