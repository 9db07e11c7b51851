import { pad, type SliceRange, type Value } from "@isthmus/graph/builder";
import type { WindowAxis } from "./window.ts";

/** Lists the positions of the elements within a window, one number for each axis, in row-major order. */
export function tapsOf(axes: readonly WindowAxis[]): number[][] {
  return axes.reduce<number[][]>(
    (heads, { taps }) => heads.flatMap((head) => Array.from({ length: taps }, (_, tap) => [...head, tap])),
    [[]],
  );
}

/**
 * Pads the spatial axes of `x`, which begin at axis `from`, with zeros as far as windows reach over the ends.
 */
export function padForWindows(x: Value, axes: readonly WindowAxis[], from: number): Value {
  const around = (reach: (axis: WindowAxis) => number) =>
    x.shape.map((_, i) => {
      const axis = axes[i - from];
      return axis === undefined ? 0 : Math.max(0, reach(axis));
    });
  return pad(
    x,
    around(({ before }) => before),
    around(({ after }) => after),
  );
}

/** Returns the range along a padded axis that holds one tap of every window. */
export function tapRange({ stride, dilation, count }: WindowAxis, tap: number, axis: number): SliceRange {
  const begin = dilation * tap;
  return { axis, begin, end: begin + stride * (count - 1) + 1, step: stride };
}
