export { type AdapterScaling, scaleBy } from "./adapters/adapter-scaling.ts";
export { assertProducts, type ProductChoices } from "./adapters/assert-products.ts";
export {
  atRanksOf,
  type FactorPair,
  findFactorPairs,
  namesOfFactors,
  rankIn,
} from "./adapters/factor-pairs.ts";
export {
  type MeasuredProducts,
  squaredChange,
  squaredProducts,
} from "./adapters/measure-product-norms.ts";
export { sortFactors } from "./adapters/sort-factors.ts";
export type {
  AddNoise,
  AggregateOptions,
  AggregateProgress,
  Configured,
} from "./aggregate/aggregate-options.ts";
export {
  type AggregateReport,
  type AggregateResult,
  aggregateUpdates,
} from "./aggregate/aggregate-updates.ts";
export { parametersOf } from "./aggregate/parameters-of.ts";
export type { ClientReport } from "./aggregate/plan-aggregate.ts";
export { type PrivacyReport, spendRound } from "./aggregate/private-round.ts";
export { type AggregateFiles, type SavedAggregate, saveAggregate } from "./aggregate/save-aggregate.ts";
export { personalNetwork } from "./layers/personal-network.ts";
export { type PairBarriers, shareBelow } from "./layers/share-below.ts";
export {
  batchNorms,
  LAYER_POLICIES,
  type LayerPolicy,
  type LayerPolicyName,
  type StatisticsPolicy,
  treatLayers,
} from "./layers/treat-layers.ts";
export { TREATMENTS, type Treatment } from "./layers/treatment.ts";
export { resolveTreatments } from "./layers/treatments.ts";
export type { MixedPoints, PreAggregation } from "./pre-aggregation/pre-aggregation.ts";
export { PRE_AGGREGATIONS } from "./pre-aggregations.ts";
export type {
  ClientSampling,
  NeighborRelation,
  PrivacyBudget,
  RoundMechanism,
} from "./privacy/accountant/mechanism.ts";
export { noiseMultiplierFor } from "./privacy/accountant/noise-multiplier-for.ts";
export {
  epsilonSpent,
  type PrivacyExpense,
  type PrivacyLedger,
  roundsWithin,
  spendPrivacy,
} from "./privacy/accountant/privacy-ledger.ts";
export {
  type AdaptClipOptions,
  type AdaptClipResult,
  adaptClip,
  type UnclippedCount,
  updateNoiseMultiplier,
} from "./privacy/adaptive-clip.ts";
export { clipWeights } from "./privacy/clip-weights.ts";
export { addGaussianNoiseInPlace, type NoisePlace } from "./privacy/gaussian-noise.ts";
export {
  beginPrivacy,
  describeSpent,
  hasRoom,
  isLocal,
  type PrivacyDescription,
  type PrivacyState,
  privateRoundsLeft,
} from "./privacy/privacy-description.ts";
export { PRIVACY } from "./privacy/privacy-schema.ts";
export { centralDeviation, type PrivateMean, privateWeights } from "./privacy/private-mean.ts";
export { type PrivatizeUpdateOptions, privatizeUpdate } from "./privacy/privatize-update.ts";
export { drawSecret, type Seed } from "./random/derive-key.ts";
export { advance } from "./rounds/advance.ts";
export { type Decision, decide, type UpdateToAggregate } from "./rounds/decide.ts";
export type { FederationEvent, Metrics, PrivacyRecord, ReceivedUpdate } from "./rounds/federation-event.ts";
export {
  FEDERATION_PLAN_DEFAULTS,
  type FederationPlan,
  type FederationPlanOptions,
  planFederation,
  SECURE_PLAN_DEFAULTS,
  type SecurePlan,
} from "./rounds/federation-plan.ts";
export {
  aggregatedRounds,
  beginFederation,
  type FederationFacts,
  type FederationPhase,
  type FederationState,
  type MemberState,
  networkOfRound,
  type OpenRound,
  type OpenSecureSum,
  presentClients,
  REASON_CHARACTERS,
  type RefusedUpdate,
  type RoundRecord,
  roundOf,
  timeOfNext,
} from "./rounds/federation-state.ts";
export { refusalOf } from "./rounds/refusal-of-update.ts";
export { isTaken, refusalOfMessage, type SecureTask, secureTaskOf } from "./rounds/secure-rounds.ts";
export { type ClientTask, taskOfClient } from "./rounds/task-of-client.ts";
export type {
  AggregationRule,
  CoordinateRule,
  LinearAggregate,
  LinearRule,
  Points,
} from "./rules/aggregation-rule.ts";
export { AGGREGATION_RULES } from "./rules.ts";
export { assertSecurable, type SecurableRound } from "./secure/assert-securable.ts";
export { type MaskUpdateResult, maskUpdate, type SecureUpdate } from "./secure/mask-update.ts";
export type {
  ClientMessage,
  ConfirmMessage,
  DeliveryMessage,
  EncryptedShares,
  KeyPairMessage,
  MaskedMessage,
  RevealedShare,
  RevealMessage,
  RosterMessage,
  ServerMessage,
  ShareCommitments,
  SharesMessage,
  SurvivorsMessage,
  SurvivorsSignature,
} from "./secure/messages.ts";
export { openSecureSum, type SecureSum } from "./secure/open-secure-sum.ts";
export {
  confirmSurvivors,
  openSecureClient,
  receiveShares,
  revealShares,
  type SecureClientState,
  type SecureClientStep,
  shareSecrets,
} from "./secure/secure-client.ts";
export { layOutTensors, type SecureLayout, type TensorPlacement } from "./secure/secure-layout.ts";
export {
  closeStage,
  type MessageStage,
  openSecureServer,
  receiveSecure,
  type SecureServerState,
  type SecureStage,
} from "./secure/secure-server.ts";
export { type SecureSettings, wordsOf } from "./secure/secure-settings.ts";
export type { ServerBlock, ServerStep } from "./server-step/server-step.ts";
export { SERVER_STEPS } from "./server-steps.ts";
export { STRATEGIES, type Strategy } from "./strategies.ts";
export {
  ALIGN_TARGET_SPELLINGS,
  ALIGN_TARGETS,
  type AlignTarget,
  type AlignTargetSpelling,
  alignTargetOf,
} from "./strategy/align-target.ts";
export { type LookedUp, lookUp, type Named } from "./strategy/look-up.ts";
export { namedStrategy } from "./strategy/named-strategy.ts";
export { resolveRule, resolveStrategy, type StrategyOptions } from "./strategy/resolve-strategy.ts";
export {
  type LayersDescription,
  STRATEGY_DEFAULTS,
  type StrategyDescription,
} from "./strategy/strategy-description.ts";
export type { ClientUpdate } from "./updates/client-update.ts";
