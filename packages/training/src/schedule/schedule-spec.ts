/** Options that all schedules have in common. */
export interface ScheduleRules {
  /** The learning rate after warm-up, for one-cycle the largest one; more than 0. */
  readonly learningRate: number;
  /**
   * Steps over which the rate first rises linearly to the first rate of the schedule, at least 0.
   * @defaultValue 0
   */
  readonly warmupSteps?: number;
  /**
   * Rate of the first step of warm-up, as a share of the rate it rises to, in `(0, 1]`. @defaultValue 0.01
   */
  readonly warmupFrom?: number;
}

/** A constant learning rate. */
export interface ConstantSchedule extends ScheduleRules {
  /** Kind of the schedule. */
  readonly kind: "constant";
}

/** A rate that falls along half a cosine to a last one. @see Loshchilov and Hutter, SGDR, 2017, eq. 5 */
export interface CosineSchedule extends ScheduleRules {
  /** Kind of the schedule. */
  readonly kind: "cosine";
  /** Rate after the last step, at least 0. @defaultValue 0 */
  readonly finalRate?: number;
}

/**
 * A rate that rises to the learning rate along half a cosine and falls along another.
 * @see Smith and Topin, Super-convergence, 2018
 */
export interface OneCycleSchedule extends ScheduleRules {
  /** Kind of the schedule. */
  readonly kind: "one-cycle";
  /** Share of the steps in which the rate rises, in `[0, 1]`. @defaultValue 0.3 */
  readonly rise?: number;
  /** Divisor of the largest rate that gives the first rate. @defaultValue 25 */
  readonly initialDivisor?: number;
  /** Divisor of the first rate that gives the last rate. @defaultValue 10000 */
  readonly finalDivisor?: number;
}

/** A rate that falls by a factor after every so many steps. */
export interface StepSchedule extends ScheduleRules {
  /** Kind of the schedule. */
  readonly kind: "step";
  /** Steps from one fall to the next, at least 1. */
  readonly every: number;
  /** Factor that the rate is multiplied by at each fall, more than 0. @defaultValue 0.1 */
  readonly factor?: number;
}

/**
 * Options that schedules of equal cycles have in common; step `i` of a cycle, from 1, is at `t = i / every`.
 */
interface CyclicRules extends ScheduleRules {
  /** The lowest rate, at least 0. */
  readonly lowRate: number;
  /** Steps of a cycle, at least 1. */
  readonly every: number;
}

/**
 * A rate that falls to the lowest rate until the middle of each cycle and rises again, along straight lines.
 * @see Garipov et al., Loss surfaces, mode connectivity, and fast ensembling of DNNs, 2018, section 4
 */
export interface TriangularSchedule extends CyclicRules {
  /** Kind of the schedule. */
  readonly kind: "triangular";
}

/**
 * A rate that falls to the lowest rate along a straight line in each cycle, and starts anew.
 * @see Izmailov et al., Averaging weights leads to wider optima and better generalization, 2018, section 3.1
 */
export interface SawtoothSchedule extends CyclicRules {
  /** Kind of the schedule. */
  readonly kind: "sawtooth";
}

/** A schedule, as plain data: how the learning rate changes from step to step. */
export type ScheduleSpec =
  | ConstantSchedule
  | CosineSchedule
  | OneCycleSchedule
  | StepSchedule
  | TriangularSchedule
  | SawtoothSchedule;

/** Defaults of the warm-up of all schedules. */
export const WARMUP_DEFAULTS: Required<Omit<ScheduleRules, "learningRate">> = {
  warmupSteps: 0,
  warmupFrom: 0.01,
};

/** Defaults of {@link CosineSchedule}. */
export const COSINE_DEFAULTS: Required<Pick<CosineSchedule, "finalRate">> = { finalRate: 0 };

/** Defaults of {@link OneCycleSchedule}. */
export const ONE_CYCLE_DEFAULTS: Required<
  Pick<OneCycleSchedule, "rise" | "initialDivisor" | "finalDivisor">
> = { rise: 0.3, initialDivisor: 25, finalDivisor: 1e4 };

/** Defaults of {@link StepSchedule}. */
export const STEP_DEFAULTS: Required<Pick<StepSchedule, "factor">> = { factor: 0.1 };
