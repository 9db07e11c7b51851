export type { Architecture } from "./architecture.ts";
export { type FreeBatchOptions, type FreedBatch, freeBatch } from "./batch/free-batch.ts";
export { allocateBatch, copyExample, gatherExamples } from "./batch/gather-examples.ts";
export {
  type BatchSummary,
  type BindArchitectureOptions,
  type BindingSummary,
  type BoundArchitecture,
  bindArchitecture,
  describeBatch,
  describeUnchecked,
} from "./binding/bind-architecture.ts";
export { type BindNetworksOptions, type BoundNetworks, bindNetworks } from "./binding/bind-networks.ts";
export type { BoundNetwork } from "./binding/bound-network.ts";
export type { WeightBinding } from "./binding/find-binding.ts";
export type { NetworkNames } from "./binding/find-names.ts";
export type { UnboundWeight } from "./binding/unbound-weight.ts";
export { UNREAD_POLICIES, type UnreadPolicy } from "./binding/unread-tensors.ts";
export { type VerifyBindingOptions, verifyBinding } from "./binding/verify-binding.ts";
export {
  type ConcatenatedSource,
  describeSource,
  type FoldedBiasSource,
  type FoldedKernelSource,
  type FoldedNorm,
  type Rearrangement,
  type SpectralNormSource,
  type TensorSource,
  type WeightNormSource,
  type WeightSource,
} from "./binding/weight-source.ts";
export { withCommonNames, withNamesOf } from "./binding/with-names-of.ts";
export { type ChannelScaling, channelScalings, formatScaling } from "./channel-scalings.ts";
export type { Batch, DataSet, Labelling, Scaling } from "./data-set.ts";
export { DEVICE_NAMES, type DeviceName, withoutDevice } from "./device-names.ts";
export type { DeviceMemory, Engine, LoadOptions, Session, WorkFor } from "./engine.ts";
export { assertCausal, limitExamples } from "./evaluate/assert-causal.ts";
export { assertDataFits } from "./evaluate/assert-data-fits.ts";
export { compareOutputs } from "./evaluate/compare-outputs.ts";
export { type Classifier, type ClassProbabilities, createClassifier } from "./evaluate/create-classifier.ts";
export { createEvaluator, type Evaluator } from "./evaluate/create-evaluator.ts";
export {
  createTemperedEvaluator,
  type TemperedEvaluation,
  type TemperedEvaluator,
  type TemperedEvaluatorData,
  type TemperedLoss,
} from "./evaluate/create-tempered-evaluator.ts";
export type { EvaluatorOptions } from "./evaluate/evaluator-options.ts";
export type { Evaluation } from "./evaluate/scores.ts";
export { createLeaveOutFilling, type LeaveOutFilling } from "./feeding/leave-out-filling.ts";
export type { FilledInput, Filling } from "./feeding/match-inputs.ts";
export { type BatchRange, type FedBatch, type FeedPlan, planFeeds } from "./feeding/plan-feeds.ts";
export { fingerprintData, fingerprintGraph, fingerprintWeights } from "./fingerprint.ts";
export { createFeedHolder, holdFeeds } from "./hold-feeds.ts";
export { bakeWeights } from "./ir/bake-weights.ts";
export { assertNetwork, bindWeights } from "./ir/bind-weights.ts";
export { extractSubgraph } from "./ir/extract-subgraph.ts";
export type { Attribute, Graph, Node, NodeOrigin, ValueInfo, WeightInfo, WeightRole } from "./ir/graph.ts";
export { parameterNames } from "./ir/parameter-names.ts";
export { restrictOutputs } from "./ir/restrict-outputs.ts";
export { exposeValues } from "./ir/values.ts";
export { fitTemperature, type LabelledLogits } from "./kernels/fit-temperature.ts";
export { softmaxInto } from "./kernels/softmax.ts";
export { type LayersModel, readLayersModel } from "./layers-model/read-layers-model.ts";
export { type DecodedGraph, type DecodeGraphOptions, decodeGraph } from "./onnx/decode-graph.ts";
export { encodeGraph } from "./onnx/encode-graph.ts";
export { encodeNetwork } from "./onnx/encode-network.ts";
export { readGraph } from "./onnx/read-graph.ts";
export { dtypeOfCode, type ExternalReader } from "./onnx/tensor-proto.ts";
export { PROBE_DEFAULTS, type Probe, type ProbeOptions, probeGraph } from "./probe/probe-graph.ts";
export { randomInputs } from "./probe/random-inputs.ts";
export { randomWeights } from "./probe/random-weights.ts";
export { runAll } from "./probe/run-all.ts";
export { runInSegments, type SegmentedRun } from "./probe/run-in-segments.ts";
export { type SpecializeOptions, specialize } from "./probe/specialize.ts";
export { chooseOutput, classAxisOf, type ScoredData, scoreOutput } from "./scoring/choose-output.ts";
export { describeScoring } from "./scoring/describe-scoring.ts";
export {
  ELEMENTWISE_LOSS_NAMES,
  ELEMENTWISE_LOSSES,
  type ElementwiseLoss,
  type ElementwiseLossName,
  isElementwise,
} from "./scoring/elementwise-losses.ts";
export { type FindLogitsOptions, type FoundLogits, findLogits, findNumbers } from "./scoring/find-logits.ts";
export { findTargets, type WriteTargets } from "./scoring/find-targets.ts";
export { isNamedLoss, LOSS_FIELD, type NamedLoss } from "./scoring/loss-field.ts";
export {
  assertErrors,
  assertLabelled,
  fieldsOfKind,
  type LossFields,
  type LossOfData,
  lossFields,
  lossOf,
  predictsClasses,
} from "./scoring/loss-of.ts";
export { type LossPart, lossParts } from "./scoring/loss-parts.ts";
export {
  LOSSES,
  type Loss,
  type LossesOfOutputs,
  type LossFunction,
  type LossInfo,
  type LossKind,
  type LossName,
  type LossOfOutput,
  type LossOption,
} from "./scoring/losses.ts";
export { lossOfOutput, scoreBy } from "./scoring/score-by.ts";
export { type Scoring, scoringOf } from "./scoring/scoring-of.ts";
export { type SharedEngine, shareSessions, withSharedSessions } from "./share-sessions.ts";
export { withLoad } from "./with-load.ts";
