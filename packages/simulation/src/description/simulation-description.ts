import type {
  AttackDescription,
  FederationDescription,
  PartitionDescription,
  SimulatedStrategy,
} from "./federation-description.ts";

/** Fields that all federations of a simulation have in common. */
export type CommonFederation = Omit<FederationDescription, "partition" | "strategy" | "attack" | "seed">;

/** Federations to simulate and compare: every partition with every strategy, attack and seed. */
export interface SimulationDescription {
  readonly title: string;
  /** Purpose of the simulation, in a sentence or two. @defaultValue "" */
  readonly description?: string;
  readonly federation: CommonFederation;
  /** Partitions by the names that tables show. @defaultValue examples are dealt evenly */
  readonly partitions?: Readonly<Record<string, PartitionDescription>>;
  /**
   * Strategies by the names that tables show. The names have no effect here: `{}` is FedAvg under any name.
   * @defaultValue FedAvg
   */
  readonly strategies?: Readonly<Record<string, SimulatedStrategy>>;
  /** Attacks by the names that tables show; `null` for no attack. @defaultValue no attack */
  readonly attacks?: Readonly<Record<string, AttackDescription | null>>;
  /** Seeds, listed or as `0..4`. @defaultValue 0 */
  readonly seeds?: readonly number[] | string;
}

/** Values by which one federation of a simulation differs from the others. */
export interface SimulationCell {
  readonly partition: string;
  readonly strategy: string;
  readonly attack: string;
  readonly seed: number;
}
