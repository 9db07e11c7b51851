import type { StatisticsChoice } from "@isthmus/statistics";
import { MANY_METHODS } from "@isthmus/weight-matching";
import type { MeasuredLoss } from "../schema/measured-loss.ts";
import type { WantedValues } from "./wanted-values.ts";

/** Names of all ways to make one prediction of several networks, see {@link ManyChoice}. */
export const MANY_CHOICES: readonly ["single", "ensemble", "naive", ...typeof MANY_METHODS] = [
  "single",
  "ensemble",
  "naive",
  ...MANY_METHODS,
];

/**
 * Way to make one prediction of several networks. `single` takes each network by itself, and `ensemble` the
 * mean of their predicted probabilities. The others take the network of the mean weights: `naive` averages
 * the networks without matching them, and the methods of `matchMany` match them to each other first, where
 * `reference` matches them to each of several networks in turn.
 */
export type ManyChoice = (typeof MANY_CHOICES)[number];

/**
 * Loss and accuracy of several networks of one group together, for the networks that differ in one variable
 * only. It gives one result, for `single` one of each network, named by the variable `member`, and for
 * `reference` one of each reference, named by the variable `reference`.
 */
export interface MergeMeasurement extends MeasuredLoss {
  /** Kind of the measurement. */
  readonly kind: "merge";
  /** Name of the group of networks. */
  readonly of: string;
  /** The variable in which networks that are merged differ. @defaultValue "seed" */
  readonly across?: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
  /** Number of networks that are merged, from the first of the group. @defaultValue all */
  readonly count?: number;
  /** Way to make one prediction of the networks. */
  readonly many: ManyChoice;
  /** Number of networks that are the reference in turn, from the first. @defaultValue all that are merged */
  readonly references?: number;
  /** Number of searches for each matching of two networks. @defaultValue the default of `matchMany` */
  readonly restarts?: number;
  /** Name of the examples to evaluate on. */
  readonly data: string;
  /** Correction of the statistics of activations; `ensemble` ignores it. @defaultValue "auto" */
  readonly statistics?: StatisticsChoice;
  /** Name of the examples that statistics are measured on. @defaultValue the first 2,500 of `data` */
  readonly statisticsData?: string;
  /** Examples in one engine call: more are faster for small networks. @defaultValue 100 */
  readonly batchSize?: number;
}
