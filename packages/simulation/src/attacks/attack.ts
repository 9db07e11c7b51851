import type { Random } from "@isthmus/core";
import type { ParameterSpecs, TensorParameters } from "@isthmus/merging";

/** What attackers know of a range of elements of one tensor. */
export interface HonestBlock {
  /** Displacements of the honest clients, `[honest clients][elements]`, in the order of their names. */
  readonly honest: readonly Float64Array[];
  /** Number of attackers, at least 1. */
  readonly attackers: number;
  /** Random numbers of this tensor in this round, for ranges in their order. */
  readonly random: Random;
}

/** What all attacks say of themselves. */
interface AttackDescription<P extends ParameterSpecs> {
  /** Name in configurations and on the command line. */
  readonly name: string;
  /** One sentence on what it does. */
  readonly description: string;
  /** Where it is from: paper and section. */
  readonly source: string;
  /** Parameters, all with `of: "merge"`. */
  readonly parameters: P;
}

/**
 * An attack on updates: attackers know what all honest clients send, and all of them send one and the same.
 */
export interface UpdateAttack<P extends ParameterSpecs = ParameterSpecs> extends AttackDescription<P> {
  readonly kind: "update";
  /**
   * Writes the displacement that every attacker sends.
   * @param out - `[elements]`
   */
  attackInto(block: HonestBlock, parameters: TensorParameters<P>, out: Float64Array): void;
}

/** An attack on examples: attackers train as they are asked to, on labels that are wrong. */
export interface DataAttack<P extends ParameterSpecs = ParameterSpecs> extends AttackDescription<P> {
  readonly kind: "data";
  /** Returns the class that an attacker says an example is of. */
  relabel(label: number, classes: number, parameters: TensorParameters<P>): number;
}

/** What some clients do to spoil the network of all. Each is one file under `attacks/`. */
export type Attack<P extends ParameterSpecs = ParameterSpecs> = UpdateAttack<P> | DataAttack<P>;
