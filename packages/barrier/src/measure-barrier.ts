import { assertWholeOptions, at, type Checkpoint, OutOfRangeError, resolveOptions } from "@isthmus/core";
import { type Architecture, type DataSet, type LossOption, lossFields, scoreBy } from "@isthmus/graph";
import { createPath, PATH_KINDS, type Path, type PathKind } from "@isthmus/interpolation";
import { assertChoice, chooseStatistics, type StatisticsChoice } from "@isthmus/statistics";
import type { BarrierPoint, BarrierResult } from "./barrier-result.ts";
import { chordBarrier } from "./barrier-values.ts";
import { bindNetwork } from "./bind-network.ts";
import {
  type CorrectedEvaluator,
  createCorrectedEvaluator,
  type EvaluatedArchitecture,
} from "./create-corrected-evaluator.ts";
import { type CurvePoint, pointOf, summarizeCurve } from "./summarize-curve.ts";

/** Two networks of one architecture, and the engine and the data to measure them with. */
export interface BarrierNetworks extends EvaluatedArchitecture {
  readonly a: Checkpoint;
  readonly b: Checkpoint;
}

/** Progress of {@link measureBarrier}. */
export interface BarrierProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Points measured so far, of `total`. */
  readonly completed: number;
  readonly total: number;
  /** The point measured last. */
  readonly point: BarrierPoint;
}

