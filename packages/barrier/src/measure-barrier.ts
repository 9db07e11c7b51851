import { at, type Checkpoint } from "@isthmus/core";
import { type Architecture, type DataSet, lossFields, scoreBy } from "@isthmus/graph";
import { createPath, type Path } from "@isthmus/interpolation";
import { chooseStatistics } from "@isthmus/statistics";
import { ATTEMPT, type MeasureBarrierOptions, resolveBarrierOptions } from "./barrier-options.ts";
import type { BarrierResult } from "./barrier-result.ts";
import { chordBarrier } from "./barrier-values.ts";
import { bindNetwork } from "./bind-network.ts";
import {
  type CorrectedEvaluator,
  createCorrectedEvaluator,
  type EvaluatedArchitecture,
} from "./create-corrected-evaluator.ts";
import { pairOrigin } from "./pair-origin.ts";
import { type CurvePoint, pointOf, summarizeCurve } from "./summarize-curve.ts";

/** Two networks of one architecture, with the engine and the data to measure them. */
export interface BarrierNetworks extends EvaluatedArchitecture {
  /** Network at t = 0 of the path. */
  readonly a: Checkpoint;
  /** Network at t = 1 of the path. */
  readonly b: Checkpoint;
}

/** The least distance between two places, at which refining stops. */
const MIN_STEP = 1 / 1024;

/**
 * Measures loss and error along the path between two networks, and the barrier by every definition.
 *
 * All places use the same examples in the same order; sums are in f64. At the ends the networks are not
 * changed: a policy for statistics applies to the places between.
 * @throws MismatchError if a checkpoint does not fit the graph
 * @throws InputError if the data do not fit the graph
 * @throws UsageError if an option is unknown
 * @throws OutOfRangeError if an option is out of range
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
  const resolved = resolveBarrierOptions(options);
  const graph = scoreBy(unscored, resolved.loss);
  const ends = [await bindNetwork(graph, a), await bindNetwork(graph, b)] as const;
  const path = createPath(resolved.path, ...ends);
  const chosen = chooseStatistics(graph, resolved.statistics, { data, ...resolved });
  const evaluator = await createCorrectedEvaluator(
    { graph, engine, data },
    { ...resolved, attempt: ATTEMPT, statistics: chosen.statistics, ends },
  );
  try {
    const curve = await evaluateCurve({ path, evaluator }, resolved);
    return {
      kind: "barrier",
      ...lossFields(graph, data),
      ...summarizeCurve(curve, resolved),
      path: resolved.path,
      ...pairOrigin(chosen, { data, a, b }),
      engine: engine.name,
    };
  } finally {
    await evaluator.release();
  }
}

/** Path and the evaluator of its networks. */
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
