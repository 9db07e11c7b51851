export {
  type AddNoise,
  AGGREGATE_DEFAULTS,
  type AggregateOptions,
  type AggregateProgress,
  type Configured,
} from "./aggregate/aggregate-options.ts";
export {
  type AggregateReport,
  type AggregateResult,
  aggregateUpdates,
} from "./aggregate/aggregate-updates.ts";
export type { ClientReport } from "./aggregate/plan-aggregate.ts";
export { type AggregateFiles, type SavedAggregate, saveAggregate } from "./aggregate/save-aggregate.ts";
export {
  ALIGN_UPDATES_DEFAULTS,
  type AlignedClient,
  type AlignedUpdates,
  type AlignUpdatesOptions,
  alignUpdates,
} from "./align/align-updates.ts";
export { personalNetwork } from "./layers/personal-network.ts";
export { type PairBarriers, shareBelow } from "./layers/share-below.ts";
export {
  LAYER_POLICIES,
  type LayerPolicy,
  type LayerPolicyName,
  type StatisticsPolicy,
  treatLayers,
} from "./layers/treat-layers.ts";
export { TREATMENTS, type Treatment } from "./layers/treatments.ts";
export type { MixedPoints, PreAggregation } from "./pre-aggregation/pre-aggregation.ts";
export { PRE_AGGREGATIONS } from "./pre-aggregations.ts";
export { advance, refusalOf, replay } from "./rounds/advance.ts";
export { type Decision, decide, type UpdateToAggregate } from "./rounds/decide.ts";
export type { FederationEvent, Metrics, ReceivedUpdate } from "./rounds/federation-event.ts";
export {
  FEDERATION_PLAN_DEFAULTS,
  type FederationPlan,
  type FederationPlanOptions,
  planFederation,
} from "./rounds/federation-plan.ts";
export {
  beginFederation,
  countUpdates,
  type FederationState,
  type MemberState,
  networkOfRound,
  type OpenRound,
  presentClients,
  type RefusedUpdate,
  type RoundRecord,
  roundOf,
  timeOfNext,
} from "./rounds/federation-state.ts";
export { type SelectedClients, selectClients } from "./rounds/select-clients.ts";
export { type ClientTask, taskOfClient } from "./rounds/task-of-client.ts";
export type {
  AggregationRule,
  CoordinateRule,
  LinearAggregate,
  LinearRule,
  Points,
} from "./rules/aggregation-rule.ts";
export { AGGREGATION_RULES } from "./rules.ts";
export type { ServerBlock, ServerStep } from "./server-step/server-step.ts";
export { SERVER_STEPS } from "./server-steps.ts";
export { ATTACKS } from "./simulation/attacks.ts";
export {
  type ClientExamples,
  type PartitionExamplesOptions,
  partitionExamples,
} from "./simulation/partition-examples.ts";
export { PARTITIONS } from "./simulation/partitions.ts";
export { type SimulateFederationOptions, simulateFederation } from "./simulation/simulate-federation.ts";
export type { LookedUp, Named } from "./strategy/look-up.ts";
export { lookUp } from "./strategy/look-up.ts";
export { resolveStrategy, type StrategyOptions } from "./strategy/resolve-strategy.ts";
export type { LayersDescription, StrategyDescription } from "./strategy/strategy-description.ts";
export type { ClientUpdate } from "./updates/client-update.ts";
