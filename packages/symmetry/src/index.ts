export { type Alignment, compose, identityAlignment, invert } from "./alignment.ts";
export { assertAlignment } from "./assert-alignment.ts";
export { deriveSpec, type Symmetries, wholeSpec } from "./derive-spec.ts";
export { type ContinuousSymmetries, discoverContinuous } from "./discover-continuous.ts";
export { discoverOnce, discoverSymmetries } from "./discover-symmetries.ts";
export { decodeSpec, readSpec } from "./encode/decode-spec.ts";
export { decodeAlignment, type EncodedAlignment, encodeAlignment } from "./encode/encode-alignment.ts";
export {
  type EncodedField,
  type EncodedFollowers,
  type EncodedSpec,
  type EncodedSymmetry,
  type EncodedWeight,
  encodeSpec,
} from "./encode/encode-spec.ts";
export { type AlikeParts, type Exchange, exchangeParts, type Selector } from "./exchange/exchange-parts.ts";
export { discoverAlikeParts, discoverExchanges } from "./exchange/find-exchanges.ts";
export { wholeAlignment } from "./exchange/split-alignment.ts";
export { type StackedNetworks, stackParts } from "./exchange/stack-parts.ts";
export {
  type VerifyExchangesOptions,
  type VerifyExchangesResult,
  verifyExchanges,
} from "./exchange/verify-exchanges.ts";
export { explainSpec, type SpecExplanation, type SymmetrySummary } from "./explain-spec.ts";
export { findSums, type UnitSums } from "./find-sums.ts";
export { discoverLinearSymmetries } from "./linear/discover-linear-symmetries.ts";
export { explainLinearSymmetries, type LinearSummary } from "./linear/explain-linear-symmetries.ts";
export { LINEAR_KINDS, type LinearKind } from "./linear/factor-algebra.ts";
export type {
  DiagonalSymmetry,
  FactorField,
  FactorLayout,
  LinearSymmetries,
  RotationSpace,
} from "./linear/linear-symmetries.ts";
export {
  elementFinder,
  placesOf,
  type RotatedPlaces,
  type Rotation,
  rotateUnits,
} from "./linear/rotate-units.ts";
export {
  type VerifyLinearOptions,
  type VerifyLinearResult,
  verifyLinearSymmetries,
} from "./linear/verify-linear-symmetries.ts";
export { discoverMixing } from "./mixing/discover-mixing.ts";
export {
  explainMixing,
  type MixingExplanation,
  type MixingSummary,
  type ShiftSummary,
} from "./mixing/explain-mixing.ts";
export { identityMixture, type Mixture, mixInPlace } from "./mixing/mix-units.ts";
export {
  type FixedNorm,
  type KnownSymmetries,
  MIXING_GROUPS,
  type MixedField,
  type MixedLayout,
  type MixingGroup,
  type MixingSpace,
  type MixingSymmetries,
  type StreamGain,
  type StreamNorm,
} from "./mixing/mixing-symmetries.ts";
export { type DoubleWeights, gainFactors, moveGainsInPlace, readGains } from "./mixing/move-gains.ts";
export { gatherRowsInto, type Occurrence, occurrencesOf } from "./mixing/occurrences.ts";
export {
  type DroppedMixture,
  leaveOutMixtures,
  type MixturesProof,
  proveMixtures,
} from "./mixing/prove-mixtures.ts";
export { randomOrthonormal } from "./mixing/random-orthogonal.ts";
export { type VerifyMixingOptions, type VerifyMixingResult, verifyMixing } from "./mixing/verify-mixing.ts";
export { assertFits, permute } from "./permute.ts";
export { permuteByAlignment } from "./permute-by-alignment.ts";
export { randomAlignment } from "./random-alignment.ts";
export type { LogitShift } from "./shifts/find-shifts.ts";
export { meanShifts, type ShiftAmount, shiftLogitsInPlace } from "./shifts/shift-weights.ts";
export type {
  AxisRef,
  FollowerFamily,
  FrozenAxis,
  JoinedParts,
  Symmetry,
  SymmetrySpec,
  UnknownOperator,
  WeightField,
  WeightLayout,
} from "./spec.ts";
export type { SymmetricArchitecture } from "./symmetric-architecture.ts";
export { layOutValues, type Motion, type ValueComponent, type ValueLayouts } from "./value-layouts.ts";
export type { JointSymmetries } from "./verify/draw-changes.ts";
export { isLarge, type NarrowNetwork, narrowLarge } from "./verify/narrow-large.ts";
export {
  type ProveSymmetriesOptions,
  proveSymmetries,
  type SymmetryProof,
} from "./verify/prove-symmetries.ts";
export { type JointProof, proveTogether } from "./verify/prove-together.ts";
export { type ProvenGraph, shrinkExamples } from "./verify/shrink-examples.ts";
export type { ValueError, ValueSummary } from "./verify/summarize-errors.ts";
export {
  VERIFY_ALIGNMENT_DEFAULTS,
  type VerifyAlignmentOptions,
  type VerifyAlignmentResult,
  verifyAlignment,
} from "./verify/verify-alignment.ts";
export {
  type VerifySymmetriesOptions,
  type VerifySymmetriesResult,
  verifySymmetries,
} from "./verify/verify-symmetries.ts";
