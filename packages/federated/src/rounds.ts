// What a server holds in memory all the time: rounds, strategies and aggregation, without the parts of the
// package that train, align or simulate, which load engines and gradients.

export type { AggregateReport } from "./aggregate/aggregate-updates.ts";
export { type PrivacyReport, spendRound } from "./aggregate/private-round.ts";
export { saveAggregate } from "./aggregate/save-aggregate.ts";
export { ALIGN_TARGET_SPELLINGS } from "./align/align-target.ts";
export type { LayerPolicyName } from "./layers/treat-layers.ts";
export { LAYER_POLICIES } from "./layers/treat-layers.ts";
export { TREATMENTS, type Treatment } from "./layers/treatments.ts";
export { PRE_AGGREGATIONS } from "./pre-aggregations.ts";
export {
  beginPrivacy,
  describeSpent,
  hasRoom,
  isLocal,
  type PrivacyDescription,
  type PrivacyState,
} from "./privacy/privacy-description.ts";
export { PRIVACY } from "./privacy/privacy-schema.ts";
export { privatizeUpdate } from "./privacy/privatize-update.ts";
export { drawSecret, type Seed } from "./random/derive-key.ts";
export { advance, refusalOf } from "./rounds/advance.ts";
export { type Decision, decide, type UpdateToAggregate } from "./rounds/decide.ts";
export type { FederationEvent, Metrics, PrivacyRecord, ReceivedUpdate } from "./rounds/federation-event.ts";
export {
  FEDERATION_PLAN_DEFAULTS,
  type FederationPlan,
  planFederation,
  SECURE_PLAN_DEFAULTS,
} from "./rounds/federation-plan.ts";
export {
  aggregatedRounds,
  beginFederation,
  type FederationState,
  networkOfRound,
  presentClients,
  REASON_CHARACTERS,
  roundOf,
  timeOfNext,
} from "./rounds/federation-state.ts";
export { isTaken, refusalOfMessage, type SecureTask, secureTaskOf } from "./rounds/secure-rounds.ts";
export { type ClientTask, taskOfClient } from "./rounds/task-of-client.ts";
export { AGGREGATION_RULES } from "./rules.ts";
export { assertSecurable } from "./secure/assert-securable.ts";
export { maskUpdate } from "./secure/mask-update.ts";
export type {
  ClientMessage,
  DeliveryMessage,
  RosterMessage,
  ServerMessage,
  SurvivorsMessage,
} from "./secure/messages.ts";
export { openSecureSum, type SecureSum } from "./secure/open-secure-sum.ts";
export {
  openSecureClient,
  receiveShares,
  revealShares,
  type SecureClientState,
  shareSecrets,
} from "./secure/secure-client.ts";
export { layOutTensors, type SecureLayout } from "./secure/secure-layout.ts";
export type { SecureServerState } from "./secure/secure-server.ts";
export { type SecureSettings, wordsOf } from "./secure/secure-settings.ts";
export { SERVER_STEPS } from "./server-steps.ts";
export { lookUp } from "./strategy/look-up.ts";
export { namedStrategy } from "./strategy/named-strategy.ts";
export { resolveRule, resolveStrategy } from "./strategy/resolve-strategy.ts";
export { STRATEGY_DEFAULTS, type StrategyDescription } from "./strategy/strategy-description.ts";
export type { ClientUpdate } from "./updates/client-update.ts";
