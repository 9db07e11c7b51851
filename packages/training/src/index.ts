export { AUGMENT_DEFAULTS, type AugmentOptions } from "./batches/augment.ts";
export {
  type Batches,
  type BatchesOptions,
  createBatches,
  type EpochOrder,
} from "./batches/create-batches.ts";
export { type EpochSizes, type Remainder, stepsUntil } from "./batches/epoch-steps.ts";
export type { Blend, BlendAt, PointWeights } from "./blend/blend.ts";
export type { BlendDecay, BlendedPoint, BlendPoint } from "./blend/blend-point.ts";
export { type BlendedGraph, type BlendOptions, blendWeights } from "./blend/blend-weights.ts";
export { type BlendInputs, createBlendInputs } from "./blend/create-blend-feeder.ts";
export { joinPoints, takePoint } from "./blend/join-points.ts";
export { EVOLUTION_FIELDS, type EvolutionChoice } from "./evolution/evolution-fields.ts";
export type {
  EvolutionOptions,
  EvolutionProgress,
} from "./evolution/evolution-options.ts";
export { fingerprintMasks } from "./evolution/evolution-state.ts";
export { type EvolutionResult, type Evolved, trainByEvolution } from "./evolution/train-by-evolution.ts";
export {
  createObjectiveRunner,
  type MeanLoss,
  type ObjectiveOutcome,
  type ObjectiveRunner,
} from "./gradients/create-objective-runner.ts";
export {
  MEASURE_FISHER_DEFAULTS,
  type MeasureFisherOptions,
  measureFisher,
} from "./gradients/measure-fisher.ts";
export {
  MEASURE_GRADIENT_DEFAULTS,
  type MeasureGradientOptions,
  measureGradient,
} from "./gradients/measure-gradient.ts";
export {
  CONTROL_VARIATES_DEFAULTS,
  type ControlVariates,
  type ControlVariateUpdate,
} from "./local/control-variates.ts";
export {
  CURRICULUM_DEFAULTS,
  CURRICULUM_ORDERS,
  CURRICULUM_PACINGS,
  type CurriculumOptions,
  curriculumSize,
  type Pacing,
} from "./local/curriculum.ts";
export type { LocalTrainingOptions } from "./local/local-training.ts";
export type { ProximalOptions } from "./local/proximal.ts";
export { WASSERSTEIN_DEFAULTS, type WassersteinOptions } from "./local/wasserstein.ts";
export { attachLoss } from "./loss/attach-loss.ts";
export { type LabelledLoss, lossOfData, type TrainedLoss } from "./loss/loss-of-data.ts";
export {
  CROSS_ENTROPY_DEFAULTS,
  type CrossEntropyLoss,
  type LossSpec,
  NEXT_TOKEN_DEFAULTS,
  type NextTokenLoss,
  type NumbersLoss,
  type OutputLoss,
  type SeveralLoss,
  type UsualLoss,
} from "./loss/loss-spec.ts";
export {
  MEASURE_EXAMPLE_LOSSES_DEFAULTS,
  type MeasureExampleLossesOptions,
  measureExampleLosses,
} from "./loss/measure-example-losses.ts";
export { attachSoftTargets, type SoftObjective } from "./loss/soft-targets.ts";
export type { MaskInput } from "./mode/mask-input.ts";
export { type TrainingMode, toTrainingMode } from "./mode/to-training-mode.ts";
export type { Objective, OutputObjective, TermInputs } from "./objective.ts";
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
export type { Reparameterization, Reparameterize } from "./reparameterized/reparameterization.ts";
export {
  type ReparameterizedNetwork,
  type TrainedCoordinates,
  type TrainReparameterizedOptions,
  trainReparameterized,
} from "./reparameterized/train-reparameterized.ts";
export { assertSchedule, learningRateAt } from "./schedule/learning-rate-at.ts";
export {
  COSINE_DEFAULTS,
  type ConstantSchedule,
  type CosineSchedule,
  ONE_CYCLE_DEFAULTS,
  type OneCycleSchedule,
  type SawtoothSchedule,
  type ScheduleRules,
  type ScheduleSpec,
  STEP_DEFAULTS,
  type StepSchedule,
  type TriangularSchedule,
  WARMUP_DEFAULTS,
} from "./schedule/schedule-spec.ts";
export { createTrainingStep, type TrainingStepOptions } from "./step/create-training-step.ts";
export type { Carried, CarriedRole, ScalarInput, TrainingStep } from "./step/training-step.ts";
export {
  createStepRunner,
  type StepAt,
  type StepOutcome,
  type StepRunner,
  type StepRunnerOptions,
} from "./train/create-step-runner.ts";
export { createTargetFiller, type TargetFiller, type TargetRules } from "./train/create-target-filler.ts";
export { assertSameRun, describeData, type RunDescription } from "./train/describe-run.ts";
export { type ChosenTrainOptions, chooseBatch, chooseTrainOptions } from "./train/resolve-train-options.ts";

export { type Trained, train } from "./train/train.ts";
export { type TrainedBlend, trainBlend } from "./train/train-blend.ts";
export {
  type CollectedSteps,
  LEARNING_RATES,
  TRAIN_DEFAULTS,
  type TrainOptions,
} from "./train/train-options.ts";

export type { TrainProgress } from "./train/train-progress.ts";
export type { EpochResult, EvaluationResult, TrainResult } from "./train/train-result.ts";
export {
  epochsField,
  LEARNING_RATE_FIELD,
  TRAINING_FIELDS,
  type TrainingChoice,
} from "./train/training-fields.ts";
export type { FinishedStep, WeightConstraint } from "./train/weight-constraint.ts";
export {
  hasWorkState,
  loadWorkStateInto,
  saveWorkState,
  type WorkKind,
  type WorkState,
} from "./train/work-state.ts";
