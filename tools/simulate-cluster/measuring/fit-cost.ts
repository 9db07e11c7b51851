import type { TaskCost } from "../measured.ts";
import type { TaskWork } from "./task-work.ts";

/** A task that was run. */
export interface TaskSample extends TaskWork {
  readonly seconds: number;
}

/** Quartile of the times of one size of work that counts. */
const QUARTER = 0.25;
/** Standard deviations between the quartile and the middle of a normal distribution. */
const DEVIATIONS = 0.6745;

/**
 * Fits what a round takes, and a unit of its work. Of each size of work the lower quartile counts, as other
 * programs on the machine make tasks longer and never shorter. The line goes through the smallest and the
 * largest size; the spread is what lies between the quartile and the median of the largest.
 */
export function fitCost(samples: readonly TaskSample[]): Omit<TaskCost, "files"> {
  const sizes = [...new Set(samples.map(({ units }) => units))].sort((one, other) => one - other);
  const rounds = sizes.map((size) =>
    samples.filter(({ units }) => units === size).map((one) => one.seconds / one.rounds),
  );
  const [small, large] = [sizes[0], sizes.at(-1)];
  if (small === undefined || large === undefined) {
    throw new RangeError("Cannot fit the times of tasks as there must be tasks: there are none");
  }
  const quartiles = rounds.map((times) => quantileOf(times, QUARTER));
  const [low, high] = [quartiles[0] as number, quartiles.at(-1) as number];
  const perUnit = small === large ? 0 : Math.max(0, (high - low) / (large - small));
  const perRound = Math.max(0, low - perUnit * small);
  const largest = rounds.at(-1) as number[];
  const spread = Math.log(medianOf(largest) / quantileOf(largest, QUARTER)) / DEVIATIONS;
  return { count: samples.length, perRound, perUnit, spread };
}

/** Returns the middle value, or the mean of the two in the middle. */
export const medianOf = (values: readonly number[]): number => quantileOf(values, 0.5);

/** Returns the value below which a share of all lies, on the line between two if need be. */
function quantileOf(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const place = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  if (low === undefined || high === undefined) {
    throw new RangeError("Cannot find a quantile as there must be values: there are none");
  }
  return low + (high - low) * (place - Math.floor(place));
}
