import type { SimulationCell, SimulationDescription } from "../description/simulation-description.ts";
import type { FederationRun, PartitionedClient } from "./federation-run.ts";

/** One federation of a simulation, with its result. */
export interface SimulatedRun extends SimulationCell, FederationRun {}

/** Examples of the clients in one partition, for one seed. */
export interface SimulatedPartition {
  readonly partition: string;
  readonly seed: number;
  readonly clients: readonly PartitionedClient[];
}

/** Result of a simulation, as plain data. */
export interface SimulationResult {
  readonly kind: "simulation";
  readonly title: string;
  readonly description: string;
  /** Fields that all federations have in common. */
  readonly federation: SimulationDescription["federation"];
  /** Descriptions of the partitions by the names that occur in runs. */
  readonly partitions: NonNullable<SimulationDescription["partitions"]>;
  readonly strategies: NonNullable<SimulationDescription["strategies"]>;
  readonly attacks: NonNullable<SimulationDescription["attacks"]>;
  readonly seeds: readonly number[];
  /** Runs in the order of partitions, strategies, attacks and seeds. */
  readonly runs: readonly SimulatedRun[];
  /** Division of the examples for each partition and seed. */
  readonly divisions: readonly SimulatedPartition[];
  readonly engine: string;
}
