import { assertWholeOptions, at, type Checkpoint, OutOfRangeError, resolveOptions } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import type { ComputedEigenvalue } from "./curvature-result.ts";
import { estimateTrace } from "./estimate-trace.ts";
import { hessian } from "./operators/hessian.ts";
import { CURVATURE_OPERATOR_DEFAULTS, type CurvatureOperatorOptions } from "./operators/operator-options.ts";
import { topEigenpairs } from "./top-eigenpairs.ts";
import { norm } from "./vectors.ts";

/** What the places of a training are counted in. */
export const TRAINING_UNITS = ["epoch", "step"] as const;

/** One of {@link TRAINING_UNITS}. */
export type TrainingUnit = (typeof TRAINING_UNITS)[number];

/** Curvature at a place of a training. */
export interface CurvaturePoint {
  /** Number of finished epochs, or steps. */
  readonly at: number;
  readonly loss: number;
  readonly gradientNorm: number;
  /** Largest eigenvalue of the Hessian. */
  readonly largest: ComputedEigenvalue;
  readonly trace: number;
  /** Standard error of the trace; 0 if it is exact. */
  readonly traceError: number;
}

/** Curvature of a loss along a training, on examples that stay the same. */
export interface CurvatureHistory {
  readonly kind: "curvature-history";
  /** In the order of the training. */
  readonly points: readonly CurvaturePoint[];
  /** What points are counted in. */
  readonly unit: TrainingUnit;
  /** Epochs, or steps, from one point to the next. */
  readonly every: number;
  readonly examples: number;
  readonly data: string;
  readonly seed: number;
  readonly engine: string;
}

/** Options of {@link trackCurvature}. */
export interface TrackCurvatureOptions extends CurvatureOperatorOptions {
  /** What points are counted in. @defaultValue "epoch" */
  readonly unit?: TrainingUnit;
  /** Epochs, or steps, from one point to the next, at least 1. @defaultValue 1 */
  readonly every?: number;
  /** The most products for the eigenvalue. @defaultValue 50 */
  readonly steps?: number;
  /** The most products for the trace, at least 6. @defaultValue 30 */
  readonly traceProducts?: number;
  /** Seed of random vectors. @defaultValue 0 */
  readonly seed?: number;
  /** Points that were measured before, such as by a training that resumes. @defaultValue none */
  readonly points?: readonly CurvaturePoint[];
}

/** Defaults of {@link trackCurvature}. */
export const TRACK_CURVATURE_DEFAULTS: Required<TrackCurvatureOptions> = {
  ...CURVATURE_OPERATOR_DEFAULTS,
  examples: 500,
  unit: "epoch",
  every: 1,
  steps: 50,
  traceProducts: 30,
  seed: 0,
  points: [],
};

/** Measures curvature along a training. */
export interface CurvatureTracker {
  /**
   * Measures a network after so many epochs, or steps, unless there is to be no point or is one already.
   * @returns whether there is a new point
   */
  readonly measure: (at: number, network: Checkpoint) => Promise<boolean>;
  readonly history: () => CurvatureHistory;
}

/** Errors, relative, that are small beside what a training changes. */
const [EIGENVALUE_ERROR, TRACE_ERROR] = [1e-3, 1e-2];

const ATTEMPT = "track curvature";

/**
 * Tracks the length of the gradient, the largest eigenvalue and the trace of the Hessian along a training, on
 * the same examples and with the same random vectors at every point. It reads the networks and changes
 * nothing of the training. None of the numbers is invariant to scalings of layers.
 * @throws OutOfRangeError if an option is out of range
 */
export function trackCurvature(
  architecture: Architecture,
  data: DataSet,
  options: TrackCurvatureOptions = {},
): CurvatureTracker {
  const resolved = resolveOptions(ATTEMPT, TRACK_CURVATURE_DEFAULTS, options);
  assertWholeOptions(ATTEMPT, resolved, { every: 1, steps: 1, traceProducts: 6, seed: 0, examples: 0 });
  const { unit, every, points: earlier, ...measures } = resolved;
  if (!TRAINING_UNITS.includes(unit)) {
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as "unit" must be one of ${TRAINING_UNITS.join(", ")}: it is ${unit}`,
    );
  }
  const points = new Map(earlier.map((point) => [point.at, point]));
  const { examples } = measures;
  return {
    async measure(place, network) {
      if (place % every !== 0 || points.has(place)) return false;
      points.set(place, await measurePoint(architecture, network, data, { place, options: measures }));
      return true;
    },
    history: () => ({
      kind: "curvature-history",
      points: [...points.values()].sort((one, other) => one.at - other.at),
      unit,
      every,
      examples: examples === 0 ? data.size : Math.min(examples, data.size),
      data: data.name,
      seed: measures.seed,
      engine: architecture.engine.name,
    }),
  };
}

async function measurePoint(
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  {
    place,
    options,
  }: {
    readonly place: number;
    readonly options: Required<Omit<TrackCurvatureOptions, "unit" | "every" | "points">>;
  },
): Promise<CurvaturePoint> {
  const { parameters, loss: kind, examples, batchSize, signal, seed, steps, traceProducts } = options;
  const operator = await hessian(architecture, network, data, {
    ...{ parameters, loss: kind, examples, batchSize, signal },
  });
  try {
    const gradient = new Float64Array(operator.dimension);
    const loss = await operator.gradient(gradient);
    const { largest } = await topEigenpairs(operator, {
      ...{ seed, signal, steps, count: 1, tolerance: EIGENVALUE_ERROR },
    });
    const { value, residual } = at(largest, 0, "eigenvalue");
    const { trace, standardError } = await estimateTrace(operator, {
      ...{ seed, signal, products: traceProducts, relativeError: TRACE_ERROR },
    });
    return {
      ...{ at: place, loss, gradientNorm: norm(gradient), largest: { value, residual } },
      ...{ trace, traceError: standardError },
    };
  } finally {
    await operator.release();
  }
}
