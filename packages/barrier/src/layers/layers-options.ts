import {
  BATCH_SIZE_FIELD,
  examplesField,
  type FieldsOf,
  listField,
  OutOfRangeError,
  resolveFields,
  seedField,
  triesField,
} from "@isthmus/core";
import type { DataSet, LossOption } from "@isthmus/graph";
import type { ChosenStatistics, StatisticsChoice } from "@isthmus/statistics";
import { pointsField } from "../barrier-fields.ts";
import { CUMULATIVE_ORDERS, type CumulativeOrder } from "../layers-result.ts";
import { GROUPS_FIELD, MIXED_STATISTICS_FIELD } from "./group-fields.ts";
import type { LayerPattern } from "./group-layers.ts";

/** Progress of {@link measureLayers}. */
export interface LayersProgress {
  /** Phase of the measurement. */
  readonly phase: "measuring" | "directions" | "predicting";
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /**
   * Number of networks evaluated and of passes of differentiation made, of `total`, including results that
   * the journal already has.
   */
  readonly completed: number;
  /** Number of networks to evaluate and of passes to make. */
  readonly total: number;
}

/** Options of the measurement of barriers by layer that are plain data. */
export interface LayersChoice {
  /** Groups to form first; other tensors are grouped by layer. @defaultValue none */
  readonly groups?: readonly LayerPattern[];
  /** Orders in which groups are accumulated. @defaultValue shallow to deep, deep to shallow */
  readonly orders?: readonly CumulativeOrder[];
  /** Evenly spaced places on every cut, both ends included: an odd number of at least 3. @defaultValue 5 */
  readonly points?: number;
  /**
   * Treatment of the statistics of activations; not `repair-closed-form`.
   * @defaultValue "auto": batch norms are measured again, networks without them are not changed; with
   *   `predict`, no network is changed
   */
  readonly statistics?: StatisticsChoice;
  /**
   * Number of examples, the first ones, on which barriers are predicted: all if there are fewer, 0 for no
   * predictions.
   * @defaultValue 0
   */
  readonly predict?: number;
  /** Number of random directions for each group; 0 for none. @defaultValue 0 */
  readonly directions?: number;
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  /** Seed of the random order and of random directions. @defaultValue 0 */
  readonly seed?: number;
}

/** Number of random directions, as published, if a command line asks for directions without a number. */
const DIRECTIONS = 5;

/** Default number of examples on which barriers are predicted. */
export const PREDICTED_EXAMPLES = 1000;

/** Fields of {@link LayersChoice}. */
export const LAYERS_FIELDS: FieldsOf<LayersChoice> = {
  groups: GROUPS_FIELD,
  orders: listField<CumulativeOrder>(
    { type: "choice", values: CUMULATIVE_ORDERS },
    {
      flag: "order",
      placeholder: "<names...>",
      least: 0,
      default: ["shallow-to-deep", "deep-to-shallow"],
      help: `orders in which groups are added up, of ${CUMULATIVE_ORDERS.join(", ")}`,
    },
  ),
  points: pointsField(5, "number of places on every path, both ends among them; an odd number"),
  statistics: MIXED_STATISTICS_FIELD,
  predict: examplesField({
    least: 0,
    default: 0,
    bare: PREDICTED_EXAMPLES,
    help: "predict barriers from slopes and curvatures at both ends, on the first n examples; 0 for no predictions",
  }),
  directions: triesField({
    least: 0,
    default: 0,
    bare: DIRECTIONS,
    flag: "robustness",
    help: "compare with n random directions of the same length; 0 for none",
  }),
  batchSize: BATCH_SIZE_FIELD,
  seed: seedField("seed of the random order and of random directions"),
};

/**
 * Inputs of a measurement of barriers by layer beside its plain options: data, a journal, a signal, progress.
 */
interface LayersRun extends LossOption {
  /** Examples on which statistics are measured. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  /** File that stores finished pieces, and from which the same measurement resumes. @defaultValue none */
  readonly journalPath?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LayersProgress) => void) | undefined;
}

/** Options of {@link measureLayers}. */
export interface MeasureLayersOptions extends LayersChoice, LayersRun {}

/** Options of {@link measureLayers} with all defaults filled in. */
type AskedLayersOptions = Readonly<Required<MeasureLayersOptions>>;

/**
 * Options with all defaults filled in, and the policy for statistics that fits the network in place of
 * `auto`.
 */
export type ResolvedLayersOptions = Omit<AskedLayersOptions, "statistics" | "statisticsData"> &
  ChosenStatistics;

const ATTEMPT = "measure layers";

const RUN_DEFAULTS: Required<LayersRun> = {
  loss: undefined,
  statisticsData: undefined,
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
  const resolved = resolveFields(ATTEMPT, LAYERS_FIELDS, options, RUN_DEFAULTS);
  const { points, orders, statistics } = resolved;
  const predict = Math.min(resolved.predict, examples);
  if (points % 2 === 0) fail("points", "odd, so that one lies half-way", points);
  if (new Set(orders).size < orders.length) fail("orders", "different from each other", orders.join(", "));
  if (predict > 0 && statistics !== "keep" && statistics !== "auto")
    fail("statistics", "keep where barriers are predicted, since the ends know of no other", statistics);
  return predict > 0 ? { ...resolved, predict, statistics: "keep" } : resolved;
}

function fail(option: string, rule: string, value: unknown): never {
  throw new OutOfRangeError(`Cannot ${ATTEMPT} as "${option}" must be ${rule}: it is ${value}`);
}
