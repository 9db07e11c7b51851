export {
  CROSS_ENTROPY_DEFAULTS,
  type CrossEntropyLoss,
  type LossSpec,
  type MeanSquaredErrorLoss,
  NEXT_TOKEN_DEFAULTS,
  type NextTokenLoss,
  type OutputLoss,
} from "./loss/loss-spec.ts";
export type { MaskInput } from "./mode/mask-input.ts";
export type { Objective } from "./objective.ts";
export {
  ADAM_DEFAULTS,
  ADAMW_DEFAULTS,
  type AdamRules,
  type AdamSpec,
  type AdamWSpec,
  type BaseOptimizerSpec,
  type OptimizerSpec,
  SAM_DEFAULTS,
  type SamSpec,
  SGD_DEFAULTS,
  type SgdSpec,
  type UpdateRules,
} from "./optimizer/optimizer-spec.ts";
export { learningRateAt } from "./schedule/learning-rate-at.ts";
export {
  COSINE_DEFAULTS,
  type ConstantSchedule,
  type CosineSchedule,
  ONE_CYCLE_DEFAULTS,
  type OneCycleSchedule,
  type ScheduleRules,
  type ScheduleSpec,
  STEP_DEFAULTS,
  type StepSchedule,
  WARMUP_DEFAULTS,
} from "./schedule/schedule-spec.ts";
export { createTrainingStep, type TrainingStepOptions } from "./step/create-training-step.ts";
export type { Carried, CarriedRole, ScalarInput, TrainingStep } from "./step/training-step.ts";
