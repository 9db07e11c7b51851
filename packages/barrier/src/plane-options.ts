import { assertWholeOptions, type Checkpoint, OutOfRangeError, resolveOptions } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import type { CurveKind } from "@isthmus/interpolation";
import { NORM_POLICIES, type NormPolicy } from "@isthmus/statistics";
import type { EvaluatedArchitecture } from "./create-corrected-evaluator.ts";

/** A network of a plane, and its label there. */
export interface PlaneSubject {
  readonly label: string;
  readonly network: Checkpoint;
}

/** Networks of one architecture that span a plane, and the engine and the data to measure it with. */
export interface MeasuredPlane extends EvaluatedArchitecture {
  /** The first is the origin, the third lies on the x axis; for a curve: one end, its bend, the other end. */
  readonly models: readonly [PlaneSubject, PlaneSubject, PlaneSubject];
  /** Further networks, each of which is placed at the nearest point of the plane. */
  readonly placed?: readonly PlaneSubject[] | undefined;
}

/** Progress of {@link measurePlane}. */
export interface PlaneProgress {
  /** Networks measured so far, of `total`. */
  readonly done: number;
  readonly total: number;
}

/** Options of {@link measurePlane}. */
export interface MeasurePlaneOptions {
  /** Number of columns, and of rows, of the grid, at least 2. @defaultValue 21 */
  readonly points?: number;
  /**
   * Margin around the three networks, as a share of the space they take up, at least 0; placed networks that
   * would be outside widen the grid. @defaultValue 0.2
   */
  readonly margin?: number;
  /**
   * What is done about batch norms of all networks, including `models` and `placed`. @defaultValue
   * "recalibrate"
   */
  readonly statistics?: NormPolicy;
  /** Examples to measure statistics on. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  /** A curve to draw: from the first network to the third, with the second as its bend. @defaultValue none */
  readonly curve?: CurveKind | undefined;
  /** File that stores finished rows, and from which the same measurement resumes. @defaultValue none */
  readonly journalPath?: string | undefined;
  /** Examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PlaneProgress) => void) | undefined;
}

/** Defaults of {@link measurePlane}. */
export const MEASURE_PLANE_DEFAULTS: Required<MeasurePlaneOptions> = {
  points: 21,
  margin: 0.2,
  statistics: "recalibrate",
  statisticsData: undefined,
  curve: undefined,
  journalPath: undefined,
  batchSize: 100,
  signal: undefined,
  onProgress: undefined,
};

/**
 * Fills in the defaults of options and checks their ranges.
 * @throws UsageError if an option is unknown
 * @throws OutOfRangeError if an option is out of range
 */
export function resolvePlaneOptions(options: MeasurePlaneOptions): Required<MeasurePlaneOptions> {
  const resolved = resolveOptions("measure a plane", MEASURE_PLANE_DEFAULTS, options);
  assertWholeOptions("measure a plane", resolved, { points: 2, batchSize: 1 });
  const { margin, statistics } = resolved;
  const fail = (option: string, rule: string, value: unknown): never => {
    throw new OutOfRangeError(`Cannot measure a plane as "${option}" must be ${rule}: it is ${value}`);
  };
  if (!(margin >= 0 && Number.isFinite(margin))) fail("margin", "a number of at least 0", margin);
  if (!NORM_POLICIES.includes(statistics)) {
    fail("statistics", `one of ${NORM_POLICIES.join(", ")}`, statistics);
  }
  return resolved;
}
