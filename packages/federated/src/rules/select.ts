import { at } from "@isthmus/core";

/**
 * Reorders numbers of `[begin, end)` so that the one at a position is where sorting would put it, smaller or
 * equal ones before it and larger or equal ones after it; returns it.
 *
 * It is Hoare's quickselect.
 */
export function selectInPlace(
  values: Float64Array,
  position: number,
  begin = 0,
  end: number = values.length,
): number {
  let first = begin;
  let last = end - 1;
  while (first < last) {
    const split = partition(values, first, last);
    if (position <= split) last = split;
    else first = split + 1;
  }
  return at(values, position);
}

/**
 * Reorders numbers around the one in the middle, so that all up to a position are at most as large as all after it;
 * returns the position, which is below `last`. All elements of a network pass here, so it indexes without checks.
 */
function partition(values: Float64Array, first: number, last: number): number {
  const pivot = values[(first + last) >> 1] as number;
  let i = first - 1;
  let j = last + 1;
  for (;;) {
    do i++;
    while ((values[i] as number) < pivot);
    do j--;
    while ((values[j] as number) > pivot);
    if (i >= j) return j;
    const value = values[i] as number;
    values[i] = values[j] as number;
    values[j] = value;
  }
}
