import type { SimulationCell, SimulationDescription } from "../description/simulation-description.ts";
import type { FederationRun, PartitionedClient } from "./federation-run.ts";

/** One federation of a simulation, and what it came to. */
export interface SimulatedRun extends SimulationCell, FederationRun {}

/** How one partition divided the examples, for one seed. */
export interface SimulatedPartition {
  readonly partition: string;
  readonly seed: number;
  readonly clients: readonly PartitionedClient[];
}

/** What a simulation has found, as plain data. */
export interface SimulationResult {
  readonly kind: "simulation";
  readonly title: string;
  readonly description: string;
  /** What all federations have in common. */
  readonly federation: SimulationDescription["federation"];
  /** Descriptions by the names that runs have. */
  readonly partitions: NonNullable<SimulationDescription["partitions"]>;
  readonly strategies: NonNullable<SimulationDescription["strategies"]>;
  readonly attacks: NonNullable<SimulationDescription["attacks"]>;
  readonly seeds: readonly number[];
  /** In the order of partitions, strategies, attacks and seeds. */
  readonly runs: readonly SimulatedRun[];
  /** One of each partition and seed. */
  readonly divisions: readonly SimulatedPartition[];
  readonly engine: string;
}
