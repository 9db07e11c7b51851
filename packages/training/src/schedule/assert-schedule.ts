import { excerpt, OutOfRangeError, resolveOptions, UsageError } from "@isthmus/core";
import {
  COSINE_DEFAULTS,
  ONE_CYCLE_DEFAULTS,
  type ScheduleSpec,
  STEP_DEFAULTS,
  WARMUP_DEFAULTS,
} from "./schedule-spec.ts";

/** Options of each kind of schedule with their defaults, which are undefined for required options. */
const OPTIONS: Readonly<Record<string, object>> = {
  constant: {},
  cosine: COSINE_DEFAULTS,
  "one-cycle": ONE_CYCLE_DEFAULTS,
  step: { ...STEP_DEFAULTS, every: undefined },
};

/** A check of a number, and the rule in words. */
type Range = readonly [(value: number) => boolean, string];

const positive: Range = [(value) => value > 0 && Number.isFinite(value), "a number of more than 0"];

/** The range of each number of a schedule. */
const RANGES: Readonly<Record<string, Range>> = {
  learningRate: positive,
  warmupSteps: [(value) => Number.isSafeInteger(value) && value >= 0, "a whole number of at least 0"],
  warmupFrom: [(value) => value > 0 && value <= 1, "a number in (0, 1]"],
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
export function assertSchedule(schedule: ScheduleSpec): void {
  const { kind, ...rest } = schedule;
  const kindOptions = OPTIONS[kind];
  if (kindOptions === undefined) {
    throw new UsageError(
      `Cannot follow a schedule as its kind must be constant, cosine, one-cycle or step: it is ${excerpt(kind)}`,
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
