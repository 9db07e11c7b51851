export type { Attack, DataAttack, HonestBlock, UpdateAttack } from "./attacks/attack.ts";
export { ATTACKS } from "./attacks.ts";
export type {
  AttackDescription,
  ClientTraining,
  FederationDescription,
  MeasureDescription,
  PartitionDescription,
  SimulatedStrategy,
} from "./description/federation-description.ts";
export type {
  SimulationCell,
  SimulationDescription,
} from "./description/simulation-description.ts";
export type { FeatureShift } from "./examples/feature-shift.ts";
export { readSimulation } from "./file/read-simulation.ts";
export {
  type ClientExamples,
  type PartitionExamplesOptions,
  partitionExamples,
} from "./partition-examples.ts";
export type { Divided, PartitionScheme } from "./partitions/partition-scheme.ts";
export { PARTITIONS } from "./partitions.ts";
export type {
  ClientBarrier,
  ClientResult,
  Fairness,
  FederationRun,
  NormAccuracies,
  PartitionedClient,
  RoundResult,
} from "./result/federation-run.ts";
export type {
  SimulatedPartition,
  SimulatedRun,
  SimulationResult,
} from "./result/simulation-result.ts";
export { type SimulateFederationOptions, simulateFederation } from "./simulate-federation.ts";
export { SIMULATION_RESULT } from "./simulation-result-kind.ts";
export { SIMULATION_TASKS, type SimulationTaskPorts } from "./study/federation-task.ts";
export {
  listMissingFederations,
  planSimulation,
  type RunSimulationOptions,
  type RunSimulationResult,
  runSimulation,
  type SimulationPlan,
} from "./study/run-simulation.ts";
