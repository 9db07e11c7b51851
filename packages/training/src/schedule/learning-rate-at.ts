import { excerpt, OutOfRangeError, resolveOptions, UsageError } from "@isthmus/core";
import {
  COSINE_DEFAULTS,
  ONE_CYCLE_DEFAULTS,
  type OneCycleSchedule,
  type ScheduleSpec,
  STEP_DEFAULTS,
  WARMUP_DEFAULTS,
} from "./schedule-spec.ts";

/**
 * Computes the learning rate of a step.
 *
 * It is equal to PyTorch's `CosineAnnealingLR`, `OneCycleLR` and `StepLR`, and with warm-up to a
 * `SequentialLR` of `LinearLR` and one of these over the remaining steps. After `totalSteps` it stays
 * constant.
 *
 * @param step - from 0
 * @param totalSteps - steps of the whole training, at least 1
 * @throws OutOfRangeError if a number is out of its range
 * @throws UsageError if the kind or an option of the schedule is unknown
 */
export function learningRateAt(schedule: ScheduleSpec, step: number, totalSteps: number): number {
  assertSchedule(schedule);
  assertSteps(step, totalSteps);
  const { warmupSteps, warmupFrom } = { ...WARMUP_DEFAULTS, ...schedule };
  if (step >= warmupSteps) return rateAfterWarmup(schedule, step - warmupSteps, totalSteps - warmupSteps);
  const share = warmupFrom + ((1 - warmupFrom) * step) / warmupSteps;
  return share * rateAfterWarmup(schedule, 0, Math.max(1, totalSteps - warmupSteps));
}

/** Computes the rate of a schedule without its warm-up. */
function rateAfterWarmup(schedule: ScheduleSpec, step: number, totalSteps: number): number {
  const peak = schedule.learningRate;
  switch (schedule.kind) {
    case "constant":
      return peak;
    case "cosine": {
      const { finalRate } = { ...COSINE_DEFAULTS, ...schedule };
      return alongCosine(peak, finalRate, shareOf(step, totalSteps));
    }
    case "one-cycle":
      return alongCycle(schedule, step, totalSteps);
    case "step": {
      const { factor } = { ...STEP_DEFAULTS, ...schedule };
      return peak * factor ** Math.floor(step / schedule.every);
    }
    case "triangular":
      return alongLine(peak, schedule.lowRate, 1 - Math.abs(1 - 2 * placeInCycle(step, schedule.every)));
    case "sawtooth":
      return alongLine(peak, schedule.lowRate, placeInCycle(step, schedule.every));
  }
}

/**
 * Computes the rate of a one-cycle schedule. As in PyTorch, the largest rate is at step
 * `rise * totalSteps - 1`, the smallest at the last step.
 */
function alongCycle(schedule: OneCycleSchedule, step: number, totalSteps: number): number {
  const { rise, initialDivisor, finalDivisor } = { ...ONE_CYCLE_DEFAULTS, ...schedule };
  const peak = schedule.learningRate;
  const first = peak / initialDivisor;
  const top = rise * totalSteps - 1;
  if (step <= top) return alongCosine(first, peak, shareOf(step, top));
  return alongCosine(peak, first / finalDivisor, shareOf(step - top, totalSteps - 1 - top));
}

/** Interpolates from one rate to another along half a cosine; `share` in `[0, 1]`. */
function alongCosine(from: number, to: number, share: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
}

const alongLine = (from: number, to: number, share: number): number => (1 - share) * from + share * to;

/** Returns the place of a step in its cycle, in `(0, 1]`. */
const placeInCycle = (step: number, every: number): number => ((step % every) + 1) / every;

/** Returns the share of `steps` that `step` has reached, in `[0, 1]`. */
function shareOf(step: number, steps: number): number {
  return steps <= 0 ? 1 : Math.min(1, step / steps);
}

function assertSteps(step: number, totalSteps: number): void {
  if (Number.isSafeInteger(step) && step >= 0 && Number.isSafeInteger(totalSteps) && totalSteps >= 1) return;
  throw new OutOfRangeError(
    `Cannot find the learning rate as the step must be a whole number of at least 0, of at least 1 in all: got step ${step} of ${totalSteps}`,
  );
}

/** Options of each kind of schedule with their defaults, which are undefined for required options. */
const OPTIONS: Readonly<Record<string, object>> = {
  constant: {},
  cosine: COSINE_DEFAULTS,
  "one-cycle": ONE_CYCLE_DEFAULTS,
  step: { ...STEP_DEFAULTS, every: undefined },
  triangular: { lowRate: undefined, every: undefined },
  sawtooth: { lowRate: undefined, every: undefined },
};

/** A check of a number, and the rule in words. */
type Range = readonly [(value: number) => boolean, string];

const positive: Range = [(value) => value > 0 && Number.isFinite(value), "a number of more than 0"];

/** The range of each number of a schedule. */
const RANGES: Readonly<Record<string, Range>> = {
  learningRate: positive,
  warmupSteps: [(value) => Number.isSafeInteger(value) && value >= 0, "a whole number of at least 0"],
  warmupFrom: [(value) => value > 0 && value <= 1, "a number in (0, 1]"],
  lowRate: [(value) => value >= 0 && Number.isFinite(value), "a number of at least 0"],
  finalRate: [(value) => value >= 0 && Number.isFinite(value), "a number of at least 0"],
  rise: [(value) => value >= 0 && value <= 1, "a number in [0, 1]"],
  initialDivisor: positive,
  finalDivisor: positive,
  every: [(value) => Number.isSafeInteger(value) && value >= 1, "a whole number of at least 1"],
  factor: positive,
};

/**
 * Checks a schedule before it is followed.
 * @throws OutOfRangeError if a number is out of its range; the message names the number
 * @throws UsageError if the kind or an option of the schedule is unknown
 */
function assertSchedule(schedule: ScheduleSpec): void {
  const { kind, ...rest } = schedule;
  const kindOptions = OPTIONS[kind];
  if (kindOptions === undefined) {
    throw new UsageError(
      `Cannot follow a schedule as its kind must be ${Object.keys(OPTIONS).join(", ")}: it is ${excerpt(kind)}`,
    );
  }
  const options = { learningRate: undefined, ...WARMUP_DEFAULTS, ...kindOptions };
  const numbers: object = resolveOptions(`follow a ${kind} schedule`, options as object, rest as object);
  for (const [name, value] of Object.entries(numbers)) {
    const [isInRange, rule] = RANGES[name] ?? positive;
    if (typeof value === "number" && isInRange(value)) continue;
    throw new OutOfRangeError(
      `Cannot follow a ${kind} schedule as "${name}" must be ${rule}: it is ${value}`,
    );
  }
}
