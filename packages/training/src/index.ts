export type { AugmentOptions } from "./batches/augment.ts";
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
export { distill } from "./distill/distill.ts";
export { DISTILL_DEFAULTS, type Distilled, type DistillOptions } from "./distill/distill-options.ts";
export {
  type MeasureTeachingOptions,
  measureTeaching,
  type TeachingDistance,
} from "./distill/measure-teaching.ts";
export { areOutputsNumbers, taughtLoss } from "./distill/taught-loss.ts";
export type { Teacher } from "./distill/teacher.ts";
export { EVOLUTION_FIELDS, type EvolutionChoice } from "./evolution/evolution-fields.ts";
export type { EvolutionOptions, EvolutionProgress } from "./evolution/evolution-options.ts";
export { fingerprintMasks } from "./evolution/evolution-state.ts";
export { type EvolutionResult, type Evolved, trainByEvolution } from "./evolution/train-by-evolution.ts";
export {
  createObjectiveRunner,
  type MeanLoss,
  type ObjectiveOutcome,
  type ObjectiveRunner,
} from "./gradients/create-objective-runner.ts";
export { type MeasureFisherOptions, measureFisher } from "./gradients/measure-fisher.ts";
export { type MeasureGradientOptions, measureGradient } from "./gradients/measure-gradient.ts";
export type { ControlVariates, ControlVariateUpdate } from "./local/control-variates.ts";
export {
  CURRICULUM_DEFAULTS,
  CURRICULUM_ORDERS,
  CURRICULUM_PACINGS,
  type CurriculumOptions,
  type Pacing,
} from "./local/curriculum.ts";
export type { LocalTrainingOptions } from "./local/local-training.ts";
export type { ProximalOptions } from "./local/proximal.ts";
export { WASSERSTEIN_DEFAULTS, type WassersteinOptions } from "./local/wasserstein.ts";
export { attachLoss } from "./loss/attach-loss.ts";
export { type LabelledLoss, lossOfData, type TrainedLoss } from "./loss/loss-of-data.ts";
export type {
  CrossEntropyLoss,
  DistillationLoss,
  LossSpec,
  NextTokenLoss,
  NumbersLoss,
  OutputLoss,
  SeveralLoss,
  StepLoss,
  UsualLoss,
} from "./loss/loss-spec.ts";
export { type MeasureExampleLossesOptions, measureExampleLosses } from "./loss/measure-example-losses.ts";
export { attachEntropy } from "./loss/prediction-entropy.ts";
export { attachSoftTargets, type SoftObjective } from "./loss/soft-targets.ts";
export { type GraphWithLoss, LOSS_GRAPH_FIELD, withLossGraph } from "./loss/with-loss-graph.ts";
export type { MaskInput } from "./mode/mask-input.ts";
export { type TrainingMode, toTrainingMode } from "./mode/to-training-mode.ts";
export type { Objective, TermInputs } from "./objective.ts";
export type {
  AdamRules,
  AdamSpec,
  AdamWSpec,
  BaseOptimizerSpec,
  OptimizerSpec,
  SamSpec,
  SgdSpec,
  UpdateRules,
} from "./optimizer/optimizer-spec.ts";
export type { Reparameterization, Reparameterize } from "./reparameterized/reparameterization.ts";
export {
  type ReparameterizedNetwork,
  type TrainedCoordinates,
  type TrainReparameterizedOptions,
  trainReparameterized,
} from "./reparameterized/train-reparameterized.ts";
export { learningRateAt } from "./schedule/learning-rate-at.ts";
export type {
  ConstantSchedule,
  CosineSchedule,
  OneCycleSchedule,
  SawtoothSchedule,
  ScheduleRules,
  ScheduleSpec,
  StepSchedule,
  TriangularSchedule,
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
export { describeData, type RunDescription } from "./train/describe-run.ts";
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
export type { WeightMove } from "./train/weight-move.ts";
export {
  hasWorkState,
  loadWorkStateInto,
  openWorkKeeper,
  saveWorkState,
  type WorkKeeper,
  type WorkKeeping,
  type WorkKind,
  type WorkState,
} from "./train/work-state.ts";
