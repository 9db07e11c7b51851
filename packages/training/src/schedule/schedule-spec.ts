/** What all schedules have in common. */
export interface ScheduleRules {
  /** The learning rate after warm-up, or of one-cycle its largest; more than 0. */
  readonly learningRate: number;
  /** Steps over which the rate first rises linearly to where the schedule begins; 0 or more. @defaultValue 0 */
  readonly warmupSteps?: number;
  /** Share of that rate the first step has, in `(0, 1]`. @defaultValue 0.01 */
  readonly warmupFrom?: number;
}

/** The same rate throughout. */
export interface ConstantSchedule extends ScheduleRules {
  readonly kind: "constant";
}

/** Half a cosine from the learning rate down to a last one. @see Loshchilov and Hutter, SGDR, 2017, eq. 5 */
export interface CosineSchedule extends ScheduleRules {
  readonly kind: "cosine";
  /** Rate after the last step, 0 or more. @defaultValue 0 */
  readonly finalRate?: number;
}

/** Up to the learning rate and down again, each by half a cosine. @see Smith and Topin, Super-convergence, 2018 */
export interface OneCycleSchedule extends ScheduleRules {
  readonly kind: "one-cycle";
  /** Share of the steps on the way up, in `[0, 1]`. @defaultValue 0.3 */
  readonly rise?: number;
  /** The first rate is the largest over this. @defaultValue 25 */
  readonly initialDivisor?: number;
  /** The last rate is the first over this. @defaultValue 10000 */
  readonly finalDivisor?: number;
}

/** A rate that falls by a factor every so many steps. */
export interface StepSchedule extends ScheduleRules {
  readonly kind: "step";
  /** Steps from one fall to the next, at least 1. */
  readonly every: number;
  /** What the rate is multiplied with at a fall, more than 0. @defaultValue 0.1 */
  readonly factor?: number;
}

/** How the learning rate goes, as plain data. */
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
