import { excerpt, OutOfRangeError, UsageError } from "@isthmus/core";
import type { ScheduleSpec } from "@isthmus/training";

/**
 * Ways to collect networks along a training: `swa` for stochastic weight averaging, `fge` for fast geometric
 * ensembling, `lgv` for networks of a large geometric vicinity.
 */
export const COLLECT_METHODS = ["swa", "fge", "lgv"] as const;

/** A way to collect networks, see {@link COLLECT_METHODS}. */
export type CollectMethod = (typeof COLLECT_METHODS)[number];

/** Epochs, learning rates and cycle of a way to collect networks. */
export interface CollectRates {
  /** Number of passes over the examples. */
  readonly epochs: number;
  /** Learning rate; the highest one if it has cycles. */
  readonly learningRate: number;
  /** Lowest learning rate of cycles; undefined for a constant rate. */
  readonly lowRate: number | undefined;
  /** Number of epochs from one network to the next. */
  readonly cycle: number;
}

/**
 * Defaults of each way, as in the papers of its authors: Izmailov et al. 2018, Garipov et al. 2018 and Gubri
 * et al. 2022, who collect four networks an epoch.
 */
export const COLLECT_RATES: Readonly<Record<CollectMethod, CollectRates>> = {
  swa: { epochs: 10, learningRate: 0.05, lowRate: undefined, cycle: 1 },
  fge: { epochs: 20, learningRate: 0.05, lowRate: 1e-4, cycle: 4 },
  lgv: { epochs: 10, learningRate: 0.05, lowRate: undefined, cycle: 0.25 },
};

/** Numbers of a way to collect networks, some of which may be missing. */
type PartialRates = { readonly [K in keyof CollectRates]?: CollectRates[K] | undefined };

/** Fills in the numbers of a method. */
export function resolveRates(
  method: CollectMethod,
  { epochs, learningRate, lowRate, cycle }: PartialRates,
): CollectRates {
  // An unknown method is refused when the collection is planned.
  const usual = COLLECT_RATES[method] ?? COLLECT_RATES.swa;
  return {
    epochs: epochs ?? usual.epochs,
    learningRate: learningRate ?? usual.learningRate,
    lowRate: lowRate ?? usual.lowRate,
    cycle: cycle ?? usual.cycle,
  };
}

/** Schedule of the learning rate of a collection, and the steps after which weights are collected. */
export interface CollectionPlan {
  /** Schedule of the learning rate: constant, or in cycles. */
  readonly schedule: ScheduleSpec;
  /** Numbers of finished steps at which weights are collected, rising. */
  readonly steps: readonly number[];
}

const ATTEMPT = "collect networks";

/** Tolerance for rounding errors of quotients such as `10 / 0.1`. */
const ROUNDING = 1e-9;

/**
 * Plans the learning rate and the steps of a collection. At a constant rate, and in the falling cycles of
 * `swa`, a network is collected at the end of each cycle; in the cycles of `fge`, in the middle, where the
 * rate is lowest. All cycles have the same whole number of steps, which is even for `fge`.
 * @param totalSteps - steps of the whole training
 * @throws UsageError if the method is unknown, or rates do not belong to it
 * @throws OutOfRangeError if a number is out of its range, or cycles are shorter than a step
 */
export function planCollection(
  method: CollectMethod,
  rates: CollectRates,
  totalSteps: number,
): CollectionPlan {
  assertRates(method, rates);
  const { epochs, learningRate, lowRate, cycle } = rates;
  const perCycle = (totalSteps * cycle) / epochs;
  const half = method === "fge" ? 0.5 : 0;
  const count = Math.floor(epochs / cycle + half + ROUNDING);
  const every = method === "fge" ? 2 * Math.floor(perCycle / 2 + ROUNDING) : Math.floor(perCycle + ROUNDING);
  if (every < 1 || count < 1) {
    const least = method === "fge" ? "two steps" : "a step";
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} by ${method} as a cycle must have at least ${least} and fit the training: it is of ${cycle} epochs, ${perCycle.toPrecision(3)} steps of ${totalSteps}; choose smaller batches or other cycles`,
    );
  }
  const stepOf = (index: number): number =>
    lowRate === undefined ? Math.round(perCycle * (index + 1)) : every * (index + 1 - half);
  return {
    schedule:
      lowRate === undefined
        ? { kind: "constant", learningRate }
        : { kind: method === "fge" ? "triangular" : "sawtooth", learningRate, lowRate, every },
    steps: Array.from({ length: count }, (_, index) => stepOf(index)),
  };
}

function assertRates(method: CollectMethod, { epochs, learningRate, lowRate, cycle }: CollectRates): void {
  if (!COLLECT_METHODS.includes(method)) {
    throw new UsageError(
      `Cannot ${ATTEMPT} as the method must be one of ${COLLECT_METHODS.join(", ")}: it is ${excerpt(method)}`,
    );
  }
  if (method === "lgv" && lowRate !== undefined) {
    throw new UsageError(`Cannot ${ATTEMPT} by lgv with "lowRate" as its rate stays the same: leave it out`);
  }
  if (!(Number.isSafeInteger(epochs) && epochs >= 1)) {
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as "epochs" must be a whole number of at least 1: it is ${epochs}`,
    );
  }
  if (!(cycle > 0 && Number.isFinite(cycle))) {
    throw new OutOfRangeError(`Cannot ${ATTEMPT} as "cycle" must be a number of more than 0: it is ${cycle}`);
  }
  if (method === "fge" && lowRate === undefined)
    throw new UsageError(`Cannot ${ATTEMPT} by fge as its rate falls and rises: give "lowRate"`);
  if (lowRate === undefined || (lowRate >= 0 && lowRate <= learningRate)) return;
  throw new OutOfRangeError(
    `Cannot ${ATTEMPT} as "lowRate" must be from 0 to the learning rate, ${learningRate}: it is ${lowRate}`,
  );
}
