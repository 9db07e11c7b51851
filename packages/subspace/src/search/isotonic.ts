import { at } from "@isthmus/core";

/**
 * Returns the rising numbers that are nearest to the given ones by the sum of squares: falling runs are
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

/** Accuracy reached in one dimension. */
export interface DimensionAccuracy {
  /** Dimension of the subspace. */
  readonly dimension: number;
  /** Accuracy of one seed or mean over seeds, in `[0, 1]`. */
  readonly accuracy: number;
}

/** Crossing of a line by accuracies that rise with the dimension up to noise. */
export interface Crossing {
  /** Smallest measured dimension at which the rising fit reaches the line. */
  readonly reached: number;
  /** Measured dimension before `reached`; missing if `reached` is the smallest measured one. */
  readonly missed?: number;
  /** Dimension at which the fit crosses the line, interpolated linearly over the logarithm of dimensions. */
  readonly dimension: number;
}

/**
 * Finds where accuracies reach a line, by the rising numbers that are nearest to them: single accuracies may
 * fall from one dimension to a larger one.
 * @param points - accuracies by rising dimension, one for each dimension
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
