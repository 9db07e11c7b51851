import type { Random } from "@isthmus/core";
import type { ParameterSpecs, TensorParameters } from "@isthmus/merging";

/** Knowledge of attackers about a range of elements of one tensor. */
export interface HonestBlock {
  /** Displacements of the honest clients, `[honest clients][elements]`, in the order of their names. */
  readonly honest: readonly Float64Array[];
  /** Number of attackers, at least 1. */
  readonly attackers: number;
  /** Random numbers of this tensor in this round, for ranges in their order. */
  readonly random: Random;
}

/** Fields that all attacks have. */
interface AttackDescription<P extends ParameterSpecs> {
  /** Name in configurations and on the command line. */
  readonly name: string;
  /** Description of the attack in one sentence. */
  readonly description: string;
  /** Source of the attack: paper and section. */
  readonly source: string;
  /** Parameters, all with `of: "merge"`. */
  readonly parameters: P;
}

/**
 * An attack on updates: attackers know the updates of all honest clients, and all attackers send the same
 * update.
 */
export interface UpdateAttack<P extends ParameterSpecs = ParameterSpecs> extends AttackDescription<P> {
  /** Tag of attacks that replace the updates of the attackers. */
  readonly kind: "update";
  /**
   * Writes the displacement that every attacker sends.
   * @param out - `[elements]`
   */
  attackInto(block: HonestBlock, parameters: TensorParameters<P>, out: Float64Array): void;
}

/** An attack on examples: attackers train as the server asks, but on wrong labels. */
export interface DataAttack<P extends ParameterSpecs = ParameterSpecs> extends AttackDescription<P> {
  /** Tag of attacks that replace the labels of the attackers' examples. */
  readonly kind: "data";
  /** Returns the class that an attacker assigns to an example. */
  relabel(label: number, classes: number, parameters: TensorParameters<P>): number;
}

/** An attack by which some clients spoil the network of all. Each attack is one file under `attacks/`. */
export type Attack<P extends ParameterSpecs = ParameterSpecs> = UpdateAttack<P> | DataAttack<P>;
