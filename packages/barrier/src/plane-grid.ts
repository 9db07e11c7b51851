import type { PlanePlace } from "@isthmus/interpolation";

/** Places of the columns and rows of a grid, ascending, in units of distance between weights. */
export interface PlaneGrid {
  readonly xs: readonly number[];
  readonly ys: readonly number[];
}

/** How a grid is laid. */
export interface PlaneGridOptions {
  /** Columns, and as many rows, at least 2. */
  readonly points: number;
  /** Space on each side, as a share of what the places take up. */
  readonly margin: number;
}

/**
 * Lays an even grid around places, with a margin.
 * @param spanning - at least two, not all of one x or one y
 * @param others - widen the grid only where they would be outside of it, so that it stays the same to the bit else
 */
export function planeGrid(
  spanning: readonly PlanePlace[],
  others: readonly PlanePlace[],
  { points, margin }: PlaneGridOptions,
): PlaneGrid {
  const around = (values: readonly number[]): [from: number, to: number] => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return [low - margin * (high - low), high + margin * (high - low)];
  };
  const axis = (coordinateOf: (place: PlanePlace) => number): number[] => {
    const own = spanning.map(coordinateOf);
    const [left, right] = around(own);
    const outside = others.map(coordinateOf).filter((value) => value < left || value > right);
    const [from, to] = around([...own, ...outside]);
    return Array.from({ length: points }, (_, i) => from + (i / (points - 1)) * (to - from));
  };
  return { xs: axis(({ x }) => x), ys: axis(({ y }) => y) };
}
