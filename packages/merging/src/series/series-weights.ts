import { at, OutOfRangeError } from "@isthmus/core";
import type { ParameterConflict } from "../merge-method.ts";

/**
 * Returns the weights of an unweighted mean over the last checkpoints of a run; earlier checkpoints get 0.
 * @param count - number of checkpoints, at least 1
 * @param last - number of checkpoints that are averaged; all if there are fewer
 * @returns one weight for each checkpoint; their sum is 1
 */
export function windowWeights(count: number, last: number): number[] {
  const size = Math.min(count, last);
  return Array.from({ length: count }, (_, i) => (i < count - size ? 0 : 1 / size));
}

/**
 * Finds a window that is wider than the run. The default takes what there is, as nobody named it.
 * @param most - largest window that the checkpoints fill
 * @param count - number of checkpoints
 */
export function findWideWindow(
  window: number,
  { most, count, usual }: { readonly most: number; readonly count: number; readonly usual: number },
): ParameterConflict | undefined {
  if (Math.floor(window) <= most || window === usual) return undefined;
  const text = `must be in [1, ${most}], as there ${count === 1 ? "is 1 checkpoint" : `are ${count} checkpoints`}: it is ${window}`;
  return { parameter: "window", network: 0, text };
}

/**
 * Returns the weights of an exponential moving average that starts at the first checkpoint of a run:
 * `mean_j = decay mean_(j-1) + (1 - decay) x_j`.
 * @param count - number of checkpoints, at least 1
 * @param decay - share of the earlier mean that each step keeps, in `[0, 1]`
 * @returns `decay^k` for the first of `k + 1` checkpoints, `(1 - decay) decay^(k - j)` for the others
 */
export function emaWeights(count: number, decay: number): number[] {
  const k = count - 1;
  return Array.from({ length: count }, (_, j) => decay ** (k - j) * (j === 0 ? 1 : 1 - decay));
}

/**
 * Returns the weights of checkpoints whose average replaces a decay of the learning rate, from the factors of
 * the decay.
 *
 * A checkpoint is its predecessor plus the updates between the two. Scaling the updates before checkpoint j
 * by the factor `w_j`, like a decayed learning rate, gives `x_0 + sum of w_j (x_j - x_(j-1))`: an average
 * with weights `c_0 = 1 - w_1`, `c_j = w_j - w_(j+1)` and `c_k = w_k` (WSM, arXiv 2507.17634, section 3).
 * @param factors - factors `w_1` to `w_k` in `[0, 1]`, in falling order
 * @returns `k + 1` weights of at least 0, whose sum is 1
 * @throws OutOfRangeError if factors rise or leave `[0, 1]`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { decayWeights } from "@isthmus/merging";
 *
 * assert.deepEqual(decayWeights([0.75, 0.5, 0.25]), [0.25, 0.25, 0.25, 0.25]); // linear decay is the mean
 * ```
 */
export function decayWeights(factors: readonly number[]): number[] {
  const all = [1, ...factors];
  for (const [j, factor] of factors.entries()) {
    if (factor >= 0 && factor <= at(all, j)) continue;
    throw new OutOfRangeError(
      `Cannot turn a decay into weights as factors must fall from 1 towards 0: factor ${j + 1} is ${factor}, after ${at(all, j)}`,
    );
  }
  return all.map((factor, j) => (j === factors.length ? factor : factor - at(all, j + 1)));
}

/** A schedule by which a learning rate decays from its full value to 0. */
export type DecaySchedule = "1-sqrt" | "linear" | "cosine";

/** Functions from a share of the decay to the factor of the learning rate, by the name of the schedule. */
const SCHEDULES: Readonly<Record<DecaySchedule, (share: number) => number>> = {
  "1-sqrt": (share) => 1 - Math.sqrt(share),
  linear: (share) => 1 - share,
  cosine: (share) => (1 + Math.cos(Math.PI * share)) / 2,
};

/**
 * Returns the weights with which checkpoints of a run at a constant learning rate are averaged to replace a
 * decay of the rate.
 *
 * The decay is spread over `count` equal parts, so that the factor before checkpoint j is
 * `schedule(j / count)` and the last checkpoint has a weight above 0. With a linear schedule all weights are
 * equal.
 * @param count - number of checkpoints, at least 1; the decay starts at the first one
 */
export function scheduleWeights(count: number, schedule: DecaySchedule): number[] {
  const factorAt = SCHEDULES[schedule];
  return decayWeights(Array.from({ length: count - 1 }, (_, j) => factorAt((j + 1) / count)));
}
