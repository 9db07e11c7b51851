import type { IntrinsicDimensionResult, SubspaceAccuracy } from "../intrinsic-dimension-result.ts";
import { type DimensionAccuracy, findCrossing } from "./isotonic.ts";
import { logInterval } from "./log-interval.ts";

/** Fields of the result that are computed from the accuracies of a search. */
type Summary = Pick<IntrinsicDimensionResult, "dimension" | "crossing" | "crossings" | "interval">;

/**
 * Finds the dimensions at which accuracies reach the line: for the mean over seeds, and for each seed alone.
 * @param points - accuracies of all seeds, by rising dimension
 */
export function summarizeSearch(
  points: readonly SubspaceAccuracy[],
  {
    means,
    line,
    seeds,
  }: {
    readonly means: readonly DimensionAccuracy[];
    readonly line: number;
    readonly seeds: readonly number[];
  },
): Summary {
  const crossing = findCrossing(means, line);
  const crossings = seeds.map((seed) => {
    const alone = points.filter((point) => point.seed === seed);
    return { seed, dimension: findCrossing(alone, line)?.dimension ?? null };
  });
  const crossed = crossings.flatMap(({ dimension }) => (dimension === null ? [] : [dimension]));
  const interval =
    crossed.length === seeds.length && seeds.length > 1 ? { interval: logInterval(crossed) } : {};
  return {
    dimension: crossing?.reached ?? null,
    crossing: crossing?.dimension ?? null,
    crossings,
    ...interval,
  };
}