/** Options of {@link measureBarrier}. */
export interface MeasureBarrierOptions extends LossOption {
  /** Evenly spaced places, both ends included, at least 3. @defaultValue 25 */
  readonly points?: number;
  /** The most further places, which are added where the curve is highest above its chord. @defaultValue 0 */
  readonly refine?: number;
  /** Kind of the path between the networks. @defaultValue "linear" */
  readonly path?: PathKind;
  /**
   * What is done about the statistics of activations between the ends.
   * @defaultValue "auto": batch norms are measured again, networks without them are not changed
   */
  readonly statistics?: StatisticsChoice;
  /** Examples to measure statistics on. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  /**
   * Measure the loss also with one softmax temperature, which is fitted at every place to the examples that
   * statistics are measured on. @defaultValue false
   */
  readonly temperature?: boolean;
  /** Resamples for the intervals, at least 2; 0 for none. @defaultValue 0 */
  readonly bootstrap?: number;
  /** Coverage of the intervals, in `(0, 1)`. @defaultValue 0.95 */
  readonly level?: number;
  /** Seed of the resamples. @defaultValue 0 */
  readonly seed?: number;
  /** Examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BarrierProgress) => void) | undefined;
}

/** Defaults of {@link measureBarrier}. */
export const MEASURE_BARRIER_DEFAULTS: Required<MeasureBarrierOptions> = {
  loss: undefined,
  points: 25,
  refine: 0,
  path: "linear",
  statistics: "auto",
  statisticsData: undefined,
  temperature: false,
  bootstrap: 0,
  level: 0.95,
  seed: 0,
  batchSize: 100,
  signal: undefined,
  onProgress: undefined,
};

const ATTEMPT = "measure a barrier";

/** The least distance between two places, at which refining stops. */
const MIN_STEP = 1 / 1024;

/**
 * Measures loss and error along the path between two networks, and the barrier by every definition.
 *
 * All places use the same examples in the same order; sums are in f64. The ends are the networks as they are:
 * a policy for statistics applies to the places between.
 * @throws MismatchError if a checkpoint does not fit the graph
 * @throws InputError if the data do not fit the graph
 * @throws RangeError if an option is out of range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, measureBarrier, openArchitecture } from "isthmus";
 * import { openCheckpoint, openDataSet } from "isthmus";
 *
 * const architecture = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
 * const a = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const b = await openCheckpoint("examples/mnist-mlp/s1.safetensors");
 *
 * const data = await openDataSet("mnist:test@100");
 * const { barrier } = await measureBarrier(architecture, [a, b], data, { points: 3 });
 * assert(barrier.loss.chord > 1); // in nats, as trained; aligned it is hardly anything
 * await Promise.all([a.close(), b.close()]);
 * ```
 */
export async function measureBarrier(
  { graph: unscored, engine }: Architecture,
  [a, b]: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  options: MeasureBarrierOptions = {},
): Promise<BarrierResult> {
  const resolved = resolveOptions(ATTEMPT, MEASURE_BARRIER_DEFAULTS, options);
  assertOptions(resolved);
  const graph = scoreBy(unscored, resolved.loss);
  const ends = [await bindNetwork(graph, a), await bindNetwork(graph, b)] as const;
  const path = createPath(resolved.path, ...ends);
  const { statistics, statisticsData } = chooseStatistics(graph, resolved.statistics, { data, ...resolved });
  const evaluator = await createCorrectedEvaluator(
    { graph, engine, data },
    { ...resolved, attempt: ATTEMPT, statistics, ends },
  );
  try {
    const curve = await evaluateCurve({ path, evaluator }, resolved);
    return {
      kind: "barrier",
      ...lossFields(graph, data),
      ...summarizeCurve(curve, resolved),
      path: resolved.path,
      statistics,
      ...(statisticsData && { statisticsData: statisticsData.name, statisticsExamples: statisticsData.size }),
      examples: data.size,
      data: data.name,
      a: a.source,
      b: b.source,
      engine: engine.name,
    };
  } finally {
    await evaluator.release();
  }
}

function assertOptions(options: Required<MeasureBarrierOptions>): void {
  const { level, path, statistics } = options;
  assertChoice(ATTEMPT, statistics);
  const least = { points: 3, refine: 0, bootstrap: 0, seed: 0, batchSize: 1 };
  assertWholeOptions(ATTEMPT, options, least);
  if (options.bootstrap === 1) fail("bootstrap", "0 or at least 2, since one sample has no spread", 1);
  if (!(level > 0 && level < 1)) fail("level", "between 0 and 1", level);
  if (!PATH_KINDS.includes(path)) fail("path", `one of ${PATH_KINDS.join(", ")}`, path);
  if (statistics === "repair-closed-form" && path !== "linear")
    fail("path", `linear for ${statistics}`, path);
}

function fail(option: string, rule: string, value: unknown): never {
  throw new OutOfRangeError(`Cannot ${ATTEMPT} as "${option}" must be ${rule}: it is ${value}`);
}

/** A path and the evaluator of its networks. */
interface CurveTask {
  readonly path: Path;
  readonly evaluator: CorrectedEvaluator;
}

/** Evaluates the networks at all places of a path, ascending in t. */
async function evaluateCurve(
  { path, evaluator }: CurveTask,
  options: Required<MeasureBarrierOptions>,
): Promise<CurvePoint[]> {
  const { points, refine, signal, onProgress } = options;
  const curve: CurvePoint[] = [];
  const visit = async (t: number): Promise<void> => {
    signal?.throwIfAborted();
    const evaluation = await evaluator.evaluate(path(t), sharesAt(t));
    curve.push({ t, evaluation });
    curve.sort((x, y) => x.t - y.t);
    const [completed, total] = [curve.length, points + refine];
    onProgress?.({ done: completed / total, completed, total, point: pointOf({ t, evaluation }) });
  };
  for (let index = 0; index < points; index++) await visit(index / (points - 1));
  for (let added = 0; added < refine; added++) {
    const next = nextPlace(curve);
    if (next === undefined) break;
    await visit(next);
  }
  return curve;
}

/**
 * Returns the next place to measure: the middle of the wider of the two intervals beside the highest rise;
 * undefined once that interval is narrow.
 */
function nextPlace(curve: readonly CurvePoint[]): number | undefined {
  const t = curve.map((point) => point.t);
  const losses = curve.map(({ evaluation }) => evaluation.loss);
  const { at: highest } = chordBarrier(t, losses);
  const index = t.indexOf(highest);
  const left = at(t, Math.max(0, index - 1), "place");
  const right = at(t, Math.min(t.length - 1, index + 1), "place");
  const next = highest - left > right - highest ? (left + highest) / 2 : (highest + right) / 2;
  return Math.max(highest - left, right - highest) / 2 < MIN_STEP ? undefined : next;
}

/**
 * Returns the share of each end in the network at a place; undefined at the ends, which are not corrected.
 */
function sharesAt(t: number): readonly number[] | undefined {
  return t === 0 || t === 1 ? undefined : [1 - t, t];
}
