import type { SimulationCell, SimulationDescription } from "../description/simulation-description.ts";
import type { FederationRun, PartitionedClient } from "./federation-run.ts";

/** One federation of a simulation, with its result. */
export interface SimulatedRun extends SimulationCell, FederationRun {}

/** Examples of the clients in one partition, for one seed. */
export interface SimulatedPartition {
  /** Name of the partition, as in the runs that use it. */
  readonly partition: string;
  /** Seed with which the examples were divided. */
  readonly seed: number;
  /** Examples of each client, as counts of classes, in the order of the clients' names. */
  readonly clients: readonly PartitionedClient[];
}

/** Result of a simulation, as plain data. */
export interface SimulationResult {
  /** Tag of results of simulations. */
  readonly kind: "simulation";
  /** Title of the simulation, the heading of its report. */
  readonly title: string;
  /** Purpose of the simulation, in a sentence or two; empty if its description has none. */
  readonly description: string;
  /** Fields that all federations have in common. */
  readonly federation: SimulationDescription["federation"];
  /** Descriptions of the partitions by the names that occur in runs. */
  readonly partitions: NonNullable<SimulationDescription["partitions"]>;
  /** Descriptions of the strategies by the names that occur in runs. */
  readonly strategies: NonNullable<SimulationDescription["strategies"]>;
  /** Descriptions of the attacks by the names that occur in runs; null for no attack. */
  readonly attacks: NonNullable<SimulationDescription["attacks"]>;
  /** Seeds of the runs, each once, in the order of the description. */
  readonly seeds: readonly number[];
  /** Runs in the order of partitions, strategies, attacks and seeds. */
  readonly runs: readonly SimulatedRun[];
  /** Division of the examples for each partition and seed. */
  readonly divisions: readonly SimulatedPartition[];
  /** Name of the engine on which all networks were trained and evaluated. */
  readonly engine: string;
}
