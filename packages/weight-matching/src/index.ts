export { type ActivationChoice, comparedValues } from "./activation-matching/compared-values.ts";
export {
  ACTIVATIONS_FIELDS,
  type ActivationSimilarity,
  type ActivationsChoice,
  MATCH_ACTIVATIONS_DEFAULTS,
  type MatchActivationsOptions,
  type MatchActivationsResult,
  matchActivations,
} from "./activation-matching/match-activations.ts";
export { type AlignOptions, type AlignProgress, type AlignResult, align } from "./align/align.ts";
export type { AlignedNetwork, AlignmentSummary, Normalization } from "./align/aligned-network.ts";
export { roundedTolerance, type Verification } from "./align/prove-alignment.ts";
export { reportAlignment } from "./align/report-alignment.ts";
export type { AssignmentOptions, AssignmentResult, AssignmentStats } from "./assignment/assignment-result.ts";
export type { AssignmentSolver } from "./assignment/assignment-solver.ts";
export {
  type AssignmentCertificate,
  type CertifyAssignmentOptions,
  certifyAssignment,
} from "./assignment/certify-assignment.ts";
export type { CostMatrix } from "./assignment/cost-matrix.ts";
export { createAssignmentSolver } from "./assignment/create-assignment-solver.ts";
export { solveAssignment } from "./assignment/solve-assignment.ts";
export { LEARNED_PLACES } from "./learned/learning/blend.ts";
export { toAlgebra } from "./learned/learning/generators.ts";
export { type LearnProgress, settleMixture } from "./learned/learning/learn-mixture.ts";
export { adamStep, createMoments, type Moments } from "./learned/learning/moving-adam.ts";
export { LEARNED_RULES } from "./learned/learning/orthogonal-step.ts";
export { moveMixture } from "./learned/learning/step-spaces.ts";
export { type MatchLearnedResult, matchLearned } from "./learned/match-learned.ts";
export {
  chooseLearnedOptions,
  HEAD_GROUPS,
  LEARNED_ENDS,
  LEARNED_FIELDS,
  LEARNED_UNITS,
  type LearnedChoice,
  MATCH_LEARNED_DEFAULTS,
  type MatchLearnedOptions,
} from "./learned/match-learned-options.ts";
export {
  type LearnedMove,
  type MatchManyLearnedResult,
  matchManyLearned,
  type SharedLearning,
} from "./learned/match-many-learned.ts";
export type { NetworkTransform } from "./learned/transform-network.ts";
export {
  type AlignManyOptions,
  type AlignManyResult,
  alignMany,
  MANY_JUDGES,
  type ManyAlignedNetwork,
  type ManyJudge,
  placeMany,
} from "./many/align-many.ts";
export { type EncodedUniverse, encodeUniverse, namesInUniverse } from "./many/encode-universe.ts";
export type { LearnedNetwork, LearnManyOptions, LearnManyResult } from "./many/learn-many.ts";
export type { ManyJournal } from "./many/many-matching.ts";
export {
  MANY_FIELDS,
  MANY_METHODS,
  MATCH_MANY_DEFAULTS,
  type ManyChoice,
  type ManyMethod,
  type ManyProgress,
  type ManySearch,
  type MatchManyOptions,
  type MatchManyResult,
  matchMany,
} from "./many/match-many.ts";
export { alignmentBetween } from "./many/universe-alignments.ts";
export { MATCH_METHODS, type MatchMethod, type MatchOptions, type MatchResult, match } from "./match.ts";
export {
  MATCH_WEIGHTS_DEFAULTS,
  type MatchedArchitecture,
  type MatchProgress,
  type MatchRestart,
  type MatchStatus,
  type MatchWeightsOptions,
  type MatchWeightsResult,
  matchWeights,
} from "./match-weights.ts";
export { type BalancedMeasure, balanceScales } from "./normalize/balance-scales.ts";
export { type CanonicalizeOptions, type CanonicalizeResult, canonicalize } from "./normalize/canonicalize.ts";
export type { FoundSymmetries } from "./normalize/found-symmetries.ts";
export { type MatchNormalizedResult, matchNormalized } from "./normalize/match-normalized.ts";
export type { MatchSeconds } from "./search/matching-seconds.ts";
export type { SymmetrySelection } from "./search/prepare-matching.ts";
export { MATCH_SEARCHES, type MatchSearch } from "./search/search-placements.ts";
export {
  type MatchStraightThroughOptions,
  type MatchStraightThroughResult,
  matchStraightThrough,
} from "./straight-through/match-straight-through.ts";
export {
  type AlignableUpdate,
  type AlignedClient,
  type AlignedUpdates,
  type AlignUpdatesOptions,
  alignUpdates,
} from "./updates/align-updates.ts";
export { scaleByNorms } from "./weights/scale-by-norms.ts";
