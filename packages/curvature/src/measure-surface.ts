import { type Checkpoint, defaultsOf, sumOf } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { criticalSharpness } from "./critical-sharpness.ts";
import type { ResolvedCurvatureOptions } from "./curvature-options.ts";
import type { CurvatureMeasures } from "./curvature-result.ts";
import { LEARNING_COEFFICIENT_FIELDS, learningCoefficient } from "./learning-coefficient.ts";
import { measureSettling, SETTLING_FIELDS } from "./measure-settling.ts";
import { measureSharpness, SHARPNESS_FIELDS } from "./measure-sharpness.ts";
import { openLossSurface } from "./operators/loss-surface.ts";
import type { MeasurementFrame, PlannedWork } from "./stage-progress.ts";

/** Approximate number of losses and gradients that the critical sharpness takes. */
const CRITICAL_WORK = 20;

/** Plans the work of measures from losses and gradients, in units of products with a matrix. */
export function plannedLosses(options: ResolvedCurvatureOptions, examples: number): PlannedWork[] {
  const { sharpness, criticalSharpness, learningCoefficient, batchSize } = options;
  const climb = { ...defaultsOf(SHARPNESS_FIELDS), ...sharpness };
  const chains = { ...defaultsOf(LEARNING_COEFFICIENT_FIELDS), ...learningCoefficient };
  const share = Math.min(1, batchSize / examples);
  return [
    { stage: "sharpness", work: sharpness === undefined ? 0 : climb.steps + climb.samples },
    { stage: "critical-sharpness", work: criticalSharpness === undefined ? 0 : CRITICAL_WORK },
    {
      stage: "learning-coefficient",
      work:
        learningCoefficient === undefined ? 0 : (share * chains.chains * (chains.burnIn + chains.draws)) / 2,
    },
    { stage: "settling", work: plannedSettling(options, examples) },
  ];
}

/**
 * Plans the work of the Hessians of fewer examples, in units of products with the Hessian of all examples.
 */
function plannedSettling({ settling }: ResolvedCurvatureOptions, examples: number): number {
  if (settling === undefined) return 0;
  const { sizes, steps, traceProducts } = { ...defaultsOf(SETTLING_FIELDS), ...settling };
  const all = sumOf(sizes ?? [examples]);
  return (all / examples) * (steps + traceProducts);
}

/** Takes the measures of the loss around a network that the options request. */
export async function measureSurface(
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  frame: MeasurementFrame,
): Promise<Pick<CurvatureMeasures, "sharpness" | "criticalSharpness" | "learningCoefficient" | "settling">> {
  const measured = await measureNearby(architecture, network, data, frame);
  const { options, announce, keep } = frame;
  if (options.settling === undefined) return measured;
  const { parameters, loss, examples, batchSize, seed, signal } = options;
  const settling = await keep("settling", () =>
    measureSettling(architecture, network, data, {
      ...options.settling,
      parameters,
      loss,
      examples,
      batchSize,
      seed,
      signal,
      onProgress: announce("settling"),
    }),
  );
  return { ...measured, settling };
}

async function measureNearby(
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  { options, announce, keep }: MeasurementFrame,
): Promise<Pick<CurvatureMeasures, "sharpness" | "criticalSharpness" | "learningCoefficient">> {
  const { parameters, loss, examples, batchSize, seed, signal } = options;
  if (!options.sharpness && !options.criticalSharpness && !options.learningCoefficient) return {};
  const shared = { parameters, loss, examples, batchSize, signal };
  const surface = await openLossSurface(architecture, network, data, shared);
  const measured: { -readonly [K in keyof CurvatureMeasures]?: CurvatureMeasures[K] } = {};
  try {
    if (options.sharpness) {
      const onProgress = announce("sharpness");
      const climb = { ...options.sharpness, seed, signal, onProgress };
      measured.sharpness = await keep("sharpness", () => measureSharpness(surface, climb));
    }
    if (options.criticalSharpness) {
      const search = { ...options.criticalSharpness, signal };
      measured.criticalSharpness = await keep("critical-sharpness", () => criticalSharpness(surface, search));
      announce("critical-sharpness")(1);
    }
    if (options.learningCoefficient) {
      const onProgress = announce("learning-coefficient");
      const chains = { ...options.learningCoefficient, seed, signal, onProgress };
      measured.learningCoefficient = await keep("learning-coefficient", () =>
        learningCoefficient(surface, chains),
      );
    }
    return measured;
  } finally {
    await surface.release();
  }
}
