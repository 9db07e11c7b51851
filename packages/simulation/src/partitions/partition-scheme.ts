import type { Random } from "@isthmus/core";
import type { ParameterSpecs, TensorParameters } from "@isthmus/merging";
import type { FeatureShift } from "../examples/feature-shift.ts";

/** The labels of a data set that is divided over clients, and among how many. */
export interface Divided {
  /** Class of each example, `[examples]`, 0-based; 0 of every example if they have none. */
  readonly labels: Int32Array;
  /** Number of classes. */
  readonly classes: number;
  /** Number of clients, at least 1. */
  readonly clients: number;
}

/** A way to divide the examples of a data set over clients. Each is one file under `partitions/`. */
export interface PartitionScheme<P extends ParameterSpecs = ParameterSpecs> {
  /** Name in configurations and on the command line. */
  readonly name: string;
  /** One sentence on what it does. */
  readonly description: string;
  /** Where it is from: paper and section. */
  readonly source: string;
  /** Whether examples are divided whatever their labels are, which need be no classes. @defaultValue false */
  readonly anyLabels?: boolean;
  /** Parameters, all with `of: "merge"`. */
  readonly parameters: P;
  /**
   * Returns the positions of the examples of each client, `[clients][its examples]`: no example twice.
   * @throws InputError if there are too few examples, or classes, for that many clients
   */
  split(divided: Divided, parameters: TensorParameters<P>, random: Random): readonly Uint32Array[];
  /**
   * Returns how the inputs of one client differ from the inputs of the others. @defaultValue not at all
   * @param random - a stream of that client alone
   */
  shift?(parameters: TensorParameters<P>, random: Random): FeatureShift;
}
