export { type GradientOptions, gradient } from "./autodiff/gradient.ts";
export { gradientName } from "./autodiff/gradient-name.ts";
export { hessianVectorProduct, productName, vectorName } from "./autodiff/hessian-vector-product.ts";
export {
  FREE_BATCH_DEFAULTS,
  type FreeBatchOptions,
  type FreedBatch,
  freeBatch,
} from "./batch/free-batch.ts";
export { bindGraph, type GraphBinding } from "./binding/bind-graph.ts";
export {
  BIND_NETWORKS_DEFAULTS,
  type BindNetworksOptions,
  type BoundNetworks,
  bindNetworks,
} from "./binding/bind-networks.ts";
export {
  type BoundNetwork,
  UNREAD_POLICIES,
  type UnreadPolicy,
} from "./binding/bound-network.ts";
export { findBinding, type UnboundWeight, type WeightBinding } from "./binding/find-binding.ts";
export { findNames, type NetworkNames } from "./binding/find-names.ts";
export {
  VERIFY_BINDING_DEFAULTS,
  type VerifyBindingOptions,
  verifyBinding,
} from "./binding/verify-binding.ts";
export {
  type ConcatenatedSource,
  describeSource,
  type FoldedBiasSource,
  type FoldedKernelSource,
  type FoldedNorm,
  isUnchanged,
  type Rearrangement,
  type SpectralNormSource,
  type TensorSource,
  type WeightNormSource,
  type WeightSource,
} from "./binding/weight-source.ts";
export { withNamesOf } from "./binding/with-names-of.ts";
export type { Batch, DataSet, Labelling, Scaling } from "./data-set.ts";
export type { Engine, LoadOptions, Session } from "./engine.ts";
export { assertDataFits } from "./evaluate/assert-data-fits.ts";
export { type Classifier, type ClassProbabilities, createClassifier } from "./evaluate/create-classifier.ts";
export { createEvaluator, type Evaluation, type Evaluator } from "./evaluate/create-evaluator.ts";
export { EVALUATOR_DEFAULTS, type EvaluatorOptions } from "./evaluate/evaluator-options.ts";
export { limitExamples } from "./evaluate/limit-examples.ts";
export { logitsCandidates, logitsOf, scoreOutput } from "./feeding/choose-logits.ts";
export { createLeaveOutFilling, type LeaveOutFilling } from "./feeding/leave-out-filling.ts";
export type { FilledInput, Filling } from "./feeding/match-inputs.ts";
export { type BatchRange, type FedBatch, type FeedPlan, planFeeds } from "./feeding/plan-feeds.ts";
export { fingerprintData, fingerprintGraph, fingerprintWeights } from "./fingerprint.ts";
export { bakeWeights } from "./ir/bake-weights.ts";
export { assertBindable, assertNetwork, bindWeights } from "./ir/bind-weights.ts";
export { capturedNames } from "./ir/captured-names.ts";
export { exposeValues } from "./ir/expose-values.ts";
export { extractSubgraph } from "./ir/extract-subgraph.ts";
export type { Attribute, Graph, Node, ValueInfo, WeightInfo, WeightRole } from "./ir/graph.ts";
export { pruneNodes } from "./ir/prune-nodes.ts";
export { shareNodes } from "./ir/share-nodes.ts";
export { typesOf } from "./ir/types-of.ts";
export { type LayersModel, readLayersModel } from "./layers-model/read-layers-model.ts";
export { lowerBatchNorm } from "./lower/lower-batch-norm.ts";
export { type DecodedGraph, type DecodeGraphOptions, decodeGraph } from "./onnx/decode-graph.ts";
export { encodeGraph } from "./onnx/encode-graph.ts";
export { readGraph } from "./onnx/read-graph.ts";
export { dtypeOfCode, type ExternalReader } from "./onnx/tensor-proto.ts";
export { type SpecializeOptions, specialize } from "./specialize/specialize.ts";
export {
  ACTIVATION_STATISTICS_DEFAULTS,
  type ActivationStatisticsOptions,
  activationStatistics,
  PAIR_STATISTICS_DEFAULTS,
  type PairStatisticsOptions,
  pairStatistics,
} from "./statistics/activation-statistics.ts";
export type { PairStatistics } from "./statistics/pair-moments.ts";
export { UnitMoments, type UnitStatistics } from "./statistics/unit-moments.ts";
export { type UnitPanel, UnitReader, type UnitView } from "./statistics/unit-view.ts";
export {
  type Alignment,
  compose,
  identityAlignment,
  invert,
  randomAlignment,
} from "./symmetry/alignment.ts";
export { assertAlignment } from "./symmetry/assert-alignment.ts";
export { axisOffsets } from "./symmetry/axis-offsets.ts";
export { type Arrange, completeFollowers, createUnitCompleter } from "./symmetry/complete-units.ts";
export { type Derivation, deriveSpec } from "./symmetry/derive-spec.ts";
export { discoverSymmetries } from "./symmetry/discover-symmetries.ts";
export { decodeSpec } from "./symmetry/encode/decode-spec.ts";
export {
  decodeAlignment,
  type EncodedAlignment,
  encodeAlignment,
} from "./symmetry/encode/encode-alignment.ts";
export {
  type EncodedField,
  type EncodedFollowers,
  type EncodedSpec,
  type EncodedSymmetry,
  type EncodedWeight,
  encodeSpec,
} from "./symmetry/encode/encode-spec.ts";
export { fingerprintSpec } from "./symmetry/encode/fingerprint-spec.ts";
export { explainSpec, type SpecExplanation, type SymmetrySummary } from "./symmetry/explain-spec.ts";
export { type GatherArray, gatherInto } from "./symmetry/kernels/gather.ts";
export {
  type ComponentField,
  type LayoutComponent,
  layoutComponents,
  mapComponent,
} from "./symmetry/layout-components.ts";
export {
  deriveLinearSymmetries,
  discoverLinearSymmetries,
} from "./symmetry/linear/discover-linear-symmetries.ts";
export { explainLinearSymmetries, type LinearSummary } from "./symmetry/linear/explain-linear-symmetries.ts";
export { LINEAR_KINDS, type LinearKind } from "./symmetry/linear/factor-algebra.ts";
export { groupVariables } from "./symmetry/linear/group-variables.ts";
export type {
  DiagonalSymmetry,
  FactorField,
  FactorLayout,
  LinearSymmetries,
  RotationSpace,
} from "./symmetry/linear/linear-symmetries.ts";
export { multiplyInPlace, multiplyUnits, positionIn } from "./symmetry/linear/multiply-units.ts";
export { transformRandomly } from "./symmetry/linear/random-element.ts";
export {
  elementFinder,
  placesOf,
  type RotatedPlaces,
  type Rotation,
  rotateUnits,
} from "./symmetry/linear/rotate-units.ts";
export {
  VERIFY_LINEAR_DEFAULTS,
  type VerifyLinearOptions,
  type VerifyLinearResult,
  verifyLinearSymmetries,
} from "./symmetry/linear/verify-linear-symmetries.ts";
export { assertFits, permute } from "./symmetry/permute.ts";
export { PROBE_DEFAULTS, type Probe, type ProbeOptions, probeGraph } from "./symmetry/probe-graph.ts";
export { randomInputs } from "./symmetry/random-inputs.ts";
export { randomWeights } from "./symmetry/random-weights.ts";
export type {
  AxisRef,
  FollowerFamily,
  FrozenAxis,
  Symmetry,
  SymmetrySpec,
  UnknownOperator,
  WeightField,
  WeightLayout,
} from "./symmetry/spec.ts";
export {
  layOutValues,
  type Motion,
  type ValueComponent,
  type ValueLayouts,
} from "./symmetry/value-layouts.ts";
export type { ValueError, ValueSummary } from "./symmetry/verify/summarize-errors.ts";
export {
  VERIFY_ALIGNMENT_DEFAULTS,
  type VerifyAlignmentOptions,
  type VerifyAlignmentResult,
  verifyAlignment,
} from "./symmetry/verify/verify-alignment.ts";
export {
  VERIFY_SYMMETRIES_DEFAULTS,
  type VerifySymmetriesOptions,
  type VerifySymmetriesResult,
  verifySymmetries,
} from "./symmetry/verify/verify-symmetries.ts";
