import type { PairSelection } from "./pair-selection.ts";

/**
 * Pairs of networks, and the examples that a measurement of each pair reads: to evaluate on, to train on, and
 * to measure statistics on.
 */
export interface PathMeasurement extends PairSelection {
  /** Name of the examples to evaluate on. */
  readonly data: string;
  /** Name of the examples to train on, if the measurement trains. */
  readonly trainOn?: string;
  /** Name of the examples that statistics are measured on. @defaultValue `data` */
  readonly statisticsData?: string;
  /** Examples in one engine call: more are faster for small networks. */
  readonly batchSize?: number;
}

/** Pairs of networks that are measured on several sets of examples. */
export interface SetsMeasurement extends Omit<PathMeasurement, "data"> {
  /** Names of the examples of each set, such as `mnist:test+cue=place`, by the name of the set. */
  readonly sets: Readonly<Record<string, string>>;
}
