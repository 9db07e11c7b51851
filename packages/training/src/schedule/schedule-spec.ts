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

/** A rate that stays the same. */
export interface ConstantSchedule extends ScheduleRules {
  readonly kind: "constant";
}

/** A rate that falls along half a cosine to a last one. @see Loshchilov and Hutter, SGDR, 2017, eq. 5 */
export interface CosineSchedule extends ScheduleRules {
  readonly kind: "cosine";
  /** Rate after the last step, at least 0. @defaultValue 0 */
  readonly finalRate?: number;
}

/**
 * A rate that rises to the learning rate along half a cosine and falls along another.
 * @see Smith and Topin, Super-convergence, 2018
 */
export interface OneCycleSchedule extends ScheduleRules {
  readonly kind: "one-cycle";
  /** Share of the steps in which the rate rises, in `[0, 1]`. @defaultValue 0.3 */
  readonly rise?: number;
  /** The first rate is the largest divided by this. @defaultValue 25 */
  readonly initialDivisor?: number;
  /** The last rate is the first divided by this. @defaultValue 10000 */
  readonly finalDivisor?: number;
}

/** A rate that falls by a factor every so many steps. */
export interface StepSchedule extends ScheduleRules {
  readonly kind: "step";
  /** Steps from one fall to the next, at least 1. */
  readonly every: number;
  /** Factor that the rate is multiplied by at each fall, more than 0. @defaultValue 0.1 */
  readonly factor?: number;
}

/** A schedule, as plain data: how the learning rate changes from step to step. */
export type ScheduleSpec = ConstantSchedule | CosineSchedule | OneCycleSchedule | StepSchedule;

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
