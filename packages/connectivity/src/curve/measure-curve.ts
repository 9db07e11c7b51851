import { at, resolveFields } from "@isthmus/core";
import { type Architecture, type DataSet, lossFields, scoreBy } from "@isthmus/graph";
import { createPath } from "@isthmus/interpolation";
import { MEASURE_PATH_FIELDS, type MeasurePathOptions, measurePath } from "../path/measure-path.ts";
import type { CurveResult } from "./curve-result.ts";
import type { TrainedCurve } from "./train-curve.ts";

const RUN_DEFAULTS: Required<Pick<MeasurePathOptions, "loss" | "statisticsData" | "signal">> = {
  loss: undefined,
  statisticsData: undefined,
  signal: undefined,
};

/**
 * Measures a curve, and for comparison the straight line between its ends.
 * @throws MismatchError, InputError, OutOfRangeError, DOMException as `measurePath`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, measureCurve, openDataSet, parseNetwork, trainCurve } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 *
 * const ends = [initialize(0), initialize(1)] as const; // trained ones, as a rule
 * const trained = await trainCurve(architecture, ends, data, { seed: 0, epochs: 1, batch: 50 });
 * const { path, line } = await measureCurve(architecture, trained, data, { points: 3 });
 * assert(path.loss.max <= line.loss.max); // the way around, beside the straight one
 * ```
 */
export async function measureCurve(
  architecture: Architecture,
  trained: TrainedCurve,
  data: DataSet,
  options: MeasurePathOptions = {},
): Promise<CurveResult> {
  const { onProgress, ...chosen } = options;
  const { points, statistics, loss } = resolveFields(
    "measure a curve",
    MEASURE_PATH_FIELDS,
    chosen,
    RUN_DEFAULTS,
  );
  const [a, ...others] = trained.points;
  const b = others.at(-1) ?? a;
  const along = (path: TrainedCurve["path"], before: number) =>
    measurePath(architecture, path, data, {
      ...chosen,
      onProgress({ completed }) {
        const progress = { completed: before + completed, total: 2 * points };
        onProgress?.({ done: progress.completed / progress.total, ...progress });
      },
    });
  const path = await along(trained.path, 0);
  return {
    kind: "curve",
    ...lossFields(scoreBy(architecture.graph, loss), data),
    curve: trained.curve,
    bends: trained.points.length - 2,
    epochs: trained.result.epochs,
    trainingData: trained.trainingData,
    path,
    line: await along(createPath("linear", a, b), points),
    modeConnectivity: modeConnectivity(path),
    statistics,
    examples: data.size,
    data: data.name,
    a: a.source,
    b: b.source,
    seed: trained.result.seed,
    engine: architecture.engine.name,
  };
}

/**
 * Returns the mean loss of the ends minus the loss at the place of a path that differs most from that mean.
 */
function modeConnectivity({ points }: Pick<CurveResult["path"], "points">): number {
  const losses = points.map(({ loss }) => loss);
  const ends = (at(losses, 0, "loss") + at(losses, losses.length - 1, "loss")) / 2;
  const differences = losses.map((loss) => ends - loss);
  return differences.reduce((most, one) => (Math.abs(one) > Math.abs(most) ? one : most));
}
