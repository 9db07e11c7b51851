import {
  BATCH_SIZE_FIELD,
  choiceField,
  type FieldsOf,
  flagField,
  numberField,
  OutOfRangeError,
  resolveFields,
  seedField,
  wholeField,
} from "@isthmus/core";
import type { DataSet, LossOption } from "@isthmus/graph";
import { PATH_KINDS, type PathKind } from "@isthmus/interpolation";
import { STATISTICS_FIELD, type StatisticsChoice } from "@isthmus/statistics";
import { MOST_PLACES, pointsField } from "./barrier-fields.ts";
import type { BarrierPoint } from "./barrier-result.ts";

/** Progress of {@link measureBarrier}. */
export interface BarrierProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Points measured so far, of `total`. */
  readonly completed: number;
  /** Number of points to measure, of the grid and of its refinement. */
  readonly total: number;
  /** Point that was measured last. */
  readonly point: BarrierPoint;
}

/** Options of the measurement of barriers that are plain data. */
export interface BarrierChoice {
  /** Evenly spaced places, both ends included, at least 3. @defaultValue 25 */
  readonly points?: number;
  /**
   * Largest number of further places, which are added where the curve is highest above its chord.
   * @defaultValue 0
   */
  readonly refine?: number;
  /** Kind of the path between the networks. @defaultValue "linear" */
  readonly path?: PathKind;
  /**
   * Treatment of the statistics of activations between the ends.
   * @defaultValue "auto": batch norms are measured again, networks without them are not changed
   */
  readonly statistics?: StatisticsChoice;
  /**
   * Whether to measure the loss also with one softmax temperature, which is fitted at every place to the
   * examples on which statistics are measured.
   * @defaultValue false
   */
  readonly temperature?: boolean;
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
}

/**
 * Options of the bootstrap intervals of a barrier, for which examples are drawn repeatedly with replacement.
 */
export interface ResamplingChoice {
  /** Resamples for the intervals, at least 2; 0 for none. @defaultValue 0 */
  readonly bootstrap?: number;
  /** Coverage of the intervals, in `(0, 1)`. @defaultValue 0.95 */
  readonly level?: number;
  /** Seed of the resamples. @defaultValue 0 */
  readonly seed?: number;
}

/** Number of further places if a command line asks to refine without a number. */
const REFINED_PLACES = 8;

/** Fields of {@link BarrierChoice}. */
export const BARRIER_FIELDS: FieldsOf<BarrierChoice> = {
  points: pointsField(25, "number of evenly spaced places, both ends among them"),
  refine: wholeField({
    least: 0,
    most: MOST_PLACES,
    default: 0,
    bare: REFINED_PLACES,
    help: "up to n more places where the curve is highest",
  }),
  path: choiceField<PathKind>(PATH_KINDS, {
    placeholder: "<kind>",
    default: "linear",
    help: "the path from A to B: the line, or the arc (spherical)",
  }),
  statistics: STATISTICS_FIELD,
  temperature: flagField({
    default: false,
    keyed: "if-changed",
    help: "measure the loss also with one softmax temperature fitted at every place, on the examples for statistics",
  }),
  batchSize: BATCH_SIZE_FIELD,
};

/** Largest number of resamples: more would change no digit that is shown. */
const MOST_RESAMPLES = 1_000_000;

/** Fields of {@link ResamplingChoice}. */
export const RESAMPLING_FIELDS: FieldsOf<ResamplingChoice> = {
  bootstrap: wholeField({
    least: 0,
    most: MOST_RESAMPLES,
    default: 0,
    help: "number of resamples of the examples, for confidence intervals",
  }),
  level: numberField({ above: 0, below: 1, default: 0.95, rare: true, help: "coverage of the intervals" }),
  seed: seedField("seed of the resamples"),
};

/** Inputs of a measurement of a barrier beside its plain options: data, a signal, progress. */
interface BarrierRun extends LossOption {
  /** Examples on which statistics are measured. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BarrierProgress) => void) | undefined;
}

/** Options of {@link measureBarrier}. */
export interface MeasureBarrierOptions extends BarrierChoice, ResamplingChoice, BarrierRun {}

/** Words for the attempt in error messages. */
export const ATTEMPT = "measure a barrier";

const RUN_DEFAULTS: Required<BarrierRun> = {
  loss: undefined,
  statisticsData: undefined,
  signal: undefined,
  onProgress: undefined,
};

/**
 * Fills in the defaults of options and checks their ranges.
 * @throws UsageError if an option is unknown
 * @throws OutOfRangeError if an option is out of range
 */
export function resolveBarrierOptions(options: MeasureBarrierOptions): Required<MeasureBarrierOptions> {
  const fields: FieldsOf<BarrierChoice & ResamplingChoice> = { ...BARRIER_FIELDS, ...RESAMPLING_FIELDS };
  const resolved = resolveFields(ATTEMPT, fields, options, RUN_DEFAULTS);
  const { bootstrap, path, statistics } = resolved;
  if (bootstrap === 1) fail("bootstrap", "0 or at least 2, since one sample has no spread", bootstrap);
  if (statistics === "repair-closed-form" && path !== "linear")
    fail("path", `linear for ${statistics}`, path);
  return resolved;
}

function fail(option: string, rule: string, value: unknown): never {
  throw new OutOfRangeError(`Cannot ${ATTEMPT} as "${option}" must be ${rule}: it is ${value}`);
}
