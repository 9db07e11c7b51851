import type { PlanePlace } from "@isthmus/interpolation";

/** Coordinates of the columns and rows of a grid, ascending, in units of distance between weights. */
export interface PlaneGrid {
  readonly xs: readonly number[];
  readonly ys: readonly number[];
}

/** Options of {@link planeGrid}. */
export interface PlaneGridOptions {
  /** Number of columns, and of rows, at least 2. */
  readonly points: number;
  /** Space on each side, as a share of the space that the places take up. */
  readonly margin: number;
}

/**
 * Computes an even grid around places, with a margin.
 * @param spanning - at least two places, which must differ in x and in y
 * @param others - further places, which widen the grid if they would be outside of it; else the grid does not
 *   depend on them at all
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
    const coordinates = spanning.map(coordinateOf);
    const [left, right] = around(coordinates);
    const outside = others.map(coordinateOf).filter((value) => value < left || value > right);
    const [from, to] = around([...coordinates, ...outside]);
    return Array.from({ length: points }, (_, i) => from + (i / (points - 1)) * (to - from));
  };
  return { xs: axis(({ x }) => x), ys: axis(({ y }) => y) };
}
