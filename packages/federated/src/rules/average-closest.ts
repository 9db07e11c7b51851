import { at } from "@isthmus/core";

/**
 * Writes, for each element, the mean of the values that are closest to the median; of two that are equally far, the
 * smaller counts as closer.
 *
 * The closest values are neighbours once values are sorted, so a window slides over them while its far end is
 * closer to the median than its near end.
 *
 * @param values - `[points][elements]`
 * @param count - how many of each element's values to average, at least 1
 * @param out - `[elements]`
 */
export function averageClosestInto(values: readonly Float64Array[], count: number, out: Float64Array): void {
  const { length: points } = values;
  const sorted = new Float64Array(points);
  for (let i = 0; i < out.length; i++) {
    for (let k = 0; k < points; k++) sorted[k] = at(at(values, k), i);
    sorted.sort();
    const median = (at(sorted, (points - 1) >> 1) + at(sorted, points >> 1)) / 2;
    let begin = 0;
    while (begin + count < points && at(sorted, begin + count) - median < median - at(sorted, begin)) begin++;
    // Around one of them, so that the mean of equal values is that value, bit for bit.
    const origin = at(sorted, begin);
    let sum = 0;
    for (let k = begin + 1; k < begin + count; k++) sum += at(sorted, k) - origin;
    out[i] = origin + sum / count;
  }
}
