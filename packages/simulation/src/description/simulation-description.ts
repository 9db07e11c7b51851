import type { DeviceName } from "@isthmus/graph";
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
  /** Title of the simulation, the heading of its report. */
  readonly title: string;
  /** Purpose of the simulation, in a sentence or two. @defaultValue "" */
  readonly description?: string;
  /**
   * Device that computes, see {@link DeviceName}, for the command `isthmus federate simulate`; a script names
   * that of its threads or workers itself. @defaultValue "cpu"
   */
  readonly device?: DeviceName;
  /** Fields that all federations share: network, examples, numbers of clients and rounds, training. */
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
  /**
   * Seeds by which every federation is simulated, once by each: a list, or a range such as `0..4`.
   * @defaultValue 0
   */
  readonly seeds?: readonly number[] | string;
}

/** Values by which one federation of a simulation differs from the others. */
export interface SimulationCell {
  /** Name of the partition, a key of `partitions`. */
  readonly partition: string;
  /** Name of the strategy, a key of `strategies`. */
  readonly strategy: string;
  /** Name of the attack, a key of `attacks`; `none` if the description lists no attacks. */
  readonly attack: string;
  /** Seed of all random choices of the federation, a whole number in `[0, 2^53)`. */
  readonly seed: number;
}
