import { pad, type SliceRange, type Value } from "@isthmus/graph/builder";
import type { WindowAxis } from "./window.ts";

/** Places of the elements of a window, one number for each axis, in row-major order. */
export function tapsOf(axes: readonly WindowAxis[]): number[][] {
  return axes.reduce<number[][]>(
    (heads, { taps }) => heads.flatMap((head) => Array.from({ length: taps }, (_, tap) => [...head, tap])),
    [[]],
  );
}

/** Zeros around spatial axes, which begin at axis `from` of `x`, where windows reach over. */
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

/** Where a tap of every window lies along a padded axis. */
export function tapRange({ stride, dilation, count }: WindowAxis, tap: number, axis: number): SliceRange {
  const begin = dilation * tap;
  return { axis, begin, end: begin + stride * (count - 1) + 1, step: stride };
}
