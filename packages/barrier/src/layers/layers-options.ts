import { assertWholeOptions, OutOfRangeError, resolveOptions } from "@isthmus/core";
import type { DataSet, LossOption } from "@isthmus/graph";
import { type ChosenStatistics, STATISTICS_CHOICES, type StatisticsChoice } from "@isthmus/statistics";
import { CUMULATIVE_ORDERS, type CumulativeOrder } from "../layers-result.ts";
import type { LayerPattern } from "./group-layers.ts";

/** Progress of {@link measureLayers}. */
export interface LayersProgress {
  /** What `measureLayers` is doing. */
  readonly phase: "measuring" | "directions" | "predicting";
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /**
   * Networks evaluated and passes of differentiation made, of `total`, including all that the journal already
   * has.
   */
  readonly completed: number;
  readonly total: number;
}

/** Options of {@link measureLayers}. */
export interface MeasureLayersOptions extends LossOption {
  /** Groups to form first; other tensors are grouped by layer. @defaultValue none */
  readonly groups?: readonly LayerPattern[];
  /** Orders in which groups are accumulated. @defaultValue shallow to deep, deep to shallow */
  readonly orders?: readonly CumulativeOrder[];
  /** Evenly spaced places on every cut, both ends included: an odd number of at least 3. @defaultValue 5 */
  readonly points?: number;
  /**
   * What is done about the statistics of activations; not `repair-closed-form`.
   * @defaultValue "auto": batch norms are measured again, networks without them are not changed; with
   *   `predict`, no network is
   */
  readonly statistics?: StatisticsChoice;
  /** Examples to measure statistics on. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  /**
   * Number of examples, the first ones, on which barriers are predicted; 0 for no predictions. @defaultValue
   * 0
   */
  readonly predict?: number;
  /** Random directions for each group; 0 for none. @defaultValue 0 */
  readonly directions?: number;
  /** Seed of the random order and of random directions. @defaultValue 0 */
  readonly seed?: number;
  /** Examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  /** File that stores finished pieces, and from which the same measurement resumes. @defaultValue none */
  readonly journalPath?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LayersProgress) => void) | undefined;
}

/** Options of {@link measureLayers} with all defaults filled in. */
export type AskedLayersOptions = Readonly<Required<MeasureLayersOptions>>;

/** Options with all defaults filled in, and the policy for statistics decided for the network. */
export type ResolvedLayersOptions = Omit<AskedLayersOptions, "statistics" | "statisticsData"> &
  ChosenStatistics;

/** Defaults of {@link measureLayers}. */
export const MEASURE_LAYERS_DEFAULTS: AskedLayersOptions = {
  loss: undefined,
  groups: [],
  orders: ["shallow-to-deep", "deep-to-shallow"],
  points: 5,
  statistics: "auto",
  statisticsData: undefined,
  predict: 0,
  directions: 0,
  seed: 0,
  batchSize: 100,
  journalPath: undefined,
  signal: undefined,
  onProgress: undefined,
};

/**
 * Fills in the defaults of options and checks their ranges.
 * @param examples - number of examples of the data set
 * @throws UsageError if an option is unknown
 * @throws OutOfRangeError if an option is out of range
 */
export function resolveLayersOptions(options: MeasureLayersOptions, examples: number): AskedLayersOptions {
  const resolved = resolveOptions("measure layers", MEASURE_LAYERS_DEFAULTS, options);
  const { points, orders, statistics, predict } = resolved;
  const least = { points: 3, predict: 0, directions: 0, seed: 0, batchSize: 1 };
  assertWholeOptions("measure layers", resolved, least);
  if (predict > examples) fail("predict", `at most ${examples}, the examples`, predict);
  if (points % 2 === 0) fail("points", "odd, so that one lies half-way", points);
  for (const order of orders) {
    if (!CUMULATIVE_ORDERS.includes(order)) fail("orders", `of ${CUMULATIVE_ORDERS.join(", ")}`, order);
  }
  if (new Set(orders).size < orders.length) fail("orders", "different from each other", orders.join(", "));
  const policies = STATISTICS_CHOICES.filter((policy) => policy !== "repair-closed-form");
  if (!policies.some((policy) => policy === statistics))
    fail("statistics", `one of ${policies.join(", ")}`, statistics);
  if (predict > 0 && statistics !== "keep" && statistics !== "auto")
    fail("statistics", "keep where barriers are predicted, since the ends know of no other", statistics);
  return predict > 0 ? { ...resolved, statistics: "keep" } : resolved;
}

function fail(option: string, rule: string, value: unknown): never {
  throw new OutOfRangeError(`Cannot measure layers as "${option}" must be ${rule}: it is ${value}`);
}
