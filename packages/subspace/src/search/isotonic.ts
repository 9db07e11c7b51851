import { at } from "@isthmus/core";

/**
 * Returns the rising numbers that are nearest to given ones, in the sum of squares: runs that fall are
 * replaced by their means.
 * @see Barlow et al., Statistical inference under order restrictions, 1972 (pool adjacent violators)
 */
export function fitRising(values: readonly number[]): number[] {
  const runs: { sum: number; count: number }[] = [];
  for (const value of values) {
    let run = { sum: value, count: 1 };
    for (let last = runs.at(-1); last !== undefined && mean(last) >= mean(run); last = runs.at(-1)) {
      run = { sum: last.sum + run.sum, count: last.count + run.count };
      runs.pop();
    }
    runs.push(run);
  }
  return runs.flatMap((run) => new Array<number>(run.count).fill(mean(run)));
}

const mean = ({ sum, count }: { readonly sum: number; readonly count: number }): number => sum / count;

/** Accuracy that was reached in a dimension. */
export interface DimensionAccuracy {
  readonly dimension: number;
  readonly accuracy: number;
}

/** Where accuracies that rise with the dimension, as far as their noise lets them, reach a line. */
export interface Crossing {
  /** The smallest measured dimension at which the rising fit reaches the line. */
  readonly reached: number;
  /** The measured dimension before it; missing if it is the smallest measured one. */
  readonly missed?: number;
  /** The dimension at which the fit crosses the line, straight over the logarithm of dimensions. */
  readonly dimension: number;
}

/**
 * Finds where accuracies reach a line, by the rising numbers that are nearest to them: single accuracies may
 * fall from one dimension to a larger one.
 * @param points - by rising dimension, one of each
 * @returns undefined if the fit does not reach the line
 */
export function findCrossing(points: readonly DimensionAccuracy[], line: number): Crossing | undefined {
  const fitted = fitRising(points.map(({ accuracy }) => accuracy));
  const index = fitted.findIndex((accuracy) => accuracy >= line);
  if (index < 0) return undefined;
  const { dimension: reached } = at(points, index, "point");
  if (index === 0) return { reached, dimension: reached };
  const { dimension: missed } = at(points, index - 1, "point");
  const [low, high] = [at(fitted, index - 1, "fit"), at(fitted, index, "fit")];
  const share = (line - low) / (high - low);
  return { reached, missed, dimension: missed * (reached / missed) ** share };
}
