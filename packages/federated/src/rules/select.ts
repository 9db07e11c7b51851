import { at } from "@isthmus/core";

/**
 * Reorders numbers of `[begin, end)` so that the one at a position is where sorting would put it, smaller or
 * equal ones before it and larger or equal ones after it; returns it.
 *
 * It is Hoare's quickselect. All elements of a network pass through here, so it indexes without checks.
 */
export function selectInPlace(values: Float64Array, position: number, begin = 0, end: number = values.length): number {
  let first = begin;
  let last = end - 1;
  while (first < last) {
    const pivot = values[(first + last) >> 1] as number;
    let i = first;
    let j = last;
    while (i <= j) {
      while ((values[i] as number) < pivot) i++;
      while ((values[j] as number) > pivot) j--;
      if (i > j) break;
      const value = values[i] as number;
      values[i++] = values[j] as number;
      values[j--] = value;
    }
    if (position <= j) last = j;
    else if (position >= i) first = i;
    else break;
  }
  return at(values, position);
}
