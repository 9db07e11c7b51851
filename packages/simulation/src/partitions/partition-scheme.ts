import type { Random } from "@isthmus/core";
import type { ParameterSpecs, TensorParameters } from "@isthmus/merging";
import type { FeatureShift } from "../examples/feature-shift.ts";

/** Labels of a data set that is divided over clients, and the number of clients. */
export interface Divided {
  /** Class of each example, `[examples]`, 0-based; 0 for every example if examples have no classes. */
  readonly labels: Int32Array;
  /** Number of classes. */
  readonly classes: number;
  /** Number of clients, at least 1. */
  readonly clients: number;
}

/**
 * A scheme that divides the examples of a data set over clients. Each scheme is one file under `partitions/`.
 */
export interface PartitionScheme<P extends ParameterSpecs = ParameterSpecs> {
  /** Name in configurations and on the command line. */
  readonly name: string;
  /** Description of the scheme in one sentence. */
  readonly description: string;
  /** Source of the scheme: paper and section. */
  readonly source: string;
  /** Whether the scheme accepts examples with any labels, which need not be classes. @defaultValue false */
  readonly anyLabels?: boolean;
  /** Parameters, all with `of: "merge"`. */
  readonly parameters: P;
  /**
   * Returns the positions of the examples of each client, `[clients][its examples]`; no example occurs twice.
   * @throws InputError if there are too few examples, or classes, for that many clients
   */
  split(divided: Divided, parameters: TensorParameters<P>, random: Random): readonly Uint32Array[];
  /**
   * Returns the shift by which the inputs of one client differ from the inputs of the others. @defaultValue
   * no shift
   * @param random - random stream of that client alone
   */
  shift?(parameters: TensorParameters<P>, random: Random): FeatureShift;
}
