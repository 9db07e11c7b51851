import type { TaskCost } from "../measured.ts";
import type { TaskWork } from "./task-work.ts";

/** A task that was run, and the seconds in which it had a core. */
export interface TaskSample extends TaskWork {
  readonly seconds: number;
}

/** The lower quartile. */
const QUARTER = 0.25;
/** Standard deviations between the quartile and the middle of a normal distribution. */
const DEVIATIONS = 0.6745;

/**
 * Fits what a round takes, and a unit of its work. Of each size of work the median counts; the line goes through
 * the smallest and the largest size. The spread is what lies between the lower quartile and the median
 * of the largest, as others on the machine make tasks longer and never shorter.
 */
export function fitCost(samples: readonly TaskSample[]): Omit<TaskCost, "files"> {
  const sizes = [...new Set(samples.map(({ units }) => units))].sort((one, other) => one - other);
  const rounds = sizes.map((size) =>
    samples.filter(({ units }) => units === size).map((one) => one.seconds / one.rounds),
  );
  const [small, large] = [sizes[0], sizes.at(-1)];
  const [shortest, longest] = [rounds[0], rounds.at(-1)];
  if (small === undefined || large === undefined || shortest === undefined || longest === undefined) {
    throw new RangeError("Cannot fit the times of tasks as there must be tasks: there are none");
  }
  const [low, high] = [medianOf(shortest), medianOf(longest)];
  const perUnit = small === large ? 0 : Math.max(0, (high - low) / (large - small));
  const perRound = Math.max(0, low - perUnit * small);
  const spread = Math.log(high / quantileOf(longest, QUARTER)) / DEVIATIONS;
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
