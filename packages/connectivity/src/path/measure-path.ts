import { bindNetwork, createCorrectedEvaluator } from "@isthmus/barrier";
import {
  at,
  BATCH_SIZE_FIELD,
  type Checkpoint,
  type FieldsOf,
  meanOf,
  placesField,
  resolveFields,
} from "@isthmus/core";
import { type Architecture, type DataSet, type LossOption, parameterNames, scoreBy } from "@isthmus/graph";
import { distance, type Path } from "@isthmus/interpolation";
import { type NormPolicy, normField } from "@isthmus/statistics";
import type { MeasuredPath, PathSummary } from "./path-result.ts";

/** Progress of {@link measurePath}. */
export interface PathProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Places measured so far, of `total`. */
  readonly completed: number;
  /** Number of places that will be measured. */
  readonly total: number;
}

/** Options of {@link measurePath} that are plain data. */
export interface MeasurePathChoice {
  /** Number of evenly spaced places, both ends included, at least 2. @defaultValue 21 */
  readonly points?: number;
  /** Treatment of batch norms between the ends. @defaultValue "recalibrate" */
  readonly statistics?: NormPolicy;
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
}

/** Fields of {@link MeasurePathChoice}. */
export const MEASURE_PATH_FIELDS: FieldsOf<MeasurePathChoice> = {
  points: placesField({
    least: 2,
    default: 21,
    help: "number of evenly spaced places, both ends among them",
  }),
  statistics: normField("recalibrate"),
  batchSize: BATCH_SIZE_FIELD,
};

/** Options of {@link measurePath}. */
export interface MeasurePathOptions extends MeasurePathChoice, LossOption {
  /**
   * Examples on which statistics are measured; training examples are better than test examples.
   * @defaultValue the first 2,500 of the evaluated ones
   */
  readonly statisticsData?: DataSet | undefined;
  /** Signal that stops the measurement between two places. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Callback for the progress, called after every place. @defaultValue none */
  readonly onProgress?: ((progress: PathProgress) => void) | undefined;
}

type Run = Omit<MeasurePathOptions, keyof MeasurePathChoice>;

const RUN_DEFAULTS: Required<Run> = {
  loss: undefined,
  statisticsData: undefined,
  signal: undefined,
  onProgress: undefined,
};

const ATTEMPT = "measure a path";

/**
 * Measures loss and error along any path, with their minimum, maximum, mean and the integral over the length
 * of the path (Garipov et al. 2018, `eval_curve.py`).
 *
 * All places use the same examples in the same order. At the ends the networks are not changed: a policy for
 * statistics applies to the places between. The length is measured along the polygon through the places,
 * between parameters; running statistics do not count.
 * @throws MismatchError if networks of the path do not fit the graph
 * @throws InputError if the data do not fit the graph
 * @throws RangeError if an option is out of range
 * @throws DOMException named AbortError if `signal` is aborted
 */
export async function measurePath(
  { graph: unscored, engine }: Architecture,
  path: Path,
  data: DataSet,
  options: MeasurePathOptions = {},
): Promise<MeasuredPath> {
  const resolved = resolveFields(ATTEMPT, MEASURE_PATH_FIELDS, options, RUN_DEFAULTS);
  const graph = scoreBy(unscored, resolved.loss);
  const { points: total, statistics, statisticsData, batchSize, signal, onProgress } = resolved;
  const correction = { attempt: ATTEMPT, statistics, statisticsData, batchSize, signal };
  const evaluator = await createCorrectedEvaluator({ graph, engine, data }, correction);
  try {
    const points: MeasuredPath["points"][number][] = [];
    let before: Checkpoint | undefined;
    let length = 0;
    for (let index = 0; index < total; index++) {
      signal?.throwIfAborted();
      const t = index / (total - 1);
      const network = await bindNetwork(graph, path(t));
      const { loss, error } = await evaluator.evaluate(network, t === 0 || t === 1 ? undefined : []);
      length += await distance(before ?? network, network, parameterNames(graph));
      points.push({ t, loss, error, length });
      before = network;
      onProgress?.({ done: points.length / total, completed: points.length, total });
    }
    return summarizePath(points);
  } finally {
    await evaluator.release();
  }
}

/**
 * Computes the summaries of loss and error along a path. A NaN at any place makes all summaries NaN, instead
 * of counting as a low loss.
 * @param points - at least two, ascending in t and length
 */
export function summarizePath(points: MeasuredPath["points"]): MeasuredPath {
  return {
    points,
    length: at(points, points.length - 1, "place").length,
    loss: summarize(points, ({ loss }) => loss),
    error: summarize(points, ({ error }) => error),
  };
}

/** Measured place of a path. */
type Point = MeasuredPath["points"][number];

function summarize(points: readonly Point[], measureOf: (point: Point) => number): PathSummary {
  const values = points.map(measureOf);
  const max = Math.max(...values);
  const mean = meanOf(values);
  return {
    min: Math.min(...values),
    max,
    mean,
    lengthMean: lengthMean(points, values) ?? mean,
    // If the maximum is NaN, it is found at no place.
    at: points[values.indexOf(max)]?.t ?? Number.NaN,
  };
}

/**
 * Computes the integral over the length by trapezoids, divided by the length; undefined for a path of length
 * 0.
 */
function lengthMean(points: readonly Point[], values: readonly number[]): number | undefined {
  const lengthAt = (index: number) => at(points, index, "place").length;
  const last = points.length - 1;
  let integral = 0;
  for (let i = 0; i < last; i++) {
    const step = lengthAt(i + 1) - lengthAt(i);
    integral += ((at(values, i, "value") + at(values, i + 1, "value")) / 2) * step;
  }
  const total = lengthAt(last) - lengthAt(0);
  return total > 0 ? integral / total : undefined;
}
