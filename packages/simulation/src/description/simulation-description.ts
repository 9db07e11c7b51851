import type {
  AttackDescription,
  FederationDescription,
  PartitionDescription,
  SimulatedStrategy,
} from "./federation-description.ts";

/** What all federations of a simulation have in common. */
export type CommonFederation = Omit<FederationDescription, "partition" | "strategy" | "attack" | "seed">;

/** Federations to simulate and compare: every partition with every strategy, attack and seed. */
export interface SimulationDescription {
  readonly title: string;
  /** What it is to show, in a sentence or two. @defaultValue "" */
  readonly description?: string;
  readonly federation: CommonFederation;
  /** By the names that tables show. @defaultValue examples are dealt evenly */
  readonly partitions?: Readonly<Record<string, PartitionDescription>>;
  /** By the names that tables show, which decide nothing here: `{}` is FedAvg. @defaultValue FedAvg */
  readonly strategies?: Readonly<Record<string, SimulatedStrategy>>;
  /** By the names that tables show; `null` for none. @defaultValue none */
  readonly attacks?: Readonly<Record<string, AttackDescription | null>>;
  /** Seeds, listed or as `0..4`. @defaultValue 0 */
  readonly seeds?: readonly number[] | string;
}

/** What makes one federation of a simulation differ from the others. */
export interface SimulationCell {
  readonly partition: string;
  readonly strategy: string;
  readonly attack: string;
  readonly seed: number;
}
