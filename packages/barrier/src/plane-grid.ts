import type { PlanePlace } from "@isthmus/interpolation";

/** Places of the columns and rows of a grid, ascending, in units of distance between weights. */
export interface PlaneGrid {
  readonly xs: readonly number[];
  readonly ys: readonly number[];
}

/**
 * Lays an even grid over places, with a margin around them.
 * @param places - at least two, not all of one x or one y
 * @param points - columns, and as many rows, at least 2
 * @param margin - of each side, as a share of what the places take up
 */
export function planeGrid(places: readonly PlanePlace[], points: number, margin: number): PlaneGrid {
  const axis = (values: readonly number[]): number[] => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const [from, to] = [low - margin * (high - low), high + margin * (high - low)];
    return Array.from({ length: points }, (_, i) => from + (i / (points - 1)) * (to - from));
  };
  return { xs: axis(places.map(({ x }) => x)), ys: axis(places.map(({ y }) => y)) };
}
