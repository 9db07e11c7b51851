import type { EvaluatedArchitecture } from "@isthmus/barrier";
import { resolveOptions } from "@isthmus/core";
import { createPath } from "@isthmus/interpolation";
import type { CurveResult } from "./curve-result.ts";
import { MEASURE_PATH_DEFAULTS, type MeasurePathOptions, measurePath } from "./measure-path.ts";
import type { TrainedCurve } from "./train-curve.ts";

/** A trained curve, and the architecture and the data to measure it with. */
export interface EvaluatedCurve extends EvaluatedArchitecture {
  readonly trained: TrainedCurve;
}

/**
 * Measures a curve, and for comparison the straight line between its ends.
 * @throws MismatchError, InputError, OutOfRangeError, DOMException as `measurePath`
 */
export async function measureCurve(
  { trained, ...architecture }: EvaluatedCurve,
  options: MeasurePathOptions = {},
): Promise<CurveResult> {
  const { points, onProgress, ...resolved } = resolveOptions(
    "measure a curve",
    MEASURE_PATH_DEFAULTS,
    options,
  );
  const [a, ...others] = trained.points;
  const b = others.at(-1) ?? a;
  const along = (path: TrainedCurve["path"], before: number) =>
    measurePath(
      { ...architecture, path },
      {
        ...resolved,
        points,
        onProgress: ({ done }) => onProgress?.({ done: before + done, total: 2 * points }),
      },
    );
  return {
    kind: "curve",
    curve: trained.curve,
    bends: trained.points.length - 2,
    epochs: trained.result.epochs,
    trainingData: trained.trainingData,
    path: await along(trained.path, 0),
    line: await along(createPath("linear", a, b), points),
    statistics: resolved.statistics,
    examples: architecture.data.size,
    data: architecture.data.name,
    a: a.source,
    b: b.source,
    seed: trained.result.seed,
    engine: architecture.engine.name,
  };
}
