import { groupBy, meanOf } from "@isthmus/core";
import type { IntrinsicDimensionResult } from "../intrinsic-dimension-result.ts";

/** Accuracies of the trainings of all seeds in one dimension. */
export interface DimensionMean {
  /** Dimension of the subspaces, one of each seed. */
  readonly dimension: number;
  /** Mean accuracy over seeds. */
  readonly accuracy: number;
  /** Lowest accuracy of any seed, in `[0, 1]`. */
  readonly lowest: number;
  /** Highest accuracy of any seed, in `[0, 1]`. */
  readonly highest: number;
}

/** Returns the mean accuracy over seeds in each measured dimension, by rising dimension. */
export function meansByDimension({ points }: Pick<IntrinsicDimensionResult, "points">): DimensionMean[] {
  return [...groupBy(points, ({ dimension }) => dimension)]
    .map(([dimension, group]) => {
      const accuracies = group.map(({ accuracy }) => accuracy);
      return {
        dimension,
        accuracy: meanOf(accuracies),
        lowest: Math.min(...accuracies),
        highest: Math.max(...accuracies),
      };
    })
    .sort((one, other) => one.dimension - other.dimension);
}
