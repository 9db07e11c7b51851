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
 * How one prediction is made of several networks. `single` takes each network by itself, and `ensemble` the
 * mean of their predicted probabilities. The others take the network of the mean weights: of the networks as
 * they are (`naive`), or matched to each other first by a method of `matchMany`, where `reference` matches
 * them to each of several networks in turn.
 */
export type ManyChoice = (typeof MANY_CHOICES)[number];

/**
 * Loss and accuracy of several networks of one group together, for the networks that differ in one variable
 * only. It gives one result, for `single` one of each network, named by the variable `member`, and for
 * `reference` one of each reference, named by the variable `reference`.
 */
export interface MergeMeasurement extends MeasuredLoss {
  readonly kind: "merge";
  /** Name of the group of networks. */
  readonly of: string;
  /** The variable in which networks that are merged differ. @defaultValue "seed" */
  readonly across?: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
  /** How many networks are merged: the first ones of the group. @defaultValue all */
  readonly count?: number;
  readonly many: ManyChoice;
  /** How many networks are the reference in turn: the first ones. @defaultValue all that are merged */
  readonly references?: number;
  /** Searches of each matching of two. @defaultValue the default of `matchMany` */
  readonly restarts?: number;
  /** Name of the examples to evaluate on. */
  readonly data: string;
  /** What is done about statistics of activations; nothing for `ensemble`. @defaultValue "auto" */
  readonly statistics?: StatisticsChoice;
  /** Name of the examples that statistics are measured on. @defaultValue the first 2,500 of `data` */
  readonly statisticsData?: string;
  /** Examples in one engine call: more are faster for small networks. @defaultValue 100 */
  readonly batchSize?: number;
}
