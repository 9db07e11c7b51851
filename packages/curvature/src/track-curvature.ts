import { assertWholeOptions, type Checkpoint, OutOfRangeError, resolveOptions } from "@isthmus/core";
import { type Architecture, type DataSet, type LossFields, lossFields } from "@isthmus/graph";
import {
  HESSIAN_POINT_DEFAULTS,
  type HessianPoint,
  type HessianPointOptions,
  hessianPoint,
} from "./hessian-point.ts";

/** Units in which the places of a training are counted. */
export const TRAINING_UNITS = ["epoch", "step"] as const;

/** One of {@link TRAINING_UNITS}. */
export type TrainingUnit = (typeof TRAINING_UNITS)[number];

/** Curvature at one place of a training. */
export interface CurvaturePoint extends HessianPoint {
  /** Number of finished epochs, or steps. */
  readonly at: number;
}

/** Curvature of a loss along a training, on examples that stay the same. */
export interface CurvatureHistory extends LossFields {
  /** Kind of the result. */
  readonly kind: "curvature-history";
  /** Points in the order of the training. */
  readonly points: readonly CurvaturePoint[];
  /** Unit in which points are counted. */
  readonly unit: TrainingUnit;
  /** Number of epochs, or steps, from one point to the next. */
  readonly every: number;
  /** Number of examples over which the loss is the mean at every point. */
  readonly examples: number;
  /** Name of these examples. */
  readonly data: string;
  /** Seed of the random vectors. */
  readonly seed: number;
  /** Name of the engine on which the networks ran. */
  readonly engine: string;
}

/** Options of {@link trackCurvature}. */
export interface TrackCurvatureOptions extends HessianPointOptions {
  /** Unit in which points are counted. @defaultValue "epoch" */
  readonly unit?: TrainingUnit;
  /** Number of epochs, or steps, from one point to the next, at least 1. @defaultValue 1 */
  readonly every?: number;
  /** Points that were measured before, such as by a training that resumes. @defaultValue none */
  readonly points?: readonly CurvaturePoint[];
}

/** Defaults of {@link trackCurvature}. */
export const TRACK_CURVATURE_DEFAULTS: Required<TrackCurvatureOptions> = {
  ...HESSIAN_POINT_DEFAULTS,
  examples: 500,
  unit: "epoch",
  every: 1,
  points: [],
};

/** Tracker that measures curvature along a training. */
export interface CurvatureTracker {
  /**
   * Measures a network after `at` epochs, or steps, unless no point is due then, or one was measured there
   * before.
   * @returns whether there is a new point
   */
  readonly measure: (at: number, network: Checkpoint) => Promise<boolean>;
  /** Function that returns all points measured so far, earlier ones included. */
  readonly history: () => CurvatureHistory;
}

const ATTEMPT = "track curvature";

/**
 * Tracks the length of the gradient, the largest eigenvalue and the trace of the Hessian along a training, on
 * the same examples and with the same random vectors at every point. It reads the networks and does not
 * affect the training. None of the numbers is invariant to scalings of layers.
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
      points.set(place, { at: place, ...(await hessianPoint(architecture, network, data, measures)) });
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
      ...lossFields(architecture.graph, data),
    }),
  };
}
